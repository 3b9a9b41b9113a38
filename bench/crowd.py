"""A crowd of threads that work until their time is over, alone or beside a busy Python thread."""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Callable, Iterator, Sequence

Work = Callable[[], int]
"""A few operations at a time; how many it were, and 0 when there is nothing left to do."""


def rate(workers: Sequence[Work], seconds: float) -> float:
    """Operations a second of all workers together, each in a thread of its own.

    They begin together; the time runs until the last one has ended its last few.
    """
    start = threading.Barrier(len(workers))
    runs: list[tuple[float, float, int]] = []
    failures: list[BaseException] = []

    def run(work: Work) -> None:
        done = 0
        try:
            start.wait()
            begin = time.perf_counter()
            while time.perf_counter() - begin < seconds and (some := work()):
                done += some
            runs.append((begin, time.perf_counter(), done))
        except BaseException as failure:
            failures.append(failure)

    threads = [threading.Thread(target=run, args=(work,), daemon=True) for work in workers]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if failures:
        raise failures[0]
    began, ended = min(begin for begin, _, _ in runs), max(end for _, end, _ in runs)
    return sum(done for _, _, done in runs) / (ended - began)


@contextlib.contextmanager
def busy_thread(wanted: bool = True) -> Iterator[None]:
    """A thread that computes in Python all the time, and asks for the interpreter as any such thread does."""
    stop = False

    def spin() -> None:
        number = 0
        while not stop:
            number = (number * 1103515245 + 12345) % 2147483648

    thread = threading.Thread(target=spin, daemon=True)
    if wanted:
        thread.start()
    try:
        yield
    finally:
        stop = True
        if wanted:
            thread.join()
