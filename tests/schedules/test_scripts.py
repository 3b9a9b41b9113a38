"""One operation against a script: what only an operation that is interrupted by several others gets wrong."""

from __future__ import annotations

import pytest

from tmem.conformance.schedules.explore import explore, open_subject
from tmem.conformance.schedules.portfolio import SCRIPTS, Choice
from tmem.conformance.schedules.runtime.watchdog import watched
from tmem.conformance.schedules.search.executor import Executor
from tmem.conformance.schedules.search.search import Search
from tmem.conformance.schedules.search.subject import Subject
from tmem.conformance.schedules.threaded.program import from_json, is_whole
from tmem.conformance.schedules.threaded.scripts import scripts
from tools.races import RACES, STORE


def chosen(subject: Subject, seed: int, place: int, draws: object) -> Choice:
    return Choice(scripts(seed, reclaims=True, shared=False)[place], SCRIPTS)


@pytest.mark.parametrize(
    ("name", "seeds"),
    [
        ("reclaim by handle", range(5)),
        pytest.param("reclaim by handle", range(5, 20), marks=pytest.mark.long),
        pytest.param("destroy of a reclaimed frame", range(20), marks=pytest.mark.long),
    ],
)
def test_a_reuse_under_an_operation_is_found_on_every_seed(name: str, seeds: range) -> None:
    subject = open_subject(STORE, "factory", rewrite={"store": RACES[name].rewrite})
    for seed in seeds:
        count = len(scripts(seed, reclaims=True, shared=False))
        found = next(explore(subject, seed, count, small=seed == 0, chooser=chosen), None)
        assert found is not None, seed
        assert found.clause in RACES[name].clauses


def test_scripts_raise_no_alarm() -> None:
    assert not list(explore(open_subject(STORE, "factory"), 0, 60, chooser=chosen))


def test_only_the_operation_is_interrupted_and_at_each_of_its_points() -> None:
    program = scripts(0, reclaims=True, shared=False)[0]
    subject = open_subject(STORE, "factory")
    ((level, exploration),) = SCRIPTS
    search = Search(Executor(subject.backends(level, 0), program, subject.page_size))
    with watched():
        runs = list(search.executions(exploration, 0))
    preempted = [each for run in runs for each in run.preemptions if each.thread >= 0]
    assert {each.thread for each in preempted} == {0}
    points = {each.point for each in preempted if each.operation == 0}
    assert points >= set(range(1, len(points) + 1))


def test_scripts_are_programs_that_replays_can_hold() -> None:
    for program in scripts(0, reclaims=True, shared=True):
        assert is_whole(program)
        assert from_json(program.to_json()) == program
