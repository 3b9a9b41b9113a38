"""The background reclaimer: a thread that keeps some of the budget free, so that puts need not wait."""

from __future__ import annotations

import threading

from tmem.impl.pause import pause
from tmem.impl.reclaim import BATCH, reclaim
from tmem.impl.room import Room


class Background:
    """A thread that reclaims whenever less than `keep_free` bytes of the budget are free.

    It sleeps until a put takes room beyond that mark while there are ephemeral pages.
    """

    def __init__(self, room: Room, keep_free: int) -> None:
        self._room = room
        self._stopping = False
        self._pressed = threading.Event()
        with room.lock:
            room.watch(room.budget - keep_free, self._pressed.set)
        self._runner = threading.Thread(target=self._run, name="tmem-reclaim", daemon=True)
        self._runner.start()

    def stop(self) -> None:
        """End the thread, and wait for its end."""
        with self._room.lock:
            self._room.watch(self._room.budget, None)
        self._stopping = True
        self._pressed.set()
        self._runner.join()

    def _run(self) -> None:
        while not self._stopping:
            self._pressed.wait()
            self._pressed.clear()
            self._relieve()

    def _relieve(self) -> None:
        room = self._room
        while not self._stopping and (above := room.used - room.mark) > 0:  # a look without the lock will do
            if not reclaim(room, BATCH, above).pages:
                return
            pause()
