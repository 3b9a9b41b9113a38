"""The pages that checks put: real ones from this machine, and those that trouble a compressing store.

Every page is unique, so that a page that comes back tells where it came from.
"""

from __future__ import annotations

import random
import sqlite3
import sys
import sysconfig
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from itertools import islice, zip_longest
from pathlib import Path

COUNT = 256
"""How many pages a corpus has, fewer where pages are too short to differ."""


@dataclass(frozen=True, slots=True)
class Corpus:
    """Distinct pages of one size, each with the kind of data it holds.

    `scribble` is a page of none of them: what callers write over their buffers after a put.
    """

    pages: tuple[bytes, ...]
    kinds: tuple[str, ...]
    scribble: bytes
    numbers: dict[bytes, int]


@cache
def corpus(page_size: int) -> Corpus:
    """The corpus for a page size in bytes; the same on every run on one machine."""
    found: dict[bytes, str] = {}
    scribble = (b"scribbled over after the put\n" * (page_size // 29 + 1))[:page_size]
    for kind, page in islice(_candidates(page_size), 4 * COUNT):
        if page != scribble:
            found.setdefault(page, kind)
        if len(found) == COUNT:
            break
    pages = tuple(found)
    return Corpus(pages, tuple(found.values()), scribble, {page: n for n, page in enumerate(pages)})


def _candidates(size: int) -> Iterator[tuple[str, bytes]]:
    # Interleaved, so that any run of neighbours has a bit of everything; pairs that resemble each other
    # stay side by side, since only together do they trouble a store.
    sources = [_hostile(size), _real(size)]
    while True:
        for source in sources:
            yield from islice(source, 8)


def _hostile(size: int) -> Iterator[tuple[str, bytes]]:
    draw = random.Random(size)
    yield "all zero", bytes(size)
    yield "same-filled", b"\xff" * size
    for turn in range(1, 1 << 30):
        noise = draw.randbytes(size)
        word = draw.randbytes(8)
        cut = draw.randrange(1, size) if size > 1 else 0
        flipped = bytearray(noise)
        flipped[cut] ^= 1 << turn % 8
        middle = noise[: size // 4] + draw.randbytes(size // 2) + noise[size // 4 + size // 2 :]
        swapped = bytearray(noise)
        swapped[0], swapped[-1] = swapped[-1], swapped[0]
        yield "random", noise
        yield "equal but for one byte", bytes(flipped)
        yield "equal at both ends", middle
        yield "equal byte sums", bytes(swapped)
        yield "same-filled", bytes([turn % 255 + 1]) * size
        yield "same-filled", (word * (size // 8 + 1))[:size]
        yield "trailing zeroes", noise[:cut] + bytes(size - cut)
        yield "trailing zeroes", noise[: cut // 2] + bytes(size - cut // 2)


def _real(size: int) -> Iterator[tuple[str, bytes]]:
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
        except OSError:  # a file that may not be read is not needed
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
