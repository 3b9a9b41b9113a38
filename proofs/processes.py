"""How proofs use two cores: fresh processes, which just end on Ctrl-C."""

from __future__ import annotations

import signal
from functools import partial
from multiprocessing import get_context
from typing import Final

PROCESSES: Final = 2
SPAWN: Final = get_context("spawn")
ending: Final = partial(signal.signal, signal.SIGINT, signal.SIG_DFL)
"""What each process does first."""
