"""Checks a trace, from a file or a stream, as it is read."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator
from pathlib import Path

from tmem.conformance.history import stream
from tmem.conformance.history.calls import Call, Page, effect
from tmem.conformance.history.checker import STATES, check
from tmem.conformance.history.results import Illegal, Result
from tmem.conformance.history.trace import read
from tmem.conformance.history.window import POOL_CALLS
from tmem.spec.slot import Does

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
        return stream.check_stream(_counted(source, progress), level=level, claims=claims, budget=budget)
    with source.open("rb") as lines:
        result = stream.check_stream(_counted(lines, progress), level=level, claims=claims, budget=budget)
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
