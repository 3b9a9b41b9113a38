"""Memory shared by worker and supervisor: what is under way, should the target hang or crash.

A file mapped by both, so that it outlives the worker. The worker stores one word a step; that the
words change is its heartbeat. Layout: six 64-bit words, the engine's name, the program.
"""

from __future__ import annotations

import mmap
from dataclasses import dataclass
from enum import IntEnum
from pathlib import Path
from typing import Final

SIZE: Final = 1 << 20
"""Bytes in the file. A longer program is kept as its beginning."""
NAME_AT: Final = 64
PROGRAM_AT: Final = 128
HANDSHAKE: Final = "handshake"
"""What stands in the place of the engine while the target shakes hands; its program is a line of text."""
NOT_STARTED: Final = (1 << 64) - 1

_STEP, _BEGUN, _LENGTH, _NAME_LENGTH, _DOING, _VARIANT = range(6)


class Doing(IntEnum):
    """What the worker is at: what it means if the heartbeat stops."""

    RESTING = 0
    """No call of the target is under way: the engine works."""
    MAKING = 1
    """The target's factory makes a backend."""
    CALLING = 2
    """An operation of the target is under way, or is about to be."""
    LOADING = 3
    """The code of the target is imported."""


@dataclass(frozen=True, slots=True)
class UnderWay:
    """What a ring said when it was read; `step` is -1 before the first step of the program."""

    doing: Doing
    engine: str
    program: bytes
    step: int
    variant: int
    """The number that the target's factory was given last."""
    beats: tuple[int, ...]
    """Changes with every sign of life."""


class Ring:
    """Both ends of the shared memory. Only the worker writes."""

    def __init__(self, path: Path) -> None:
        """Map the file, which must have SIZE bytes (`create` makes one)."""
        with path.open("r+b") as file:
            self._map = mmap.mmap(file.fileno(), SIZE)
        self._words = memoryview(self._map)[:NAME_AT].cast("Q")

    @classmethod
    def create(cls, path: Path) -> Ring:
        """Make the file and map it."""
        with path.open("wb") as file:
            file.truncate(SIZE)
        return cls(path)

    def begin(self, engine: str, program: bytes) -> None:
        """Record that a program starts; empty bytes mean that the engine works without calling the target."""
        words = self._words
        words[_LENGTH] = 0
        words[_STEP] = NOT_STARTED
        name = engine.encode()[: PROGRAM_AT - NAME_AT]
        kept = program[: SIZE - PROGRAM_AT]
        self._map[NAME_AT : NAME_AT + len(name)] = name
        self._map[PROGRAM_AT : PROGRAM_AT + len(kept)] = kept
        words[_NAME_LENGTH] = len(name)
        words[_LENGTH] = len(kept)
        words[_BEGUN] += 1
        words[_DOING] = Doing.CALLING if program else Doing.RESTING

    def step(self, number: int) -> None:
        """The step that starts now, counted from 0."""
        self._words[_STEP] = number
        self._words[_DOING] = Doing.CALLING

    def rest(self) -> None:
        """No call of the target is under way until the next step or program begins: the engine works."""
        self._words[_DOING] = Doing.RESTING

    def loading(self) -> None:
        """The code of the target is imported, until the next call."""
        self._words[_DOING] = Doing.LOADING

    def making(self, variant: int) -> None:
        """The target's factory is called with this number, until `made`."""
        self._words[_VARIANT] = variant & (1 << 63) - 1
        self._words[_DOING] = Doing.MAKING
        self._words[_BEGUN] += 1

    def made(self) -> None:
        """The factory has returned."""
        self._words[_DOING] = Doing.CALLING if self._words[_LENGTH] else Doing.RESTING

    def read(self) -> UnderWay:
        """What is under way now; whatever a broken worker wrote there, it can be read."""
        step, begun, length, name_length, doing, variant = self._words[:6]
        name = self._map[NAME_AT : min(NAME_AT + name_length, PROGRAM_AT)]
        program = self._map[PROGRAM_AT : min(PROGRAM_AT + length, SIZE)]
        return UnderWay(
            Doing(doing) if doing in list(Doing) else Doing.CALLING,
            bytes(name).decode(errors="replace"),
            bytes(program),
            -1 if step == NOT_STARTED else step,
            variant,
            (step, begun, doing),
        )

    def beats(self) -> tuple[int, ...]:
        """What changes with every sign of life: cheaper than `read`."""
        return self._words[_STEP], self._words[_BEGUN], self._words[_DOING]

    def close(self) -> None:
        """Unmap the file."""
        self._words.release()
        self._map.close()
