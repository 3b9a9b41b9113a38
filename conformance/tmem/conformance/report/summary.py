"""Adds up the events of a run. The verdict and all reports are made from this summary."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import NamedTuple

from tmem.conformance.events import (
    Canary,
    Checked,
    Confirmed,
    Covered,
    DataRace,
    Event,
    Finding,
    Finished,
    Found,
    Kept,
    NotDone,
    Note,
    NotOffered,
    Progress,
    Seen,
    Started,
    TurnBegan,
    Worked,
    World,
)


class Discovery(NamedTuple):
    """Coverpoints were reached for the first time: after how many operations, how many are reached now, and
    the last of the new ones."""

    operations: int
    reached: int
    last: str


@dataclass(slots=True)
class Summary:
    """The account of one run. `findings` keeps the smallest counterexample of each clause, one that comes
    again surely if there is one."""

    target: str
    seed: int
    level: str
    page_size: int = 0
    abilities: tuple[str, ...] = ()
    claims: tuple[str, ...] = ()
    findings: dict[str, Finding] = field(default_factory=dict)
    waived: dict[str, str] = field(default_factory=dict)
    """The clauses that may be broken, each with the reason."""
    checks: Counter[str] = field(default_factory=Counter)
    exercised: Counter[str] = field(default_factory=Counter)
    points: Counter[str] = field(default_factory=Counter)
    discoveries: list[Discovery] = field(default_factory=list)
    """When coverpoints were reached for the first time."""
    not_offered: dict[str, NotOffered] = field(default_factory=dict)
    not_done: dict[str, NotDone] = field(default_factory=dict)
    """The engines that could not do all of their work on this target."""
    confirmed: dict[str, Confirmed] = field(default_factory=dict)
    """How often the findings of clauses failed when they were replayed."""
    kept: list[Kept] = field(default_factory=list)
    """The failures of earlier runs that were replayed first."""
    canaries: list[Canary] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    races: list[tuple[str, str]] = field(default_factory=list)
    """The places of the data races that were seen."""
    races_fail: bool = False
    """Whether a data race fails the run."""
    engines: list[str] = field(default_factory=list)
    world: dict[str, int] = field(default_factory=dict)
    """The most of everything that there was on one store, by name."""
    operations: int = 0
    programs: int = 0
    schedules: int = 0
    histories: int = 0
    seconds: float = 0.0
    _seen: dict[str, Finding] = field(default_factory=dict)
    """What each engine is making smaller."""
    work: dict[str, float] = field(default_factory=dict)
    """How much of the counted run each engine has done, 0 to 1."""
    interrupted: bool = False
    """Whether the person who began the run ended it."""
    complete: bool = False
    """Whether the counted run came to its end."""

    def add(self, event: Event) -> None:
        """Take one event into account."""
        match event:
            case Started():
                self.page_size, self.abilities, self.claims = event.page_size, event.abilities, event.claims
            case TurnBegan(engine=engine):
                if engine not in self.engines:
                    self.engines.append(engine)
            case Progress():
                self.operations += event.operations
                self.programs += event.programs
                self.schedules += event.schedules
                self.histories += event.histories
            case Seen(finding):
                self._seen[finding.engine] = finding
            case Found(finding):
                self._seen.pop(finding.engine, None)
                self._found(finding)
            case Confirmed(clause):
                self.confirmed[clause] = event
            case Kept():
                self.kept.append(event)
            case Checked():
                self.checks.update(event.checks)
                self.exercised.update(event.exercised)
            case Covered():
                self._covered(event.counts)
            case NotOffered():
                self.not_offered[event.what] = event
            case NotDone(engine=engine):
                self.not_done[engine] = event
            case Canary():
                self.canaries.append(event)
            case World(most):
                for name, count in most.items():
                    self.world[name] = max(self.world.get(name, 0), count)
            case Note(text):
                if text not in self.notes:
                    self.notes.append(text)
            case DataRace(first, second):
                if (first, second) not in self.races:
                    self.races.append((first, second))
            case Worked(done):
                self.work = done
            case Finished():
                for finding in self._seen.values():  # time was up before they were small
                    self._found(finding)
                self.complete, self.seconds = event.complete, event.seconds

    def _covered(self, counts: dict[str, int]) -> None:
        new = [point for point, count in counts.items() if count and not self.points[point]]
        self.points.update(counts)
        if new:
            reached = sum(1 for count in self.points.values() if count)
            self.discoveries.append(Discovery(self.operations, reached, new[-1]))

    def _found(self, finding: Finding) -> None:
        known = self.findings.get(finding.clause)
        if known is None or rank(finding) < rank(known):
            self.findings[finding.clause] = finding

    @property
    def violations(self) -> dict[str, Finding]:
        """The findings of clauses that are not waived, without those that were seen once only."""
        return {
            clause: found
            for clause, found in self.findings.items()
            if clause not in self.waived and clause not in self.seen_once
        }

    @property
    def seen_once(self) -> dict[str, Finding]:
        """The findings that did not come again when they were replayed: no verdict on the target."""
        return {
            clause: found
            for clause, found in self.findings.items()
            if clause in self.confirmed and not self.confirmed[clause].failed
        }

    @property
    def totals(self) -> str:
        """How much was done, in words."""
        counts = {
            "operations": self.operations,
            "programs": self.programs,
            "schedules": self.schedules,
            "histories": self.histories,
        }
        parts = [f"{count:,} {name}" for name, count in counts.items() if count]
        return ", ".join(parts) or "nothing done"


def rank(finding: Finding) -> tuple[bool, bool, int, str, str]:
    """The order of findings of one clause: the least is the one to show."""
    # A whole program can be run again; of what threads did by chance the data only says how they began. A
    # story without steps says nothing. The rest makes the choice independent of who reports first.
    untold = "program" not in finding.replay or finding.replay["program"] is None
    return untold, not finding.steps, len(finding.steps), finding.engine, finding.message
