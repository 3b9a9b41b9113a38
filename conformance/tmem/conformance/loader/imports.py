"""Imports for code under test: executes a new copy of each module, from source that may be changed.

A private module is not the module that others import. While modules are executed their names stand in
`sys.modules`, where dataclasses look; afterwards `sys.modules` is as before.
"""

from __future__ import annotations

import ast
import builtins
import importlib
import importlib.machinery
import importlib.util
import linecache
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from importlib.machinery import ModuleSpec
from pathlib import Path
from types import CodeType, ModuleType
from typing import Any, Final

Rewrite = Callable[[str], str | ast.Module]
"""A function from the source of a module to the source or the tree that is executed instead."""

SHARED: Final = ("tmem.spec",)
"""Packages outside the standard library that code under test shares with everybody."""

_STDLIB: Final = str(Path(ast.__file__).parent)
_INSTALLED: Final = frozenset({"site-packages", "dist-packages"})
"""Names of folders with installed packages, which do not belong to the target."""


@dataclass(frozen=True, slots=True)
class Environment:
    """How the environment of code under test differs from the usual one.

    `modules` replace real modules, by name; `names` are further builtins; `transform` changes the tree of
    each private module outside the standard library; `private` names modules of the standard library that
    are executed again in this environment; modules of `absent` cannot be imported. Installed packages are
    used as they are, unless they are the target's own or in `own`.
    """

    modules: Mapping[str, ModuleType] = field(default_factory=dict)
    names: Mapping[str, object] = field(default_factory=dict)
    transform: Callable[[ast.Module], ast.Module] | None = None
    private: frozenset[str] = frozenset()
    absent: frozenset[str] = frozenset()
    own: frozenset[str] = frozenset()


UNCHANGED: Final = Environment()
"""Code is executed privately, and is otherwise unchanged."""


def _source(spec: ModuleSpec) -> str | None:
    """The source of a module in Python; None of a compiled one. Not every loader says: pytest's does not."""
    get_source = getattr(spec.loader, "get_source", None)
    if get_source is not None:
        source: str | None = get_source(spec.name)
        return source
    if spec.origin is None or not spec.origin.endswith(".py"):
        return None
    return importlib.util.decode_source(Path(spec.origin).read_bytes())


