"""The timeline of calls that one caller made one after the other, with what their slots may hold."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import accumulate

from tmem.conformance.events import BROKEN, CALLS, Moment
from tmem.conformance.history.may_hold import held
from tmem.conformance.programs.pages import Corpus
from tmem.conformance.programs.transcript import Pages, told
from tmem.spec.history import Call
from tmem.spec.operations import Answer, Operation, PoolFlags


def timeline(trace: Sequence[tuple[Operation, Answer]], corpus: Corpus) -> tuple[Moment, ...]:
    """The moments of a trace, whose last answer breaks the contract."""
    calls = [Call(*each, 2 * n, 2 * n + 1) for n, each in enumerate(trace)]
    numbers = list(accumulate(int(not isinstance(operation, PoolFlags)) for operation, _ in trace))
    asked = [n for n, (operation, _) in enumerate(trace) if not isinstance(operation, PoolFlags)]
    name = Pages(corpus)
    moments: list[Moment] = []
    for n, (call, answer) in zip(asked, list(told(trace, name)), strict=True):
        found = held(calls, n)
        holds = "" if found is None else found.words(name, lambda m: f"#{numbers[m]}")
        mark = f"  {BROKEN}" if n == asked[-1] else ""
        moments.append(Moment(CALLS, "│", f"#{numbers[n]} {call} → {answer}{mark}", holds))
    return tuple(moments)
