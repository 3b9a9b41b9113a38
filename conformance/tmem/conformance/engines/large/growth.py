"""What the process grows by while a store takes pages and gives them up again: what leaks."""

from __future__ import annotations

import ctypes
import gc
import os
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Final, NamedTuple

from tmem.conformance.engines.large.areas import Area
from tmem.conformance.engines.large.phases import Item, Loop, Phase, PoolSpec, Program, Verb

CYCLES: Final = 2_000
"""Cycles between two looks at the memory."""
LOOKS: Final = 5
"""The first is not counted: a store may make room for what it will need."""
LEAK: Final = 8
"""Bytes a cycle from which on growth that never ends counts as a leak."""
BLOCKS: Final = 0.9
"""Blocks of Python's allocator a cycle, likewise: they show what fits into memory that was freed before."""
_STATM: Final = Path("/proc/self/statm")
_TRIM: Final = getattr(ctypes.CDLL(None), "malloc_trim", None)


def resident() -> int | None:
    """Bytes of this process in memory; None where the system does not say."""
    try:
        return int(_STATM.read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")
    except (OSError, ValueError, IndexError):
        return None


class Look(NamedTuple):
    """The memory at one time: bytes resident, and blocks that Python has allocated."""

    bytes: int
    blocks: int


@contextmanager
def known() -> Iterator[None]:
    """What there is now is not searched for garbage meanwhile: a look takes time only for what is new."""
    gc.freeze()
    try:
        yield
    finally:
        gc.unfreeze()


def look() -> Look | None:
    """The memory after garbage was collected, and what was freed given back; None where nobody says."""
    gc.collect()
    if _TRIM is not None:
        _TRIM(0)
    found = resident()
    return None if found is None else Look(found, sys.getallocatedblocks())


@dataclass(frozen=True, slots=True)
class Cycle:
    """A few operations after which a store holds what it held before."""

    name: str
    pools: tuple[PoolSpec, ...]
    before: tuple[Phase, ...]
    phases: tuple[Phase, ...]

    def program(self, cycles: int, seed: int) -> Program:
        """So many of them."""
        items: tuple[Item, ...] = (*self.before, Loop(cycles, self.phases))
        return Program(seed, self.pools, (Area("near", "dense", 8, "text"),), items)


_POOL: Final = PoolSpec(1, True)
_NEW: Final = Phase(Verb.NEW)
CYCLES_TRIED: Final = (
    Cycle("put and flush", (_POOL,), (_NEW,), (Phase(Verb.PUT, first=3), Phase(Verb.FLUSH, first=3))),
    Cycle("put over a page", (_POOL,), (_NEW, Phase(Verb.PUT)), (Phase(Verb.PUT),)),
    Cycle("lifetime of a pool", (_POOL,), (), (_NEW, Phase(Verb.PUT), Phase(Verb.DESTROY))),
)


@dataclass(frozen=True, slots=True)
class Growth:
    """Return the growth of the process between measurements, oldest first, each after `cycles` cycles."""

    cycle: str
    cycles: int
    steps: tuple[Look, ...]

    @classmethod
    def of(cls, cycle: str, cycles: int, looks: Sequence[Look]) -> Growth:
        """That between the looks; what comes before the second is not counted."""
        steps = (
            Look(after.bytes - before.bytes, after.blocks - before.blocks)
            for before, after in pairwise(looks[1:])
        )
        return cls(cycle, cycles, tuple(steps))

    @property
    def each(self) -> float:
        """Bytes a cycle, on the average."""
        return sum(step.bytes for step in self.steps) / (len(self.steps) * self.cycles)

    @property
    def leaks(self) -> bool:
        """Whether it grew between any two looks, as only what leaks does.

        >>> Growth("put and flush", 4000, (Look(160_000, 0),) * 4).leaks
        True
        >>> Growth("put and flush", 4000, (Look(0, 4000),) * 4).leaks
        True
        >>> Growth("put and flush", 4000, (Look(400_000, 9000), Look(0, 0), Look(400_000, 9000))).leaks
        False
        """
        grown = min(step.bytes for step in self.steps) >= LEAK * self.cycles
        return grown or min(step.blocks for step in self.steps) >= BLOCKS * self.cycles

    def __str__(self) -> str:
        bytes_ = ", ".join(f"{step.bytes:+,}" for step in self.steps)
        return f"{bytes_} bytes, {', '.join(f'{step.blocks:+,}' for step in self.steps)} Python blocks"
