"""Histories longer than memory: what can be decided is decided and forgotten while the rest is read.

Calls come in the order of their begins. Where a call on a slot overlapped no other, it is known what the
slot held when it returned, so the history of the slot falls into two that are legal or not each on its own.
Whenever many calls are kept, each slot is cut after its last such call, the part before is checked, and
what the slot holds takes its place: a put of that page, or nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial
from math import inf
from pathlib import Path
from typing import NamedTuple

from tmem.conformance.history.calls import Call, Name, Page, end_of
from tmem.conformance.history.checker import STATES, Illegal, Legal, Result, Unknown, check
from tmem.conformance.history.interpret import interpret
from tmem.conformance.history.partition import Partition, SlotCalls
from tmem.conformance.history.pools.pool_calls import (
    Knot,
    all_pool_calls,
    flags_uncertain,
    knots_of,
    pool_calls,
    sharers,
)
from tmem.conformance.history.trace.format import read
from tmem.conformance.history.trace.replies import wrong_reply

KEPT = 500_000
"""How many calls are kept before those that can be decided are forgotten."""
MOST = 4_000_000
"""How many calls are kept at all: less than 2 GB."""
TOO_MANY = (
    "More than {:,} calls overlap others on their slots, or share pools that are left and joined again."
)
UNSORTED = "Of more than {:,} calls some are not in the order of their begins: sort the trace by begin."


@dataclass(slots=True)
class Cut:
    """The calls that can be decided on their own, and those that are kept in their place."""

    decided: list[Call] = field(default_factory=list)
    kept: list[Call] = field(default_factory=list)


def check_stream(
    calls: Iterable[Call], *, level: str = "linearizable", claims: Collection[str] = (), budget: int = STATES
) -> Result:
    """As `check`, in the memory of the calls that cannot be decided yet; Unknown if those are too many.

    Each answer is also judged on its own (`wrong_reply`).
    """
    decide = partial(check, level=level, claims=claims, budget=budget)
    kept: list[Call] = []
    count, latest, limit = 0, -inf, KEPT
    in_order = True
    doubt: Unknown | None = None
    for call in calls:
        if (wrong := wrong_reply(call)) is not None:
            return Illegal(wrong.clause, wrong.reason, (call,))
        in_order &= call.begin >= latest
        latest = call.begin
        kept.append(call)
        count += 1
        if len(kept) < limit:
            continue
        if not in_order or len(kept) >= MOST:
            return Unknown((TOO_MANY if in_order else UNSORTED).format(len(kept) - 1))
        cut = cut_before(latest, kept, level)
        result = decide(cut.decided)
        if isinstance(result, Illegal):
            return result
        if isinstance(result, Unknown):
            doubt = doubt or result
        kept = cut.kept
        limit = min(MOST, max(KEPT, 2 * len(kept)))
    result = decide(kept)
    if doubt is not None and isinstance(result, Legal):
        return doubt
    return Legal(count, result.instants, result.linearizations) if isinstance(result, Legal) else result


def cut_before(time: float, calls: Sequence[Call], level: str) -> Cut:
    """Cut a history in the order of begins; the calls that are to come begin at `time` or later."""
    found = interpret(calls)
    cut = Cut(kept=[*found.reclaims, *(unsure.call for unsure in found.unnamed)])
    made = {name: each for name, each in all_pool_calls(found).items() if name in found.names}
    for names in sharers(made):
        unsure = found.unnamed or any(flags_uncertain(found.pools[name]) for name in names)
        part = None if unsure else _pools_cut(names, found, time, level)
        if part is None:
            cut.kept += (call for call in found.calls_on(names) if call not in cut.kept)
        else:
            cut.decided += part.decided
            cut.kept += part.kept
    cut.kept.sort(key=lambda call: call.begin)
    return cut


def _pools_cut(names: Sequence[Name], found: Partition, time: float, level: str) -> Cut | None:
    # None where it is not certain yet when these ids lived, or what a slot held as their pool was made.
    knots = [knot for name in names for knot in knots_of(name, pool_calls(found.pools[name]))]
    lasting = len(knots) == len(names)
    if any(knot.wavers or knot.high >= time for knot in knots) or not (lasting or len(names) == 1):
        return None
    if not knots or not knots[-1].makes:
        return None
    low = min(knot.low for knot in (knots if lasting else knots[-1:]))
    over = low if level != "integrity" else -inf if lasting else knots[-2].low
    lifetime = _LastLifetime(knots if lasting else knots[-1:], over, time, level)
    cut = Cut([call for name in names for call in found.pools[name].all()])
    for name in names:
        pool = found.pools[name]
        cut.kept += (call for call in (*pool.made, *pool.flags) if call.begin >= low)
    slots: dict[Page, dict[Page, SlotCalls]] = {}
    flushes: dict[Page, SlotCalls] = {}
    for name in names:
        for target, calls in found.slots.get(name, {}).items():
            slots.setdefault(target[2], {}).setdefault(target[3], SlotCalls()).add(calls)
        for target, calls in found.objects.get(name, {}).items():
            flushes.setdefault(target[2], SlotCalls()).add(calls)
    for oid in {*slots, *flushes}:
        part = lifetime.object_cut(list(slots.get(oid, {}).values()), flushes.get(oid, SlotCalls()))
        if part is None:
            return None
        cut.decided += part.decided
        cut.kept += part.kept
    return cut


class _Span(NamedTuple):
    """A call on a slot; `tells` if it shows what the slot then holds, and then `put` puts that page."""

    begin: float
    end: float
    tells: bool = False
    holds: Call | None = None


class _LastLifetime:
    """The last lifetime of a pool, which is under way: from when it began, perhaps and surely, until now."""

    def __init__(self, knots: Sequence[Knot], low: float, time: float, level: str) -> None:
        kinds = {call.kind for knot in knots for call in knot.calls}
        self.born = max(knot.high for knot in knots)
        self.low = low
        """What ended before this is over: the page was gone when this lifetime began."""
        self.time = time
        self.exclusive = all(kind.exclusive for kind in kinds)
        self.hits_tell = level != "integrity"
        self.misses_tell = self.hits_tell or not any(kind.persistent for kind in kinds)

    def object_cut(self, slots: Sequence[SlotCalls], flushes: SlotCalls) -> Cut | None:
        """Cut the slots of one object, and its flushes; None if one slot may not be cut."""
        cut = Cut(decided=list(flushes.all()))
        since = self.time
        for slot in slots:
            calls = sorted(slot.all(), key=lambda call: call.begin)
            if not calls:
                continue
            last = self._last_alone(slot, flushes)
            if last is not None:
                begin, put = last
                cut.decided += (call for call in calls if call.begin <= begin)
                cut.kept += [] if put is None else [put]
                cut.kept += (call for call in calls if call.begin > begin)
                since = min(since, begin)
            elif calls[0].begin > self.born:
                cut.kept += calls
                since = min(since, calls[0].begin)
            elif not any(slot.unsure) and all(end_of(call) < self.low for call in calls):
                cut.decided += calls
            else:
                return None
        cut.kept += (unsure.call for unsure in flushes.unsure)
        cut.kept += (call for call in (*flushes.emptied, *flushes.unflushed) if end_of(call) >= since)
        return cut

    def _last_alone(self, slot: SlotCalls, flushes: SlotCalls) -> tuple[float, Call | None] | None:
        # The begin of the last call that overlapped no other on its slot and tells what the slot then held,
        # and that as a put; None in its place if the slot held nothing.
        spans = [_Span(begin, end) for each in (slot, flushes) for begin, end, _ in each.unsure]
        for call in (*flushes.emptied, *flushes.unflushed, *slot.denied, *slot.unflushed):
            spans.append(_Span(call.begin, end_of(call)))
        for tells, calls in ((True, slot.emptied), (self.misses_tell, slot.misses)):
            spans += (_Span(call.begin, end_of(call), tells) for call in calls)
        spans += (_Span(call.begin, end_of(call), True, call) for call in slot.stored)
        for hit in slot.hits:
            again = hit._replace(op="put", args=(*hit.args, hit.answer), answer=True)
            spans.append(_Span(hit.begin, end_of(hit), self.hits_tell, None if self.exclusive else again))
        found: tuple[float, Call | None] | None = None
        before = self.born
        spans.sort(key=lambda span: span[0])
        for n, (begin, end, tells, put) in enumerate(spans):
            after = spans[n + 1][0] if n + 1 < len(spans) else self.time
            if before < begin and end < after and tells:
                found = begin, put
            before = max(before, end)
        return found


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
    if not isinstance(result, Illegal) or wrong_reply(result.window[0]):
        return result
    with source.open("rb") as lines:  # the calls before the window may show more
        whole = check(_concerning(result, read(lines)), level=level, claims=claims, budget=budget)
    return whole if isinstance(whole, Illegal) else result


def _counted(lines: Iterable[str | bytes], progress: Callable[[int], None]) -> Iterator[Call]:
    for count, call in enumerate(read(lines), 1):
        if not count % EVERY:
            progress(count)
        yield call


def _concerning(illegal: Illegal, calls: Iterable[Call]) -> Iterator[Call]:
    # The calls on the slots of the window, from the first on: some of them may have been forgotten.
    window = interpret(illegal.window)
    pages: set[Page] = {hit.answer for each in window.groups() for hit in each.hits}
    slots = {target[2:] for targets in window.slots.values() for target in targets}
    objects = {target[2:] for targets in window.objects.values() for target in targets}
    objects |= {slot[:1] for slot in slots}
    for call in calls:
        match call.op:
            case "put":
                concerns = call.args[2:4] in slots or call.args[4] in pages
            case "get" | "flush_page":
                concerns = call.args[2:4] in slots
            case "flush_object":
                concerns = call.args[2:] in objects
            case _:
                concerns = True
        if concerns:
            yield call
