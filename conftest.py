"""What pytest leaves alone where it cannot be imported: what takes a C compiler."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path

collect_ignore = [] if find_spec("tmem.impl.codec._native") else ["impl/tmem/impl/codec/native.py"]
if not list(Path(__file__).parent.glob("impl/tmem/impl/compiled/store.*.so")):
    collect_ignore.append("impl/tmem/impl/compiled/__init__.py")
