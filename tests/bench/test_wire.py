"""The servers of `python -m bench.wire` answer as the protocol says; the bench notices if they do not."""

from __future__ import annotations

from pathlib import Path

import pytest

from bench.wire import built, listening, made, pumped


def test_the_store_answers_and_the_echo_echoes(tmp_path: Path) -> None:
    program, batches = str(built(tmp_path)), made()
    with listening(program, "store", str(tmp_path / "s")) as store:
        assert pumped(store, batches, len(batches) + 2) > 0
        asked, told = batches[0]
        with pytest.raises(AssertionError, match="an answer is not what it has to be"):
            pumped(store, [(asked, told[:-1] + b"!")], 1)
    with listening(program, "echo", str(tmp_path / "e")) as echo:
        assert pumped(echo, [(asked, asked)], 3) > 0
