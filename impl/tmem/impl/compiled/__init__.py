"""The compiled store: the sources of `tmem.impl` as an extension.

`Store` does what `tmem.impl.Store` does, but it cannot be derived from, its methods cannot be replaced, and a
signal is handled when an operation ends. `python -m tmem.impl.build` makes it, with mypy and a C compiler;
until then the import raises ImportError.
"""

from __future__ import annotations

try:
    from tmem.impl.compiled.store import Store
except ImportError as error:
    raise ImportError(
        f"the store is not compiled ({error}): python -m tmem.impl.build, with mypy and a C compiler"
    ) from None

__all__ = ["Store"]
