"""Puts switch points around the calls inside expressions."""

from __future__ import annotations

import ast
from dataclasses import dataclass
from typing import Final

from tmem.conformance.loader.names import Names

POINT: Final = "__point__"
"""The name of a function without arguments: a switch point."""
POINTED: Final = "__pointed__"
"""The name of a function that returns its argument, after a switch point."""

PURE: Final = frozenset(
    {"abs", "callable", "chr", "divmod", "float", "hash", "hex", "id", "int", "isinstance"}
    | {"issubclass", "max", "min", "ord", "range", "repr", "str", "type", "super", "locals", "globals"}
    | {"OSError", "ValueError", "KeyError", "TypeError", "RuntimeError", "OverflowError", "MemoryError"}
)
"""Calls by these names touch nothing but their arguments."""

Comprehension = ast.ListComp | ast.SetComp | ast.GeneratorExp | ast.DictComp


def after_point(value: ast.expr) -> ast.expr:
    """Put a switch point before an expression: `__point__() or value`, because a point returns None."""
    point = ast.copy_location(ast.Call(ast.Name(POINT, ast.Load()), [], []), value)
    return ast.copy_location(ast.BoolOp(ast.Or(), [point, value]), value)


@dataclass(frozen=True, slots=True)
class Scope:
    """What is known about the names in an expression.

    `shared` are global and nonlocal variables that functions assign; calls of `pure` names touch nothing;
    `own` functions have points of their own; `modules` are names that `import` bound; `fresh` is the name
    of an object that no other thread can see yet.
    """

    shared: frozenset[str]
    pure: frozenset[str]
    own: frozenset[str]
    modules: frozenset[str]
    names: Names
    fresh: str | None = None


