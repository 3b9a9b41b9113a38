"""How a thread takes a lock that another one holds: while it has the interpreter, not in its sleep."""

from __future__ import annotations

from threading import Lock

from tmem.impl.pause import pause

TRIES = 8
"""Pauses to make; who holds a lock for longer has been put to sleep itself, and may be for a while."""


def take(lock: Lock) -> None:
    """Take a lock that could not be acquired without blocking.

    A thread that sleeps in `acquire` is given the lock as soon as that is free, and only then asks for the
    interpreter, for as long as 5 ms beside a busy thread. Meanwhile everybody else who wants the lock goes to
    sleep for it in turn: once two threads have met, each operation costs them a wake-up.
    """
    for _ in range(TRIES):
        pause()
        if lock.acquire(False):
            return
    lock.acquire()
