"""Engines that misbehave, for tests of the supervisor. Run as a program it is a worker with them."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time

from tmem.conformance.events import Note, Progress
from tmem.conformance.run import worker
from tmem.conformance.turn import Turn


class Stub:
    """An engine that does nothing and emits no event."""

    detail = "a stub"
    share = 1.0

    def __init__(self) -> None:
        self.name = type(self).__name__.lower()

    def run(self, turn: Turn) -> None:
        """Do nothing."""

    def steps(self, program: bytes, count: int) -> list[str]:
        return [f"step {number} of {program.decode()}" for number in range(count)]

    def recall(self, program: bytes, variant: int) -> dict[str, object]:
        return {"engine": self.name, "variant": variant, "program": program.decode()}

    def replay(self, turn: Turn, data: dict[str, object]) -> None:
        if data.get("program") != "p":
            raise ValueError("the program is not p")
        self.run(turn)


class Deaf(Stub):
    """Ignores the deadline."""

    def run(self, turn: Turn) -> None:
        turn.ring.begin(self.name, b"p")
        for number in range(10**9):
            turn.ring.step(number)
            time.sleep(0.01)


class Slow(Stub):
    """Takes long in each step, but less than counts as a hang."""

    def run(self, turn: Turn) -> None:
        turn.ring.begin(self.name, b"p")
        for number in range(4):
            turn.ring.step(number)
            time.sleep(0.6)


class Thinker(Stub):
    """Works for long without calling the target."""

    def run(self, turn: Turn) -> None:
        turn.ring.begin(self.name, b"p")
        turn.ring.rest()
        time.sleep(2.5)


class Stuck(Stub):
    """Makes no progress and does not call the target."""

    def run(self, turn: Turn) -> None:
        time.sleep(3600)


class Hung(Stub):
    """Hangs in its third step."""

    def run(self, turn: Turn) -> None:
        turn.fresh(7).close()
        turn.ring.begin(self.name, b"p")
        for number in range(3):
            turn.ring.step(number)
        time.sleep(3600)


class Broken(Stub):
    """Raises an exception."""

    def run(self, turn: Turn) -> None:
        raise AssertionError("a defect\nof two lines")


class Talker(Stub):
    """Emits many long events."""

    def run(self, turn: Turn) -> None:
        for _ in range(2000):
            turn.emit(Progress(operations=1))
        turn.emit(Note("x" * 1_000_000))


class Garbler(Stub):
    """Writes garbage into the pipe to the supervisor."""

    def run(self, turn: Turn) -> None:
        descriptor = int(sys.argv[1])
        os.write(descriptor, b'\xff{"is": "Progress"}\n[]\n\n{"is": "Note", "text": 3}\n')
        turn.emit(Note("whole again"))


class Ended(Stub):
    """Is ended by SIGTERM, as by an operator."""

    def run(self, turn: Turn) -> None:
        turn.ring.begin(self.name, b"p")
        os.kill(os.getpid(), signal.SIGTERM)
        time.sleep(60)


class Stopped(Stub):
    """Is stopped in the middle of a call, and continues after a while."""

    def run(self, turn: Turn) -> None:
        turn.ring.begin(self.name, b"p")
        turn.ring.step(0)
        awake = f"sleep 2; kill -{signal.SIGCONT.value} {os.getpid()}"
        subprocess.Popen(["sh", "-c", awake], start_new_session=True)
        os.kill(os.getpid(), signal.SIGSTOP)


ENGINES = (Ended(), Deaf(), Slow(), Thinker(), Stuck(), Hung(), Broken(), Talker(), Garbler(), Stopped())

if __name__ == "__main__":
    worker.main(ENGINES)
