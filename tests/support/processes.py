"""The processes of this machine, as tests look at them."""

from __future__ import annotations

from pathlib import Path


def children() -> set[int]:
    """The processes that this one started."""
    found = set()
    for task in Path("/proc/self/task").iterdir():
        found |= {int(pid) for pid in (task / "children").read_text().split()}
    return found


def running(word: str) -> list[bytes]:
    """The command lines on this machine that hold a word."""
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        try:
            command = (process / "cmdline").read_bytes()
        except OSError:
            continue  # it ended while we looked
        if word.encode() in command:
            found.append(command)
    return found
