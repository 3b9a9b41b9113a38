"""Histories of calls that overlap, drawn: each is permitted or not, as the contract's own function says."""

from __future__ import annotations

from typing import Final, NamedTuple

from tmem.conformance.cli.explain import Letters
from tmem.conformance.events import BROKEN, Moment
from tmem.conformance.programs.transcript import call, said
from tmem.conformance.report.diagram import diagram
from tmem.spec.freedoms import History
from tmem.spec.handle import Handle
from tmem.spec.history import Call, linearizable
from tmem.spec.operations import DestroyPool, FlushObject, Get, NewPool, Put

_SLOT: Final = Handle(0, 7, 3)
_NEXT: Final = Handle(0, 7, 4)
_A, _B = b"a" * 16, b"b" * 16
_SWAP: Final = Call(NewPool(1, 0x01000001), 0, 0, 1)
_PUT_A: Final = Call(Put(1, _SLOT, _A), True, 2, 3)


class Drawn(NamedTuple):
    """A history with what there is to see in it."""

    words: str
    calls: History


TIMELINES: Final[dict[str, tuple[Drawn, ...]]] = {
    "TMEM-CONC-1": (
        Drawn(
            "The put takes effect at one instant between its begin and its end. The first get finds the old "
            "page, the second the new one.",
            (
                _SWAP,
                _PUT_A,
                Call(Put(1, _SLOT, _B), True, 4, 9),
                Call(Get(1, _SLOT), _A, 5, 6),
                Call(Get(1, _SLOT), _B, 7, 8),
            ),
        ),
        Drawn(
            "No instant explains both gets: once the new page was seen, the old one is gone.",
            (
                _SWAP,
                _PUT_A,
                Call(Put(1, _SLOT, _B), True, 4, 9),
                Call(Get(1, _SLOT), _B, 5, 6),
                Call(Get(1, _SLOT), _A, 7, 8),
            ),
        ),
        Drawn(
            "A put that never returns may take effect long after it began: the first get misses, "
            "the second hits.",
            (
                _SWAP,
                Call(Put(1, _SLOT, _A), None, 2, None),
                Call(Get(1, _SLOT), None, 3, 4),
                Call(Get(1, _SLOT), _A, 5, 6),
            ),
        ),
    ),
    "TMEM-CONC-2": (
        Drawn(
            "Flush object takes index 3 first. The put to index 4 comes before the flush has come there, so "
            "its page goes, too.",
            (
                _SWAP,
                _PUT_A,
                Call(FlushObject(1, 0, 7), True, 4, 11),
                Call(Get(1, _SLOT), None, 5, 6),
                Call(Put(1, _NEXT, _B), True, 7, 8),
                Call(Get(1, _NEXT), None, 9, 10),
            ),
        ),
        Drawn(
            "After flush object has returned, a page that was there before it was called is a violation.",
            (_SWAP, _PUT_A, Call(FlushObject(1, 0, 7), True, 4, 6), Call(Get(1, _SLOT), _A, 7, 8)),
        ),
        Drawn(
            "Destroy pool ends the id at one instant: the get that began before finds the page, the put "
            "that came after finds no pool.",
            (
                _SWAP,
                _PUT_A,
                Call(DestroyPool(1, 0), True, 4, 9),
                Call(Get(1, _SLOT), _A, 5, 6),
                Call(Put(1, _SLOT, _B), False, 7, 8),
                Call(Get(1, _SLOT), None, 10, 11),
            ),
        ),
    ),
}
"""The drawings of each clause about calls that overlap."""


def drawn(calls: History) -> str:
    """A history as a space-time diagram in SVG. In one that is not permitted the last call is marked."""
    letters = Letters()
    wrong = "" if linearizable(calls) else f"  {BROKEN}"
    last = max(range(len(calls)), key=lambda n: calls[n].begin)
    lanes = _lanes(calls)
    moments: list[tuple[float, Moment]] = []
    for n, each in enumerate(calls):
        lane = f"thread {lanes[n] + 1}"
        moments.append((each.begin, Moment(lane, "┌", call(each.operation, letters))))
        if each.end is not None:
            answer = said(each.answer, letters) + wrong * (n == last)
            moments.append((each.end, Moment(lane, "└", answer)))
    return diagram([moment for _, moment in sorted(moments, key=lambda each: each[0])])


def _lanes(calls: History) -> list[int]:
    """The thread of each call: the first that is free when it begins."""
    free: list[float] = []
    lanes = []
    for each in calls:
        lane = next((n for n, since in enumerate(free) if since < each.begin), len(free))
        free[lane : lane + 1] = [float("inf") if each.end is None else each.end]
        lanes.append(lane)
    return lanes
