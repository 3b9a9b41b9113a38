"""How a slot came to hold what it holds: what took effect, and which calls without end were needed."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from math import inf
from typing import Final, NamedTuple

from tmem.conformance.history.calls import Call, Page, page_of
from tmem.conformance.history.partition import SlotCalls
from tmem.spec.slot import Kind

NO_PAGE: Final = object()
"""In the place of a page that no hit can ask for."""


class Trail(NamedTuple):
    """One way in which a state came about: what took effect last, and the way before it.

    `what` is a call, the making of a pool of some kind, or None for its end; or, where a call that never
    returned took effect, what it was needed for.
    """

    before: Trail | None
    time: float
    what: Call | Kind | Needed | None


class Needed(NamedTuple):
    """A call that never returned took effect: for a hit a put of this page; for a miss any call."""

    page: Page
    hit: bool


class Endless(NamedTuple):
    """A call that never returns: a put of a page that hits may need, or (NO_PAGE) what can empty the slot."""

    begin: float
    page: Page
    call: Call


def endless_of(calls: SlotCalls, flushes: SlotCalls) -> list[Endless]:
    """The calls that never return."""
    hits = {call.answer for call in calls.hits}
    found = [
        Endless(begin, page if (page := page_of(call)) in hits else NO_PAGE, call)
        for begin, end, call in calls.maybe_stored
        if end == inf
    ]
    flushed = (unsure for each in (calls, flushes) for unsure in each.maybe_emptied)
    return found + [Endless(begin, NO_PAGE, call) for begin, end, call in flushed if end == inf]


def instants(trail: Trail | None, endless: Iterable[Endless]) -> list[tuple[float, Call | Kind | None]]:
    """A trail as instants in the order of time, with a call for each that was needed of those without end."""
    steps: list[Trail] = []
    while trail is not None:
        steps.append(trail)
        trail = trail.before
    steps.reverse()
    chosen: dict[int, Call] = {}
    coming = sorted(endless, key=lambda each: each.begin, reverse=True)
    unused: dict[Page, list[Endless]] = defaultdict(list)
    for n, (_, time, what) in enumerate(steps):
        while coming and coming[-1].begin <= time:
            each = coming.pop()
            unused[each.page].append(each)
        if isinstance(what, Needed) and what.hit:
            chosen[n] = unused[what.page].pop().call
    left = sorted((each for some in unused.values() for each in some), key=lambda each: -each.begin)
    for n, (_, _, what) in enumerate(steps):
        if isinstance(what, Needed) and not what.hit:
            chosen[n] = left.pop().call
    return [
        (time, chosen[n] if isinstance(what, Needed) else what) for n, (_, time, what) in enumerate(steps)
    ]