class Importer:
    """The imports of one load. `private` holds the modules that were executed for it, by name.

    `folder` comes before `sys.path`. `notes` says which packages are not private, and why. `foreign` names
    the packages and compiled modules that are used as they are.
    """

    def __init__(
        self,
        target: str,
        environment: Environment,
        rewrite: Mapping[str, Rewrite],
        folder: Path | None = None,
    ) -> None:
        self.private: dict[str, ModuleType] = {}
        self.notes: list[str] = []
        self.foreign: set[str] = set()
        self.rewritten: set[str] = set()
        self._environment = environment
        self._given = {**environment.modules, "importlib": _importlib(self)}
        self._rewrite = rewrite
        self._folder = folder
        self._builtins: dict[str, Any] = {**vars(builtins), **environment.names, "__import__": self._import}
        self._shared = set(SHARED)
        self._executing: dict[str, ModuleType | None] = {}
        self._target = target.partition(".")[0]
        self._rewritten_tops = {name.partition(".")[0] for name in rewrite}
        self._tops = [self._target]  # the target's own package is private, or cannot be loaded
        self._depth = 0

    def load(self, name: str) -> ModuleType:
        """The module of this name, private if it can be. Raises ImportError if there is none."""
        if name in self._given:
            return self._given[name]
        if name in self.private:
            return self.private[name]
        if name in self._environment.absent:
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)
        if self._is_shared(name):
            return importlib.import_module(name)
        top = name.partition(".")[0]
        if top in self._tops:
            return self._load(name)
        self._tops.append(top)
        try:
            return self._load(name)
        except Exception as error:
            if self._find_beside(top) is not None:  # the target's own code
                raise
            if isinstance(error, ModuleNotFoundError) and error.name == top:
                raise
            return self._share(top, name, error)
        finally:
            self._tops.remove(top)

    def _share(self, top: str, name: str, error: Exception) -> ModuleType:
        # Some packages can be executed only once in a process: use the shared module.
        for each in [n for n in self.private if n.partition(".")[0] == top]:
            del self.private[each]
        for each in [n for n in self._executing if n.partition(".")[0] == top]:
            self._restore(each)
        self._shared.add(top)
        self.foreign.add(top)
        self.notes.append(f"{top} is used as it is: it cannot be executed twice ({error})")
        return importlib.import_module(name)

    def _load(self, name: str) -> ModuleType:
        parent, _, child = name.rpartition(".")
        path = None
        if parent:
            package = self.load(parent)
            if name in self.private:  # executing the parent has imported it
                return self.private[name]
            path = getattr(package, "__path__", None)
            if path is None:
                raise ModuleNotFoundError(f"No module named {name!r}; {parent!r} is not a package", name=name)
        spec = self._find(name, path)
        if spec is None:
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)
        module = self._execute(spec)
        if parent:
            setattr(self.load(parent), child, module)
        return module

    def load_file(self, file: Path) -> ModuleType:
        """The module of a Python file. Its name is that of the file."""
        spec = importlib.util.spec_from_file_location(file.stem, file)
        if spec is None:
            raise ImportError(f"{file} is not a Python file")
        return self._execute(spec)

    def _find(self, name: str, path: Sequence[str] | None) -> ModuleSpec | None:
        if path is None and (spec := self._find_beside(name)) is not None:
            return spec
        for finder in sys.meta_path:
            spec = finder.find_spec(name, path)
            if spec is not None:
                return spec
        return None

    def _find_beside(self, name: str) -> ModuleSpec | None:
        if self._folder is None:
            return None
        spec = importlib.machinery.PathFinder.find_spec(name, [str(self._folder)])
        return None if spec is None or spec.loader is None else spec

    def _execute(self, spec: ModuleSpec) -> ModuleType:
        if spec.loader is None:  # a namespace package has no code
            module = importlib.util.module_from_spec(spec)
            self.private[spec.name] = module
            return module
        source = _source(spec)
        if source is None:  # a compiled module exists once
            self.foreign.add(spec.name)
            return importlib.import_module(spec.name)
        module = importlib.util.module_from_spec(spec)
        module.__dict__["__builtins__"] = self._builtins
        code = self._code(spec, source)
        self.private[spec.name] = module
        with self._visible(spec.name, module):
            try:
                exec(code, module.__dict__)
            except BaseException:
                del self.private[spec.name]
                raise
        return module

    def _code(self, spec: ModuleSpec, source: str) -> CodeType:
        name, file = spec.name, spec.origin or f"<{spec.name}>"
        transform = None if _is_stdlib(file) else self._environment.transform
        if "CDLL" in source or "cdll" in source:
            self.foreign.add("ctypes.CDLL")
        rewrite = self._rewrite.get(name)
        tree: str | ast.Module = source
        if rewrite is not None:
            self.rewritten.add(name)
            tree = rewrite(source)
        if isinstance(tree, str):
            if rewrite is not None:
                file = _remember(tree, file)
            tree = ast.parse(tree, file)
        if transform is not None:
            tree = transform(tree)
        return compile(tree, file, "exec", dont_inherit=True)

    @contextmanager
    def _visible(self, name: str, module: ModuleType) -> Iterator[None]:
        self._executing.setdefault(name, sys.modules.get(name))
        sys.modules[name] = module
        self._depth += 1
        try:
            yield
        finally:
            self._depth -= 1
            if not self._depth:
                for each in list(self._executing):
                    self._restore(each)

    def _restore(self, name: str) -> None:
        before = self._executing.pop(name)
        if before is None:
            sys.modules.pop(name, None)
        else:
            sys.modules[name] = before

    # Called by `import` statements of the loaded code

    def _import(
        self,
        name: str,
        globals: Mapping[str, Any] | None = None,
        locals: object = None,
        fromlist: Sequence[str] | None = (),
        level: int = 0,
    ) -> ModuleType:
        if level:
            package = (globals or {}).get("__package__") or ""
            name = importlib.util.resolve_name("." * level + name, package)
        if self._is_shared(name) and name not in self._given:
            real = builtins.__import__(name, None, None, fromlist or (), 0)
            top, _, rest = name.partition(".")
            if fromlist or (top not in self.private and top not in self._given):
                return real
            if top in self._given:
                setattr(self._given[top], rest.partition(".")[0], getattr(real, rest.partition(".")[0]))
        module = self.load(name)
        if not fromlist:
            return module if level else self.load(name.partition(".")[0])
        if hasattr(module, "__path__"):
            self._submodules(module, fromlist)
        return module

    def _is_shared(self, name: str) -> bool:
        top = name.partition(".")[0]
        if self._find_beside(top) is not None:
            return False
        if top in sys.stdlib_module_names:
            if top not in self._given:
                self.foreign.add(top)
            return top not in self._environment.private and name not in self._environment.absent
        if top not in self._shared and self._is_installed(top):
            self._shared.add(top)
            self.foreign.add(top)
        return any(name == each or name.startswith(each + ".") for each in self._shared)

    def _is_installed(self, top: str) -> bool:
        if top in self._environment.own or top == self._target or top in self._rewritten_tops:
            return False
        spec = self._find(top, None)
        places = [spec.origin or "", *(spec.submodule_search_locations or ())] if spec is not None else []
        return any(not _INSTALLED.isdisjoint(Path(place).parts) for place in places)

    def _submodules(self, package: ModuleType, fromlist: Sequence[str]) -> None:
        wanted = getattr(package, "__all__", ()) if "*" in fromlist else fromlist
        for child in wanted:
            if hasattr(package, child):
                continue
            name = f"{package.__name__}.{child}"
            try:
                module = self.load(name)
            except ModuleNotFoundError as error:
                if error.name != name:
                    raise
            else:
                if not hasattr(package, child):
                    setattr(package, child, module)


def _is_stdlib(file: str) -> bool:
    return file.startswith(_STDLIB) and "site-packages" not in file


def _remember(source: str, file: str) -> str:
    """Keep source that is not on disk. Returns the file name under which tracebacks find it."""
    name = f"{file} (rewritten)"
    linecache.cache[name] = (len(source), None, source.splitlines(keepends=True), name)
    return name


def _importlib(importer: Importer) -> ModuleType:
    """Return a copy of `importlib` whose `import_module` is that of the importer."""

    def import_module(name: str, package: str | None = None) -> ModuleType:
        return importer.load(importlib.util.resolve_name(name, package) if name.startswith(".") else name)

    module = ModuleType("importlib", importlib.__doc__)
    module.__dict__.update({k: v for k, v in vars(importlib).items() if not k.startswith("__")})
    module.__dict__.update(import_module=import_module, __path__=importlib.__path__)
    return module
