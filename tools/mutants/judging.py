"""Checks that must notice a mutant of the judge, of the adversary or of the store.

`python -m tools.mutants.judging CHECK...` runs these checks with the `tmem.model` that is on the path, and
prints the first that fails as JSON.
"""

from __future__ import annotations

import contextlib
import io
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Final

import pytest

from tmem.conformance.calibration.accept import accept
from tmem.conformance.calibration.kill import kill
from tmem.conformance.faults import FAULTS
from tools.mutants.checked import Result
from tools.mutants.mutant import ROOT, Mutant, overlay

LIMIT: Final = 90.0
"""Seconds after which a check counts as hung."""
TARGET: Final = "model:keep"
"""The target that faults wrap; the judge must notice them."""
SLOW: Final = frozenset({"races", "liveness", "claims", "large"})
"""Kinds of faults that the judge alone does not decide."""
LONGEST: Final = "flush-takes-equal-pages"
"""The fault that takes as long as a third of all others together."""
BACKENDS: Final = 20
OPERATIONS: Final = 2_000

JUDGE: Final = (
    "tests/model/test_judge.py",
    "tests/model/test_judge_words.py",
    "tests/model/test_judge_counts.py",
    "tests/proofs/test_small_world.py::test_the_judge_accepts_exactly_what_the_relation_generates",
)
ADVERSARY: Final = ("tests/model/test_adversary.py",)
STORE: Final = tuple(
    f"tests/impl/test_{name}.py"
    for name in (
        "order",
        "model",
        "store",
        "counters",
        "pressure",
        "many",
        "races",
        "threads",
        "codecs",
        "waiting",
        "account",
    )
)


def judge_tests() -> Result:
    """Run the tests of the judge, and the small world."""
    return _tested(JUDGE)


def adversary_tests() -> Result:
    """Run the tests of the adversary."""
    return _tested(ADVERSARY)


def store_tests() -> Result:
    """Run the tests of the implementation, which see its accounts, its order and its counters."""
    return _tested(STORE)


def faults() -> Result:
    """Check that each fault of the catalogue is noticed and blamed on a clause that it breaks."""
    for name, fault in FAULTS.items():
        if fault.kind in SLOW or name == LONGEST:
            continue
        found = kill(TARGET, name, 0)
        if not found.killed:
            result = f"is blamed on {found.clause}" if found.clause else "survives"
            return Result("faults", fault.clauses[0], message=f"{name} {result}")
    return Result()


def conforming() -> Result:
    """Check that conforming backends raise no alarm."""
    for seed in range(BACKENDS):
        accepted = accept(seed, OPERATIONS)
        if accepted.alarms:
            return Result("conforming backends", message=f"{accepted.choices}: {accepted.alarms[0]}")
    return Result()


CHECKS: Final[dict[str, Callable[[], Result]]] = {
    each.__name__: each for each in (judge_tests, adversary_tests, store_tests, faults, conforming)
}


def judged(mutant: Mutant, *checks: str) -> Result:
    """Run these checks with the mutant in place of its package."""
    start = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="tmem-mutant-") as folder:
        result = _in_a_process(overlay(mutant, Path(folder)), checks)
    return Result(result.by, result.clause, result.hung, round(time.monotonic() - start, 2), result.message)


def _in_a_process(environment: dict[str, str], checks: tuple[str, ...]) -> Result:
    command = [sys.executable, "-P", "-m", "tools.mutants.judging", *checks]
    try:
        run = subprocess.run(
            command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=LIMIT, check=False
        )
    except subprocess.TimeoutExpired:
        return Result("time", hung=True, message=f"not done after {LIMIT:.0f} s")
    if run.returncode:
        return Result("an exception", message=(run.stderr.strip().splitlines() or ["no message"])[-1])
    return Result(**json.loads(run.stdout.splitlines()[-1]))


def _tested(tests: tuple[str, ...]) -> Result:
    first = _First()
    arguments = ["-x", "-q", "-p", "no:cacheprovider", "-p", "no:randomly", "--no-header", *tests]
    with contextlib.redirect_stdout(io.StringIO()):
        status = pytest.main(arguments, plugins=[first])
    if not status:
        return Result()
    return Result(Path(first.failed.partition("::")[0]).name or "an exception", message=first.failed)


class _First:
    """A plugin that records the first test that fails, or the first file that cannot be loaded."""

    def __init__(self) -> None:
        self.failed = ""

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        self._keep(report)

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        self._keep(report)

    def _keep(self, report: pytest.TestReport | pytest.CollectReport) -> None:
        if report.failed and not self.failed:
            self.failed = report.nodeid


def main() -> None:
    """Run the checks named on the command line."""
    for name in sys.argv[1:]:
        result = CHECKS[name]()
        if result.by:
            break
    print(json.dumps({name: getattr(result, name) for name in Result.__dataclass_fields__}))


if __name__ == "__main__":
    main()
