"""Loads a store in a shared library, and says in one line why one cannot be loaded."""

from __future__ import annotations

import ctypes
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

from tmem.conformance.compiled.interface import FUNCTIONS, REQUIRED, Function, ctype
from tmem.spec.backend import OPERATIONS

RUNTIME: Final = "libtmem_runtime.so"
"""The name of the runtime for controlled schedules, which libraries that are instrumented depend on."""
Call = Callable[..., Any]


class LibraryError(Exception):
    """The library cannot be used; the one line says why, and what to do."""


def load(path: Path, hold: bool = False) -> dict[str, Call]:
    """The functions of the library by name, callable with plain numbers and addresses.

    They release the interpreter, unless `hold` is true. LibraryError where it is no store.
    """
    if not path.is_file():
        raise LibraryError(f"there is no file {path}")
    kind = ctypes.PyDLL if hold else ctypes.CDLL
    # Calls of an instrumented library must reach the runtime that it was linked to, not the libc of Python.
    deep = os.RTLD_DEEPBIND if instrumented(path) else 0
    try:
        library = kind(str(path.resolve()), mode=os.RTLD_NOW | os.RTLD_LOCAL | deep)
    except OSError as error:
        raise LibraryError(f"loading it failed: {error}") from error
    lacking = [name for name in REQUIRED if not hasattr(library, name)]
    if lacking:
        raise LibraryError(
            f"it lacks {', '.join(lacking)}; a store exports what tmem.h declares, which `tmem header` prints"
        )
    return {
        name: _typed(getattr(library, name), function)
        for name, function in FUNCTIONS.items()
        if hasattr(library, name)
    }


def _typed(called: Any, function: Function) -> Call:
    called.restype = ctypes.c_char_p if function.result == "const char *" else ctype(function.result)
    called.argtypes = [ctype(kind) for kind, _ in function.arguments]
    typed: Call = called
    return typed


def instrumented(path: Path) -> bool:
    """Whether the library was linked to the runtime for controlled schedules."""
    return RUNTIME.encode() + b"\0" in path.read_bytes()


def offered(functions: dict[str, Call]) -> frozenset[str]:
    """The methods of a backend that a library has functions for."""
    methods = {FUNCTIONS[name].method for name in functions} - {""}
    assert methods >= set(OPERATIONS)
    return frozenset(methods)
