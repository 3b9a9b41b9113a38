"""What the last answer of a recording may be: every answer that the judge would have taken there."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from copy import deepcopy
from dataclasses import dataclass, replace
from typing import Final, cast

from tmem.conformance.scripts.recording import CLOSE, Called, Recording, Strange
from tmem.model import Judge
from tmem.spec.abi.errors import NAMES
from tmem.spec.operations import Answer, NewPool, Operation, PoolFlags, Put, Raised, Reclaim, from_flat

FRESH: Final = 987_654
"""The id of a pool that no backend has made."""
PAGES: Final = 16
"""Pages, the last ones that were put, that the answer to a get may be."""


@dataclass(frozen=True, slots=True)
class Ending:
    """Where a recording shows the violation.

    `made` are the numbers of its backends. The last of `calls` is the violation, by an answer that is not in
    `allowed`; with `any_id` any number may be answered but those in `taken`. `died`: the last call never
    returned. `together`: no answer alone is wrong, but all of them are.
    """

    made: tuple[int, ...]
    calls: tuple[Called, ...]
    allowed: tuple[Answer, ...] = ()
    any_id: bool = False
    taken: tuple[int, ...] = ()
    died: bool = False
    together: bool = False


def ending(recording: Recording, page_size: int, scribble: bytes) -> Ending:
    """Find the violation in a recording: on its last backend that shows one. ValueError where it has no call.

    A replay may use several backends, since it makes the program smaller again.
    """
    calls = recording.calls
    if not calls:
        raise ValueError("it makes no call")
    if not calls[-1].answered:
        last = calls[-1].backend
        return Ending((recording.made[last],), _of(calls, last), died=True)
    for backend in reversed(range(len(recording.made))):
        made, own = (recording.made[backend],), _of(calls, backend)
        if found := _judged(own, page_size, scribble):
            return replace(found, made=made)
        if own and own[-1].method == CLOSE and isinstance(own[-1].answer, Raised):
            return Ending(made, own, allowed=(None,))
    kept = tuple(each for each in calls if each.method != CLOSE)
    return Ending(recording.made, kept, together=True)


def _of(calls: Sequence[Called], backend: int) -> tuple[Called, ...]:
    return tuple(replace(each, backend=0) for each in calls if each.backend == backend)


def _judged(calls: Sequence[Called], page_size: int, scribble: bytes) -> Ending | None:
    judge = Judge(page_size, scribble)
    for n, call in enumerate(calls):
        if call.method == CLOSE:
            return None
        operation = from_flat(call.method, call.arguments)
        if judge.observe(operation, _answer(call.answer)) is not None:
            return _with_allowed(calls[: n + 1], operation, _until(calls[:n], page_size, scribble))
    return None


def _answer(answer: object) -> Answer:
    return cast(Answer, object() if isinstance(answer, Strange) else answer)


def _until(calls: Sequence[Called], page_size: int, scribble: bytes) -> Judge:
    judge = Judge(page_size, scribble)
    for call in calls:
        judge.observe(from_flat(call.method, call.arguments), _answer(call.answer))
    return judge


def _with_allowed(calls: Sequence[Called], operation: Operation, judge: Judge) -> Ending:
    def takes(answer: Answer) -> bool:
        return deepcopy(judge).observe(operation, answer) is None

    allowed = tuple(answer for answer in _candidates(calls, operation) if takes(answer))
    if not isinstance(operation, NewPool) or not takes(FRESH):
        return Ending((), tuple(calls), allowed)
    made = {call.answer for call in calls[:-1] if call.method == "new_pool" and type(call.answer) is int}
    taken = tuple(each for each in made if isinstance(each, int) and not takes(each))
    return Ending((), tuple(calls), allowed, any_id=True, taken=taken)


def _candidates(calls: Sequence[Called], operation: Operation) -> Iterator[Answer]:
    yield from (None, True, False)
    yield from (Raised("OSError", errno) for errno in NAMES)
    yield from (Raised("ValueError"), Raised("OverflowError"), Raised("TypeError"))
    if isinstance(operation, Reclaim):
        yield from range(min(max(operation.pages, 0), 64) + 1)
    if isinstance(operation, PoolFlags):
        asked = (call.arguments[1] for call in calls if call.method == "new_pool")
        yield from dict.fromkeys(each for each in asked if isinstance(each, int))
    if not isinstance(operation, NewPool | Put | Reclaim | PoolFlags):
        pages = (call.arguments[-1] for call in reversed(calls) if call.method == "put")
        distinct = dict.fromkeys(page for page in pages if isinstance(page, bytes))
        yield from list(distinct)[:PAGES]
