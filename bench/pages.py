"""Pages as programs hold them, drawn from this machine in fixed shares."""

from __future__ import annotations

import json
import random
import sqlite3
import sysconfig
from collections import defaultdict
from functools import cache
from pathlib import Path

PAGE = 4096
SHARES = {"ELF": 37, "source": 28, "SQLite": 13, "zero": 11, "random": 6, "JSON": 3, "same-filled": 2}
"""Of 100 pages of the mixed corpus, how many are of each kind."""
BLOCK = 1 << 21
"""The most bytes that are read of a file, so that the bench starts soon."""


@cache
def mixed(count: int) -> list[bytes]:
    """The mixed corpus: `count` pages in the shares above, shuffled; the same on every run on one machine."""
    draw = random.Random(count)
    kinds = draw.choices(list(SHARES), weights=list(SHARES.values()), k=count)
    counts = {kind: kinds.count(kind) for kind in SHARES}
    left = {kind: of_kind(kind, max(1, number)).copy() for kind, number in counts.items()}
    return [left[kind].pop() for kind in kinds]


@cache
def of_kind(kind: str, count: int) -> list[bytes]:
    """Return `count` pages of one kind. If this machine has fewer, some of them are repeated."""
    draw = random.Random(f"{kind} {count}")
    if kind == "zero":
        return [bytes(PAGE) for _ in range(count)]
    if kind == "random":
        return [draw.randbytes(PAGE) for _ in range(count)]
    if kind == "same-filled":
        return [bytes([draw.randrange(1, 256)]) * PAGE for _ in range(count)]
    blocks = _blocks(kind)
    return [_cut(draw, blocks) for _ in range(count)]


def _cut(draw: random.Random, blocks: list[bytes]) -> bytes:
    block = draw.choices(blocks, weights=[len(block) for block in blocks])[0]
    start = PAGE * draw.randrange(len(block) // PAGE)
    return block[start : start + PAGE]


@cache
def _blocks(kind: str) -> list[bytes]:
    library = Path(sysconfig.get_paths()["stdlib"])
    match kind:
        case "ELF":
            system = sorted(Path("/usr/lib").glob("*-linux-*/*.so*"))
            blocks = _heads([*sorted(library.glob("lib-dynload/*.so")), *system], b"\x7fELF")
        case "source":
            blocks = _heads(sorted(library.rglob("*.py")), b"")
        case "SQLite":
            blocks = [_sqlite(library)]
        case "JSON":
            blocks = [_json(library)]
        case _:
            raise ValueError(f"no such kind of page: {kind!r}; there are {', '.join(SHARES)}")
    return blocks


def _heads(files: list[Path], magic: bytes) -> list[bytes]:
    """The first part of each of up to 200 files that begin with `magic`."""
    blocks: list[bytes] = []
    for file in files:
        try:
            with file.open("rb") as stream:
                block = stream.read(BLOCK)
        except OSError:  # a folder, or a file that may not be read
            continue
        if block.startswith(magic) and len(block) >= PAGE:
            blocks.append(block)
        if len(blocks) == 200:
            break
    return blocks


def _records(library: Path) -> list[dict[str, object]]:
    """What a program would keep: one record for each line of code of a part of the standard library."""
    records = defaultdict(list)
    for file in sorted(library.glob("*.py")):
        for number, line in enumerate(file.read_text(errors="replace").splitlines()[:400]):
            records[file.name].append(
                {"file": file.name, "line": number, "text": line.strip(), "size": len(line)}
            )
    return [record for found in records.values() for record in found]


def _json(library: Path) -> bytes:
    return json.dumps(_records(library)[:20_000], indent=1).encode()


def _sqlite(library: Path) -> bytes:
    with sqlite3.connect(":memory:") as base:
        base.execute("create table line (id integer primary key, file text, line int, text text, size int)")
        base.executemany(
            "insert into line (file, line, text, size) values (:file, :line, :text, :size)", _records(library)
        )
        base.execute("create index by_place on line (file, line)")
        base.commit()
        return base.serialize()
