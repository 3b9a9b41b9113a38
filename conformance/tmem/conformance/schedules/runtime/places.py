"""The place in the code under test, and the name of what it makes there."""

from __future__ import annotations

import linecache
import os
import re
import sys
from pathlib import Path
from types import FrameType
from typing import Final

HERE: Final = str(Path(__file__).parents[1])
"""Frames in files of this folder or of the standard library do not belong to the target."""
IGNORED: Final = (HERE, os.path.dirname(os.__file__), "<frozen")


def innermost(frame: FrameType | None = None) -> FrameType | None:
    """The innermost frame of the code under test, from a frame (default: the caller's) outwards."""
    frame = frame or sys._getframe(1)
    while frame is not None and frame.f_code.co_filename.startswith(IGNORED):
        frame = frame.f_back
    return frame


def file_name(path: str) -> str:
    """The name of a file, without what the loader appends.

    >>> file_name("/some/folder/store.py (rewritten)")
    'store.py'
    """
    return Path(path).name.partition(" ")[0]


def place() -> str:
    """The place where the code under test is, as file:line."""
    frame = innermost()
    return f"{frame.f_code.co_filename}:{frame.f_lineno}" if frame is not None else ""


def named() -> str:
    """The name that the code under test gives to the object that it makes now, such as `Store.lock`."""
    frame = innermost()
    if frame is None:
        return ""
    line = linecache.getline(frame.f_code.co_filename, frame.f_lineno)
    found = re.match(r"\s*(?:self\.)?([\w.]+)[^=(]*=", line)
    if found is None:
        return ""
    owner = frame.f_locals.get("self")
    return f"{type(owner).__name__}.{found[1]}" if owner is not None else found[1]
