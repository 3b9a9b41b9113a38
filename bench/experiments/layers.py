"""Where the time of a put and of a hit goes: the layers of a store, each timed with those below it."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

from lz4.block import compress, decompress

from bench.plan import Plan
from bench.rounds import Times, in_turn, timed
from bench.stores import CLIENT, PoolSubject
from bench.subjects import GET, PUT, Missing, handles
from bench.variants import VARIANTS
from tmem.spec.abi.flags import PERSIST

LZ4, CODEC, STEP, WHOLE = "lz4 alone", "codec", "step under the pool's lock", "whole operation"


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

    def flush() -> int:
        return subject.flush(fresh)

    def each(function: Callable[[Any], object], things: list[Any]) -> None:
        for thing in things:
            function(thing)

    def drawn(things: list[Any], work: Callable[[list[int]], object]) -> float:
        places = draw.choices(range(len(things)), k=chunk)
        return timed(lambda: work(places)) / chunk

    def each_of(function: Callable[[Any], object], things: list[Any], places: list[int]) -> None:
        for place in places:
            function(things[place])

    return {
        PUT: {
            LZ4: lambda: per_page(lambda: each(compress, pages)),
            CODEC: lambda: per_page(lambda: each(pam.create, pages)),
            STEP: lambda: per_page(step_in, flush),
            WHOLE: lambda: per_page(lambda: subject.put(fresh, pages), flush),
        },
        GET: {
            LZ4: lambda: drawn(blocks, partial(each_of, decompress, blocks)),
            CODEC: lambda: drawn(known, partial(each_of, pam.get_data, known)),
            STEP: lambda: drawn(resident, lambda places: step_out([resident[place] for place in places])),
            WHOLE: lambda: drawn(resident, lambda places: subject.get([resident[place] for place in places])),
        },
    }
