"""Has CrossHair decide the two conditions of a theorem.

CrossHair runs the function on symbolic arguments, path by path, with Z3 deciding which paths there are.
*Confirmed* means that every path was followed to its end; anything less does not count. Its command
line exits 0 for "not confirmed" too, so its verdicts are taken from the library.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import dataclass
from typing import Final

import crosshair.core_and_libs  # noqa: F401  # teaches CrossHair the standard library
from crosshair.condition_parser import POSTCONDITION, ConditionExpr, Conditions
from crosshair.core import ConditionCheckable
from crosshair.fnutil import FunctionInfo, resolve_signature
from crosshair.options import DEFAULT_OPTIONS, AnalysisKind, AnalysisOptionSet
from crosshair.statespace import MessageType

from proofs import THEOREMS, Theorem
from proofs.processes import PROCESSES, SPAWN, ending

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


def prove(theorem: Theorem) -> Result:
    """Decide a theorem (no assertion fails) and its witness (it never returns True) in this process."""
    start = time.process_time()
    holds = _decide(theorem.function, lambda values: True)
    never = _decide(theorem.function, lambda values: values["_"] is not True)
    if never.verdict == REFUTED and holds.verdict != CONFIRMED:
        never = Outcome(UNDECIDED, "the theorem does not hold")
    return Result(theorem.name, holds, never, time.process_time() - start)


def prove_all(names: list[str]) -> Iterator[Result]:
    """Prove the theorems of these names, in `PROCESSES` processes, in the order in which they end."""
    with ProcessPoolExecutor(PROCESSES, SPAWN, ending) as pool:
        futures = [pool.submit(_prove, name) for name in reversed(names)]  # the long ones are last
        try:
            yield from (future.result() for future in as_completed(futures))
        finally:
            pool.shutdown(wait=False, cancel_futures=True)


def _prove(name: str) -> Result:
    return prove(THEOREMS[name])


def _decide(function: Callable[..., bool], post: Callable[[Mapping[str, object]], bool]) -> Outcome:
    signature = resolve_signature(function)
    if isinstance(signature, str):
        return Outcome(UNDECIDED, signature)
    code = function.__code__
    condition = ConditionExpr(POSTCONDITION, post, code.co_filename, code.co_firstlineno, function.__name__)
    conditions = Conditions(function, function, [], [condition], frozenset(), signature, None, [])
    options = DEFAULT_OPTIONS.overlay(
        AnalysisOptionSet(
            analysis_kind=(AnalysisKind.asserts,), per_condition_timeout=CPU_SECONDS, report_all=True
        )
    )
    messages = list(ConditionCheckable(FunctionInfo.from_fn(function), options, conditions).analyze())
    if len(messages) != 1:
        return Outcome(UNDECIDED, f"CrossHair said {len(messages)} things of one condition")
    (message,) = messages
    if message.state is MessageType.CONFIRMED:
        return Outcome(CONFIRMED)
    refuted = message.state in (MessageType.POST_FAIL, MessageType.EXEC_ERR)
    return Outcome(REFUTED if refuted else UNDECIDED, message.message)
