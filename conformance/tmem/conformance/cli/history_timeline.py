"""The timeline of the calls of a history that contradict each other, for its space-time diagram."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any, Final

from tmem.conformance.events import BROKEN, Moment
from tmem.conformance.history.calls import Call, brief, end_of
from tmem.conformance.history.checker import Illegal
from tmem.conformance.history.may_hold import held
from tmem.spec import history
from tmem.spec.operations import from_flat

PAGE: Final = 4
"""Which argument of a put is the page."""


def timeline(found: Illegal) -> tuple[Moment, ...]:
    """The moments of the window, in the order of time. Calls have numbers, as in the reason."""
    calls = found.window
    plain = [_plain(call) for call in calls]
    broken = re.match(r"#(\d+):", found.reason)
    moments: list[tuple[float, int, Moment]] = []
    for n, call in enumerate(calls):
        lane = f"thread {call.thread}"
        asked, _, answered = str(call).rpartition(" → ")
        moments.append((call.begin, n, Moment(lane, "┌", f"#{n + 1} {asked}")))
        if call.end is not None:
            mark = f"  {BROKEN}" if broken is not None and int(broken[1]) == n + 1 else ""
            moments.append((end_of(call), n, Moment(lane, "└", answered + mark, _holds(plain, n))))
    return tuple(moment for _, _, moment in sorted(moments, key=lambda each: each[:2]))


def _plain(call: Call) -> history.Call:
    # A trace has text in the place of a page, equal for equal pages.
    put = call.op == "put"
    arguments: Any = (*call.args[:PAGE], _bytes(call.args[PAGE])) if put else call.args
    answer: Any = _bytes(call.answer) if call.op == "get" else call.answer
    return history.Call(from_flat(call.op, arguments), answer, call.begin, call.end)


def _bytes(page: object) -> object:
    return page.encode() if isinstance(page, str) else page


def _holds(calls: Sequence[history.Call], n: int) -> str:
    found = held(calls, n)
    if found is None:
        return ""
    return found.words(lambda page: brief(page.decode(errors="replace")), lambda m: f"#{m + 1}")
