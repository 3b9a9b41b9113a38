"""The engine that is easiest to read: a Hypothesis state machine with a rule for each operation.

It draws one packed number for each step, which shrinks ten times faster than a draw for each argument. It
performs the same steps as the engine for volume, which therefore replays its counterexamples.
"""

from __future__ import annotations

import contextlib
import json
from collections.abc import Callable
from dataclasses import replace

from hypothesis import HealthCheck, Phase, Verbosity, seed, settings
from hypothesis import strategies as st
from hypothesis.internal.conjecture import providers
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule, run_state_machine_as_test

from tmem.conformance.coverage import Coverage
from tmem.conformance.engines.volume import Volume, as_seen, finding
from tmem.conformance.events import Finding, Found, Progress, Seen
from tmem.conformance.programs import transcript
from tmem.conformance.programs.handles import plain, universe
from tmem.conformance.programs.pages import COUNT, Corpus, corpus
from tmem.conformance.programs.program import (
    CALLERS,
    GRANTS,
    PLACES,
    SETUPS,
    SHAPES,
    Code,
    Program,
    Step,
    from_json,
    place,
)
from tmem.conformance.programs.runner import Outcome, Runner, twins
from tmem.conformance.turn import Ring, Silent, Turn
from tmem.spec.backend import Backend

EXAMPLES = 300
"""Machines in a run of scale 1."""
BATCH = 30
"""Machines between two checks of the deadline."""
STEPS = 40
"""Most rules that a machine runs."""

_SETTINGS = settings(
    max_examples=BATCH,
    stateful_step_count=STEPS,
    deadline=None,
    database=None,
    verbosity=Verbosity.quiet,
    phases=(Phase.generate, Phase.shrink),
    report_multiple_bugs=False,
    suppress_health_check=list(HealthCheck),
)
# At its first draw Hypothesis parses every module of the project and draws numbers that occur there. That
# takes seconds, makes the draws of a seed depend on the project, and cannot be switched off by a setting.
vars(providers)["_get_local_constants"] = lambda: providers.GLOBAL_CONSTANTS
ROWS = (0, 0, 0, 1, 1, 2, 3, 0)
"""The client that performs a step, modulo the number of clients."""
slots = st.integers(0, len(ROWS) * 2 * PLACES - 1)
"""Client, pool name, and object with index, packed."""
KEYS = 1 << 20
"""How many keys of universes there are; 0 stands for the plain universe."""
universes = st.integers(0, KEYS * len(CALLERS) * 3 - 1)
"""The key of the universe, how many clients there are, and as which type callers pass pages, packed."""
setups = st.integers(0, len(SETUPS) * len(SHAPES) - 1)
"""The first pools, and how many objects and indexes there are, packed."""


class BrokenError(Exception):
    """The contract was broken; the machine's program says how."""


class Machine(RuleBasedStateMachine):
    """A caller that performs every operation, with a judge that checks the answers."""

    fresh: Callable[[], Backend]
    pages: Corpus
    known: frozenset[str] = frozenset()
    ended: Callable[[Program, Outcome], None]
    ring: Ring

    def __init__(self) -> None:
        super().__init__()
        self.backend = type(self).fresh()
        self.ring.rest()
        self.program = Program(plain(1, 1, 1), 0, ())
        self.runner = Runner(self.program, self.backend, self.pages)
        self.puts = 0
        self.shape = SHAPES[0]

    @initialize(packed=universes, setup=setups, first_page=st.integers(0, COUNT - 1))
    def universe(self, packed: int, setup: int, first_page: int) -> None:
        """Choose the handles, the clients, as which type callers pass pages, and the first pools."""
        packed, key = divmod(packed, KEYS)
        buffer, callers = divmod(packed, len(CALLERS))
        shape, first = divmod(setup, len(SETUPS))
        self.shape, self.puts = SHAPES[shape], first_page
        counts = (*self.shape, CALLERS[callers])
        self.program = Program(universe(key, *counts) if key else plain(*counts), buffer, ())
        self.runner = Runner(self.program, self.backend, self.pages)
        for client_row in range(CALLERS[callers]):
            for name, grant in enumerate(SETUPS[first]):
                self.step(Step(Code.NEW_POOL, client_row, name, 0, 0, grant))

    @rule(slot=slots, grant=st.integers(0, len(GRANTS) - 1))
    def new_pool(self, slot: int, grant: int) -> None:
        """Make or join a pool."""
        self.perform(Code.NEW_POOL, slot, grant)

    @rule(slot=slots)
    def put(self, slot: int) -> None:
        """Put a page that was never put before."""
        self.puts += 1
        self.perform(Code.PUT, slot, self.puts % len(self.pages.pages))

    @rule(slot=slots)
    def get(self, slot: int) -> None:
        """Get a page."""
        self.perform(Code.GET, slot)

    @rule(slot=slots)
    def put_twice_and_get(self, slot: int) -> None:
        """Put twice, then get."""
        self.put(slot)
        self.put(slot)
        self.get(slot)

    @rule(slot=slots)
    def flush_page_and_get(self, slot: int) -> None:
        """Flush a page, then get."""
        self.perform(Code.FLUSH_PAGE, slot)
        self.get(slot)

    @rule(slot=slots)
    def flush_object_and_get(self, slot: int) -> None:
        """Flush an object, then get."""
        self.perform(Code.FLUSH_OBJECT, slot)
        self.get(slot)

    @rule(slot=slots)
    def destroy_pool(self, slot: int) -> None:
        """End a pool for one client."""
        self.perform(Code.DESTROY_POOL, slot)

    @rule(pages=st.integers(0, 3))
    def reclaim(self, pages: int) -> None:
        """Reclaim pages, if the backend can."""
        self.perform(Code.RECLAIM, 0, pages)

    @rule(slot=slots, which=st.integers(0, 63))
    def bad_call(self, slot: int, which: int) -> None:
        """Call with an argument out of range, or with flags that must be refused."""
        which, flags = divmod(which, 2)
        self.perform(Code.BAD_FLAGS if flags else Code.BAD_ARGUMENT, slot, which)

    def perform(self, code: Code, slot: int, argument: int = 0) -> None:
        """Perform the step that a packed slot stands for."""
        slot, number = divmod(slot, PLACES)
        client, name = divmod(slot, 2)
        client_row = ROWS[client] % len(self.program.universe.clients)
        self.step(Step(code, client_row, name, *place(self.shape, number), argument))

    def step(self, step: Step) -> None:
        """Perform one step. Raises BrokenError if the judge finds a violation."""
        if self.runner.outcome.violation is not None:
            return  # the judge stops at a violation; one that is known already does not fail the machine
        self.program = replace(self.program, steps=(*self.program.steps, step))
        self.ring.begin(Machines.name, json.dumps(self.program.to_json()).encode())
        self.ring.step(len(self.program.steps) - 1)
        violation = self.runner.step(step)
        self.ring.rest()  # between two steps Hypothesis works, not the target
        if violation is not None and violation.clause not in self.known:
            raise BrokenError(f"{violation.clause}: {violation.message} Allowed: {violation.allowed}.")

    def teardown(self) -> None:
        """Close the backend, and pass the outcome on."""
        with contextlib.suppress(BaseException):  # the engine for volume reports what close raises
            self.ring.step(len(self.program.steps))
            self.backend.close()
        self.ring.rest()
        type(self).ended(self.program, self.runner.outcome)


