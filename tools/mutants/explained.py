"""Why survivors survive: `survivors.toml`, which must say it of every one, and of nothing else."""

from __future__ import annotations

import tomllib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from tools.mutants.run import Outcome

FILE: Final = Path(__file__).with_name("survivors.toml")
ARROW: Final = " → "
"""What a mutant's name has between what was and what is."""
KINDS: Final = {
    "equivalent": "No caller can tell it from the original.",
    "allowed": "It behaves otherwise, as the contract allows: slower, hungrier, or with other answers.",
    "outside": "It is wrong in what `tmem check` does not look at, and tests of the package do.",
    "hole": "It is wrong, and the check should notice.",
}
"""What an explanation may say of a survivor."""


@dataclass(frozen=True, slots=True)
class Reason:
    """One explanation and the mutants that it explains, by name.

    A name that ends with the arrow stands for all survivors of one statement: any other would do. Those that
    are not reached are explained by module and function, as in `impl/hosts.py Hosted.create`, or all of a
    module by its path.
    """

    kind: str
    why: str
    mutants: tuple[str, ...]


def read(file: Path = FILE) -> list[Reason]:
    """The explanations. ValueError where one is of no known kind."""
    data = tomllib.loads(file.read_text("utf-8"))
    reasons = [Reason(each["kind"], each["why"], tuple(each["mutants"])) for each in data["reason"]]
    for reason in reasons:
        if reason.kind not in KINDS:
            raise ValueError(f"{file.name}: there is no kind {reason.kind!r}; there are {', '.join(KINDS)}")
    return reasons


def reason_of(outcome: Outcome, reasons: Iterable[Reason]) -> Reason | None:
    """The explanation of an outcome, if there is one."""
    wanted = _names(outcome)
    return next((reason for reason in reasons if wanted.intersection(reason.mutants)), None)


def wrong(outcomes: Iterable[Outcome], reasons: Iterable[Reason]) -> Iterator[str]:
    """A line for each survivor without an explanation, and for each explanation without a survivor."""
    outcomes, reasons = list(outcomes), list(reasons)
    explained: set[str] = set()
    for outcome in outcomes:
        names = _names(outcome)
        told = [name for reason in reasons for name in reason.mutants if name in names]
        explained.update(told)
        if names and not told:
            yield f"not explained ({outcome.status}): {outcome.name}"
        if len(told) > 1:
            yield f"explained {len(told)} times: {outcome.name}"
    status = {outcome.name: outcome.status for outcome in outcomes}
    for name in (name for reason in reasons for name in reason.mutants if name not in explained):
        yield f"explained, but {status.get(name, 'there is no such survivor')}: {name}"


def _names(outcome: Outcome) -> set[str]:
    """The names under which an outcome may be explained; none where it needs no explanation."""
    if outcome.status == "survived":
        return {outcome.name, outcome.name.partition(ARROW)[0] + ARROW.rstrip()}
    if outcome.status == "not reached":
        return {outcome.module, f"{outcome.module} {outcome.function}"}
    return set()
