"""Where the time of puts and of hits goes: the layers of a store, each timed with those below it."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

from lz4.block import compress, decompress

from bench.experiments.batches import SIZE
from bench.plan import Plan
from bench.rounds import Times, in_turn, timed
from bench.stores import CLIENT, PoolSubject
from bench.subjects import GET, PUT, Missing, handles
from bench.variants import VARIANTS
from tmem.spec.abi.flags import PERSIST

LZ4, CODEC, STEP, WHOLE = "lz4 alone", "codec", "step under the pool's lock", "whole operation"
PUT_MANY, GET_MANY = f"put_many, {SIZE} pages", f"get_many, {SIZE} pages"


def measure(plan: Plan) -> Iterator[tuple[str, dict[str, Times]]]:
    """By variant and operation, the seconds a page of each layer."""
    for name in plan.variants:
        try:
            layers = _layers(name, plan)
        except Missing as missing:
            plan.missing[name] = str(missing)
            continue
        yield (
            name,
            {operation: in_turn(runs, plan.rounds, plan.visits) for operation, runs in layers.items()},
        )


def _layers(name: str, plan: Plan) -> dict[str, dict[str, Callable[[], float]]]:
    store = VARIANTS[name]()
    subject = PoolSubject(store, PERSIST)
    owner, pam = store._tables[CLIENT][subject.pool], store._pam
    draw, chunk = random.Random(1), plan.chunk
    resident = handles(plan.resident)
    subject.hold(resident, draw.choices(plan.pages, k=len(resident)))
    fresh = handles(chunk, first=1 << 22)
    pages = draw.choices(plan.pages, k=chunk)
    pampds = [pam.create(page) for page in pages]
    blocks = [compress(page) for page in draw.choices(plan.pages, k=plan.resident)]
    known = [pam.create(page) for page in draw.choices(plan.pages, k=plan.resident)]

    def per_page(work: Callable[[], Any], after: Callable[[], object] = lambda: None) -> float:
        seconds = timed(work) / chunk
        after()
        return seconds

    def step_in() -> None:
        for (oid, index), pampd in zip(fresh, pampds, strict=True):
            with owner.lock:
                owner.store(oid, index, pampd)

    def step_out(wanted: list[tuple[int, int]]) -> None:
        for oid, index in wanted:
            with owner.lock:
                owner.get(oid, index)

    def step_in_many() -> None:
        for at in range(0, chunk, SIZE):
            with owner.lock:
                for (oid, index), pampd in zip(fresh[at : at + SIZE], pampds[at : at + SIZE], strict=True):
                    owner.store(oid, index, pampd)

    def step_out_many(wanted: list[tuple[int, int]]) -> None:
        for at in range(0, chunk, SIZE):
            with owner.lock:
                for oid, index in wanted[at : at + SIZE]:
                    owner.get(oid, index)

    def put_many() -> None:
        for at in range(0, chunk, SIZE):
            store.put_many(CLIENT, subject.pool, fresh[at : at + SIZE], pages[at : at + SIZE])

    def get_many(wanted: list[tuple[int, int]]) -> None:
        for at in range(0, chunk, SIZE):
            store.get_many(CLIENT, subject.pool, wanted[at : at + SIZE])

    def flush() -> int:
        return subject.flush(fresh)

    def by_many(function: Callable[[list[Any]], object], things: list[Any]) -> None:
        for at in range(0, chunk, SIZE):
            function(things[at : at + SIZE])

    def each(function: Callable[[Any], object], things: list[Any]) -> None:
        for thing in things:
            function(thing)

    def drawn(things: list[Any], work: Callable[[list[Any]], object]) -> float:
        some = draw.choices(things, k=chunk)
        return timed(lambda: work(some)) / chunk

    return {
        PUT: {
            LZ4: lambda: per_page(lambda: each(compress, pages)),
            CODEC: lambda: per_page(lambda: each(pam.create, pages)),
            STEP: lambda: per_page(step_in, flush),
            WHOLE: lambda: per_page(lambda: subject.put(fresh, pages), flush),
        },
        PUT_MANY: {
            LZ4: lambda: per_page(lambda: each(compress, pages)),
            CODEC: lambda: per_page(lambda: by_many(pam.create_many, pages)),
            STEP: lambda: per_page(step_in_many, flush),
            WHOLE: lambda: per_page(put_many, flush),
        },
        GET: {
            LZ4: lambda: drawn(blocks, partial(each, decompress)),
            CODEC: lambda: drawn(known, partial(each, pam.get_data)),
            STEP: lambda: drawn(resident, step_out),
            WHOLE: lambda: drawn(resident, subject.get),
        },
        GET_MANY: {
            LZ4: lambda: drawn(blocks, partial(each, decompress)),
            CODEC: lambda: drawn(known, partial(by_many, pam.get_data_many)),
            STEP: lambda: drawn(resident, step_out_many),
            WHOLE: lambda: drawn(resident, get_many),
        },
    }
