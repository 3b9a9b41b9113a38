"""The pages that checks put, drawn for each seed: real pages from this machine, and hostile ones.

Every page is unique, so that a returned page shows which put it came from. Pages that a store may confuse
are neighbours, since a program puts neighbours.
"""

from __future__ import annotations

import random
import sqlite3
import sys
import sysconfig
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache, lru_cache
from itertools import islice, zip_longest
from pathlib import Path
from typing import Final

from tmem.conformance.programs import shapes

COUNT: Final = 768
"""Pages in a corpus; fewer if pages are too short to differ."""
REAL: Final = 2
"""Real pages between two groups of hostile ones."""


@dataclass(frozen=True, slots=True)
class Corpus:
    """Distinct pages of one size, each with the kind of data it holds.

    `scribble` is not one of them: callers write it over their buffers after a put. `numbers` is the inverse
    of `pages`.
    """

    pages: tuple[bytes, ...]
    kinds: tuple[str, ...]
    scribble: bytes
    numbers: dict[bytes, int]


@lru_cache(4)
def corpus(page_size: int, seed: int = 0) -> Corpus:
    """Return the corpus for a page size in bytes and a seed; it is the same in every run on one machine."""
    found: dict[bytes, str] = {}
    scribble = (b"scribbled over after the put\n" * (page_size // 29 + 1))[:page_size]
    for kind, page in islice(_candidates(page_size, seed), 4 * COUNT):
        if page != scribble:
            found.setdefault(page, kind)
        if len(found) == COUNT:
            break
    pages = tuple(found)
    return Corpus(pages, tuple(found.values()), scribble, {page: n for n, page in enumerate(pages)})


def _candidates(size: int, seed: int) -> Iterator[tuple[str, bytes]]:
    # Interleaved, so that any sequence of neighbours has pages of each sort.
    hostile, real = shapes.hostile(random.Random(f"pages {size} {seed}"), size), iter(_real(size))
    for group in hostile:
        yield from group
        yield from islice(real, REAL)


@cache
def _real(size: int) -> tuple[tuple[str, bytes], ...]:
    return tuple(islice(_from_this_machine(size), COUNT))


def _from_this_machine(size: int) -> Iterator[tuple[str, bytes]]:
    library = Path(sysconfig.get_paths()["stdlib"])
    executables = [Path(sys.executable), *sorted(library.glob("lib-dynload/*.so"))]
    sources = [
        _cut("executable", executables, size),
        _cut("source text", sorted(library.glob("*.py")), size),
        _chunks("SQLite", _sqlite(), size),
    ]
    for group in zip_longest(*sources):
        yield from (found for found in group if found is not None)


def _cut(kind: str, files: list[Path], size: int) -> Iterator[tuple[str, bytes]]:
    for file in files:
        try:
            with file.open("rb") as stream:
                data = stream.read(64 * max(size, 4096))
        except OSError:  # unreadable files are skipped
            continue
        yield from _chunks(kind, data, size)


def _chunks(kind: str, data: bytes, size: int) -> Iterator[tuple[str, bytes]]:
    for start in range(0, len(data) - size + 1, size):
        yield kind, data[start : start + size]


def _sqlite() -> bytes:
    draw = random.Random(1)
    with sqlite3.connect(":memory:") as base:
        base.execute("create table page (id integer primary key, name text, size real)")
        rows = ((f"page {draw.randrange(10**6)}", draw.random()) for _ in range(20_000))
        base.executemany("insert into page (name, size) values (?, ?)", rows)
        base.commit()
        return base.serialize()
