"""Imports `py:` targets as Python does: a factory in a module, or in a file of the user.

All engines call what is imported here, but one: the engine of schedules loads the same code afresh, with
virtual threads (`schedules.runtime.load`).
"""

from __future__ import annotations

import importlib
import importlib.util
import inspect
import os
import pkgutil
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib.machinery import ModuleSpec
from pathlib import Path
from types import ModuleType

from tmem.conformance.targets.suggest import nearest
from tmem.conformance.targets.target import TargetError, raised


def load(text: str, rest: str) -> Callable[[], object]:
    """Return the factory of `py:rest`. Raises TargetError, one line that begins with `text`, without one."""
    place, colon, name = rest.rpartition(":")
    if not colon or not place or not name:
        raise TargetError(
            f"{text}: which factory? Write py:package.module:factory or py:path/file.py:factory"
        )
    is_file = place.endswith(".py") or os.sep in place
    module = _file(text, Path(place)) if is_file else _module(text, place)
    return _factory(text, module, name)


def _file(text: str, path: Path) -> ModuleType:
    if not path.is_file():
        there = [each.name for each in path.parent.glob("*.py")] if path.parent.is_dir() else []
        why = f"{path} is a folder" if path.is_dir() else f"there is no file {path}"
        raise TargetError(f"{text}: {why}{nearest(path.name, there)}")
    taken = path.stem in sys.modules or path.stem in sys.stdlib_module_names
    name = f"target_{path.stem}" if taken else path.stem
    spec = importlib.util.spec_from_file_location(name, path.resolve())
    if spec is None or spec.loader is None:
        raise TargetError(f"{text}: {path} is no Python file; its name must end in .py")
    with _importable(path.parent.resolve()):
        return _run(text, spec)


def _run(text: str, spec: ModuleSpec) -> ModuleType:
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    assert spec.loader is not None
    try:
        spec.loader.exec_module(module)
    except BaseException as error:  # a script that calls sys.exit() must not end the suite
        raise TargetError(f"{text}: importing it raised {raised(error)}") from error
    return module


def _module(text: str, name: str) -> ModuleType:
    with _importable(Path.cwd()):
        try:
            return importlib.import_module(name)
        except ModuleNotFoundError as error:
            if error.name is None or not f"{name}.".startswith(f"{error.name}."):
                raise TargetError(f"{text}: importing it raised {raised(error)}") from error
            raise TargetError(f"{text}: there is no module {error.name}{_similar(error.name)}") from error
        except BaseException as error:
            raise TargetError(f"{text}: importing it raised {raised(error)}") from error


def _similar(name: str) -> str:
    parent, _, last = name.rpartition(".")
    package = sys.modules.get(parent)
    if parent and package is None:
        return ""
    path = None if package is None else getattr(package, "__path__", [])
    return nearest(last, (each.name for each in pkgutil.iter_modules(path)))


@contextmanager
def _importable(folder: Path) -> Iterator[None]:
    """Put a folder first on the path; it stays as the last, for what a factory imports later."""
    sys.path.insert(0, str(folder))
    try:
        yield
    finally:
        if str(folder) in sys.path:
            sys.path.remove(str(folder))
        sys.path.append(str(folder))


def _factory(text: str, module: ModuleType, name: str) -> Callable[[], object]:
    found: object = module
    for part in name.split("."):
        try:
            found = getattr(found, part)
        except AttributeError as error:
            names = [each for each in dir(found) if not each.startswith("_") and _calls(found, each)]
            raise TargetError(f"{text}: there is no {part!r} in it{nearest(part, names)}") from error
    if not callable(found):
        raise TargetError(
            f"{text}: {name} is not callable; it must be a factory that returns a fresh backend"
        )
    factory: Callable[[], object] = found
    if missing := _needs(factory):
        raise TargetError(
            f"{text}: {name} needs arguments ({missing}); name a callable without, as in: "
            f"def factory(): return {name}(...)"
        )
    if inspect.iscoroutinefunction(factory):
        raise TargetError(f"{text}: {name} is async; a factory must return a backend when it is called")
    return factory


def _calls(owner: object, name: str) -> bool:
    return callable(getattr(owner, name, None))


def _needs(factory: Callable[[], object]) -> str:
    try:
        parameters = inspect.signature(factory).parameters.values()
    except (TypeError, ValueError):  # written in C: only a call shows whether it fits
        return ""
    variable = (inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD)
    needed = (each for each in parameters if each.kind not in variable and each.default is each.empty)
    return ", ".join(each.name for each in needed)
