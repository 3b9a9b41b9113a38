"""Says in words what is wrong with a window, and which clause it breaks.

The window is small, so its orders are tried. In the longest one that the contract allows, the judge of calls
that do not overlap says what is wrong with the next call. A page that was put elsewhere is shown with that
put.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from tmem.conformance.history.calls import Call, Page, end_of, page_of
from tmem.conformance.history.exhaustive import violation_in
from tmem.conformance.history.interpret import effect_of, interpret
from tmem.conformance.history.partition import Partition
from tmem.spec import history
from tmem.spec.operations import Argument, from_flat
from tmem.spec.slot import Does

MOST = 12
"""The most calls of which all orders are tried."""
NO_ORDER = "No order of these calls explains all of their answers."


def explain(
    window: Sequence[Call], found: Partition, atomic_flush: bool = False
) -> tuple[str, str, list[Call]]:
    """Return the clause that a window breaks, the reason, and the window with what was put elsewhere.

    Calls are named #1, #2, … in the order of the window.
    """
    of_window = list(interpret(window).groups())
    shown = [*window, *_elsewhere(window, found)]
    if any(calls.misses for calls in of_window):
        shown += _pressure(window, found)
    shown.sort(key=lambda call: call.begin)
    if len(shown) > MOST or any(effect_of(call) is None for call in shown):
        return _fallback(window), NO_ORDER, list(window)
    tokens: dict[Page, bytes] = {}
    breach = violation_in([_in_spec(call, tokens) for call in shown], atomic_flush)
    if breach is None or breach.clause == "TMEM-CONC-1":
        return _fallback(window), NO_ORDER, list(window)
    return breach.clause, f"#{breach.call + 1}: {breach.message}", shown


def _fallback(window: Iterable[Call]) -> str:
    many = any(call.op in ("flush_object", "destroy_pool") for call in window)
    return "TMEM-CONC-2" if many else "TMEM-CONC-1"


def _elsewhere(window: Sequence[Call], found: Partition) -> list[Call]:
    # The puts, with their pools, of pages that no put of the window has.
    here = {page_of(call) for call in window if call.op == "put"}
    strange = {hit.answer for calls in interpret(window).groups() for hit in calls.hits} - here
    if not strange:
        return []
    puts: dict[Page, Call] = {}
    for calls in found.groups():
        for put in (*calls.stored, *calls.emptied, *(unsure.call for unsure in calls.maybe_stored)):
            if put.op == "put" and page_of(put) in strange:
                puts[page_of(put)] = put
    shown = {id(call) for call in window}
    news = {id(new): new for put in puts.values() if (new := _pool_of(put, found)) and id(new) not in shown}
    return [*puts.values(), *news.values()]


def _pool_of(put: Call, found: Partition) -> Call | None:
    # The last new pool of the id before the put.
    name = put.args[:2]
    news = found.pools[name].made if name in found.pools else []
    return max((new for new in news if new.begin <= put.begin), key=lambda call: call.begin, default=None)


def _pressure(window: Sequence[Call], found: Partition) -> list[Call]:
    # A reclaim that overlaps the window of a page that is gone.
    low, high = min(call.begin for call in window), max(call.begin for call in window)
    return [call for call in found.reclaims if call.begin <= high and end_of(call) >= low][:1]


def _in_spec(call: Call, tokens: dict[Page, bytes]) -> history.Call:
    answer = _token(call.answer, tokens) if effect_of(call) is Does.HIT else call.answer
    args: tuple[Argument, ...] = call.args  # type: ignore[assignment]  # apart from a page, which stands last
    if call.op == "put":
        args = (*args[:-1], _token(page_of(call), tokens))
    return history.Call(from_flat(call.op, args), answer, call.begin, call.end)  # type: ignore[arg-type]


def _token(page: Page, tokens: dict[Page, bytes]) -> bytes:
    return tokens.setdefault(page, len(tokens).to_bytes(2, "big"))
