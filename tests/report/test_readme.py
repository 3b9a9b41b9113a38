"""The README's backend is the real thing: it runs as printed, and the judge finds nothing wrong with it."""

from __future__ import annotations

import ast
import random
from pathlib import Path

import pytest

from tmem.model.judge import Judge
from tmem.spec import Backend, DestroyPool, FlushObject, FlushPage, Get, Handle, NewPool, Put
from tmem.spec.backend import OPERATIONS
from tmem.spec.clauses import CLAUSES
from tmem.spec.operations import Answer, Operation, Raised
from tools import readme


@pytest.fixture(scope="module")
def source() -> str:
    return readme.backend()


def make(source: str) -> Backend:
    """A fresh backend of the README's factory."""
    names: dict[str, object] = {}
    exec(compile(source, "mybackend.py", "exec"), names)
    factory = names["factory"]
    assert callable(factory)
    backend: Backend = factory()
    return backend


def test_it_imports_nothing_of_ours(source: str) -> None:
    imports = [node for node in ast.walk(ast.parse(source)) if isinstance(node, ast.Import | ast.ImportFrom)]
    assert [ast.unparse(node) for node in imports] == ["import itertools"]


def test_it_has_every_method(source: str) -> None:
    assert all(callable(getattr(make(source), name, None)) for name in OPERATIONS)


def answer(backend: Backend, operation: Operation) -> Answer:
    """What the backend says to one operation; a put comes in a buffer that is written over afterwards."""
    try:
        match operation:
            case NewPool(client, flags, uuid):
                return backend.new_pool(client, flags, uuid)
            case DestroyPool(client, pool):
                return backend.destroy_pool(client, pool)
            case Put(client, at, page):
                buffer = bytearray(page)
                stored = backend.put(client, at.pool, at.oid, at.index, buffer)
                buffer[:] = b"\xa5" * len(buffer)
                return stored
            case Get(client, at):
                return backend.get(client, at.pool, at.oid, at.index)
            case FlushPage(client, at):
                return backend.flush_page(client, at.pool, at.oid, at.index)
            case FlushObject(client, pool, oid):
                return backend.flush_object(client, pool, oid)
    except OSError as error:
        return Raised.of(error)
    raise AssertionError(f"no operation of the README's backend: {operation}")


def operation(draw: random.Random, number: int) -> Operation:
    """One of a small world's operations, an argument out of range now and then."""
    client, pool = draw.randrange(2), draw.randrange(5)
    oid, index = draw.choice((0, 1, 1 << 128, 1 << 192)), draw.choice((0, 1, 1 << 31, 1 << 32))
    at = Handle(pool, oid, index)
    page = number.to_bytes(4, "little") * (1024 if draw.random() < 0.95 else 1)
    roll = draw.random()
    if roll < 0.02:
        return NewPool(client, draw.choice((0, 1, 1 << 24, 2, 0x00010000)), draw.choice((None, 7)))
    if roll < 0.03:
        return DestroyPool(client, pool)
    later: list[Operation] = [
        Put(client, at, page),
        Get(client, at),
        FlushPage(client, at),
        FlushObject(client, pool, oid),
    ]
    return draw.choices(later, weights=(9, 9, 1, 1))[0]


def broken_clause(backend: Backend, seed: int, count: int = 2000) -> str | None:
    """Return the clause that the backend breaks within this number of random operations, or None."""
    judge, draw = Judge(scribble=b"\xa5" * 4096), random.Random(seed)
    for number in range(count):
        asked = NewPool(number % 2) if number < 4 else operation(draw, number)
        if violation := judge.observe(asked, answer(backend, asked)):
            return violation.clause
    return None


@pytest.mark.parametrize("seed", range(5))
def test_the_judge_finds_nothing_wrong_with_it(source: str, seed: int) -> None:
    assert broken_clause(make(source), seed) is None


@pytest.mark.parametrize(
    ("good", "bad", "clause"),
    [
        (".pop(index, None)", ".get(index)", "TMEM-GET-2"),
        ("= bytes(page)", "= page", "TMEM-ERR-1"),
        ("= bytes(page)", "= memoryview(page)[:1].tobytes() * 4096", "TMEM-PUT-2"),
        ("return self.get(client, ", "return index in self.objects(client, ", "TMEM-FLUSH-1"),
        ("objects(client, pool, oid).pop(oid, None)", "objects(client, pool, oid).get(oid)", "TMEM-FLUSH-2"),
        ("oid >> 192 or ", "", "TMEM-ARG-1"),
        ("flags & ~0x01000000", "flags & 3", "TMEM-POOL-4"),
        ("next(self.ids)", "7", "TMEM-POOL-1"),
        ("self.pools.pop((client, pool), None)", "self.pools.get((client, pool))", "TMEM-POOL-3"),
    ],
)
def test_the_judge_would_see_a_mistake_in_it(source: str, good: str, bad: str, clause: str) -> None:
    broken = source.replace(good, bad)
    assert broken != source
    assert clause in {broken_clause(make(broken), seed) for seed in range(5)}


@pytest.mark.long
def test_the_command_prints_what_the_readme_says(source: str, tmp_path: Path) -> None:
    ran = readme.run(source, tmp_path)
    assert (ran.returncode, ran.stderr) == (0, "")
    assert "\nPASS  py:mybackend.py:factory" in ran.stdout
    assert "\nPASS  py:mybackend.py:factory" in readme.printed()
    stale = "the README shows another output: run python -m tools.readme"
    assert readme.statuses(ran.stdout).keys() == CLAUSES.keys()
    assert readme.statuses(ran.stdout) == readme.statuses(readme.printed()), stale
