"""What one execution of a program leaves: the answers, and the order in which calls began and returned."""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import dataclass, field

from tmem.conformance.schedules.runtime.virtual import Mark, Preemption, Segment, Stuck
from tmem.conformance.schedules.search.script import Script
from tmem.spec.history import Call
from tmem.spec.operations import Answer, Operation


@dataclass(slots=True)
class Execution:
    """A program that ran under one schedule. `order` holds n where step n began, and ~n where it returned.

    A backend that offers `pool_flags` is asked after each new pool (see `Script`).
    """

    script: Script
    order: list[int]
    answers: list[Answer]
    ids: list[int | None]
    """The pool id that each step was called with; of a new pool, the id that it answered."""
    flags: dict[int, Answer] = field(default_factory=dict)
    """The answers to questions about flags, by step."""
    names: tuple[str, ...] = ()
    """The names of the threads; those of the target come last."""
    preemptions: tuple[Preemption, ...] = ()
    points: int = 0
    """The switch points that were passed."""
    failure: Stuck | None = None
    crashes: tuple[str, ...] = ()
    """Threads that ended with an exception, a sentence each."""
    leak: str = ""
    """What is wrong with the room that is left, if the executor looked and something is."""
    segments: list[Segment] | None = None
    trace: list[Mark] | None = None

    @property
    def key(self) -> Hashable:
        """Equal for executions with the same answers in which the same calls returned before the same calls
        began. None if an answer cannot be hashed."""
        order: list[int] = []
        turn: list[int] = []
        begun = True
        for each in self.order:
            if (each >= 0) is not begun:
                turn.sort()
                order += turn
                turn, begun = [], not begun
            turn.append(each)
        try:
            flags = tuple(self.flags.items())
            key = (tuple(order), tuple(self.answers), tuple(map(type, self.answers)), tuple(self.ids), flags)
            hash(key)
        except TypeError:
            return None
        return key

    def calls(self) -> list[Call]:
        """The history, in the order of invocation. Pools have their ids, pages their numbers."""
        times = {each: time for time, each in enumerate(self.order)}
        called = sorted((time, n) for n, time in times.items() if n >= 0)
        return [Call(self.operation(n), self.answer(n), begin, times.get(~n)) for begin, n in called]

    @property
    def began(self) -> list[int]:
        """The steps of the program in the order in which they began, without questions."""
        return [n for n in self.order if 0 <= n < self.script.questions]

    def answer(self, n: int) -> Answer:
        """The answer to a step or a question."""
        return self.answers[n] if n < self.script.questions else self.flags[n]

    def content(self, number: bytes) -> bytes:
        """The page of this number."""
        return self.script.numbers.pages[number]

    def operation(self, n: int) -> Operation:
        """The operation of a step or a question, with the id of its pool."""
        questions = self.script.questions
        return self.script.operation(n, self.ids[n if n < questions else n - questions])

    def pools(self) -> list[tuple[int, int]]:
        """The client and id of every pool that was made."""
        steps = zip(self.script.steps, self.ids, strict=True)
        made = [(step.client, id) for step, id in steps if step.method == "new_pool"]
        return [(client, id) for client, id in made if client is not None and id is not None]
