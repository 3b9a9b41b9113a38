"""Long work in pieces, with a pause between them in which other threads get their turn."""

from __future__ import annotations

import time

PIECE = 512
"""Pages that are given back between two pauses: some 100 µs."""


def pause() -> None:
    """Let others run. A sleep of 0 seconds would take the interpreter back before any of them wakes up."""
    time.sleep(20e-6)
