"""The plugin for pytest, and what a test of one's own gets: state machines and adversaries."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import Phase, find, settings
from hypothesis.errors import InvalidArgument
from hypothesis.stateful import invariant, run_state_machine_as_test

from tmem.conformance import adversaries, state_machine_for
from tmem.conformance.events import Checked, Event, Finding, Finished, Found, Note
from tmem.conformance.pytest_plugin import results
from tmem.conformance.run.request import Request
from tmem.conformance.run.supervisor import RunError
from tmem.model import Adversary
from tmem.model.choices import STRATEGIES
from tmem.spec.clauses import CLAUSES

pytest_plugins = ["pytester"]
TARGET = "py:mine:factory"
OPTIONS = ("--tmem-seed=3", "--tmem-budget=9")
EXERCISED = [clause for clause in CLAUSES if clause != "TMEM-PUT-1"]
BROKEN = Finding("TMEM-GET-1", "A get hit after a miss.", "a miss", ("put ⟨0, 7, 0⟩ page A → True",))


@pytest.fixture
def requests(monkeypatch: pytest.MonkeyPatch) -> list[Request]:
    """Replaces the suite by events of its own; the requests that it was asked for."""
    asked: list[Request] = []

    def check(request: Request, kept: object) -> Iterator[Event]:
        asked.append(request)
        yield Checked(dict.fromkeys(CLAUSES, 1), {clause: 1 for clause in CLAUSES if clause != "TMEM-PUT-1"})
        if "broken" in request.target:
            yield Found(BROKEN)
        if "unusable" in request.target:
            raise RunError("there is no module unusable")
        yield Note("said")
        yield Finished(True, 1.0)

    monkeypatch.setattr(results, "check", check)
    return asked


def test_every_clause_is_an_item_and_the_suite_runs_once(
    pytester: pytest.Pytester, requests: list[Request]
) -> None:
    ran = pytester.runpytest_inprocess(
        f"--tmem-target={TARGET}:broken", "--tmem-seed=3", "--tmem-budget=9", "-rA"
    )
    ran.assert_outcomes(passed=len(CLAUSES) - 2, failed=2, skipped=1)
    ran.stdout.fnmatch_lines(["*✗ TMEM-GET-1*", "*A get hit after a miss.*", "*put ⟨0, 7, 0⟩ page A → True*"])
    ran.stdout.fnmatch_lines(["FAILED *::TMEM-GET-1*", "FAILED *::verdict*"])
    ran.stdout.fnmatch_lines(["SKIPPED *not exercised*"])
    ran.stdout.no_fnmatch_line("*Traceback*")
    assert [(each.seed, each.budget) for each in requests] == [(3, 9.0)]


def test_a_target_that_cannot_be_used_fails_every_item(
    pytester: pytest.Pytester, requests: list[Request]
) -> None:
    ran = pytester.runpytest_inprocess("--tmem-target=unusable")
    ran.assert_outcomes(failed=len(CLAUSES) + 1)
    ran.stdout.fnmatch_lines(["*unusable could not be checked: there is no module unusable*"])
    assert len(requests) == 1


@pytest.mark.long
def test_the_processes_of_xdist_share_one_run(pytester: pytest.Pytester) -> None:
    code = "import os\nopen('runs', 'a').write(f'{os.getppid()}\\n')\nraise RuntimeError('not today')\n"
    pytester.makepyfile(mine=code)

    def runs() -> int:
        return len(set(Path("runs").read_text().split()))

    ran = pytester.runpytest_subprocess("-n2", "-v", "--tmem-target=py:mine.py:factory", "-k", "GET")
    ran.assert_outcomes(failed=3)
    ran.stdout.fnmatch_lines(["*FAILED*tmem:py:mine.py:factory::TMEM-GET-1*", "*not today*"])
    assert runs() == 1
    pytester.runpytest_subprocess("-n0", "--tmem-target=py:mine.py:factory", "-k", "GET")
    assert runs() == 2, "another session has a run of its own"


@pytest.mark.long
def test_the_real_suite_fails_the_items_of_what_is_broken(pytester: pytest.Pytester) -> None:
    target = Path(__file__).parent.parent / "support" / "hostile.py"
    ran = pytester.runpytest_subprocess("-v", f"--tmem-target=py:{target}:answers_text", "-k", "ERR-1")
    ran.stdout.fnmatch_lines(["*::TMEM-ERR-1 FAILED*", "*✗ TMEM-ERR-1*"])
    assert len(list(Path(pytester.path, "tmem-replays").iterdir())) >= 1


@pytest.mark.parametrize(
    ("option", "said"),
    [
        ("--tmem-budget=0", "0.0 is not a time in seconds above 0"),
        ("--tmem-seed=-1", "-1 is below 0"),
        ("--tmem-waivers=none.toml", "none.toml cannot be read"),
    ],
)
def test_wrong_options_are_one_line(pytester: pytest.Pytester, option: str, said: str) -> None:
    ran = pytester.runpytest_inprocess(f"--tmem-target={TARGET}", option)
    assert ran.ret == pytest.ExitCode.USAGE_ERROR
    ran.stderr.fnmatch_lines([f"*{said}*"])


def test_the_fixture_makes_a_test_of_each_strategy(pytester: pytest.Pytester) -> None:
    pytester.makepyfile(
        "def test_host(tmem_adversary):\n"
        "    tmem = tmem_adversary(page_size=8)\n"
        "    pool = tmem.new_pool(1)\n"
        "    assert tmem.put(1, pool, 7, 0, b'one page') in (True, False)\n"
    )
    assert pytester.runpytest_inprocess().parseoutcomes()["passed"] + 2 >= len(STRATEGIES)


class ForgetsNothing(Adversary):
    """Returns a page again that a hit must remove."""

    def get(self, client: int, pool: int, oid: int, index: int) -> bytes | None:
        page = super().get(client, pool, oid, index)
        if page is not None:
            self.put(client, pool, oid, index, page)
        return page


def test_a_state_machine_takes_rules_and_invariants_of_its_own() -> None:
    seen = []

    class Mine(state_machine_for(lambda: Adversary("keep"))):  # type: ignore[misc]  # mypy knows no such base
        @invariant()
        def it_is_there(self) -> None:
            seen.append(self.backend.page_size)

    run_state_machine_as_test(Mine, settings=settings(max_examples=3, database=None))
    assert set(seen) == {4096}


def test_a_state_machine_names_the_clause_that_is_broken() -> None:
    machine = state_machine_for(lambda: ForgetsNothing("keep"))
    unshrunk = settings(max_examples=300, derandomize=True, database=None, phases=(Phase.generate,))
    with pytest.raises(Exception, match="TMEM-GET-2"):
        run_state_machine_as_test(machine, settings=unshrunk)


def test_an_adversary_is_shrunk_to_its_unkind_choices(pytester: pytest.Pytester) -> None:
    pytester.makepyfile(
        "from hypothesis import given\n"
        "from tmem.conformance import adversaries\n"
        "@given(adversaries(exempt=['NEW_POOL', 'GET', 'MISS'], page_size=8))\n"
        "def test_host(tmem):\n"
        "    pool = tmem.new_pool(1)\n"
        "    for index in range(20):\n"
        "        try:\n"
        "            stored = tmem.put(1, pool, 7, index, b'one page')\n"
        "        except OSError:\n"
        "            stored = False\n"
        "        assert stored\n"
        "        tmem.get(1, pool, 7, index)\n"
    )
    ran = pytester.runpytest_inprocess()
    ran.assert_outcomes(failed=1)
    said = (line.partition("The backend chooses: ")[2] for line in ran.outlines)
    (chosen,) = {choice for choice in said if choice}  # a summary may say it again
    assert "Is a page stored where none is?" in chosen


def test_an_unknown_choice_is_refused() -> None:
    with pytest.raises(InvalidArgument, match="there is no choice VANISHED"):
        find(adversaries(exempt=["VANISHED"]), lambda tmem: True)
