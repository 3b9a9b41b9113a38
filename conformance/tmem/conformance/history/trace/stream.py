"""Histories longer than memory: what is settled is checked and forgotten while the rest is still read.

Calls come in the order of their begins. Where a call on a slot overlapped no other, it is known what the
slot held when it returned, so the history of the slot falls into two that are legal or not each for itself.
Whenever many calls are kept, each slot is cut after its last such call, the part before is checked, and
what the slot holds takes its place: a put of that page, or nothing.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial
from math import inf
from pathlib import Path

from tmem.conformance.history.calls import Call, Page, effect, until
from tmem.conformance.history.checker import STATES, Illegal, Legal, Result, Unknown, check
from tmem.conformance.history.counterexample.minimize import POOL_CALLS
from tmem.conformance.history.partition import Name, Split, split
from tmem.conformance.history.pools.pool_calls import Knot, knots_of, pool_calls, sharers, untold
from tmem.conformance.history.trace.format import read
from tmem.spec.slot import Does

KEPT = 500_000
"""How many calls are kept before what is settled is forgotten."""
MOST = 4_000_000
"""How many calls are kept at all: less than 2 GB."""
TOO_MANY = (
    "More than {:,} calls overlap others on their slots, or share pools that are left and joined again."
)
UNSORTED = "Of more than {:,} calls some are not in the order of their begins: sort the trace by begin."


@dataclass(slots=True)
class Cut:
    """What is settled, and what is still kept in its place."""

    settled: list[Call] = field(default_factory=list)
    kept: list[Call] = field(default_factory=list)


def check_stream(
    calls: Iterable[Call], *, level: str = "linearizable", claims: Collection[str] = (), budget: int = STATES
) -> Result:
    """As `check`, in the memory of the calls that are not settled; Unknown where those are too many."""
    judge = partial(check, level=level, claims=claims, budget=budget)
    kept: list[Call] = []
    count, latest, limit = 0, -inf, KEPT
    in_order = True
    doubt: Unknown | None = None
    for call in calls:
        in_order &= call.begin >= latest
        latest = call.begin
        kept.append(call)
        count += 1
        if len(kept) < limit:
            continue
        if not in_order or len(kept) >= MOST:
            return Unknown((TOO_MANY if in_order else UNSORTED).format(len(kept) - 1))
        cut = settled_before(latest, kept, level)
        result = judge(cut.settled)
        if isinstance(result, Illegal):
            return result
        if isinstance(result, Unknown):
            doubt = doubt or result
        kept = cut.kept
        limit = min(MOST, max(KEPT, 2 * len(kept)))
    result = judge(kept)
    if doubt is not None and isinstance(result, Legal):
        return doubt
    return Legal(count, result.moments, result.orders) if isinstance(result, Legal) else result


def settled_before(time: float, calls: Sequence[Call], level: str) -> Cut:
    """Cuts a history in the order of begins; the calls that are to come begin at `time` or later."""
    found = split(calls)
    made = {name: pool_calls(found.pools[name]) for name in {*found.slots, *found.flushes, *found.pools}}
    cut = Cut(kept=[*found.reclaims, *found.unnamed])
    for names in sharers(made):
        unsure = found.unnamed or any(untold(found.pools[name]) for name in names)
        part = None if unsure else _pools_cut(names, found, time, level)
        if part is None:
            cut.kept += found.of(names)
        else:
            cut.settled += part.settled
            cut.kept += part.kept
    cut.kept.sort(key=lambda call: call.begin)
    return cut


def _pools_cut(names: Sequence[Name], found: Split, time: float, level: str) -> Cut | None:
    # None where it is not settled when these ids lived, or what a slot held as their pool was made.
    knots = [knot for name in names for knot in knots_of(name, pool_calls(found.pools[name]))]
    lasting = len(knots) == len(names)
    if any(knot.wavers or knot.high >= time for knot in knots) or not (lasting or len(names) == 1):
        return None
    if not knots or not knots[-1].makes:
        return None
    low = min(knot.low for knot in (knots if lasting else knots[-1:]))
    over = low if level != "integrity" else -inf if lasting else knots[-2].low
    life = _Life(knots if lasting else knots[-1:], over, time, level)
    pools = [call for name in names for call in found.pools[name]]
    cut = Cut(pools, [call for call in pools if call.op != "destroy_pool" and call.begin >= low])
    slots: dict[Page, dict[Page, list[Call]]] = defaultdict(lambda: defaultdict(list))
    flushes: dict[Page, list[Call]] = defaultdict(list)
    for name in names:
        for target, calls in found.slots.get(name, {}).items():
            slots[target[2]][target[3]] += calls
        for target, calls in found.flushes.get(name, {}).items():
            flushes[target[2]] += calls
    for oid in {*slots, *flushes}:
        part = life.object_cut(list(slots[oid].values()), flushes[oid])
        if part is None:
            return None
        cut.settled += part.settled
        cut.kept += part.kept
    return cut


class _Life:
    """The last life of a pool, which is under way: from when it began, perhaps and surely, until now."""

    def __init__(self, knots: Sequence[Knot], low: float, time: float, level: str) -> None:
        kinds = {call.kind for knot in knots for call in knot.calls}
        self.born = max(knot.high for knot in knots)
        self.low = low
        """What ended before this is over: the page was gone when this life began."""
        self.time = time
        self.exclusive = all(kind.exclusive for kind in kinds)
        persistent = any(kind.persistent for kind in kinds)
        self.telling = {Does.STORED, Does.REFUSED, Does.FLUSHED} | (set() if persistent else {Does.MISS})
        if level != "integrity":
            self.telling |= {Does.HIT, Does.MISS}

    def object_cut(self, slots: Sequence[list[Call]], flushes: list[Call]) -> Cut | None:
        """Cuts the slots of one object, and its flushes; None where one slot may not be cut."""
        cut = Cut(settled=list(flushes))
        since = self.time
        for calls in slots:
            calls.sort(key=lambda call: call.begin)
            last = self._last_alone(calls, flushes)
            if last is not None:
                cut.settled += (call for call in calls if call.begin <= last.begin)
                cut.kept += self._holding(last)
                cut.kept += (call for call in calls if call.begin > last.begin)
                since = min(since, last.begin)
            elif calls[0].begin > self.born:
                cut.kept += calls
                since = min(since, calls[0].begin)
            elif all(until(call) < self.low for call in calls):
                cut.settled += calls
            else:
                return None
        cut.kept += (call for call in flushes if until(call) >= since)
        return cut

    def _last_alone(self, calls: list[Call], flushes: list[Call]) -> Call | None:
        # The last call that overlapped no other on its slot, and tells what the slot then held.
        found = None
        before = self.born
        ordered = sorted([*calls, *flushes], key=lambda call: call.begin)
        for n, call in enumerate(ordered):
            after = ordered[n + 1].begin if n + 1 < len(ordered) else self.time
            if before < call.begin and until(call) < after and effect(call) in self.telling:
                found = call if call.op != "flush_object" else found
            before = max(before, until(call))
        return found

    def _holding(self, call: Call) -> list[Call]:
        # What a slot held when this call returned, as a put.
        if effect(call) is Does.STORED:
            return [call]
        if effect(call) is not Does.HIT or self.exclusive:
            return []
        return [call._replace(op="put", args=(*call.args, call.answer), answer=True)]


EVERY = 10_000
"""Calls between two reports of progress."""


def check_trace(
    source: Path | Iterable[str | bytes],
    *,
    level: str = "linearizable",
    claims: Collection[str] = (),
    budget: int = STATES,
    progress: Callable[[int], None] = lambda calls: None,
) -> Result:
    """Checks the history in a file, or in lines that are read once; `progress` hears the count of calls.

    Raises TraceError for a line that is no call, and OSError for a file that cannot be read.
    """
    if not isinstance(source, Path):
        return check_stream(_counted(source, progress), level=level, claims=claims, budget=budget)
    with source.open("rb") as lines:
        result = check_stream(_counted(lines, progress), level=level, claims=claims, budget=budget)
    if not isinstance(result, Illegal):
        return result
    with source.open("rb") as lines:
        whole = check(_concerning(result, read(lines)), level=level, claims=claims, budget=budget)
    return whole if isinstance(whole, Illegal) else result


def _counted(lines: Iterable[str | bytes], progress: Callable[[int], None]) -> Iterator[Call]:
    for count, call in enumerate(read(lines), 1):
        if not count % EVERY:
            progress(count)
        yield call


def _concerning(illegal: Illegal, calls: Iterable[Call]) -> Iterator[Call]:
    # The calls on the slots of the window, from the first on: some of them may have been forgotten.
    window = illegal.window
    pages: set[Page] = {call.answer for call in window if effect(call) is Does.HIT}
    slots = {call.args[2:4] for call in window if call.op not in POOL_CALLS}
    objects = {slot[:1] for slot in slots}
    for call in calls:
        on_object = call.op == "flush_object" and call.args[2:] in objects
        with_page = call.op == "put" and call.args[4] in pages
        always = call.op in POOL_CALLS or call.op == "reclaim"
        if always or on_object or with_page or call.args[2:4] in slots:
            yield call
