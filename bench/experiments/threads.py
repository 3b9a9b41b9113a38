"""Puts and get hits of one to eight threads, alone and beside a busy Python thread."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import Any

from bench.crowd import Work, busy_thread, rate
from bench.plan import Plan, contenders
from bench.rounds import Times, in_turn
from bench.subjects import GET, PUT, Contender, Subject, handles

FEW = 8
"""Operations between two looks at the clock. Beside a busy thread each of them may take 10 ms."""
MOST = 32_768
"""The most pages that all threads together put in one measurement."""
ALONE, BUSY = "alone", "busy"


def name(operation: str, threads: int, company: str) -> str:
    """Return the name under which a figure is kept."""
    return f"{operation}, {threads} threads, {company}"


def measure(plan: Plan) -> Iterator[tuple[str, Times]]:
    """Yield the seconds per page over all threads, for each operation, number of threads and company.

    One round measures each contender with every number of threads and in both companies, so ratios between
    these compare figures of the same moment.
    """
    with contenders(plan) as ready:
        for operation, prepare in (PUT, _puts), (GET, _gets):
            settings = [(threads, company) for threads in plan.threads for company in (ALONE, BUSY)]
            figures: dict[str, Times] = {name(operation, *setting): {} for setting in settings}
            for contender in ready:
                crowds = {threads: prepare(contender, plan, threads) for threads in plan.threads}
                runs = {
                    name(operation, threads, company): partial(
                        _seconds, contender, crowds[threads], company, plan.thread_seconds
                    )
                    for threads, company in settings
                }
                for setting, seconds in in_turn(runs, plan.thread_rounds).items():
                    figures[setting][contender.name] = seconds
            yield from figures.items()


Crowd = Callable[[], tuple[list[Work], Callable[[], None]]]
"""Returns new workers for one measurement, and a function to call after it, which is not timed."""


def _seconds(contender: Contender, crowd: Crowd, company: str, seconds: float) -> float:
    workers, after = crowd()
    with busy_thread(company == BUSY):
        done = rate(workers, seconds)
    after()
    return 1 / done


def _puts(contender: Contender, plan: Plan, threads: int) -> Crowd:
    subject, share = contender.swap, MOST // threads
    keys = [subject.keys(handles(share, first=(1 << 22) + number * share)) for number in range(threads)]
    pages = [random.Random(number).choices(plan.pages, k=share) for number in range(threads)]

    def crowd() -> tuple[list[Work], Callable[[], None]]:
        done = [0] * threads

        def work(number: int) -> int:
            at = done[number]
            done[number] = at + FEW
            return subject.put(keys[number][at : at + FEW], pages[number][at : at + FEW])

        def after() -> None:
            for own, count in zip(keys, done, strict=True):
                subject.flush(own[:count])

        return [partial(work, number) for number in range(threads)], after

    return crowd


def _gets(contender: Contender, plan: Plan, threads: int) -> Crowd:
    subject = contender.swap
    count = plan.resident // 2
    pages = [plan.pages[number % len(plan.pages)] for number in range(count)]
    held = subject.hold(subject.keys(handles(count)), pages)
    wanted = [random.Random(number).sample(held, count) for number in range(threads)]
    return lambda: ([partial(_get_some, subject, own, iter(_places(count))) for own in wanted], lambda: None)


def _get_some(subject: Subject, wanted: Sequence[Any], places: Iterator[int]) -> int:
    at = next(places)
    return subject.get(wanted[at : at + FEW])


def _places(count: int) -> Iterator[int]:
    while True:
        yield from range(0, count - FEW, FEW)
