"""Finds a small window of an illegal history: calls that are illegal on their own.

A window is found by leaving out what is not needed. Calls that only ask something of others are left out
altogether: a hit, a miss, a put with all its hits. What may explain a miss (a flush, a put that failed)
stays as a call that perhaps happened, so leaving out calls never makes a legal history illegal. In the end
those of them are shown that could have to do with the misses of the window.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from math import inf
from typing import TypeAlias

from tmem.conformance.history.calls import Call, Name, Page, end_of, page_of
from tmem.conformance.history.interpret import effect_of, interpret
from tmem.conformance.history.partition import Partition
from tmem.conformance.history.slot.clusters import Conflict
from tmem.spec.abi.flags import PERSIST
from tmem.spec.slot import Does

FindConflict: TypeAlias = Callable[[Sequence[Call], Sequence[Call]], Conflict | None]
"""Where calls, with others that perhaps happened, contradict each other; None if they do not, or that is not
known."""
Unit: TypeAlias = tuple[Call, ...]
"""Calls that are left out together."""

FEW = 20
MANY = 100
"""Calls of a window beyond which no second one is looked for: nobody reads them one by one."""
POOL_CALLS = frozenset({"new_pool", "destroy_pool", "pool_flags"})
GRANTS = frozenset({"new_pool", "pool_flags"})


def smallest(calls: Sequence[Call], conflict: FindConflict) -> list[Call]:
    """What is left of an illegal history when nothing more can be left out, in the order of begins."""
    calls = sorted(calls, key=lambda call: call.begin)
    pools = [call for call in calls if call.op in POOL_CALLS]
    units = list(_units(interpret(call for call in calls if call.op not in POOL_CALLS)))
    if conflict(pools, ()) is not None:  # new pools alone: an id was granted that was live
        pools, units = [], [(call,) for call in pools]
    window = _window(pools, units, conflict)
    if len(window) > MANY:
        return window
    return min(window, _window(pools, units[::-1], conflict), key=len)


def involved(calls: Sequence[Call], found: Conflict) -> list[Call]:
    """The calls of a slot that begin or end at the times of a conflict, with all that may explain them."""
    times = set(found.times)
    chosen = [call for call in calls if call.begin in times or call.end in times]
    return _with_context(chosen, calls, found)


def meeting(calls: Sequence[Call], found: Conflict) -> list[Call]:
    """The calls of a slot that meet the span of a conflict, with all that may explain them."""
    chosen = [call for call in calls if call.begin <= found.high and _until(call) >= found.low]
    return _with_context(chosen, calls, found)


def nearest(calls: Sequence[Call], hit: Call) -> list[Call]:
    """The hit, the puts and hits of its page, the pool calls, and a few that came after the last such put."""
    page = hit.answer
    ends = [
        _until(call)
        for call in calls
        if call.op == "put" and page_of(call) == page and call.begin <= end_of(hit)
    ]
    last = max(ends, default=inf)
    after = [call for call in calls if last < call.begin and _until(call) < hit.begin]
    chosen = {id(call) for call in sorted(after, key=_until)[:FEW]}
    with_page = _pages(calls)
    return [
        call
        for call in calls
        if id(call) in chosen or call.op in POOL_CALLS or with_page.get(id(call), NO_PAGE) == page
    ]


def _until(call: Call) -> float:
    # The time up to which a call may have taken effect.
    return inf if effect_of(call) is None else end_of(call)


NO_PAGE = object()


def _pages(calls: Iterable[Call]) -> dict[int, Page]:
    # The pages that calls put, or may have put, and that they returned; by the id of the call.
    pages: dict[int, Page] = {}
    for each in interpret(calls).groups():
        pages.update((id(call), page_of(call)) for call in each.stored)
        pages.update((id(unsure.call), page_of(unsure.call)) for unsure in each.maybe_stored)
        pages.update((id(call), call.answer) for call in each.hits)
    return pages


def _with_context(some: list[Call], calls: Sequence[Call], found: Conflict) -> list[Call]:
    # Puts come with their hits; pool calls, and what may explain a miss, always come along.
    pages = _pages(calls)
    wanted = {pages[id(call)] for call in some if id(call) in pages}
    chosen = {id(call) for call in some}
    if _gets_of_nothing(some):
        low, high = found.low, found.high
        explaining = _explaining(interpret(calls))
        chosen |= {id(call) for call in explaining if call.begin <= high and _until(call) >= low}
    return [
        call
        for call in calls
        if id(call) in chosen or call.op in POOL_CALLS or pages.get(id(call), NO_PAGE) in wanted
    ]


def _gets_of_nothing(calls: Iterable[Call]) -> bool:
    return any(each.misses or each.denied for each in interpret(calls).groups())


def _explaining(found: Partition) -> Iterator[Call]:
    # The calls on pages that may explain a miss.
    for each in found.groups():
        yield from each.emptied
        yield from (unsure.call for unsure in each.unsure)


def _units(found: Partition) -> Iterator[Unit]:
    puts: dict[Page, list[Call]] = defaultdict(list)
    hits: dict[Page, list[Call]] = defaultdict(list)
    for each in found.groups():
        for call in each.stored:
            puts[page_of(call)].append(call)
        for unsure in each.maybe_stored:
            puts[page_of(unsure.call)].append(unsure.call)
        for call in each.hits:
            hits[call.answer].append(call)
        for call in (*each.misses, *each.denied, *each.emptied, *each.unflushed):
            yield (call,)
        for unsure in each.maybe_emptied:
            yield (unsure.call,)
    for page, same in puts.items():
        yield (*same, *hits.pop(page, ()))
    for rest in hits.values():
        yield from ((hit,) for hit in rest)


def _window(pools: list[Call], units: list[Unit], conflict: FindConflict) -> list[Call]:
    kept = _reduced(pools, units, conflict)
    core, rest = _parts(units, kept)
    pools = _lifetimes_needed(pools, core, rest, conflict)
    shown = [*pools, *core]
    if _need_reasons(pools, core):
        found = conflict([*pools, *core], rest)
        low, high, _ = found or Conflict(-inf, inf)
        shown += (call for call in rest if call.begin <= high and _until(call) >= low)
    return sorted(shown, key=lambda call: call.begin)


def _need_reasons(pools: list[Call], core: list[Call]) -> bool:
    # Whether other calls could explain some of these: misses where pages do not vanish, an id granted twice.
    flags = (call.answer if call.op == "pool_flags" else call.args[1] for call in pools if call.op in GRANTS)
    persistent = any(isinstance(flag, int) and flag & PERSIST for flag in flags)
    return (persistent and _gets_of_nothing(core)) or any(call.op in POOL_CALLS for call in core)


def _reduced(pools: list[Call], units: list[Unit], conflict: FindConflict) -> list[bool]:
    # Whether each unit is kept: ever smaller runs of them are left out, as long as that stays illegal.
    kept = [True] * len(units)
    size = len(units)
    while size:
        before = sum(kept)
        for start in range(0, len(units), size):
            tried = [keep and not start <= n < start + size for n, keep in enumerate(kept)]
            if tried != kept:
                core, rest = _parts(units, tried)
                if conflict([*pools, *core], rest) is not None:
                    kept = tried
        if size > 1 or sum(kept) == before:
            size //= 2
    return kept


def _parts(units: list[Unit], kept: list[bool]) -> tuple[list[Call], list[Call]]:
    # The calls that are kept, and of the others those that may explain a miss.
    core = [call for unit, keep in zip(units, kept, strict=True) if keep for call in unit]
    gone = [call for unit, keep in zip(units, kept, strict=True) if not keep for call in unit]
    ended = [call for call in gone if call.op in POOL_CALLS and effect_of(call) in (Does.ENDED, None)]
    return core, [*ended, *_explaining(interpret(call for call in gone if call.op not in POOL_CALLS))]


def _lifetimes_needed(
    pools: list[Call], core: list[Call], rest: list[Call], conflict: FindConflict
) -> list[Call]:
    # Lifetimes of a pool id that were over before the window, or came after it, do not matter. Nor does it
    # matter that a pool ended and was made again, unless that is what is wrong or could explain a miss.
    needed = _during(pools, core)
    if not core or conflict([*needed, *core], rest) is None:
        return pools
    used = {call.args[:2] for call in core}
    for name in {_name(call) for call in needed} - used:
        fewer = [call for call in needed if _name(call) != name]
        unsure = [call for call in needed if _name(call) == name]
        without = conflict([*fewer, *core], rest)
        if without is not None and conflict([*fewer, *core], [*unsure, *rest]) is not None:
            needed = fewer
    if _need_reasons(needed, core):
        return needed
    for n in reversed(range(len(needed))):
        left_out = _end_and_renewal(needed, n)
        fewer = [call for m, call in enumerate(needed) if m not in left_out]
        if left_out and conflict([*fewer, *core], rest) is not None:
            needed = fewer
    return needed


def _name(call: Call) -> Name:
    return call.args[:2] if call.op != "new_pool" else (call.args[0], call.answer)


def _during(pools: list[Call], core: list[Call]) -> list[Call]:
    low = min((call.begin for call in core), default=-inf)
    high = max((_until(call) for call in core), default=inf)
    by_name: dict[Name, list[Call]] = defaultdict(list)
    for call in pools:
        by_name[_name(call)].append(call)
    found: list[Call] = []
    for calls in by_name.values():
        over = [n for n, call in enumerate(calls) if call.op == "new_pool" and _until(call) < low]
        found += (call for call in calls[over[-1] if over else 0 :] if call.begin <= high)
    return found


def _end_and_renewal(calls: list[Call], n: int) -> tuple[int, ...]:
    # The destroy, with the new pool that granted the id again as before: without them one lifetime goes on.
    if calls[n].op != "destroy_pool":
        return ()
    if n + 1 == len(calls) or _name(calls[n + 1]) != _name(calls[n]):
        return (n,)
    if any(call.op == "pool_flags" and _name(call) == _name(calls[n]) for call in calls):
        return ()  # the pools may be of different kinds, whatever was asked for
    after = calls[n + 1]
    before = next((call for call in reversed(calls[:n]) if call.op == "new_pool"), after)
    return (n, n + 1) if (after.op, after.args) == ("new_pool", before.args) else ()
