"""The worker that checks mutants: it runs engines of `tmem check`, each with a part of its work."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Final

from tmem.conformance.engines.claims import ClaimChecks
from tmem.conformance.engines.machine import Machines
from tmem.conformance.engines.schedules import Schedules
from tmem.conformance.engines.stress import Stress
from tmem.conformance.engines.volume import Volume
from tmem.conformance.run.worker import main
from tmem.conformance.turn import Engine, Turn


@dataclass(slots=True)
class Part:
    """The first part of an engine's work: the fraction `part` of its default run."""

    engine: Engine
    part: float
    name: str = ""
    detail: str = ""
    share: float = 0.0

    def __post_init__(self) -> None:
        self.name = f"{self.engine.name}, {self.part:.0%}"
        self.detail = self.engine.detail
        self.share = self.engine.share * self.part

    def run(self, turn: Turn) -> None:
        self.engine.run(replace(turn, scale=self.part))

    def steps(self, program: bytes, count: int) -> list[str]:
        return self.engine.steps(program, count)

    def recall(self, program: bytes, variant: int) -> dict[str, object]:
        return self.engine.recall(program, variant)

    def replay(self, turn: Turn, data: dict[str, object]) -> None:
        self.engine.replay(turn, data)


SOON: Final = Part(Volume(), 0.1)
"""Kills most mutants, and those that never release a lock."""
FOR_LOCKS: Final[tuple[Engine, ...]] = (SOON, Schedules(), Part(Stress(), 0.5))
"""Engines with overlapping calls, without which locks make no difference."""
FOR_STATEMENTS: Final[tuple[Engine, ...]] = (
    SOON,
    ClaimChecks(),
    Part(Schedules(), 0.1),
    Part(Volume(), 0.2),
    Part(Machines(), 0.1),
)

if __name__ == "__main__":
    main({engine.name: engine for engine in (*FOR_LOCKS, *FOR_STATEMENTS, Volume(), Machines())}.values())
