"""Pauses in long operations, during which other threads run."""

from __future__ import annotations

import time

PIECE = 512
"""Pages that are given back between two pauses; they take some 100 µs."""


def pause() -> None:
    """Let other threads run. After a sleep of 0 seconds, this thread would go on before any wakes up."""
    time.sleep(20e-6)
