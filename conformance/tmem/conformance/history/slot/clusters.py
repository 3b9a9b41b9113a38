"""The clusters of one slot: for each page a put with the hits that returned it.

No other event comes between the calls of a cluster, so what matters of a cluster is its zone: the least end
and the greatest begin of its calls. If the least end comes first, the slot certainly holds the page from the
one to the other (a forward zone). Otherwise all calls of the cluster have an instant in common and may take
effect there together (a backward zone).
"""

from __future__ import annotations

from collections.abc import Sequence
from math import inf
from operator import itemgetter
from typing import NamedTuple, TypeAlias

from tmem.conformance.history.calls import Page, end_of, page_of
from tmem.conformance.history.partition import SlotCalls

Interval: TypeAlias = tuple[float, float]
"""From the begin of a call to its end."""


class Conflict(NamedTuple):
    """Calls that cannot have happened one at a time are among those that meet this span of time.

    `times` are begins and ends of calls that take part in it.
    """

    low: float
    high: float
    times: tuple[float, ...] = ()


def among(*times: float) -> Conflict:
    """The conflict of calls that begin and end at these times."""
    return Conflict(min(times), max(times), times)


Zone: TypeAlias = Sequence[float]
"""What matters of a cluster: the least end, the greatest begin, the begin of the put, the number of hits."""
FIRST_END, LAST_BEGIN, PUT_BEGIN, HITS = range(4)
_BEGIN = itemgetter(1)


class Clusters:
    """The clusters of one slot, and the intervals of its other calls."""

    __slots__ = (
        "denied",
        "emptied",
        "first_begin",
        "maybe_emptied",
        "misses",
        "orphans",
        "repeated",
        "zones",
    )

    def __init__(self) -> None:
        self.zones: list[Zone] = []
        """One for each cluster; where pages repeat, one for each put and each hit."""
        self.emptied: list[Interval] = []
        """What leaves nothing in the slot: puts that failed and flushes of the page."""
        self.maybe_emptied: list[Interval] = []
        """What may have emptied the slot, or may not have happened."""
        self.misses: list[Interval] = []
        self.denied: list[Interval] = []
        self.orphans: list[Conflict] = []
        """Hits of pages that nobody put into this slot."""
        self.repeated = False
        """Whether a page that was hit was put more than once: zones do not show which put it came from."""
        self.first_begin = inf


def gather(calls: SlotCalls) -> Clusters:
    """The clusters of one slot's calls."""
    found = Clusters()
    by_page: dict[Page, list[float]] = {}
    puts_again: list[Zone] = []
    """Puts of a page that was put before."""
    again: set[Page] = set()
    for _, begin, end, _, args, _ in calls.stored:
        page = args[4]
        if page in by_page:
            puts_again.append((end, begin, begin, 0))  # type: ignore[arg-type]  # it has an end
            again.add(page)
        else:
            by_page[page] = [end, begin, begin, 0]  # type: ignore[list-item]
    if calls.maybe_stored:
        found.maybe_emptied += _add_unsure(calls, by_page, again)
    for _, begin, end, _, _, page in calls.hits:
        zone = by_page.get(page)
        if zone is None:
            found.orphans.append(among(begin, end))  # type: ignore[arg-type]
            continue
        zone[3] += 1
        if end < zone[0]:  # type: ignore[operator]
            zone[0] = end  # type: ignore[assignment]
        if begin > zone[1]:
            zone[1] = begin
    found.repeated = any(by_page[page][HITS] for page in again)
    found.zones = [*by_page.values(), *puts_again]
    if found.repeated:
        found.zones = [(end_of(call), call.begin, call.begin, 0) for call in (*calls.stored, *calls.hits)]
    found.misses = [(begin, end) for _, begin, end, _, _, _ in calls.misses]  # type: ignore[misc]
    found.denied = [(call.begin, end_of(call)) for call in calls.denied]
    found.emptied = [(call.begin, end_of(call)) for call in calls.emptied]
    found.maybe_emptied += ((begin, end) for begin, end, _ in calls.maybe_emptied)
    lists = (calls.stored, calls.hits, calls.misses, calls.denied, calls.emptied)
    firsts = [min(map(_BEGIN, some)) for some in lists if some]
    found.first_begin = min([*firsts, *(unsure.begin for unsure in calls.unsure)], default=inf)
    return found


def _add_unsure(calls: SlotCalls, by_page: dict[Page, list[float]], again: set[Page]) -> list[Interval]:
    # A put that may have stored has done so if its page was hit. Otherwise it may have failed.
    hit = {call.answer for call in calls.hits}
    failed: list[Interval] = []
    for begin, end, call in calls.maybe_stored:
        page = page_of(call)
        if page in by_page:
            again.add(page)
        elif page in hit:
            by_page[page] = [end, begin, begin, 0]
            continue
        failed.append((begin, end))
    return failed
