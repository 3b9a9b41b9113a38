"""Where two backends first answer differently, in the smallest program that was found."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, TypeAlias

from tmem.conformance.programs.pages import Corpus
from tmem.conformance.programs.perform import close
from tmem.conformance.programs.program import HEADER, Code, Program, decode
from tmem.conformance.programs.runner import Runner
from tmem.conformance.programs.shrink import shrink
from tmem.conformance.programs.transcript import Pages, told
from tmem.model import Violation
from tmem.spec.abi import errors
from tmem.spec.backend import Backend
from tmem.spec.operations import Answer, Operation, Raised

Make: TypeAlias = Callable[[], Backend]
LONGEST: Final = 64
"""Steps in the longest program."""
INFORMATIVE: Final = (Code.FLUSH_PAGE, Code.FLUSH_OBJECT, Code.RECLAIM)
"""Steps whose answers say nothing of what a slot holds."""


@dataclass(frozen=True, slots=True)
class Divergence:
    """What both were asked, line by line, and what each answered to the last of it.

    `breaks` says for each which clause its answer breaks; empty where the contract permits it. Both may be
    permitted: the contract leaves much to a backend.
    """

    steps: tuple[str, ...]
    asked: str
    answers: tuple[str, str]
    breaks: tuple[str, str]


@dataclass(frozen=True, slots=True)
class _Parted:
    """The traces of two backends up to the step at which they part, and what the judge says of each."""

    traces: tuple[list[tuple[Operation, Answer]], list[tuple[Operation, Answer]]]
    at: tuple[int, int]
    """In each trace the place of the operation that was answered differently."""
    violations: tuple[Violation | None, Violation | None]


def diverge(makes: tuple[Make, Make], pages: Corpus, seed: int, programs: int) -> Divergence | None:
    """Run random programs on fresh backends side by side until two answers differ, and make that one small.

    Ids of pools may differ, and what a flush or reclaim answers is informative: that is no
    difference. Errors are alike by their errno; whatever refuses a wrong argument is EINVAL.
    """
    draw = random.Random(f"divergence {seed}")
    families = draw.randbytes(2)
    for _ in range(programs):
        data = families + draw.randbytes(HEADER - len(families) + 2 * draw.randrange(4, LONGEST))
        program = decode(data, len(pages.pages))
        if _part(program, makes, pages) is None:
            continue

        def parts(candidate: Program) -> str | None:
            return None if _part(candidate, makes, pages) is None else "divergence"

        small = shrink(program, "divergence", parts)
        found = _part(small, makes, pages) or _part(program, makes, pages)
        if found is not None:
            return _told(found, pages)
    return None


def _part(program: Program, makes: tuple[Make, Make], pages: Corpus) -> _Parted | None:
    backends = (makes[0](), makes[1]())
    try:
        one, other = (Runner(program, backend, pages) for backend in backends)
        for step in program.steps:
            at = (len(one.outcome.trace), len(other.outcome.trace))
            violations = (one.step(step), other.step(step))
            traces = (one.outcome.trace, other.outcome.trace)
            if len(traces[0]) == at[0] or len(traces[1]) == at[1]:
                continue  # one of them has no such method
            answers = (traces[0][at[0]][1], traces[1][at[1]][1])
            if step.code not in INFORMATIVE and _alike(step.code, answers[0]) != _alike(
                step.code, answers[1]
            ):
                return _Parted(traces, at, violations)
            if any(violations):
                return None
    finally:
        for backend in backends:
            close(backend)
    return None


def _alike(code: int, answer: Answer) -> object:
    """What two answers must have in common to count as one."""
    if isinstance(answer, Raised):
        return (
            f"errno {errors.EINVAL if answer.errno is None and code == Code.BAD_ARGUMENT else answer.errno}"
        )
    return "a pool" if code in (Code.NEW_POOL, Code.BAD_FLAGS) else answer


def _told(found: _Parted, pages: Corpus) -> Divergence:
    name = Pages(pages)
    one = list(told(found.traces[0][: found.at[0] + 1], name))
    other = list(told(found.traces[1][: found.at[1] + 1], name))
    breaks = tuple("" if each is None else each.clause for each in found.violations)
    steps = tuple(f"{asked} → {answered}" for asked, answered in one[:-1])
    return Divergence(steps, one[-1][0], (one[-1][1], other[-1][1]), (breaks[0], breaks[1]))
