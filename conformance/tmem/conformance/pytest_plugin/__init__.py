"""The pytest plugin: checks a backend with an item for each clause, and gives hosts an adversary.

`pytest --tmem-target=py:mine:factory` adds the items. The suite runs once, in whichever process of
pytest-xdist comes to an item first; the others wait for what it finds. pytest loads this module wherever
tmem is installed, so it imports the suite only where a target is given.
"""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Final

import pytest

from tmem.model import Adversary
from tmem.model.choices import STRATEGIES
from tmem.spec.clauses import CLAUSES

if TYPE_CHECKING:
    from tmem.conformance.pytest_plugin.results import Results

VERDICT: Final = "verdict"
"""The item that passes where the whole run does: see `report.verdict`."""


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the options of the plugin."""
    group = parser.getgroup("tmem", "conformance of transcendent memory backends")
    add = partial(group.addoption, default=None)
    add("--tmem-target", action="append", metavar="TARGET", help="Check TARGET (see tmem check --help).")
    add("--tmem-budget", type=float, metavar="SECONDS", help="Wall time for the check of each target.")
    add("--tmem-seed", type=int, metavar="N", help="Seed of the check (default: 0).")
    add("--tmem-waivers", type=Path, metavar="FILE", help="Clauses that may be broken, as for tmem check.")


def pytest_configure(config: pytest.Config) -> None:
    """Refuse options that mean nothing, before anything runs."""
    budget, seed = config.getoption("tmem_budget"), config.getoption("tmem_seed")
    if budget is not None and not 0 < budget < float("inf"):
        raise pytest.UsageError(f"--tmem-budget: {budget} is not a time in seconds above 0")
    if seed is not None and seed < 0:
        raise pytest.UsageError(f"--tmem-seed: {seed} is below 0")
    if (waivers := config.getoption("tmem_waivers")) is not None:
        from tmem.conformance.cli.waivers import load

        try:
            load(waivers)
        except ValueError as error:
            raise pytest.UsageError(f"--tmem-waivers: {error}") from error


def pytest_collection_modifyitems(session: pytest.Session, items: list[pytest.Item]) -> None:
    """Add an item for each clause of each target."""
    for target in dict.fromkeys(session.config.getoption("tmem_target") or ()):
        collector = _Target.from_parent(session, name=f"tmem:{target}", nodeid=f"tmem:{target}")
        collector.target = target
        items += collector.collect()


@pytest.fixture(params=STRATEGIES)
def tmem_adversary(request: pytest.FixtureRequest) -> partial[Adversary]:
    """A callable that makes a backend; the test runs once for each strategy of `tmem.model.Adversary`.

    It takes `page_size` in bytes, and `seed`.
    """
    return partial(Adversary, request.param)


class _Target(pytest.Collector):
    """A target: its items share one run."""

    target = ""
    _results: Results | None = None

    def collect(self) -> list[pytest.Item]:
        """An item for each clause, and one for the verdict."""
        return [_Clause.from_parent(self, name=name) for name in (*CLAUSES, VERDICT)]

    def results(self) -> Results:
        """What the suite finds; it runs at the first call."""
        from tmem.conformance.pytest_plugin.results import results

        if self._results is None:
            self._results = results(self.config, self.target)
        return self._results


class ClauseFailedError(Exception):
    """A clause was broken; the message is what a person reads."""


class _Clause(pytest.Item):
    """What the run says of one clause."""

    def runtest(self) -> None:
        """Pass, fail with the story, skip with the status, or fail as is expected of a waived clause."""
        assert isinstance(self.parent, _Target)
        results = self.parent.results()
        if results.error:
            raise ClauseFailedError(results.error)
        outcome, text = results.of[self.name]
        match outcome:
            case "failed":
                raise ClauseFailedError(text)
            case "xfail":
                pytest.xfail(text)
            case "skipped":
                pytest.skip(text)

    def repr_failure(self, excinfo: pytest.ExceptionInfo[BaseException], style: object = None) -> str:
        """The story alone: a traceback would lead into the suite."""
        if isinstance(excinfo.value, ClauseFailedError):
            return str(excinfo.value)
        return str(super().repr_failure(excinfo))

    def reportinfo(self) -> tuple[Path, None, str]:
        """Where the item is: at the target."""
        assert isinstance(self.parent, _Target)
        return self.path, None, f"{self.parent.target} {self.name}"
