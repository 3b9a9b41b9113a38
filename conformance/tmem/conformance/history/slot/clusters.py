"""What the calls of one slot come to: a cluster for each page, and what leaves or finds the slot empty.

A cluster is a put with the hits that returned its page. No other event comes between them, so what
matters of a cluster is its zone: the least end and the greatest begin of its calls. Where the end comes
first the slot certainly holds the page from the one to the other (a forward zone); else all calls of the
cluster have a moment in common, and may take effect there together (a backward zone).
"""

from __future__ import annotations

from collections.abc import Sequence
from math import inf
from operator import itemgetter
from typing import NamedTuple

from tmem.conformance.history.calls import Call, Maybe, Page, effect, until
from tmem.spec.operations import Raised
from tmem.spec.slot import Does

Interval = tuple[float, float]
"""From the begin of a call to its end."""


class Conflict(NamedTuple):
    """Calls that cannot have happened one by one: they are among those that meet this span of time.

    `times` are begins and ends of calls that have to do with it.
    """

    low: float
    high: float
    times: tuple[float, ...] = ()


def among(*times: float) -> Conflict:
    """The conflict of calls that begin and end at these times."""
    return Conflict(min(times), max(times), times)


Zone = Sequence[float]
"""What matters of a cluster: the least end, the greatest begin, the begin of the put, how many hits."""
ODD = frozenset({Raised, Maybe})
FIRST_END, LAST_BEGIN, PUT_BEGIN, HITS = range(4)


class Clusters:
    """The calls of one slot, sorted by what they do to it."""

    __slots__ = (
        "denied",
        "first_begin",
        "maybes",
        "misses",
        "orphans",
        "repeated",
        "singles",
        "writers",
        "zones",
    )

    def __init__(self) -> None:
        self.zones: dict[Page, list[float]] = {}
        """By page."""
        self.singles: list[Zone] = []
        """Those of puts whose page was put before, if no hit returned it (else see `repeated`)."""
        self.writers: list[Interval] = []
        """What leaves nothing in the slot: puts that failed and flushes of the page."""
        self.maybes: list[Interval] = []
        """Those of them that may not have happened; the end is infinite where the call never returned."""
        self.misses: list[Interval] = []
        self.denied: list[Interval] = []
        """Gets that were refused: of a persistent page that is there they may not be."""
        self.orphans: list[Conflict] = []
        """Hits of pages that nobody put into this slot."""
        self.repeated = False
        """Whether a page that was hit was put more than once: zones do not tell which put it came from."""
        self.first_begin = inf


def gather(calls: Sequence[Call]) -> Clusters:
    """The clusters of one slot's calls: its puts, gets and flush pages, in any order."""
    found = Clusters()
    zones, misses, writers = found.zones, found.misses, found.writers
    early: list[tuple[float, float, Page]] = []
    unsure: list[tuple[float, float, Page]] = []
    again: set[Page] = set()
    for call in calls:
        _, begin, end, op, args, answer = call
        if end is None or type(answer) in ODD:
            _odd(found, call, unsure)
        elif op == "get":
            if answer is None:
                misses.append((begin, end))
                continue
            zone = zones.get(answer)
            if zone is None:
                early.append((begin, end, answer))
                continue
            zone[3] += 1
            if end < zone[0]:
                zone[0] = end
            if begin > zone[1]:
                zone[1] = begin
        elif answer is True and op == "put":
            page = args[4]
            if page in zones:
                found.singles.append((end, begin, begin, 0))
                again.add(page)
            else:
                zones[page] = [end, begin, begin, 0]
        elif type(answer) is bool:
            writers.append((begin, end))
        else:
            _odd(found, call, unsure)
    if early or unsure:
        _settle(found, early, unsure, again)
    found.repeated = any(zones[page][HITS] for page in again)
    found.first_begin = min(map(itemgetter(1), calls), default=inf)
    return found


def _odd(found: Clusters, call: Call, unsure: list[tuple[float, float, Page]]) -> None:
    # Calls that raised, never returned, or answered what nobody declares.
    happened = effect(call)
    if happened is None:
        if call.op == "put":
            unsure.append((call.begin, until(call), call.args[4]))
        elif call.op != "get":
            found.maybes.append((call.begin, until(call)))
    elif happened is Does.REFUSED or happened is Does.FLUSHED:
        found.writers.append((call.begin, until(call)))
    elif happened is Does.MISS:
        found.misses.append((call.begin, until(call)))
    elif happened is Does.DENIED:
        found.denied.append((call.begin, until(call)))


def _settle(
    found: Clusters,
    early: list[tuple[float, float, Page]],
    unsure: list[tuple[float, float, Page]],
    again: set[Page],
) -> None:
    # Hits that came before their put in the list, and puts that may have stored, or failed, or neither.
    zones = found.zones
    hit = {page for _, _, page in early}
    for begin, end, page in unsure:
        if page in zones:
            again.add(page)
        elif page in hit:
            zones[page] = [end, begin, begin, 0]
            continue
        found.maybes.append((begin, end))
    for begin, end, page in early:
        zone = zones.get(page)
        if zone is None:
            found.orphans.append(among(begin, end))
            continue
        zone[HITS] += 1
        zone[FIRST_END] = min(zone[FIRST_END], end)
        zone[LAST_BEGIN] = max(zone[LAST_BEGIN], begin)
