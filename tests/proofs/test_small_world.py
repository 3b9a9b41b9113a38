"""The small world: judge and relation agree, and a judge that is too lenient or too strict is found."""

from __future__ import annotations

import random
import subprocess
import sys
from pathlib import Path

import pytest

from proofs.small_world.numbered import Relation
from proofs.small_world.relation import Setting
from proofs.small_world.settings import BOTH, CACHE, COMMON, PAGES, SETTINGS, SWAP
from proofs.small_world.traces import Agreement, follow
from tmem.model.judge import Judge
from tmem.model.violation import Violation
from tmem.spec.answers import fits
from tmem.spec.operations import (
    Answer,
    DestroyPool,
    FlushObject,
    FlushPage,
    Get,
    NewPool,
    Operation,
    Put,
    Raised,
)

ROOT = Path(__file__).parents[2]
KINDS = ((CACHE, None), (SWAP, None), (COMMON, 5), (BOTH, 6))
ONE_SLOT = Setting(((1, 0), (2, 0)), ((7, 0),), PAGES[:1], KINDS)


def live(judge: Judge, operation: Operation) -> bool:
    """Return whether the operation has valid arguments and its id stands for a pool."""
    match operation:
        case Put(client, handle) | FlushPage(client, handle):
            pool = handle.pool
        case FlushObject(client, pool) | DestroyPool(client, pool):
            pass
        case _:
            return False
    return fits(operation, 4) and judge.record.member(client, pool) is not None


class AcceptsAll(Judge):
    """Too lenient in everything."""

    def observe(self, operation: Operation, answer: Answer) -> Violation | None:
        super().observe(operation, answer)
        return None


class WantsEveryPageBack(Judge):
    """Too strict: an ephemeral page may not vanish."""

    def _get(self, get: Get, answer: Answer) -> Violation | None:
        if answer is None and self.record.may_hold(get.client, get.handle).page is not None:
            return Violation("TMEM-GET-3", "", "", 0, get, answer)
        return super()._get(get, answer)


class OverlooksFlush(Judge):
    """Too lenient: after a flush the old page may come back."""

    def _flush_page(self, flush: FlushPage, answer: Answer) -> Violation | None:
        return None if answer is False and live(self, flush) else super()._flush_page(flush, answer)


class OverlooksFlushObject(Judge):
    """Too lenient: after flush object the old page may come back."""

    def _flush_object(self, flush: FlushObject, answer: Answer) -> Violation | None:
        return None if answer is False and live(self, flush) else super()._flush_object(flush, answer)


class OverlooksDestroy(Judge):
    """Ignores destroy: too lenient, since the pool lives on; too strict, since its id may not be reused."""

    def _destroy_pool(self, destroy: DestroyPool, answer: Answer) -> Violation | None:
        return None if answer is True and live(self, destroy) else super()._destroy_pool(destroy, answer)


class OverlooksFailedPuts(Judge):
    """Too lenient: after a put that failed the old page may be seen."""

    def _put(self, put: Put, answer: Answer) -> Violation | None:
        return None if answer is False and live(self, put) else super()._put(put, answer)


class TakesEveryPoolForPrivate(Judge):
    """Too strict: a sharer may not see pages that another one put."""

    def _new_pool(self, new: NewPool, answer: Answer) -> Violation | None:
        flags = new.flags & ~2 if fits(new) else new.flags
        return super()._new_pool(NewPool(new.client, flags, new.uuid), answer)


class MistakesENODEV(Judge):
    """Too strict: a put may not answer ENODEV."""

    def _put(self, put: Put, answer: Answer) -> Violation | None:
        if isinstance(answer, Raised) and answer.errno == 19:
            return Violation("TMEM-ERR-1", "", "", 0, put, answer)
        return super()._put(put, answer)


def agreement(setting: Setting, judge: Judge, depth: int | None = None) -> Agreement:
    return follow(Relation(setting), judge, depth, seconds=60)


def test_the_relation_of_one_pool_and_one_slot_can_be_counted_by_hand() -> None:
    size = Relation(Setting(((1, 0),), ((7, 0),), PAGES, KINDS)).fixpoint()
    # No pool; or one of four kinds: unused, or used with nothing or one of two pages; or a private one that
    # was granted instead of a shared one, used.
    assert size.states == 1 + 4 * (1 + 3) + 2 * 3
    assert size.depth == 3  # new pool, pool flags that show a private one, put


@pytest.mark.parametrize("name", ["two objects", "two slots of one object"])
def test_each_small_world_is_whole(name: str) -> None:
    result = agreement(SETTINGS[name], Judge(4))
    assert result.disagreement is None
    assert result.complete


@pytest.mark.parametrize(
    "requests",
    [KINDS[1:2], *(pytest.param(each, marks=pytest.mark.long) for each in (KINDS[1:3], KINDS))],
)
def test_the_judge_accepts_exactly_what_the_relation_generates(
    requests: tuple[tuple[int, int | None], ...],
) -> None:
    result = agreement(ONE_SLOT._replace(requests=requests), Judge(4))
    assert result.disagreement is None
    assert result.complete  # so of traces of any length
    assert 0 < result.accepted < result.tried


@pytest.mark.parametrize(
    ("judge", "letters", "judged"),
    [
        (AcceptsAll, 1, "accepts"),
        (WantsEveryPageBack, 3, "refuses"),
        (OverlooksFlush, 3, "accepts"),
        (OverlooksFlushObject, 3, "accepts"),
        (OverlooksDestroy, 3, "refuses"),
        (OverlooksFailedPuts, 3, "accepts"),
        (TakesEveryPoolForPrivate, 2, "refuses"),
        (MistakesENODEV, 1, "refuses"),
    ],
)
def test_a_wrong_judge_is_found_by_the_shortest_trace(judge: type[Judge], letters: int, judged: str) -> None:
    result = agreement(ONE_SLOT, judge(4))
    assert result.disagreement is not None
    assert len(result.disagreement.trace) == letters, str(result.disagreement)
    assert f"the judge {judged} this" in str(result.disagreement)


def test_random_long_traces_agree_too() -> None:
    """The exploration merges traces that leave the judge in the same state; random walks merge none."""
    kinds = ((CACHE, None), (SWAP, None), (COMMON, 5), (BOTH, 5), (BOTH, 6))
    relation = Relation(Setting(((1, 0), (1, 1), (2, 0)), ((7, 0), (7, 1)), PAGES, kinds))
    draw = random.Random(1)
    tried = accepted = 0
    for _ in range(60):
        judge, worlds = Judge(4), relation.start
        for _ in range(60):
            letter = draw.randrange(len(relation.letters))
            ends = relation.reach(worlds, relation.steps[letter])
            violation = judge.observe(*relation.letters[letter])
            tried += 1
            assert (violation is None) == bool(ends), relation.letters[letter]
            if violation is not None:
                break  # the judge's state is undefined after a violation
            accepted, worlds = accepted + 1, ends
    assert 0 < accepted < tried


def test_the_command_prints_the_counts() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "proofs.small_world", "two objects", "--depth", "1"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "two objects: 30 states" in done.stdout
    assert "traces of up to 1 letters" in done.stdout
    assert "as far as they were followed" in done.stdout
