"""Traces are decided in pieces as they are read: the answer is that of the whole, and memory is bounded."""

from __future__ import annotations

import random
from collections.abc import Iterator
from pathlib import Path

import pytest

from bench.histories_large import broken, large
from tmem.conformance.history.calls import Call
from tmem.conformance.history.checker import Illegal, Legal, Unknown, check
from tmem.conformance.history.trace import stream
from tmem.conformance.history.trace.format import line_of
from tmem.conformance.history.trace.stream import check_trace
from tmem.spec.abi.flags import PERSIST

CALLS = 6_000


@pytest.fixture(autouse=True)
def short_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stream, "KEPT", 500)
    monkeypatch.setattr(stream, "MOST", 4_000)


def textual(calls: list[Call]) -> Iterator[str]:
    return map(line_of, calls)


@pytest.mark.parametrize("flags", [0, PERSIST])
def test_pieces_of_a_legal_history_are_legal(flags: int) -> None:
    pieces = stream.check_stream(iter(large(CALLS, 4, 100, flags)))
    assert isinstance(pieces, Legal), "more calls than are kept at all were forgotten in time"
    assert pieces.calls == CALLS > stream.MOST


@pytest.mark.parametrize("flags", [0, PERSIST])
def test_a_stale_page_is_found_in_pieces(flags: int, tmp_path: Path) -> None:
    calls = broken(CALLS, 4, 100, flags)
    whole = check(calls)
    assert isinstance(whole, Illegal)
    path = tmp_path / "trace"
    path.write_text("\n".join(textual(calls)), "utf-8")
    pieces = check_trace(path)
    assert isinstance(pieces, Illegal)
    assert (pieces.clause, len(pieces.window)) == (whole.clause, len(whole.window))
    assert isinstance(check_trace(textual(calls)), Illegal)


@pytest.mark.parametrize("flags", [0, PERSIST])
def test_pieces_agree_with_the_whole(flags: int) -> None:
    draw = random.Random(flags)
    illegal = 0
    for seed in range(12):
        calls = large(1_500, 3, 20, flags, seed)
        for _ in range(draw.choice((0, 1, 2))):
            n = draw.choice([n for n, call in enumerate(calls) if call.op == "get"])
            calls[n] = calls[n]._replace(answer=draw.choice([None, draw.randrange(1_500)]))
        whole, pieces = check(calls), stream.check_stream(calls)
        assert type(whole) is type(pieces)
        illegal += isinstance(whole, Illegal)
    assert 3 <= illegal <= 11


def test_what_cannot_be_cut_is_not_decided() -> None:
    open_ended = [Call(n, n, None, "put", (1, 0, 7, 3, n), None) for n in range(5_000)]
    result = stream.check_stream([Call(0, -1, -1, "new_pool", (1, 0, None), 0), *open_ended])
    assert isinstance(result, Unknown)
    assert "3,999" in result.reason
    shuffled = large(CALLS, 4, 100, 0)[::-1]
    unsorted = stream.check_stream(shuffled)
    assert isinstance(unsorted, Unknown)
    assert "sort the trace by begin" in unsorted.reason
