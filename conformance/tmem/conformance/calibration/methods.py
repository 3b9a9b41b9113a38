"""Methods of looking for a fault: that of a run, with one heuristic left out, or with one added."""

from __future__ import annotations

import random
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import replace
from math import inf
from typing import Final

from tmem.conformance.coverage import Coverage
from tmem.conformance.engines.stress import STATES
from tmem.conformance.engines.thread_load import Crowd, switching_often
from tmem.conformance.engines.volume import LONGEST, PROGRAMS, outcomes
from tmem.conformance.faults import FAULTS, targets
from tmem.conformance.history.checker import Illegal, check
from tmem.conformance.programs.pages import corpus
from tmem.conformance.programs.perform import close
from tmem.conformance.programs.program import HEADER, Code, Heuristics, Program, decode
from tmem.conformance.programs.runner import Outcome, run, twins
from tmem.conformance.schedules.explore import explore, open_subject
from tmem.conformance.schedules.portfolio import PAIRS, Choice, Chooser
from tmem.conformance.schedules.search.search import Counts
from tmem.conformance.schedules.search.subject import Subject
from tmem.conformance.schedules.threaded.pairs import pairs
from tmem.conformance.targets.resolve import resolve
from tmem.conformance.turn import Silent, Turn
from tmem.model import adversary
from tmem.spec.backend import Backend, Claims

Method = Callable[[str, str, int], "int | None"]
"""Looks for a fault that wraps a target, under a seed. Returns the operations until a kill, or None."""

LIMIT: Final = 10_000
"""Operations after which those methods give up that do not go on to the end of a run."""
CANDIDATES: Final = 4
"""Programs of which the biased method uses one."""
ESSENTIAL: Final = frozenset({Code.PUT, Code.GET, Code.NEW_POOL})
"""Operations that the swarming method never leaves out."""
CROWD: Final = 1_000
"""Operations of one crowd of threads."""
CALLERS: Final = 3
STALLED: Final = 5.0
"""Seconds without progress after which threads count as hung."""


def in_volume(
    target: str, fault: str, seed: int, *, using: Heuristics, variant: int | None = None, most: float = inf
) -> int | None:
    """Run the random programs of a run, on all variants of the target or only on `variant`."""
    turn = _turn(target, fault, seed, variant)
    return _first((each for _, _, each in outcomes(turn, f"volume {seed}", PROGRAMS, using=using)), most)


def swarming(target: str, fault: str, seed: int) -> int | None:
    """Run programs that leave out about half of the kinds of operations, but never put, get or new pool."""
    return _first(_swarming(_turn(target, fault, seed, None)), LIMIT)


def _swarming(turn: Turn) -> Iterator[Outcome]:
    pages = corpus(turn.page_size)
    draw = random.Random(f"swarm {turn.seed}")
    for number in range(PROGRAMS):
        program = decode(draw.randbytes(HEADER + 2 * draw.randrange(4, LONGEST)), len(pages.pages))
        out = {code for code in Code if code not in ESSENTIAL and draw.random() < 0.5}
        steps = tuple(step for step in program.steps if step.code not in out)
        yield run(replace(program, steps=steps), turn.fresh(number), pages, turn.ring)


def biased(target: str, fault: str, seed: int) -> int | None:
    """Run, of CANDIDATES programs, the one that reaches the rarest coverpoints on the adversary."""
    return _first(_biased(_turn(target, fault, seed, None)), LIMIT)


def _biased(turn: Turn) -> Iterator[Outcome]:
    pages = corpus(turn.page_size)
    draw = random.Random(f"biased {turn.seed}")
    reached: Counter[str] = Counter()
    for number in range(PROGRAMS):
        length = HEADER + 2 * draw.randrange(4, LONGEST)  # the same for all, since longer programs reach more
        drawn = [draw.randbytes(length) for _ in range(CANDIDATES)]
        programs = [decode(data, len(pages.pages)) for data in drawn]
        probes = [adversary.backend("keep", 0) for _ in programs]
        points = [
            _points(program, run(program, probe, pages, Silent()))
            for program, probe in zip(programs, probes, strict=True)
        ]
        best = max(range(CANDIDATES), key=lambda n: sum(1 / (1 + reached[point]) for point in points[n]))
        outcome = run(programs[best], turn.fresh(number), pages, turn.ring)
        reached.update(_points(programs[best], outcome))
        yield outcome


def _points(program: Program, outcome: Outcome) -> set[str]:
    coverage = Coverage()
    coverage.program(outcome.judge, twins=twins(program), changed=program.buffer != 0)
    return {point for point, count in coverage.points.items() if count}


def _first(made: Iterator[Outcome], most: float) -> int | None:
    operations = 0
    for outcome in made:
        operations += len(outcome.trace)
        if operations > most:
            return None
        if outcome.violation is not None:
            return operations
    return None


def _turn(target: str, fault: str, seed: int, variant: int | None) -> Turn:
    wrap, under = FAULTS[fault].wrap, resolve(target)
    backend = under.fresh(0)
    page_size = backend.page_size
    backend.close()

    def fresh(number: int) -> Backend:
        return wrap(under.fresh(number if variant is None else variant))

    return Turn(target, fresh, seed, page_size=page_size)


def scheduled(target: str, fault: str, seed: int, *, chooser: Chooser) -> int | None:
    """Run controlled schedules of the small programs that `chooser` chooses."""
    subject = open_subject(targets.__name__, fault.replace("-", "_"))
    counts = Counts()

    def progress(now: Counts) -> None:
        nonlocal counts
        counts = now

    def over() -> bool:
        return counts.operations >= LIMIT

    found = next(
        explore(subject, seed, LIMIT, over=over, progress=progress, small=False, chooser=chooser), None
    )
    return None if found is None else counts.operations


def only_pairs(subject: Subject, seed: int, number: int, draws: random.Random) -> Choice:
    """Choose a program of two overlapping operations, each pair in turn."""
    each = pairs(seed, subject.reclaims, subject.shared)
    return Choice(each[number % len(each)], PAIRS)


def by_threads(target: str, fault: str, seed: int) -> int | None:
    """Run real threads, switched by the operating system."""
    for number in range(LIMIT // CROWD):
        backend = FAULTS[fault].wrap(adversary.backend("keep", 0))
        crowd = Crowd(backend, corpus(backend.page_size), f"gains {seed} {number}")
        with switching_often():
            crowd.start(CALLERS, CROWD // CALLERS)
            if not _ends(crowd):
                crowd.left = True
                return CROWD * (number + 1)
        claims = backend.claims if isinstance(backend, Claims) else frozenset()
        close(backend)
        if isinstance(check(crowd.history(), claims=claims, budget=STATES), Illegal):
            return CROWD * (number + 1)
    return None


def _ends(crowd: Crowd) -> bool:
    seen, since = -1, time.monotonic()
    while not crowd.wait(0.05):
        if (now := crowd.done()) != seen:
            seen, since = now, time.monotonic()
        elif time.monotonic() - since > STALLED:
            return False
    return True
