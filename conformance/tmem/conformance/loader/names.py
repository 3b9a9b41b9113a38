"""Learns names in the code of a target: attributes that may change, and functions of the target itself.

Attributes that only constructors assign are read without a switch point. A call of the target's own function
has no switch point around it, because the function has its own.
"""

from __future__ import annotations

import ast
import sys
from collections import OrderedDict, deque
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import partial
from typing import Final

Function = ast.FunctionDef | ast.AsyncFunctionDef
CONSTRUCTORS: Final = frozenset({"__init__", "__new__", "__post_init__", "__setstate__"})
_BUILTIN: Final = (
    dict,
    list,
    set,
    str,
    bytes,
    bytearray,
    memoryview,
    int,
    OrderedDict,
    deque,
    Iterator,
    partial,
)
FOREIGN: Final = frozenset(name for each in _BUILTIN for name in dir(each))
"""Methods of builtin types. A call by such a name may run no code of the target."""
LOCKING: Final = frozenset({"acquire", "release"})
"""Methods of locks, which are switch points themselves."""


@dataclass(slots=True)
class Names:
    """The names in those modules of a target that were learned."""

    changed: set[str] = field(default_factory=set)
    """Attributes that are assigned or deleted outside of constructors, or on other objects."""
    constant: set[str] = field(default_factory=set)
    """Attributes that constructors and bodies of classes assign."""
    functions: set[str] = field(default_factory=set)
    """Names that `def` or `class` defines."""
    dynamic: bool = False
    """Whether attributes are assigned by computed names: then any attribute may change."""

    def learn(self, tree: ast.Module) -> ast.Module:
        """Learn the names of one module. Returns the tree, unchanged."""
        for node in ast.walk(tree):
            match node:
                case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name):
                    self._function(node)
                case ast.ClassDef(name=name, body=body):
                    self.functions.add(name)
                    self._class_body(body)
                case ast.Global(names=names) | ast.Nonlocal(names=names):
                    self.changed.update(names)
                case ast.Call(func=ast.Name(id="setattr" | "delattr"), args=[_, name, *_]):
                    self._by_name(name)
                case ast.Call(func=ast.Attribute(attr="__setattr__" | "__delattr__"), args=[*_, name, _]):
                    self._by_name(name)
                case ast.Attribute(attr="__dict__") | ast.Call(func=ast.Name(id="vars")):
                    self.dynamic = True
        self._assigned(tree, own=None)
        return tree

    def may_change(self, attribute: str, of_module: bool = False) -> bool:
        """Whether an attribute of this name may change between two reads."""
        known = of_module or attribute in self.constant or attribute in self.functions
        return self.dynamic or not known or attribute in self.changed

    def is_method(self, name: str) -> bool:
        """Whether a method of this name has switch points of its own."""
        return name in LOCKING or (name in self.functions and name not in FOREIGN)

    def _function(self, node: Function) -> None:
        self.functions.add(node.name)
        if any("cached_property" in ast.unparse(each) for each in node.decorator_list):
            self.changed.add(node.name)

    def _class_body(self, body: list[ast.stmt]) -> None:
        for node in body:
            match node:
                case ast.Assign(targets=targets):
                    self.constant.update(each.id for each in targets if isinstance(each, ast.Name))
                case ast.AnnAssign(target=ast.Name(id=name)):
                    self.constant.add(name)

    def _by_name(self, name: ast.expr) -> None:
        if isinstance(name, ast.Constant) and isinstance(name.value, str):
            self.changed.add(name.value)
        else:
            self.dynamic = True

    def _assigned(self, node: ast.AST, own: str | None) -> None:
        # `own` is the name that a constructor gives to the new object.
        for child in ast.iter_child_nodes(node):
            inner = own
            if isinstance(child, Function):
                inner = first_argument(child) if child.name in CONSTRUCTORS else None
            if isinstance(child, ast.Attribute) and not isinstance(child.ctx, ast.Load):
                of_own = isinstance(child.value, ast.Name) and child.value.id == own
                (self.constant if of_own else self.changed).add(child.attr)
            self._assigned(child, inner)


EVERYTHING: Final = Names(dynamic=True)
"""Names for a target that was not learned: any attribute may change, and no function is known."""


def first_argument(node: Function) -> str | None:
    """Return the name that a method gives to its object."""
    arguments = [*node.args.posonlyargs, *node.args.args]
    return arguments[0].arg if arguments else None


def keeps_to_itself(node: Function) -> str | None:
    """Return the name that a constructor gives to its object, if the object is private until it returns."""
    own = first_argument(node)
    if node.name not in CONSTRUCTORS or own is None:
        return None
    seen = {id(each.value) for each in ast.walk(node) if isinstance(each, ast.Attribute)}
    called = {
        id(each.func.value)
        for each in ast.walk(node)
        if isinstance(each, ast.Call) and isinstance(each.func, ast.Attribute)
    }
    escapes = any(
        isinstance(each, ast.Name) and each.id == own and (id(each) not in seen or id(each) in called)
        for each in ast.walk(node)
    )
    return None if escapes else own


def own_names(tree: ast.Module, names: Names) -> frozenset[str]:
    """Return the bare names by which a module calls functions of the target."""
    here = {each.name for each in tree.body if isinstance(each, ast.FunctionDef | ast.ClassDef)}
    assigned = {n.id for n in ast.walk(tree) if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Store)}
    arguments = {each.arg for each in ast.walk(tree) if isinstance(each, ast.arg)}
    imported: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and (node.level or top(node) not in sys.stdlib_module_names):
            imported |= {each.asname or each.name for each in node.names if each.name in names.functions}
    return frozenset(here | imported) - assigned - arguments


def modules(tree: ast.Module) -> frozenset[str]:
    """Return the names that `import` statements of a module bind."""
    imports = (node for node in ast.walk(tree) if isinstance(node, ast.Import))
    return frozenset(each.asname or each.name.partition(".")[0] for node in imports for each in node.names)


def top(node: ast.ImportFrom) -> str:
    """Return the top package of an import."""
    return (node.module or "").partition(".")[0]
