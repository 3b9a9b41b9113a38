"""A lock in the hands of another thread."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager


@contextmanager
def held(lock: threading.RLock) -> Iterator[Callable[[], None]]:
    """Let another thread hold the lock; calling the function that is yielded makes that thread release it."""
    taken, enough = threading.Event(), threading.Event()

    def hold() -> None:
        with lock:
            taken.set()
            enough.wait()

    def release() -> None:
        enough.set()
        holder.join()

    holder = threading.Thread(target=hold, daemon=True)
    holder.start()
    taken.wait()
    try:
        yield release
    finally:
        release()
