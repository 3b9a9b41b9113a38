"""Taking a lock that another thread holds, and giving back the locks of a thread that was interrupted."""

from __future__ import annotations

from threading import RLock

from tmem.impl.pause import pause

TRIES = 8
"""Pauses before a thread sleeps for the lock: its holder is then likely to be asleep itself."""


def take(lock: RLock) -> None:
    """Take a lock that could not be acquired without blocking.

    A thread that sleeps in `acquire` owns the lock as soon as it is free, and only then asks for the
    interpreter, which can take 5 ms beside a busy thread. All others who want the lock go to sleep for it
    meanwhile, so that from the first encounter of two threads on, each operation costs a wake-up.
    """
    for _ in range(TRIES):
        pause()
        if lock.acquire(False):
            return
    lock.acquire()


def owned(lock: RLock) -> bool:
    """Return whether the calling thread holds the lock."""
    mine: bool = lock._is_owned()  # type: ignore[attr-defined]  # `threading.Condition` relies on it too
    return mine


def let_go(lock: RLock) -> None:
    """Release the lock as often as the calling thread has taken it, which may be never."""
    while owned(lock):
        lock.release()
