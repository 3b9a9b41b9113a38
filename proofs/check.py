"""Has CrossHair decide the two conditions of a theorem.

CrossHair runs the function on symbolic arguments, path by path, with Z3 deciding which paths there are.
*Confirmed* means that every path was followed to its end; anything less does not count. Its command
line exits 0 for "not confirmed" too, so its verdicts are taken from the library.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from inspect import unwrap
from typing import Final

import crosshair.core_and_libs  # noqa: F401  # teaches CrossHair the standard library
from crosshair.condition_parser import POSTCONDITION, ConditionExpr, Conditions
from crosshair.core import ConditionCheckable
from crosshair.fnutil import FunctionInfo, resolve_signature
from crosshair.options import DEFAULT_OPTIONS, AnalysisKind, AnalysisOptionSet
from crosshair.statespace import MessageType

from proofs import THEOREMS, Theorem
from proofs.processes import each

CPU_SECONDS: Final = 90.0
"""What one condition may take; more than a quiet machine ever needs."""

CONFIRMED: Final = "confirmed"
REFUTED: Final = "refuted"
UNDECIDED: Final = "not confirmed"


@dataclass(frozen=True, slots=True)
class Outcome:
    """What CrossHair said of one condition: a verdict, and the counterexample or error where there is one."""

    verdict: str
    detail: str = ""
    paths: int = 0
    """How many paths were followed."""
    asserted: bool = False
    """Whether it was refuted by an error, such as an assertion that fails."""


@dataclass(frozen=True, slots=True)
class Result:
    """What became of a theorem and of its witness; `seconds` is processor time for both."""

    name: str
    theorem: Outcome
    witness: Outcome
    seconds: float

    @property
    def proved(self) -> bool:
        """Whether the theorem holds on every path and its interesting case is reached on some."""
        return self.theorem.verdict == CONFIRMED and self.witness.verdict == REFUTED


def prove(theorem: Theorem, seconds: float | None = None) -> Result:
    """Decide a theorem (no assertion fails) and its witness (it never returns True) in this process.

    `seconds` is the processor time that each of the two may take.
    """
    start = time.process_time()
    holds = decide(theorem, seconds)
    never = decide(theorem, seconds, lambda values: values["_"] is not True)
    if never.asserted:  # which the first search missed, if it was not refuted
        holds, never = never, Outcome(UNDECIDED, "the theorem does not hold")
    return Result(theorem.name, holds, never, time.process_time() - start)


def prove_all(names: list[str]) -> Iterator[Result]:
    """Prove the theorems of these names, in processes, in the order in which they end."""
    return each(_prove, names[::-1])  # the long ones are last


def _prove(name: str) -> Result:
    return prove(THEOREMS[name])


def decide(
    theorem: Theorem,
    seconds: float | None = None,
    post: Callable[[Mapping[str, object]], bool] = lambda values: True,
) -> Outcome:
    """Whether no assertion of the theorem ever fails, and `post` holds of what it returns (`_`)."""
    function = theorem.function
    signature = resolve_signature(function)
    if isinstance(signature, str):
        return Outcome(UNDECIDED, signature)
    source = unwrap(function)
    code = source.__code__
    condition = ConditionExpr(POSTCONDITION, post, code.co_filename, code.co_firstlineno, function.__name__)
    conditions = Conditions(function, source, [], [condition], frozenset(), signature, None, [])
    options = DEFAULT_OPTIONS.overlay(
        AnalysisOptionSet(
            analysis_kind=(AnalysisKind.asserts,),
            per_condition_timeout=CPU_SECONDS if seconds is None else seconds,
            report_all=True,
        )
    )
    options.stats = Counter()
    messages = list(ConditionCheckable(FunctionInfo.from_fn(function), options, conditions).analyze())
    if len(messages) != 1:
        return Outcome(UNDECIDED, f"CrossHair said {len(messages)} things of one condition")
    (message,) = messages
    paths = options.stats["num_paths"]
    if message.state is MessageType.CONFIRMED:
        return Outcome(CONFIRMED, paths=paths)
    asserted = message.state is MessageType.EXEC_ERR
    refuted = asserted or message.state is MessageType.POST_FAIL
    return Outcome(REFUTED if refuted else UNDECIDED, message.message, paths, asserted)
