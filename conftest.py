"""What pytest leaves alone where it cannot be imported: the codec that takes a C compiler."""

from __future__ import annotations

from importlib.util import find_spec

collect_ignore = [] if find_spec("tmem.impl.codec._native") else ["impl/tmem/impl/codec/native.py"]
