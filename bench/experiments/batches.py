"""Batches of 16 pages: one thread against the loop over lz4, two threads against two processes in C."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import ParamSpec

from bench.crowd import rate
from bench.peers import LIMIT, open_peer
from bench.peers.in_c import InC
from bench.plan import Plan
from bench.rounds import Times, in_turn, timed
from bench.stores import Batched
from bench.subjects import GET, PUT, Handle, Missing, handles
from bench.variants import VARIANTS

P = ParamSpec("P")
SIZE = 16
SPAN = 16 * SIZE
"""Pages of one thread between two looks at the clock."""
IN_C = "processes in C"


def one(operation: str) -> str:
    """The name of the piece in which one thread meets the loop."""
    return f"{operation}, batches"


def together(operation: str, workers: int) -> str:
    """Return the name of the comparison of this number of threads with as many processes in C."""
    return f"{operation}, batches, {workers} at a time"


def measure(plan: Plan) -> Iterator[tuple[str, Times]]:
    """By operation and number of workers, the seconds that a page took over all of them."""
    with TemporaryDirectory(prefix="tmem-bench-") as folder, ExitStack() as stack:
        subjects: dict[str, Batched] = {}
        for variant in plan.variants:
            try:
                subjects[variant] = Batched(VARIANTS[variant], SIZE)
            except Missing as missing:
                plan.missing[f"{variant}, batches"] = str(missing)
                continue
            stack.callback(subjects[variant].close)
        yield from _against_the_loop(plan, subjects, Path(folder))
        try:
            in_c = InC(Path(folder), plan.pages)
        except Missing as missing:
            plan.missing[IN_C] = str(missing)
        else:
            yield from _against_processes(plan, subjects, in_c)


def _against_the_loop(plan: Plan, subjects: dict[str, Batched], folder: Path) -> Iterator[tuple[str, Times]]:
    loop, pages = open_peer(LIMIT, folder).swap, plan.pages[: plan.chunk // SIZE * SIZE]
    keys, fresh = handles(len(pages)), handles(len(pages), first=1 << 22)
    held = loop.hold(keys, pages)
    puts: dict[str, Callable[[], float]] = {LIMIT: partial(_seconds, partial(loop.put, keys, pages), pages)}
    gets: dict[str, Callable[[], float]] = {LIMIT: partial(_seconds, partial(loop.get, held), pages)}
    for variant, subject in subjects.items():
        subject.put(keys, pages)
        puts[variant] = partial(_put_and_flush, subject, fresh, pages)
        gets[variant] = partial(_seconds, partial(subject.get, keys), pages)
    for operation, runs in (PUT, puts), (GET, gets):
        yield one(operation), in_turn(runs, plan.rounds, plan.visits)


def _seconds(work: Callable[[], object], pages: Sequence[bytes]) -> float:
    return timed(work) / len(pages)


def _put_and_flush(subject: Batched, keys: Sequence[Handle], pages: Sequence[bytes]) -> float:
    seconds = _seconds(partial(subject.put, keys, pages), pages)
    subject.flush(keys)
    return seconds


def _against_processes(plan: Plan, subjects: dict[str, Batched], in_c: InC) -> Iterator[tuple[str, Times]]:
    seconds = plan.thread_seconds
    for operation in PUT, GET:
        runs: dict[str, Callable[[], float]] = {}
        for workers in 1, 2:
            word = operation.split()[0]
            runs[f"{IN_C} {workers}"] = partial(_inverse, in_c.rate, word, workers, seconds)
            for variant, subject in subjects.items():
                works = [partial(_some, subject, operation, number, plan) for number in range(workers)]
                runs[f"{variant} {workers}"] = partial(_inverse, rate, works, seconds)
        figures = in_turn(runs, plan.thread_rounds)
        for workers in 1, 2:
            yield (
                together(operation, workers),
                {who: figures[f"{who} {workers}"] for who in (IN_C, *subjects)},
            )


def _inverse(rate: Callable[P, float], *arguments: P.args, **named: P.kwargs) -> float:
    return 1 / rate(*arguments, **named)


def _some(subject: Batched, operation: str, number: int, plan: Plan) -> int:
    own = handles(SPAN, first=number * SPAN)
    return subject.put(own, plan.pages[:SPAN]) if operation == PUT else subject.get(own)
