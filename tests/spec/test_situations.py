"""The table of situations says what the judge accepts, and what the small world's own rules permit."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace

import pytest

from proofs.small_world import rules
from tmem.model import Judge
from tmem.spec.clauses import CLAUSES
from tmem.spec.definitions import DEFINITIONS
from tmem.spec.freedoms import FREEDOMS
from tmem.spec.handle import Handle
from tmem.spec.operations import Answer, NewPool, PoolFlags, Put, Raised, Reclaim
from tmem.spec.situations import KINDS, NEW, OLD, PAGE_SIZE, TABLE, UUID, VERSION, Row, candidates
from tmem.spec.slot import Event, Kind, after, vanished

PAGES = {None: "nothing", OLD: "the old page", NEW: "the new page"}


def by_rules(row: Row, answer: Answer) -> str | None:
    """What the small world's rules, and the semantics of a slot, say of an answer; None: not permitted."""
    situation, kind = row.situation, row.situation.kind
    step = rules.step(PAGE_SIZE, situation.operation, answer)
    if isinstance(situation.operation, NewPool):
        made = situation.barred and not isinstance(answer, Raised)
        return None if step is None or step.live is None or made else "allowed"
    if isinstance(situation.operation, Reclaim):
        return None if step is None or step.live is None else "allowed"
    if step is None or (kind is None and not step.dead):
        return None
    if kind is None:
        return "allowed"
    meaning = step.live
    if isinstance(situation.operation, PoolFlags):
        told = isinstance(meaning, str) and rules.kind(int(meaning), UUID)
        return "allowed" if told in (kind, Kind(kind.persistent)) else None
    if meaning == "":
        return shown({situation.holds.page} | {vanished(kind, situation.holds.page)})
    if not isinstance(meaning, Event):
        return None
    if situation.barred and answer is True and isinstance(situation.operation, Put):
        return None
    held = {situation.holds.page, vanished(kind, situation.holds.page)}
    then = {now for each in held for now in after(kind, each, meaning)}
    return shown(then | {vanished(kind, now) for now in then}) if then else None


def shown(held: set[bytes | None]) -> str:
    page = next((page for page in held if page is not None), None)
    return PAGES[page] + (", or nothing once it has vanished" if page and None in held else "")


def by_judge(row: Row, answer: Answer) -> str | None:
    situation, kind = row.situation, row.situation.kind
    stores = isinstance(situation.operation, Put) and answer is True
    if situation.barred and (stores or (isinstance(situation.operation, NewPool) and type(answer) is int)):
        return None  # the judge knows nothing of room
    judge = Judge(PAGE_SIZE)
    if kind is not None and not isinstance(situation.operation, NewPool):
        flags = VERSION | kind.persistent | kind.shared << 1
        assert judge.observe(NewPool(1, flags, UUID), 0) is None
        if situation.holds.page is not None:
            assert judge.observe(Put(1, Handle(0, 7, 3), OLD), True) is None
    return None if judge.observe(situation.operation, answer) else "allowed"


def disagreements(rows: Iterable[Row], says: Callable[[Row, Answer], str | None]) -> list[str]:
    found = []
    for row in rows:
        for answer in candidates():
            ours = [each for each in row.outcomes if any(same(answer, one) for one in each.answers)]
            theirs = says(row, answer)
            if len(ours) > 1 or bool(ours) != (theirs is not None):
                found.append(f"{row.situation.name}: {answer!r}")
            elif (
                ours
                and theirs not in ("allowed", ours[0].afterwards, None)
                and "user" not in ours[0].afterwards
            ):
                found.append(f"{row.situation.name}: {answer!r}: {theirs}, not {ours[0].afterwards}")
    return found


def same(one: Answer, other: Answer) -> bool:
    return type(one) is type(other) and one == other


@pytest.mark.parametrize("says", [by_rules, by_judge])
def test_the_table_is_what_others_permit(says: Callable[[Row, Answer], str | None]) -> None:
    assert disagreements(TABLE, says) == []


@pytest.mark.parametrize("says", [by_rules, by_judge])
def test_a_row_that_lacks_an_outcome_is_noticed(says: Callable[[Row, Answer], str | None]) -> None:
    for row in TABLE:
        for outcome in row.outcomes:
            rest = tuple(each for each in row.outcomes if each is not outcome)
            assert disagreements([replace(row, outcomes=rest)], says), row


@pytest.mark.parametrize("says", [by_rules, by_judge])
def test_an_answer_too_many_is_noticed(says: Callable[[Row, Answer], str | None]) -> None:
    for row in TABLE:
        known = [answer for outcome in row.outcomes for answer in outcome.answers]
        wrong = next(answer for answer in candidates() if not any(same(answer, each) for each in known))
        more = replace(row.outcomes[0], answers=(*row.outcomes[0].answers, wrong))
        assert disagreements([replace(row, outcomes=(more, *row.outcomes[1:]))], says), row


def test_another_state_of_the_slot_is_noticed() -> None:
    for row in TABLE:
        for outcome in row.outcomes:
            if outcome.afterwards == "nothing":
                wrong = replace(outcome, afterwards="the old page")
                rest = tuple(wrong if each is outcome else each for each in row.outcomes)
                assert disagreements([replace(row, outcomes=rest)], by_rules), row


def test_every_kind_and_every_answer_has_its_row() -> None:
    assert {row.situation.kind for row in TABLE} == {*KINDS, None}
    assert all(row.outcomes for row in TABLE)


def test_it_cites_what_there_is() -> None:
    cited = {id_ for row in TABLE for outcome in row.outcomes for id_ in outcome.clauses}
    assert cited <= {*CLAUSES, *FREEDOMS}


def test_definitions_are_sentences() -> None:
    assert all(meaning.endswith(".") for meaning in DEFINITIONS.values())
