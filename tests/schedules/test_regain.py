"""The room that an execution leaves: leaks of overlapping calls are found, and nothing else."""

from __future__ import annotations

from pathlib import Path

from tests.schedules import leaky
from tmem.conformance.schedules.explore import Subject, explore, open_subject, replay
from tmem.conformance.schedules.portfolio import PROGRAMS
from tmem.conformance.schedules.search.regain import MOST, fill, lost_room
from tmem.conformance.schedules.threaded.program import from_json

STORE = str(Path(__file__).with_name("leaky.py"))
LOCKED = "        with self.account:\n"


def unlocked(source: str) -> str:
    assert source.count(LOCKED) == 1
    return source.replace(LOCKED, "        if self.account:\n")


def unclaimed(source: str) -> str:
    return unlocked(source).replace('{"regain"}', '{"lru"}')


def leaking() -> Subject:
    return open_subject(STORE, "Store", rewrite={"leaky": unlocked})


def test_a_lost_update_of_the_account_is_found_shrunk_and_repeated() -> None:
    found = next(explore(leaking(), 0, programs=PROGRAMS))
    assert found.clause == "regain"
    threads = from_json(found.replay["program"]).threads
    assert len(threads) == 2
    assert sum(map(len, threads)) == 2
    again = replay(leaking(), found.replay)
    assert again is not None
    assert (again.clause, again.message, again.steps) == (found.clause, found.message, found.steps)
    assert replay(open_subject(STORE, "Store"), found.replay) is None


def test_a_sound_account_raises_no_alarm() -> None:
    subject = open_subject(STORE, "Store")
    assert len(subject.backends("lock", 0).fill) == leaky.ROOM
    assert list(explore(subject, 0, programs=120)) == []


def test_nobody_is_held_to_a_claim_that_is_not_made() -> None:
    subject = open_subject(STORE, "Store", rewrite={"leaky": unclaimed})
    assert subject.backends("lock", 0).fill == ()
    assert list(explore(subject, 0, programs=40)) == []


def test_room_is_back_once_the_pools_are_destroyed() -> None:
    pages = fill(leaky.Store())

    def left(*pools: tuple[int, int], used: int = 0) -> str:
        store = leaky.Store()
        assert store.put(1, store.new_pool(1), 1, 1, pages[0])
        store.used += used
        return lost_room(store, pools, pages)

    assert not left((1, 1), (1, 1))
    assert "takes 3 of 4 pages" in left()
    assert "takes 3 of 4 pages" in left((1, 1), used=1)


def test_a_store_without_bounds_is_not_filled() -> None:
    class Endless(leaky.Store):
        def charge(self, pages: int) -> bool:
            return True

    class Refusing(leaky.Store):
        def new_pool(self, client: int, flags: int = 0, uuid: int | None = None) -> int:
            raise OSError(1, "no more pools")

    assert MOST < 256
    assert fill(Endless()) == ()
    assert fill(Refusing()) == ()
    assert not lost_room(Refusing(), [], [bytes(64)])
