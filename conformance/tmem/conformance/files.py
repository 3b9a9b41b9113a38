"""Writes the files of a run, each of them whole or not at all."""

from __future__ import annotations

import os
from pathlib import Path


def write(path: Path, text: str) -> None:
    """Write a file so that a reader never sees half of it; write a device or pipe directly."""
    if path.exists() and not path.is_file():
        path.write_text(text, encoding="utf-8")
        return
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        draft.write_text(text, encoding="utf-8")
        draft.replace(path)
    finally:
        draft.unlink(missing_ok=True)


def folder_objection(folder: Path) -> str | None:
    """Return why files cannot be written into a folder (made if absent), or None if they can.

    >>> folder_objection(Path("/dev/null/results"))
    '/dev/null is not a folder'
    """
    nearest = next(each for each in (folder, *folder.parents) if each.exists() or each.is_symlink())
    if not nearest.is_dir():
        return f"{nearest} is not a folder"
    if not os.access(nearest, os.W_OK | os.X_OK):
        return f"the folder {nearest} may not be written to"
    return None


def objection(path: Path) -> str | None:
    """Return why a file cannot be written to this path, or None if it can.

    >>> objection(Path("/nowhere/at/all/report.json"))
    'there is no folder /nowhere/at/all; make it first'
    """
    folder = path.parent
    if path.is_dir():
        return f"{path} is a folder; name a file in it"
    if not folder.is_dir():
        return f"there is no folder {folder}; make it first"
    if not os.access(folder, os.W_OK | os.X_OK):
        return f"the folder {folder} may not be written to"
    return None
