"""Has CrossHair decide a contract, on the code as it is or with a bug in it."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from importlib import import_module
from typing import Final, NamedTuple

from proofs.check import CONFIRMED, REFUTED, UNDECIDED, Outcome, decide, prove
from proofs.impl.bugs import BUGS
from proofs.impl.contract import CONTRACTS, SEARCHED
from proofs.impl.copy import use
from proofs.processes import each
from tmem.conformance.loader import LoadError

for _module in ("strikes", "overlaps", "many", "reclaiming", "sweeps", "pressure", "sharing", "addresses"):
    import_module(f"proofs.impl.{_module}")  # which registers its contracts

CPU_SECONDS: Final = 100.0
"""What a contract may take whose paths can all be followed: several times what a quiet machine needs."""


class Trial(NamedTuple):
    """A contract, and the bug in the code that it runs on, if any."""

    contract: str
    bug: str | None = None


@dataclass(frozen=True, slots=True)
class Finding:
    """The outcome of a trial; `seconds` is processor time. A bug needs no witness."""

    trial: Trial
    outcome: Outcome
    witness: Outcome | None
    seconds: float

    @property
    def problem(self) -> str | None:
        """What is wrong, if anything: a contract must hold, and a bug must refute it by an assertion."""
        said = f"{self.outcome.verdict}: {self.outcome.detail}"
        if self.trial.bug is not None:
            bitten = self.outcome.verdict == REFUTED and self.outcome.detail.startswith("AssertionError")
            return None if bitten else f"the bug that {self.trial.bug}: {said}"
        searched = self.outcome.verdict == UNDECIDED and self.trial.contract in SEARCHED
        if self.outcome.verdict != CONFIRMED and not searched:
            return said
        if self.witness is None or self.witness.verdict != REFUTED:
            return "its interesting case is never reached"
        return None


def trials(names: Sequence[str]) -> list[Trial]:
    """The contracts of these names, and all their bugs."""
    bugs = [Trial(seeded.refutes, bug) for bug, seeded in BUGS.items() if seeded.refutes in names]
    return [Trial(name) for name in names] + bugs


def run(trial: Trial) -> Finding:
    """Decide it in this process."""
    theorem, seconds = CONTRACTS[trial.contract], SEARCHED.get(trial.contract, CPU_SECONDS)
    start = time.process_time()
    if trial.bug is None:
        use(None)
        result = prove(theorem, seconds)
        return Finding(trial, result.theorem, result.witness, result.seconds)
    try:
        use(BUGS[trial.bug].bug)
        outcome = decide(theorem, seconds)
    except LoadError as error:
        outcome = Outcome(UNDECIDED, str(error))
    return Finding(trial, outcome, None, time.process_time() - start)


def run_all(asked: Sequence[Trial]) -> Iterator[Finding]:
    """Decide them in processes, in the order in which they end."""
    return each(run, asked)