def state_machine_for(factory: Callable[[], Backend]) -> type[Machine]:
    """Return a state machine for a backend, to be given further rules and invariants in a subclass.

    `factory` returns a fresh backend, which `self.backend` is. A machine performs the operations of the
    contract and raises BrokenError where the judge finds a violation. Its `TestCase` is what pytest and
    unittest collect; settings, profiles and the database of examples are those of Hypothesis.
    """
    backend = factory()
    size = backend.page_size
    backend.close()
    attributes = {
        "fresh": staticmethod(factory),
        "pages": corpus(size, 0),
        "ring": Silent(),
        "ended": staticmethod(lambda program, outcome: None),
    }
    return type("StateMachine", (Machine,), attributes)


class Machines:
    """Runs the machine in batches; each batch finds and shrinks a violation of one more clause."""

    name = "machine"
    detail = "a state machine that shrinks what it finds"
    share = 0.13

    def run(self, turn: Turn) -> None:
        """Run EXAMPLES x scale machines, or until the deadline."""
        pages = corpus(turn.page_size, turn.seed)
        known: set[str] = set()
        coverage = Coverage()
        total = max(1, round(EXAMPLES * turn.scale / BATCH))
        for batch in range(round(turn.done * total), total):
            if turn.over():
                return
            broken = self._batch(turn, batch, pages, frozenset(known), coverage)
            turn.emit(Progress(done=(batch + 1) / total))
            coverage.report(turn.emit)
            if broken is not None:
                known.add(broken.clause)
                turn.emit(Found(broken))

    def _batch(
        self, turn: Turn, batch: int, pages: Corpus, known: frozenset[str], coverage: Coverage
    ) -> Finding | None:
        last: tuple[Program, Outcome] | None = None

        def ended(program: Program, outcome: Outcome) -> None:
            nonlocal last
            turn.emit(Progress(len(outcome.trace), 1))
            coverage.program(outcome.judge, twins=twins(program), changed=program.buffer != 0)
            if outcome.violation is not None and outcome.violation.clause not in known:
                last = program, outcome

        machine = type(
            "Machine",
            (Machine,),
            {
                "fresh": staticmethod(lambda: turn.fresh(batch)),
                "pages": pages,
                "known": known,
                "ring": turn.ring,
                "ended": staticmethod(ended),
            },
        )
        test = seed(turn.seed << 20 | batch)(machine)
        with contextlib.suppress(Exception):  # `ended` has already got the outcome
            run_state_machine_as_test(test, settings=_SETTINGS)
        if last is None:
            return None
        turn.emit(Seen(as_seen(self.name, batch, *last, pages)))
        return replace(finding(turn, batch, *last, pages), engine=self.name)

    def steps(self, program: bytes, count: int) -> list[str]:
        """The first `count` steps of a program given to the ring."""
        return transcript.plan(from_json(json.loads(program)), count)

    def recall(self, program: bytes, variant: int) -> dict[str, object]:
        """The replay data of a program given to the ring, for the engine for volume."""
        return {"engine": Volume.name, "variant": variant, "program": json.loads(program)}

    def replay(self, turn: Turn, data: dict[str, object]) -> None:
        """Replay a program by the engine for volume."""
        Volume().replay(turn, data)
