"""What a failing program is made smaller by, and what becomes of its schedule then."""

from __future__ import annotations

from collections import Counter

from tmem.conformance.schedules.explore import open_subject
from tmem.conformance.schedules.runtime.strategies import Follow, Schedule
from tmem.conformance.schedules.runtime.virtual import MAIN, Preemption
from tmem.conformance.schedules.search.execution import Execution
from tmem.conformance.schedules.search.executor import Executor
from tmem.conformance.schedules.search.shrink import (
    Move,
    begun_late,
    moves,
    without_operation,
    without_thread,
)
from tmem.conformance.schedules.threaded.program import EPHEMERAL, Program, number
from tmem.spec.handle import Handle
from tmem.spec.operations import DestroyPool, FlushPage, Get, NewPool, Operation, Put
from tools.races import STORE

POOL = NewPool(1, EPHEMERAL)
SLOT = Handle(0, 7, 0)
PUT, GET, FLUSH = Put(1, SLOT, number(1)), Get(1, SLOT), FlushPage(1, SLOT)


def run(program: Program, schedule: Schedule = ()) -> Execution:
    subject = open_subject(STORE, "factory")
    return Executor(subject.backends("lock", 0), program, subject.page_size).execute(Follow(schedule))


def after(move: Move, *schedule: tuple[int, int, int, int]) -> list[list[tuple[int, int, int, int]]]:
    return [
        [tuple(each) for each in one] for one in moves(tuple(Preemption(*each) for each in schedule), move)
    ]


def test_a_thread_that_went_through_what_is_gone_is_passed_over() -> None:
    assert after(without_thread(1), (0, 0, 3, 1), (1, 0, 2, 2), (2, 0, 4, 0)) == [
        [(1, 0, 4, 0)],  # without what is gone
        [(0, 0, 3, 1), (1, 0, 4, 0)],  # from thread 0 to thread 2, which moved up
    ]
    assert after(without_operation(1, 0), (0, 0, 3, 1), (1, 0, 2, 0), (0, 0, 5, 1), (1, 1, 4, 0)) == [
        [(0, 0, 3, 1), (0, 0, 5, 1), (1, 0, 3, 0)],
        [(0, 0, 5, 1), (1, 0, 3, 0)],  # there and back is nowhere
    ]


def test_the_first_operation_has_no_switch_point_before_it() -> None:
    ((first, second),) = after(without_operation(0, 0), (0, 1, 2, 1), (0, 2, 1, 1))
    assert (first, second) == ((0, 0, 1, 1), (0, 1, 1, 1))
    assert after(without_operation(0, 0), (0, 1, 1, 1)) == [[]]


def test_a_schedule_of_which_nothing_is_gone_has_one_form() -> None:
    assert after(without_operation(1, 1), (0, 0, 3, 1), (1, 0, 2, 0)) == [[(0, 0, 3, 1), (1, 0, 2, 0)]]


def test_threads_begin_as_late_as_can_be_and_what_was_done_is_done_before() -> None:
    program = Program((POOL,), ((PUT, GET), (FLUSH, PUT)))
    found = list(begun_late(program, run(program)))
    assert [len(smaller) for smaller, _ in found] == [1, 2, 3]
    assert [smaller.threads for smaller, _ in found] == [((PUT,),), ((FLUSH, PUT),), ((GET,), (FLUSH, PUT))]
    assert [smaller.setup for smaller, _ in found] == [
        (POOL, PUT, GET, FLUSH),
        (POOL, PUT, GET),
        (POOL, PUT),
    ]
    operations = Counter[Operation](program.operations)
    assert all(Counter(smaller.operations) == operations for smaller, _ in found)


def test_where_threads_begin_late_the_rest_of_the_schedule_is_followed() -> None:
    program = Program((POOL,), ((PUT, GET), (FLUSH, PUT)))
    # The second thread goes first, and is preempted within its put.
    schedule = (Preemption(MAIN, 0, 1, 1), Preemption(1, 1, 3, 0))
    whole = run(program, schedule)
    assert whole.preemptions == schedule
    smaller, moved = list(begun_late(program, whole))[-1]
    assert (smaller.setup, smaller.threads) == ((POOL, FLUSH), ((PUT, GET), (PUT,)))
    (followed,) = moves(schedule, moved)
    assert followed == (Preemption(MAIN, 0, 1, 1), Preemption(1, 0, 2, 0))
    again = run(smaller, followed)
    assert again.preemptions == followed
    assert again.answers[2:] == [answer for n, answer in enumerate(whole.answers) if n not in (0, 3)]


def test_a_pool_that_was_made_anew_is_as_new_from_the_beginning() -> None:
    program = Program((POOL, PUT), ((DestroyPool(1, 0), POOL, PUT, GET),))
    setups = [smaller.setup for smaller, _ in begun_late(program, run(program))]
    assert setups == [(POOL, PUT), (POOL,), (POOL, PUT, DestroyPool(1, 0))]
