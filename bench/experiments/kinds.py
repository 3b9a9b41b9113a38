"""What a put and a get hit cost for each kind of page."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import Any

from bench.pages import SHARES, of_kind
from bench.plan import Plan, contenders
from bench.rounds import Times, in_turn, timed
from bench.subjects import GET, PUT, Subject, handles

COUNT = 256


def measure(plan: Plan) -> Iterator[tuple[str, dict[str, Times]]]:
    """By kind, operation and contender, the seconds that a page took in each round."""
    with contenders(plan) as ready:
        for kind in SHARES:
            puts: dict[str, Callable[[], float]] = {}
            gets: dict[str, Callable[[], float]] = {}
            pages = of_kind(kind, COUNT)
            for contender in ready:
                swap = contender.swap
                keys, other = (swap.keys(handles(COUNT, first)) for first in (0, 1 << 22))
                puts[contender.name] = partial(_put, swap, other, pages)
                gets[contender.name] = partial(_get, swap, swap.hold(keys, pages))
            yield (
                kind,
                {
                    op: in_turn(runs, max(3, plan.rounds // 3), plan.visits)
                    for op, runs in ((PUT, puts), (GET, gets))
                },
            )


def _put(subject: Subject, keys: Sequence[Any], pages: Sequence[bytes]) -> float:
    seconds = timed(lambda: subject.put(keys, pages)) / len(pages)
    subject.flush(keys)
    return seconds


def _get(subject: Subject, keys: Sequence[Any]) -> float:
    return timed(lambda: subject.get(keys)) / len(keys)
