"""Pieces of a run on other machines, by any executor of `concurrent.futures`, such as a Dask cluster's."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from concurrent.futures import CancelledError, Executor, Future, wait
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.util import find_spec
from typing import Final

from tmem.conformance.events import Event, Note
from tmem.conformance.run.hang import TICK
from tmem.conformance.run.piece import Ended, Piece, whole
from tmem.conformance.run.side_by_side import Task
from tmem.conformance.run.supervisor import RunError

LATE: Final = 90.0
"""Seconds after its time is up for which a piece is waited for: it begins anew where its worker was lost."""
CONNECT: Final = 10
"""Seconds in which a scheduler must answer."""
_DASK: Final = re.compile(r"dask://([^/\s]+:\d+)/?")


@dataclass(frozen=True, slots=True)
class Cluster:
    """An executor, and how many pieces it works on at the same time."""

    executor: Executor
    workers: int


@contextmanager
def connected(address: str) -> Iterator[Cluster]:
    """The cluster at `dask://HOST:PORT`, where a Dask scheduler listens. Raises ValueError, in one line."""
    found = _DASK.fullmatch(address)
    if found is None:
        raise ValueError(f"{address} names no cluster: the form is dask://HOST:PORT")
    if find_spec("distributed") is None:
        raise ValueError("Dask is not installed: pip install 'tmem[dask]' brings it")
    from distributed import Client  # takes half a second, which only its users spend

    try:
        client = Client(f"tcp://{found[1]}", timeout=CONNECT)
    except (OSError, ValueError) as error:
        raise ValueError(f"no Dask scheduler answers at {found[1]}") from error
    with client:
        workers = sum(client.nthreads().values())
        if not workers:
            raise ValueError(f"the cluster at {found[1]} has no workers: dask worker {found[1]} starts one")
        yield Cluster(client.get_executor(pure=False), workers)


def elsewhere(executor: Executor, piece: Piece, until: float | None) -> Task[Ended]:
    """Have an executor do a piece; its events come when it has ended, so none is lost or comes twice.

    A piece that has not ended long after its time is up counts as not done. Raises RunError.
    """
    seconds = None if until is None else max(until - time.monotonic(), 0.0)
    future = executor.submit(whole, piece, seconds)
    try:
        while not future.done():
            if until is not None and time.monotonic() > until + LATE:
                yield Note(f"No answer came from the cluster for seed {piece.seed}: {_names(piece)}.")
                return Ended(False, dict.fromkeys(piece.engines, 0.0))
            wait([future], TICK)
            yield None
        events, ended = _result(future, piece)
        yield from events
    finally:
        future.cancel()
    return ended


def _result(future: Future[tuple[list[Event], Ended]], piece: Piece) -> tuple[list[Event], Ended]:
    try:
        return future.result()
    except RunError:
        raise
    except (Exception, CancelledError) as error:
        raise RunError(
            f"the cluster could not do {_names(piece)}: {type(error).__name__}: {error}. Its machines need "
            f"the target and the same version of tmem"
        ) from error


def _names(piece: Piece) -> str:
    return ", ".join(piece.engines)
