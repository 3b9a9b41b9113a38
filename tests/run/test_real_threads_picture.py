"""The story of calls of real threads shows which overlapped, with page letters."""

from __future__ import annotations

from tmem.conformance.engines.real_threads_picture import story
from tmem.conformance.history.calls import Call
from tmem.conformance.history.checker import Illegal
from tmem.conformance.programs.pages import corpus

SLOT = (1, 0, 7, 0)


def page(number: int) -> bytes:
    return number.to_bytes(8, "big") + bytes(56)


WINDOW = (
    Call(0, 0.0, 1.0, "new_pool", (1, 1 << 24, None), 0),
    Call(1, 2.0, 5.0, "put", (*SLOT, 11), True),
    Call(2, 3.0, 4.0, "flush_page", SLOT, True),
    Call(2, 6.0, None, "get", SLOT, None),
    Call(3, 6.5, 7.0, "get", SLOT, 11),
)


def test_a_picture_shows_the_overlap() -> None:
    steps, picture, _ = story(Illegal("TMEM-FLUSH-1", "#5: it came back.", WINDOW), page, corpus(64))
    kind = corpus(64).kinds[11]
    assert steps == (
        "before: new pool EPHEMERAL → 0",
        f"thread 1: put ⟨0, 7, 0⟩ page A ({kind}) → True",
        "thread 2: flush page ⟨0, 7, 0⟩ → True",
        "thread 2: get ⟨0, 7, 0⟩ → never returned",
        "thread 3: get ⟨0, 7, 0⟩ → page A  ✗",
    )
    lines = picture.splitlines()
    assert lines[:3] == ["before", "  #1 new pool EPHEMERAL → 0", ""]
    put, flush, get, last = (
        next(n for n, line in enumerate(lines) if f"#{call} " in line) for call in (2, 3, 4, 5)
    )
    flushed, stored = (n for n, line in enumerate(lines) if "└ True" in line)
    assert put < flush < flushed < stored < get < last
    assert lines[-1].endswith("✗")


def test_a_page_that_was_never_put_is_shown_as_such() -> None:
    window = (*WINDOW[:2], Call(2, 6.0, 7.0, "get", SLOT, b"x" * 64))
    steps, _, _ = story(Illegal("TMEM-PUT-2", "No order.", window), page, corpus(64))
    assert "64 bytes that were never put" in steps[-1]
