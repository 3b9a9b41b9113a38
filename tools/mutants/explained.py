"""Explanations of survivors, in `survivors.toml`: it must explain every survivor and nothing else."""

from __future__ import annotations

import tomllib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from tools.mutants.run import Outcome

FILE: Final = Path(__file__).with_name("survivors.toml")
ARROW: Final = " → "
"""Stands in the name of a mutant between the old text and the new."""
KINDS: Final = {
    "equivalent": "No caller can notice a difference from the original.",
    "allowed": "It behaves differently, as the contract allows: slower, larger, or with other answers.",
    "outside": "It is wrong in a way that `tmem check` does not check; tests of the package do.",
    "hole": "It is wrong, and the check should notice.",
}
"""The kinds of explanations."""


@dataclass(frozen=True, slots=True)
class Reason:
    """One explanation and the mutants that it explains, by name.

    A name that ends with the arrow stands for all survivors of one statement. Mutants that are not reached
    are named by module and function, as in `impl/hosts.py Hosted.create`, or all of a module by its path.
    """

    kind: str
    why: str
    mutants: tuple[str, ...]


def read(file: Path = FILE) -> list[Reason]:
    """Return the explanations. Raises ValueError if one has an unknown kind."""
    data = tomllib.loads(file.read_text("utf-8"))
    reasons = [Reason(each["kind"], each["why"], tuple(each["mutants"])) for each in data["reason"]]
    for reason in reasons:
        if reason.kind not in KINDS:
            raise ValueError(f"{file.name}: there is no kind {reason.kind!r}; there are {', '.join(KINDS)}")
    return reasons


def reason_of(outcome: Outcome, reasons: Iterable[Reason]) -> Reason | None:
    """Return the explanation of an outcome, if there is one."""
    wanted = _names(outcome)
    return next((reason for reason in reasons if wanted.intersection(reason.mutants)), None)


def wrong(outcomes: Iterable[Outcome], reasons: Iterable[Reason]) -> Iterator[str]:
    """Yield a line for each survivor without an explanation, and for each explanation without a survivor."""
    outcomes, reasons = list(outcomes), list(reasons)
    explained: set[str] = set()
    for outcome in outcomes:
        names = _names(outcome)
        matching = [name for reason in reasons for name in reason.mutants if name in names]
        explained.update(matching)
        if names and not matching:
            yield f"not explained ({outcome.status}): {outcome.name}"
        if len(matching) > 1:
            yield f"explained {len(matching)} times: {outcome.name}"
    status = {outcome.name: outcome.status for outcome in outcomes}
    for name in (name for reason in reasons for name in reason.mutants if name not in explained):
        yield f"explained, but {status.get(name, 'there is no such survivor')}: {name}"


def _names(outcome: Outcome) -> set[str]:
    """Return the names under which an outcome may be explained; none if it needs no explanation."""
    if outcome.status == "survived":
        return {outcome.name, outcome.name.partition(ARROW)[0] + ARROW.rstrip()}
    if outcome.status == "not reached":
        return {outcome.module, f"{outcome.module} {outcome.function}"}
    return set()
