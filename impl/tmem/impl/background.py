"""The background reclaimer: a thread that keeps some of the budget free, so that puts need not wait."""

from __future__ import annotations

import threading
from queue import SimpleQueue

from tmem.impl.mend import mend_room
from tmem.impl.pause import pause
from tmem.impl.reclaim import BATCH, reclaim
from tmem.impl.room import Room


class Background:
    """A thread that reclaims whenever less than `keep_free` bytes of the budget are free.

    It sleeps until bytes are taken above that mark while there are ephemeral pages.
    """

    def __init__(self, room: Room, keep_free: int) -> None:
        self._room = room
        self._keep_free = keep_free
        self.start()

    def start(self) -> None:
        """Start the thread; once more in a forked child, which has none of its parent's threads."""
        self._stopping = False
        self._asked = False
        self._calls: SimpleQueue[None] = SimpleQueue()
        self._watch(self._room.budget - self._keep_free)
        self._runner = threading.Thread(target=self._run, name="tmem-reclaim", daemon=True)
        self._runner.start()

    def stop(self) -> None:
        """End the thread, and wait for its end."""
        self._watch(None)
        self.ask_to_stop()
        self._runner.join()

    def ask_to_stop(self) -> None:
        """Let the thread end soon. A finalizer may call this at any time: it takes no lock."""
        self._stopping = True
        self._calls.put(None)

    def _watch(self, mark: int | None) -> None:
        room = self._room
        try:
            room.lock.acquire()
            if mark is None:
                room.watch(room.budget, None)
            else:
                room.watch(mark, self._ask)
            room.lock.release()
        except BaseException:
            mend_room(room)
            raise

    def _ask(self) -> None:
        if not self._asked:
            self._asked = True
            self._calls.put(None)

    def _run(self) -> None:
        while not self._stopping:
            self._calls.get()
            self._asked = False
            self._relieve()

    def _relieve(self) -> None:
        room = self._room
        while not self._stopping and (above := room.used - room.mark) > 0:  # a look without the lock will do
            if not reclaim(room, BATCH, above).pages:
                return
            pause()
