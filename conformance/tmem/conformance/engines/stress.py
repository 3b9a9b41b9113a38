"""The engine for what schedules do not control: real threads call at once, and their history is checked."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Final

from tmem.conformance.engines.real_threads_picture import story
from tmem.conformance.engines.thread_load import STAMP, Crowd, switching_often
from tmem.conformance.events import Checked, Covered, Finding, Found, Note, Progress
from tmem.conformance.history.calls import Call, brief
from tmem.conformance.history.checker import Illegal, Unknown, check
from tmem.conformance.history.exhaustive import ATOMIC
from tmem.conformance.history.trace.replies import wrong_reply
from tmem.conformance.programs.pages import corpus
from tmem.conformance.programs.perform import close
from tmem.conformance.turn import Turn
from tmem.spec.backend import Claims
from tmem.spec.operations import Raised

ROUNDS: Final = 16
"""Crowds at scale 1. Each gets a backend of its own."""
CALLERS: Final = 3
OPERATIONS: Final = 1_500
"""Operations of each caller of a crowd."""
VISITORS: Final = 300
"""Threads that come and go beside the callers of the first crowd: each does a few operations."""
STATES: Final = 1_000_000
"""The budget for the check of one history: some seconds, which decide all but one or two of a hundred."""
WAIT: Final = 0.1
"""Seconds between two looks whether the threads go on."""
TRIES: Final = 20
"""Crowds of a replay: threads race as they like."""
GOT: Final = (int, bytes, type(None), Raised)
"""What a get of a history answers: the number of a put, another page, nothing or an exception."""
ALLOWED: Final = "an order of instants that explains every answer"
CLOSING: Final = 1 << 32
"""The step in which a crowd's backend is closed."""
RECLAIMED: Final = "page reclaimed under threads"
"""The coverpoint that counts them."""


@dataclass(frozen=True, slots=True)
class CrowdSeed:
    """Which crowd: the seed of the turn, and the number of the crowd in it."""

    seed: int
    number: int

    @property
    def name(self) -> str:
        """The seed of the crowd's random draws."""
        return f"stress {self.seed} {self.number}"


class Stress:
    """Starts real threads that call the target, and checks what they saw."""

    name = "stress"
    detail = "real threads, and the history of what they saw"
    share = 0.13

    def run(self, turn: Turn) -> None:
        """Run ROUNDS x scale crowds, or as many as fit before the deadline."""
        if turn.page_size < STAMP:
            turn.emit(Note(f"Pages of {turn.page_size} bytes cannot be distinguished by threads."))
            return
        total = max(1, round(ROUNDS * turn.scale))
        found: set[str] = set()
        for number in range(round(turn.done * total), total):
            finding = self._crowd(turn, CrowdSeed(turn.seed, number), (number + 1) / total)
            if finding is not None and finding.clause not in found:
                found.add(finding.clause)
                turn.emit(Found(finding))
            if turn.over():
                return

    def _crowd(self, turn: Turn, one: CrowdSeed, done: float) -> Finding | None:
        backend = turn.fresh(one.number)
        turn.ring.begin(self.name, one.name.encode())
        crowd = Crowd(backend, corpus(turn.page_size, one.seed), one.name)
        beats = 0
        with switching_often():
            crowd.start(CALLERS, OPERATIONS, 0 if one.number else VISITORS)
            seen = -1
            while not crowd.wait(WAIT):
                if (now := crowd.done()) != seen:  # a crowd that stands still is for the supervisor to see
                    seen = now
                    turn.ring.step(beats := beats + 1)
        calls = crowd.history()
        claims = backend.claims if isinstance(backend, Claims) else frozenset()
        turn.ring.step(CLOSING)
        close(backend)
        turn.ring.rest()
        result = _undeclared(calls) or check(calls, level=turn.level, claims=claims, budget=STATES)
        decided = not isinstance(result, Unknown)
        turn.emit(Progress(len(calls), 1, histories=int(decided), done=done))
        gone = sum(call.answer for call in calls if call.op == "reclaim" and type(call.answer) is int)
        turn.emit(Covered({RECLAIMED: gone}))
        if isinstance(result, Unknown):
            turn.emit(Note(f"A history of {len(calls)} calls was not decided: {result.reason}"))
            turn.emit(Checked({"TMEM-CONC-3": len(calls)}, {"TMEM-CONC-3": len(calls)}))  # all returned
            return None
        flushes = sum(call.op in ("flush_object", "destroy_pool") for call in calls)
        counts = {"TMEM-CONC-1": len(calls), "TMEM-CONC-2": flushes, "TMEM-CONC-3": len(calls)}
        if ATOMIC in claims and turn.level != "integrity":
            counts[ATOMIC] = sum(call.op == "flush_object" for call in calls)
        turn.emit(Checked(counts, counts))
        if not isinstance(result, Illegal):
            return None
        if ATOMIC in claims and not isinstance(check(calls, level=turn.level, budget=STATES), Illegal):
            result = replace(result, clause=ATOMIC)  # nothing is wrong but what is claimed
        steps, picture, moments = story(result, crowd.page, crowd.pages)
        data: dict[str, object] = {"engine": self.name, "seed": one.seed, "round": one.number}
        found = (result.clause, result.reason, ALLOWED, steps, data, picture)
        return Finding(*found, engine=self.name, timeline=moments)

    def steps(self, program: bytes, count: int) -> list[str]:
        """The crowd that was under way."""
        calls = [f"{program.decode()}: {CALLERS} threads and the reclaimer call at once"]
        return [*calls, "close()"] if count > CLOSING else calls

    def recall(self, program: bytes, variant: int) -> dict[str, object]:
        """The replay data of a crowd in which the process ended."""
        _, seed, number = program.decode().split()
        return {"engine": self.name, "seed": int(seed), "round": int(number)}

    def replay(self, turn: Turn, data: dict[str, object]) -> None:
        """Run the crowd again, up to TRIES times. Raises ValueError if the data is not of this engine."""
        seed, number = data.get("seed"), data.get("round")
        if not isinstance(seed, int) or not isinstance(number, int):
            raise ValueError("seed or round is missing or no number")
        for tried in range(TRIES):
            finding = self._crowd(turn, CrowdSeed(seed, number), (tried + 1) / TRIES)
            if finding is not None:
                turn.emit(Found(finding))
                return


def _undeclared(calls: Iterable[Call]) -> Illegal | None:
    # An answer that no call may have, whatever the other calls did.
    for call in calls:
        if isinstance(call.answer, Raised) and (wrong := wrong_reply(call)) is not None:
            return Illegal(wrong.clause, wrong.reason, (call,))
        if call.op == "get" and type(call.answer) not in GOT:
            came = f"#1: get answered {brief(call.answer)}, which is neither a page nor None."
            return Illegal("TMEM-ERR-1", came, (call,))
    return None
