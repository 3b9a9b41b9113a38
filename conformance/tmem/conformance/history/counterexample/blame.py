"""Says in words what is wrong with a window, and which clause it breaks.

The window is small, so its orders are tried: in the longest that the contract allows, the judge of calls
that do not overlap says what is wrong with the next. A page that was put elsewhere is shown with that put.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from tmem.conformance.history.calls import Call, Maybe, Page, effect, until
from tmem.conformance.history.exhaustive import judge
from tmem.conformance.history.partition import Split
from tmem.spec import history
from tmem.spec.operations import Argument, from_flat
from tmem.spec.slot import Does

MOST = 12
"""Calls of which all orders are tried."""
NO_ORDER = "No order of these calls explains all of their answers."


def blame(window: Sequence[Call], found: Split, atomic_flush: bool = False) -> tuple[str, str, list[Call]]:
    """The clause that a window breaks, why, and the window with what was put elsewhere.

    Calls are named #1, #2, … in the order of the window.
    """
    shown = sorted(
        [*window, *_elsewhere(window, found), *_pressure(window, found)], key=lambda call: call.begin
    )
    if len(shown) > MOST or any(until(call) == float("inf") for call in shown):
        return _fallback(window), NO_ORDER, list(window)
    tokens: dict[Page, bytes] = {}
    verdict = judge([_in_spec(call, tokens) for call in shown], atomic_flush)
    if verdict is None or verdict.clause == "TMEM-CONC-1":
        return _fallback(window), NO_ORDER, list(window)
    return verdict.clause, f"#{verdict.call + 1}: {verdict.message}", shown


def _fallback(window: Iterable[Call]) -> str:
    many = any(call.op in ("flush_object", "destroy_pool") for call in window)
    return "TMEM-CONC-2" if many else "TMEM-CONC-1"


def _elsewhere(window: Sequence[Call], found: Split) -> list[Call]:
    # The puts, with their pools, of pages that no put of the window has.
    here = {call.args[4] for call in window if call.op == "put"}
    strange = {call.answer for call in window if effect(call) is Does.HIT} - here
    if not strange:
        return []
    puts: dict[Page, Call] = {}
    for slots in found.slots.values():
        for calls in slots.values():
            puts.update(
                (call.args[4], call) for call in calls if call.op == "put" and call.args[4] in strange
            )
    shown = {id(call) for call in window}
    news = {id(new): new for put in puts.values() if (new := _made(put, found)) and id(new) not in shown}
    return [*puts.values(), *news.values()]


def _made(put: Call, found: Split) -> Call | None:
    news = [
        call
        for call in found.pools.get(put.args[:2], ())
        if call.op == "new_pool" and call.begin <= put.begin
    ]
    return max(news, key=lambda call: call.begin, default=None)


def _pressure(window: Sequence[Call], found: Split) -> list[Call]:
    # A reclaim that overlaps the window of a page that is gone.
    if not any(effect(call) is Does.MISS for call in window):
        return []
    low, high = min(call.begin for call in window), max(call.begin for call in window)
    return [call for call in found.reclaims if call.begin <= high and until(call) >= low][:1]


def _in_spec(call: Call, tokens: dict[Page, bytes]) -> history.Call:
    answer = call.answer.answer if isinstance(call.answer, Maybe) else call.answer
    if effect(call) is Does.HIT:
        answer = _token(answer, tokens)
    args: tuple[Argument, ...] = call.args  # type: ignore[assignment]  # but for a page, which stands last
    if call.op == "put":
        args = (*args[:-1], _token(call.args[-1], tokens))
    return history.Call(from_flat(call.op, args), answer, call.begin, call.end)  # type: ignore[arg-type]


def _token(page: Page, tokens: dict[Page, bytes]) -> bytes:
    return tokens.setdefault(page, len(tokens).to_bytes(2, "big"))
