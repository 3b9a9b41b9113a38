"""The memory that worker and supervisor share: what was under way is read back, whatever became of it."""

from __future__ import annotations

import os
from pathlib import Path

from tmem.conformance.run.heartbeat import HANDSHAKE, SIZE, Doing, Ring


def test_the_ring_is_read_back(tmp_path: Path) -> None:
    writer = Ring.create(tmp_path / "ring")
    reader = Ring(tmp_path / "ring")
    assert reader.read().doing is Doing.RESTING
    writer.making(3)
    assert (reader.read().doing, reader.read().variant) == (Doing.MAKING, 3)
    writer.made()
    assert reader.read().doing is Doing.RESTING
    writer.begin("volume", b"program")
    under_way = reader.read()
    assert (under_way.engine, under_way.program, under_way.step) == ("volume", b"program", -1)
    writer.step(4)
    assert reader.read().step == 4
    assert reader.read().doing is Doing.CALLING
    writer.rest()
    assert reader.read().doing is Doing.RESTING
    writer.begin("v", b"x" * 2 * SIZE)
    assert set(reader.read().program) == set(b"x")


def test_every_sign_of_life_is_a_beat(tmp_path: Path) -> None:
    ring = Ring.create(tmp_path / "ring")
    seen = [ring.beats()]
    for sign in (
        lambda: ring.begin("volume", b"p"),
        lambda: ring.step(0),
        lambda: ring.step(1),
        lambda: ring.begin("volume", b"p"),
        lambda: ring.step(0),
        lambda: ring.making(0),
        lambda: ring.making(0),
        ring.made,
        ring.rest,
    ):
        sign()
        assert ring.beats() != seen[-1]
        seen.append(ring.beats())


def test_a_ring_that_was_written_over_can_be_read(tmp_path: Path) -> None:
    ring = Ring.create(tmp_path / "ring")
    (tmp_path / "ring").write_bytes(os.urandom(SIZE))
    under_way = ring.read()
    assert isinstance(under_way.engine, str)
    assert under_way.engine != HANDSHAKE
