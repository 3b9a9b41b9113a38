"""The compact judge of large programs says what the judge of the model says, operation by operation."""

from __future__ import annotations

import random
from collections.abc import Callable

import pytest

from tmem.conformance.conforming.plain import Plain
from tmem.conformance.conforming.wrapper import Page, Wrapper
from tmem.conformance.engines.large.areas import INDEXES, OBJECTS, Area
from tmem.conformance.engines.large.perform import Performer
from tmem.conformance.engines.large.phases import Item, Loop, Phase, PoolSpec, Program, Verb
from tmem.conformance.engines.large.record import AFTER, KINDS
from tmem.conformance.faults import FAULTS
from tmem.model import Adversary, Judge, Violation
from tmem.spec.backend import Backend, TellsFlags
from tmem.spec.handle import Handle
from tmem.spec.operations import (
    Answer,
    DestroyPool,
    FlushObject,
    FlushPage,
    Get,
    NewPool,
    Operation,
    PoolFlags,
    Put,
    Raised,
    Reclaim,
)
from tmem.spec.slot import Does

POOLS = (
    *(PoolSpec(1, False), PoolSpec(1, True), PoolSpec(2, False), PoolSpec(2, True)),
    *(PoolSpec(1, True, 0xA), PoolSpec(2, True, 0xA), PoolSpec(3, False, 0xB), PoolSpec(4, False, 0xB)),
)


class Watched(Wrapper):
    """Shows everything to the judge of the model as well."""

    def __init__(self, inner: Backend) -> None:
        super().__init__(inner)
        self.judge = Judge(inner.page_size)
        self.violation: Violation | None = None

    def watch(self, operation: Operation, call: Callable[[], Answer]) -> Answer:
        try:
            answer = call()
        except BaseException as error:
            self.observe(operation, Raised.of(error))
            raise
        self.observe(operation, answer)
        return answer

    def observe(self, operation: Operation, answer: Answer) -> None:
        if self.violation is None:
            self.violation = self.judge.observe(operation, answer)

    def new_pool(self, client: int, flags: int = 0, uuid: int | None = None) -> int:
        return self.watch(NewPool(client, flags, uuid), lambda: self.inner.new_pool(client, flags, uuid))

    def destroy_pool(self, client: int, pool: int) -> bool:
        return self.watch(DestroyPool(client, pool), lambda: self.inner.destroy_pool(client, pool))

    def put(self, client: int, pool: int, oid: int, index: int, page: Page) -> bool:
        operation = Put(client, Handle(pool, oid, index), bytes(page))
        return self.watch(operation, lambda: self.inner.put(client, pool, oid, index, page))

    def get(self, client: int, pool: int, oid: int, index: int) -> bytes | None:
        operation = Get(client, Handle(pool, oid, index))
        return self.watch(operation, lambda: self.inner.get(client, pool, oid, index))

    def flush_page(self, client: int, pool: int, oid: int, index: int) -> bool:
        operation = FlushPage(client, Handle(pool, oid, index))
        return self.watch(operation, lambda: self.inner.flush_page(client, pool, oid, index))

    def flush_object(self, client: int, pool: int, oid: int) -> bool:
        return self.watch(FlushObject(client, pool, oid), lambda: self.inner.flush_object(client, pool, oid))


class WatchedWhole(Watched):
    """One whose backend has the further abilities."""

    def reclaim(self, pages: int) -> int:
        return self.watch(Reclaim(pages), lambda: self.inner.reclaim(pages))

    def pool_flags(self, client: int, pool: int) -> int:
        return self.watch(PoolFlags(client, pool), lambda: self.inner.pool_flags(client, pool))


def drawn(draw: random.Random) -> Program:
    """A small program: few slots, so that everything meets everything."""

    def phase() -> Phase:
        pools = draw.choice((1, 1, 1, 2, 4))
        return Phase(
            draw.choice((*[Verb.PUT] * 4, *[Verb.GET] * 4, *[Verb.FLUSH] * 2, *Verb)),
            pool=draw.randrange(len(POOLS) - pools + 1),
            pools=pools,
            area=draw.randrange(2),
            first=draw.randrange(4),
            count=draw.randrange(1, 6),
            spacing=draw.randrange(1, 3),
            step=draw.choice((1, -1, 2)),
            times=draw.choice((1, 1, 1, 3)),
            until_refused=draw.random() < 0.2,
        )

    areas = tuple(
        Area(draw.choice((*OBJECTS, "random")), draw.choice([*INDEXES]), draw.randrange(1, 4), "noise")
        for _ in range(2)
    )
    items: list[Item] = [Phase(Verb.NEW, pools=len(POOLS))]
    for _ in range(draw.randrange(4, 30)):
        items.append(Loop(draw.randrange(1, 4), (phase(), phase())) if draw.random() < 0.2 else phase())
    return Program(draw.randrange(1 << 30), POOLS, areas, tuple(items))


def agree(make: Callable[[int], Backend], seed: int) -> str:
    """Runs one drawn program under both judges; the clause that both blame."""
    backend = make(seed)
    watched = (WatchedWhole if isinstance(backend, TellsFlags) else Watched)(backend)
    performer = Performer(drawn(random.Random(seed)), watched)
    found, expected = performer.run(), watched.violation
    assert (found is None) == (expected is None), (seed, found, expected)
    if found is None or expected is None:
        return ""
    assert found.clause == expected.clause, (seed, found, expected)
    assert found.operation == expected.operation
    return found.clause


CONFORMING: dict[str, Callable[[int], Backend]] = {
    "plain": lambda seed: Plain(),
    "full": lambda seed: Plain(5),
    **{
        strategy: (lambda seed, strategy=strategy: Adversary(strategy, seed=seed))
        for strategy in (
            "keep",
            "random",
            "evict-at-once",
            "refuse-puts",
            "fail-duplicates",
            "flush-neighbours",
        )
    },
}


@pytest.mark.parametrize("name", CONFORMING)
def test_both_judges_accept_what_conforms(name: str) -> None:
    assert {agree(CONFORMING[name], seed) for seed in range(60)} == {""}


SEQUENTIAL = [
    known
    for known in FAULTS.values()
    if known.kind not in ("races", "liveness", "claims", "arguments", "large")
]


def test_both_judges_blame_the_same_clause() -> None:
    blamed: set[str] = set()
    for number, known in enumerate(SEQUENTIAL):
        for seed in range(number * 20, number * 20 + (12 if known.kind == "sharing" else 4)):
            blamed.add(agree(lambda seed, wrap=known.wrap: wrap(Adversary("keep")), seed))
    assert blamed >= {
        *("TMEM-PUT-1", "TMEM-PUT-2", "TMEM-PUT-3", "TMEM-GET-2", "TMEM-GET-3", "TMEM-POOL-5"),
        *("TMEM-FLUSH-1", "TMEM-FLUSH-2", "TMEM-HANDLE-1", "TMEM-HANDLE-2", "TMEM-POOL-1", "TMEM-POOL-2"),
        *("TMEM-POOL-3", "TMEM-RECLAIM-1", "TMEM-SHARE-1", "TMEM-ERR-1"),
    }


def test_the_table_is_the_spec() -> None:
    assert len(AFTER) == len(KINDS) * len(Does)
    ephemeral, persistent = KINDS[0], KINDS[2]
    assert AFTER[ephemeral, Does.MISS] == (0, 0, None)
    assert AFTER[persistent, Does.MISS][2] is None
    assert AFTER[persistent, Does.HIT][2] == 2
