"""The store, compiled: the sources of `tmem.impl` as an extension, for who has mypy and a C compiler.

`Store` does what that of `tmem.impl` does, but nobody can derive from it or replace its methods, and a
signal is seen when an operation ends. `python -m tmem.impl.build` makes it; ImportError where it did not.
"""

from __future__ import annotations

try:
    from tmem.impl.compiled.store import Store
except ImportError as error:
    raise ImportError(
        f"the store is not compiled ({error}): python -m tmem.impl.build, with mypy and a C compiler"
    ) from None

__all__ = ["Store"]
