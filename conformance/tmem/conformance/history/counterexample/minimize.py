"""The smallest window of an illegal history: calls that are illegal on their own.

A window is found by leaving out what is not needed. Calls that only ask something of others are left out
altogether: a hit, a miss, a put with all its hits. What may explain a miss (a flush, a put that failed)
stays as a call that perhaps happened; so a history is never made illegal by leaving out what had made it
legal. In the end those of them are shown that could have to do with the misses of the window.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from math import inf
from typing import TypeAlias

from tmem.conformance.history.calls import Call, Maybe, Page, denied, effect, perhaps, until
from tmem.conformance.history.slot.clusters import Conflict
from tmem.spec.abi.flags import PERSIST
from tmem.spec.slot import Does

Judging: TypeAlias = Callable[[Sequence[Call]], Conflict | None]
"""Where a history is in conflict with itself; None where it is legal, or that is not known."""
Unit: TypeAlias = tuple[Call, ...]
"""Calls that are left out together."""

FEW = 20
POOL_CALLS = frozenset({"new_pool", "destroy_pool", "pool_flags"})
GRANTS = frozenset({"new_pool", "pool_flags"})
GETS_NOTHING = frozenset({Does.MISS, Does.DENIED})


def smallest(calls: Sequence[Call], judge: Judging) -> list[Call]:
    """What is left of an illegal history when nothing more can be left out, in the order of begins."""
    calls = sorted(calls, key=lambda call: call.begin)
    pools = [call for call in calls if call.op in POOL_CALLS]
    units = list(_units(call for call in calls if call.op not in POOL_CALLS))
    if judge(pools) is not None:  # new pools alone: an id was granted that was live
        pools, units = [], [(call,) for call in pools]
    windows = (_window(pools, each, judge) for each in (units, units[::-1]))
    return min(windows, key=len)


def involved(calls: Sequence[Call], conflict: Conflict) -> list[Call]:
    """The calls of a slot that begin or end at the times of a conflict, with all that may explain them."""
    times = set(conflict.times)
    found = [call for call in calls if call.begin in times or call.end in times]
    return _with_context(found, calls, conflict)


def meeting(calls: Sequence[Call], conflict: Conflict) -> list[Call]:
    """The calls of a slot that meet the span of a conflict, with all that may explain them."""
    found = [call for call in calls if call.begin <= conflict.high and until(call) >= conflict.low]
    return _with_context(found, calls, conflict)


def nearest(calls: Sequence[Call], hit: Call) -> list[Call]:
    """The hit, the puts and hits of its page, the pool calls, and a few that came after the last such put."""
    page = hit.answer
    ends = [
        until(call)
        for call in calls
        if call.op == "put" and call.args[4] == page and call.begin <= until(hit)
    ]
    last = max(ends, default=inf)
    after = [call for call in calls if last < call.begin and until(call) < hit.begin]
    chosen = {id(call) for call in sorted(after, key=until)[:FEW]}
    return [call for call in calls if id(call) in chosen or call.op in POOL_CALLS or _page(call) == page]


def _with_context(found: list[Call], calls: Sequence[Call], conflict: Conflict) -> list[Call]:
    # Puts come with their hits; pool calls, and what may explain a miss, always come along.
    pages = {_page(call) for call in found} - {None}
    misses = any(effect(call) in GETS_NOTHING for call in found)
    chosen = {id(call) for call in found}
    low, high = conflict.low, conflict.high
    return [
        call
        for call in calls
        if id(call) in chosen
        or call.op in POOL_CALLS
        or _page(call) in pages
        or (misses and _explains(call) and call.begin <= high and until(call) >= low)
    ]


def _page(call: Call) -> Page:
    if call.op == "put" and effect(call) in (Does.STORED, None):
        return call.args[4]
    return call.answer if effect(call) is Does.HIT else None


def _units(calls: Iterable[Call]) -> Iterator[Unit]:
    puts: dict[Page, list[Call]] = defaultdict(list)
    hits: dict[Page, list[Call]] = defaultdict(list)
    for call in calls:
        happened = effect(call)
        if happened is Does.HIT:
            hits[call.answer].append(call)
        elif happened is Does.STORED or (happened is None and call.op == "put"):
            puts[call.args[4]].append(call)
        elif happened is not Does.NOTHING or denied(call):
            yield (call,)
    for page, same in puts.items():
        yield (*same, *hits.get(page, ()))
    for each in hits.values():
        yield from ((hit,) for hit in each)


def _window(pools: list[Call], units: list[Unit], judge: Judging) -> list[Call]:
    kept = _reduced(pools, units, judge)
    core, perhapses = _parts(units, kept)
    pools = _lives_needed(pools, core, perhapses, judge)
    shown = [*pools, *core]
    if _need_reasons(pools, core):
        conflict = judge([*pools, *core, *map(perhaps, perhapses)])
        low, high, _ = conflict or Conflict(-inf, inf)
        shown += (call for call in perhapses if call.begin <= high and until(call) >= low)
    return sorted(shown, key=lambda call: call.begin)


def _need_reasons(pools: list[Call], core: list[Call]) -> bool:
    # Whether other calls could explain some of these: misses where pages do not vanish, an id granted twice.
    flags = (call.answer if call.op == "pool_flags" else call.args[1] for call in pools if call.op in GRANTS)
    persistent = any(isinstance(flag, int) and flag & PERSIST for flag in flags)
    misses = any(effect(call) in GETS_NOTHING for call in core)
    return (persistent and misses) or any(call.op in POOL_CALLS for call in core)


def _reduced(pools: list[Call], units: list[Unit], judge: Judging) -> list[bool]:
    # Whether each unit is kept: ever smaller runs of them are left out, as long as that stays illegal.
    kept = [True] * len(units)
    size = len(units)
    while size:
        before = sum(kept)
        for start in range(0, len(units), size):
            tried = [keep and not start <= n < start + size for n, keep in enumerate(kept)]
            if tried != kept and judge(_history(pools, units, tried)) is not None:
                kept = tried
        if size > 1 or sum(kept) == before:
            size //= 2
    return kept


def _parts(units: list[Unit], kept: list[bool]) -> tuple[list[Call], list[Call]]:
    # The calls that are kept, and of the others those that may explain a miss.
    gone = {id(call) for unit, keep in zip(units, kept, strict=True) if not keep for call in unit}
    calls = {id(call): call for unit in units for call in unit}
    core = [call for key, call in calls.items() if key not in gone]
    return core, [call for key, call in calls.items() if key in gone and _explains(call)]


def _explains(call: Call) -> bool:
    happened = effect(call)
    return happened in (Does.REFUSED, Does.FLUSHED, Does.ENDED) or (happened is None and call.op != "get")


def _history(pools: list[Call], units: list[Unit], kept: list[bool]) -> list[Call]:
    core, perhapses = _parts(units, kept)
    return [*pools, *core, *map(perhaps, perhapses)]


def _lives_needed(pools: list[Call], core: list[Call], perhapses: list[Call], judge: Judging) -> list[Call]:
    # Lives of a pool id that were over before the window, or came after it, do not matter; nor does it
    # that a pool ended and was made anew, unless that is what is wrong or could explain a miss.
    rest = [*core, *map(perhaps, perhapses)]
    needed = _during(pools, core)
    if not core or judge([*needed, *rest]) is None:
        return pools
    used = {call.args[:2] for call in core}
    for name in {_name(call) for call in needed} - used:
        fewer = [call for call in needed if _name(call) != name]
        unsure = [perhaps(call) for call in needed if _name(call) == name]
        if judge([*fewer, *rest]) is not None and judge([*fewer, *unsure, *rest]) is not None:
            needed = fewer
    if _need_reasons(needed, core):
        return needed
    for n in reversed(range(len(needed))):
        left_out = _life_end(needed, n)
        fewer = [call for m, call in enumerate(needed) if m not in left_out]
        if left_out and judge([*fewer, *rest]) is not None:
            needed = fewer
    return needed


def _name(call: Call) -> tuple[Page, ...]:
    if call.op != "new_pool":
        return call.args[:2]
    return call.args[0], call.answer.answer if isinstance(call.answer, Maybe) else call.answer


def _during(pools: list[Call], core: list[Call]) -> list[Call]:
    low = min((call.begin for call in core), default=-inf)
    high = max((until(call) for call in core), default=inf)
    by_name: dict[tuple[Page, ...], list[Call]] = defaultdict(list)
    for call in pools:
        by_name[_name(call)].append(call)
    found: list[Call] = []
    for calls in by_name.values():
        over = [n for n, call in enumerate(calls) if call.op == "new_pool" and until(call) < low]
        found += (call for call in calls[over[-1] if over else 0 :] if call.begin <= high)
    return found


def _life_end(calls: list[Call], n: int) -> tuple[int, ...]:
    # The destroy, with the new pool that granted the id again as before: left out, one life goes on.
    if calls[n].op != "destroy_pool":
        return ()
    if n + 1 == len(calls) or _name(calls[n + 1]) != _name(calls[n]):
        return (n,)
    if any(call.op == "pool_flags" and _name(call) == _name(calls[n]) for call in calls):
        return ()  # the pools may be of different kinds, whatever was asked for
    after = calls[n + 1]
    before = next((call for call in reversed(calls[:n]) if call.op == "new_pool"), after)
    return (n, n + 1) if (after.op, after.args) == ("new_pool", before.args) else ()
