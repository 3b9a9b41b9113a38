"""Runs proofs on two cores, in fresh processes that end without a traceback on Ctrl-C."""

from __future__ import annotations

import signal
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from functools import partial
from multiprocessing import get_context
from typing import Final, TypeVar

A = TypeVar("A")
R = TypeVar("R")

PROCESSES: Final = 2
SPAWN: Final = get_context("spawn")
ending: Final = partial(signal.signal, signal.SIGINT, signal.SIG_DFL)
"""The first function that each process calls."""


def each(function: Callable[[A], R], arguments: Sequence[A]) -> Iterator[R]:
    """Yield the results of the function for the arguments, as they come from `PROCESSES` processes."""
    with ProcessPoolExecutor(PROCESSES, SPAWN, ending) as pool:
        futures = [pool.submit(function, argument) for argument in arguments]
        try:
            yield from (future.result() for future in as_completed(futures))
        finally:
            pool.shutdown(wait=False, cancel_futures=True)