class Scan:
    """Visits one statement in the order of evaluation, and puts points around its calls.

    `touched` says whether the statement touches what other threads may see, `dirty` whether it does so since
    the last point. Nothing is touched after `calls`: they get a point when something is.
    """

    def __init__(self, scope: Scope) -> None:
        self.scope = scope
        self.touched = False
        self.dirty = False
        self.calls: list[ast.Call] = []

    def touch(self) -> None:
        """Record that the statement touches what other threads may see."""
        for call in self.calls:
            inner = ast.copy_location(ast.Call(call.func, call.args, call.keywords), call)
            call.func = ast.copy_location(ast.Name(POINTED, ast.Load()), call)
            call.args, call.keywords = [inner], []
        self.calls = []
        self.touched = self.dirty = True

    def statement(self, node: ast.stmt) -> None:
        """Visit a statement without blocks."""
        match node:
            case ast.Assign():
                node.value = self.visit(node.value)
                for target in node.targets:
                    self.visit(target)
            case ast.AnnAssign(value=ast.expr() as value):
                node.value = self.visit(value)
                self.visit(node.target)
            case ast.AugAssign(target=ast.Name(id=name)):
                node.value = self.visit(node.value)
                if name in self.scope.shared:
                    self.touch()
            case ast.AugAssign():
                self.visit(node.target)
                node.value = self.visit(node.value)
                self.visit(node.target)
            case ast.AnnAssign():
                pass
            case _:
                self._children(node)

    def visit(self, node: ast.expr) -> ast.expr:
        """Return the expression with its points. Targets of assignments are visited and not changed."""
        match node:
            case ast.Call():
                self._call(node)
            case ast.Name(id=name):
                if name in self.scope.shared:
                    self.touch()
            case ast.Attribute():
                node.value = self.visit(node.value)
                if self._may_differ(node):
                    self.touch()
            case ast.Subscript() | ast.Yield() | ast.YieldFrom() | ast.Await():
                self._children(node)
                self.touch()
            case ast.Dict():
                self._dict(node)
            case ast.Compare(ops=ops):
                self._children(node)
                if any(isinstance(each, ast.In | ast.NotIn) for each in ops):
                    self.touch()
            case ast.Starred(ctx=ast.Load()):
                self._children(node)
                self.touch()
            case ast.BoolOp(values=values):
                node.values = [self.test(each) for each in values]
            case ast.UnaryOp(op=ast.Not()):
                node.operand = self.test(node.operand)
            case ast.IfExp():
                self._conditional(node)
            case ast.ListComp() | ast.SetComp() | ast.GeneratorExp() | ast.DictComp():
                self._comprehension(node)
            case ast.Lambda():  # a function of its own
                pass
            case ast.NamedExpr():
                node.value = self.visit(node.value)
            case _:
                self._children(node)
        return node

    def test(self, node: ast.expr) -> ast.expr:
        """Return a tested expression with its points. Testing the truth of a container reads its content."""
        node = self.visit(node)
        if isinstance(node, ast.Name | ast.Attribute):
            self.touch()
        return node

    def _children(self, node: ast.AST) -> None:
        for name, value in ast.iter_fields(node):
            if isinstance(value, ast.expr):
                setattr(node, name, self.visit(value))
            elif isinstance(value, list):
                value[:] = [self.visit(each) if isinstance(each, ast.expr) else each for each in value]

    def _may_differ(self, node: ast.Attribute) -> bool:
        if isinstance(node.value, ast.Name) and node.value.id == self.scope.fresh:
            return False
        if not isinstance(node.ctx, ast.Load):
            return True
        of_module = isinstance(node.value, ast.Name) and node.value.id in self.scope.modules
        return self.scope.names.may_change(node.attr, of_module)

    def _call(self, node: ast.Call) -> None:
        pure = isinstance(node.func, ast.Name) and node.func.id in self.scope.pure
        own = self._is_own(node.func)
        before = self.dirty and not self.calls and not pure and not own
        if before:
            self.dirty = False
        if isinstance(node.func, ast.Attribute):  # reading the method is part of the call
            node.func.value = self.visit(node.func.value)
        elif not pure:
            node.func = self.visit(node.func)
        node.args = [self.visit(each) for each in node.args]
        for keyword in node.keywords:
            keyword.value = self.visit(keyword.value)
        if pure:
            return
        if own:  # an own function that touches anything begins with a point
            self.dirty, self.calls = True, []
        else:
            self.touch()
        if before:
            _put_before(node)
        self.calls.append(node)

    def _is_own(self, callee: ast.expr) -> bool:
        if isinstance(callee, ast.Attribute):
            return self.scope.names.is_method(callee.attr)
        return isinstance(callee, ast.Name) and callee.id in self.scope.own

    def _dict(self, node: ast.Dict) -> None:
        for n, (key, value) in enumerate(zip(node.keys, node.values, strict=True)):
            if key is not None:
                node.keys[n] = self.visit(key)
            node.values[n] = self.visit(value)
            if key is None:  # ** reads the whole mapping
                self.touch()

    def _conditional(self, node: ast.IfExp) -> None:
        node.test = self.test(node.test)
        before = list(self.calls)
        node.body = self.visit(node.body)
        after_body, self.calls = self.calls, before
        node.orelse = self.visit(node.orelse)
        self.calls += [call for call in after_body if call not in self.calls]

    def _comprehension(self, node: Comprehension) -> None:
        # A loop: what one iteration touches comes before the calls of the next one.
        first, *rest = node.generators
        first.iter = self.visit(first.iter)
        self.dirty = True
        for each in node.generators:
            each.ifs = [self.visit(test) for test in each.ifs]
        for each in rest:
            each.iter = self.visit(each.iter)
        if isinstance(node, ast.DictComp):
            node.key, node.value = self.visit(node.key), self.visit(node.value)
        else:
            node.elt = self.visit(node.elt)


def _put_before(call: ast.Call) -> None:
    # Puts a point before the call evaluates any part of its expression.
    owner: ast.Call | ast.Attribute = call
    inner = call.func
    while isinstance(inner, ast.Attribute):
        owner, inner = inner, inner.value
    if isinstance(owner, ast.Call):
        owner.func = after_point(inner)
    else:
        owner.value = after_point(inner)
