"""The `tmem` command as its users meet it: exit codes, files, and one clear line for what is wrong."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path
from xml.etree import ElementTree

import pytest
from click.testing import CliRunner, Result

from tests.run.short_run import VOLUME
from tmem.conformance.cli import check, console
from tmem.conformance.cli import main as cli
from tmem.conformance.report.verdict import Verdict
from tmem.conformance.run.check import check as whole_check
from tmem.conformance.run.replay import of_target
from tmem.conformance.run.request import Request

HERE = Path(__file__).parent
SUPPORT = HERE.parent / "support"
HOSTILE = f"py:{SUPPORT / 'hostile.py'}"
TMEM = (sys.executable, "-c", "from tmem.conformance.cli.main import main; main()")
Run = Callable[..., Result]


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Run:
    """Runs the command in an empty folder; its checks are a small part of the default."""
    monkeypatch.setattr(check, "Request", partial(Request, scale=0.04, shrink=0.0))
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "100")

    def command(*words: str) -> Result:
        result = CliRunner().invoke(cli.main, words)
        assert result.exception is None or isinstance(result.exception, SystemExit), result.output
        assert "Traceback" not in result.output
        return result

    return command


@pytest.fixture
def quick(run: Run, monkeypatch: pytest.MonkeyPatch) -> Run:
    """Runs the command with one engine, for what does not depend on the engines."""
    monkeypatch.setattr(console, "check", partial(whole_check, engines=VOLUME))
    return run


def lines_of(result: Result) -> list[str]:
    return [" ".join(line.split()) for line in result.output.splitlines()]


def words(result: Result) -> str:
    return " ".join(result.output.split())


LONG = pytest.mark.long


@pytest.mark.parametrize(
    "target",
    ["impl", *(pytest.param(t, marks=LONG) for t in ("model:keep", "model:random", f"{HOSTILE}:Good"))],
)
def test_backends_that_keep_the_contract_pass(run: Run, target: str) -> None:
    result = run("check", target, "--json", "report.json")
    assert "PASS" in result.output, result.output
    assert result.exit_code == 0
    assert json.loads(Path("report.json").read_text())["verdict"] == "PASS"
    assert os.listdir() == ["report.json"], "nothing else is left where the user is"


@pytest.mark.parametrize("target", ["model:refuse-puts", pytest.param("model:evict-at-once", marks=LONG)])
def test_a_store_that_keeps_nothing_is_vacuous(quick: Run, target: str) -> None:
    result = quick("check", target)
    assert result.exit_code == Verdict.VACUOUS.value
    assert "never seen" in result.output


def test_a_violation_fails_and_replays(quick: Run) -> None:
    result = quick(
        "check", f"{HOSTILE}:answers_text", "--json", "r.json", "--junit", "r.xml", "--html", "r.html"
    )
    assert result.exit_code == 1
    report = json.loads(Path("r.json").read_text())
    assert report["verdict"] == "FAIL"
    violation = next(each for each in report["violations"] if each["clause"] == "TMEM-ERR-1")
    assert "FAIL" in Path("r.html").read_text()
    assert ElementTree.parse("r.xml").find(".//failure[@type='TMEM-ERR-1']") is not None

    replay = violation["replay_file"]
    assert Path(replay).parent.parent == Path("tmem-replays")
    program = Path(replay).with_suffix(".py")
    assert violation["script_file"] == str(program)
    assert f"withoutthesuite:python{program}" in "".join(result.output.split())
    again = program.read_text()
    program.unlink()
    assert f"{program} is written: python {program}" in words(quick("replay", replay, "--script"))
    assert program.read_text() == again
    assert json.loads(Path(replay).read_text())["replay"] == violation["replay"]
    assert f"tmem replay {replay}" in words(result)
    listed = lines_of(quick("replay"))
    assert (listed[0], f"TMEM-ERR-1 {replay}" in listed) == (f"{HOSTILE}:answers_text", True)

    again = quick("replay", replay)
    assert again.exit_code == 1
    assert "FAILED" in again.output
    assert "It failed in 5 of 5 replays" in words(again)
    assert violation["steps"][-1] in words(again)

    other = quick("replay", replay, "--against", "model:keep")
    assert other.exit_code == 0
    assert "FIXED" in other.output
    assert "It failed in 0 of 10 replays" in words(other)


def test_a_crash_fails_and_replays(quick: Run) -> None:
    result = quick("check", f"{HOSTILE}:segfaults_in_put")
    assert result.exit_code == 1
    assert "SIGSEGV" in result.output
    (replay,) = Path("tmem-replays").glob("*/*.json")
    again = quick("replay", str(replay))
    assert again.exit_code == 1
    assert "SIGSEGV" in again.output
    assert quick("replay", str(replay), "--against", "impl").exit_code == 0


def test_kept_failures_are_replayed_first(quick: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    target = Path("mine.py")
    target.write_text("from tests.support.hostile import answers_text as factory\n")
    monkeypatch.setenv("PYTHONPATH", str(HERE.parents[1]))
    assert quick("check", "py:mine.py:factory").exit_code == 1
    (kept,) = (path for path in Path("tmem-replays").glob("*/*.json") if "ERR-1" in path.name)
    monkeypatch.setattr(check, "Request", partial(Request, scale=0.0001, shrink=0.0))  # a program or two
    again = quick("check", "py:mine.py:factory", "--json", "r.json")
    assert again.exit_code == 1
    assert f"TMEM-ERR-1 fails again: {kept}" in words(again)
    report = json.loads(Path("r.json").read_text("utf-8"))
    assert {"file": str(kept), "clause": "TMEM-ERR-1", "failed": True} in report["kept"]
    target.write_text("from tests.support.hostile import Good as factory\n")
    repaired = quick("check", "py:mine.py:factory")
    assert f"TMEM-ERR-1 no longer fails, and can be deleted: {kept}" in words(repaired)
    assert "FAIL" not in repaired.output


def test_a_kept_failure_that_is_none_ends_no_run(quick: Run) -> None:
    folder = of_target(Path("tmem-replays"), "model:keep")
    folder.mkdir(parents=True)
    content = {"schema": "tmem-replay/1", "target": "model:keep", "seed": 0, "level": "linearizable"}
    content |= {"clause": "TMEM-PUT-3", "replay": {"engine": "volume", "program": "none"}}
    (folder / "odd.json").write_text(json.dumps(content))
    result = quick("check", "model:keep")
    assert "odd.json could not be replayed: the replay does not fit" in words(result)
    assert "FAIL" not in result.output


def test_a_hang_fails_and_replays(quick: Run) -> None:
    result = quick("check", f"{HOSTILE}:wedged_in_get", "--hang-after", "1")
    assert result.exit_code == 1
    assert "broken: TMEM-CONC-3" in words(result)
    replay = next(Path("tmem-replays").glob("*/*.json"))
    assert quick("replay", str(replay), "--hang-after", "1").exit_code == 1


@pytest.mark.long
def test_a_hang_in_the_handshake_replays_too(quick: Run) -> None:
    assert quick("check", f"{HOSTILE}:hangs_in_new_pool", "--hang-after", "1").exit_code == 1
    (replay,) = Path("tmem-replays").glob("*/*.json")
    assert quick("replay", str(replay), "--hang-after", "1").exit_code == 1
    assert quick("replay", str(replay), "--against", "model:keep").exit_code == 0


@pytest.mark.parametrize(
    ("target", "said"),
    [
        ("imp", "there is no such target; did you mean impl?"),
        ("py:no_such_module:factory", "there is no module no_such_module"),
        (f"{HOSTILE}:NoPut", "NoPut lacks put"),
        (f"{HOSTILE}:fails", "the factory raised RuntimeError: no disk"),
        (f"{HOSTILE}:crashes", "making a backend with it ends the process by SIGSEGV"),
        (f"{HOSTILE}:fails_later", "Too many open files"),
        ("so:./x.so", "there is no file x.so"),
    ],
)
def test_a_target_that_cannot_be_used_is_one_line(run: Run, target: str, said: str) -> None:
    result = run("check", target, "--json", "report.json")
    assert result.exit_code == 2
    lines = [line for line in result.stderr.splitlines() if not line.startswith("Details are in")]
    assert len(lines) == 1
    assert lines[0].startswith("Error: ")
    assert said in lines[0]
    assert not Path("report.json").exists()


def test_a_run_is_told_to_programs_and_to_github(quick: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GITHUB_ACTIONS", "true")
    result = quick("check", f"{HOSTILE}:answers_text", "--ndjson", "events", "--sarif", "r.sarif")
    assert result.exit_code == 1
    kinds = [json.loads(line)["is"] for line in Path("events").read_text("utf-8").splitlines()]
    assert (kinds[0], kinds[1], kinds[-1]) == ("Stream", "Started", "Finished")
    assert "Found" in kinds
    assert json.loads(Path("r.sarif").read_text("utf-8"))["version"] == "2.1.0"
    assert "::error title=TMEM-" in result.output


def test_events_that_cannot_be_written_end_the_run(quick: Run) -> None:
    result = quick("check", "model:keep", "--ndjson", "/dev/full")
    assert result.exit_code == 2
    assert "Error: /dev/full could not be written: No space left on device" in result.output


@pytest.mark.parametrize("option", ["--json", "--junit", "--html", "--sarif", "--ndjson"])
def test_a_report_that_cannot_be_written_is_refused_before_the_run(run: Run, option: str) -> None:
    result = run("check", "model:keep", option, "no/such/folder/report")
    assert result.exit_code == 2
    assert "there is no folder no/such/folder; make it first" in result.stderr
    assert "pages of" not in result.output
    Path("folder").mkdir()
    assert "is a folder; name a file in it" in run("check", "model:keep", option, "folder").stderr


@pytest.mark.parametrize(
    "command",
    [
        ("check", "--budget", "0"),
        ("check", "--budget", "soon"),
        ("check", "--seed", "-1"),
        ("check", "--level", "serializable"),
        ("check", "impl", "impl"),
        ("check", "--hang-after", "0"),
        ("chek",),
        ("replay",),
    ],
)
def test_wrong_usage(run: Run, command: tuple[str, ...]) -> None:
    assert run(*command).exit_code == 2


@pytest.mark.parametrize("seconds", ["nan", "-nan", "inf", "1e999"])
@pytest.mark.parametrize(
    "command", [("check", "--budget"), ("check", "--hang-after"), ("replay", "none.json", "--hang-after")]
)
def test_a_time_is_a_finite_number(run: Run, command: tuple[str, ...], seconds: str) -> None:
    result = run(*command, seconds)
    assert result.exit_code == 2
    assert f"{command[-1]}': {seconds} is not a finite number of seconds." in result.stderr.splitlines()[-1]


def test_a_budget_that_is_too_short_is_unknown(run: Run) -> None:
    result = run("check", "model:keep", "--budget", "0.3", "--json", "report.json")
    assert result.exit_code == Verdict.UNKNOWN.value
    assert json.loads(Path("report.json").read_text())["verdict"] == "UNKNOWN"


@pytest.mark.long
def test_equal_seeds_give_equal_verdicts(quick: Run) -> None:
    """Verdicts, not counts: threads that nobody schedules differ from run to run."""

    def report() -> tuple[object, ...]:
        quick("check", f"{HOSTILE}:answers_text", "--seed", "3", "--json", "report.json")
        content = json.loads(Path("report.json").read_text())
        clauses = {clause: each["status"] for clause, each in content["clauses"].items()}
        return content["verdict"], content["seed"], clauses

    assert report() == report()


def test_replays_that_cannot_be_written_do_no_harm(quick: Run) -> None:
    Path("taken").touch()
    result = quick("check", f"{HOSTILE}:raises_base", "--replays", "taken/folder")
    assert result.exit_code == 1
    assert "could not be written" in words(result)


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (None, "cannot be read: No such file"),
        ("", "it is not JSON"),
        ("\x00", "it is not JSON"),
        ("[" * 100_000, "it is not JSON"),
        ("[]", 'it has no "schema"'),
        ('{"schema": "tmem-replay/1"}', "'target' is missing"),
        (
            '{"schema": "tmem-replay/1", "target": "model:keep", "seed": 0, "level": "integrity", '
            '"clause": "TMEM-GET-1", "replay": {"engine": "nonsense"}}',
            "it is for the engine 'nonsense'",
        ),
        (
            '{"schema": "tmem-replay/1", "target": "model:keep", "seed": 0, "level": "integrity", '
            '"clause": "TMEM-GET-1", "replay": {"engine": "volume", "program": [1]}}',
            "the replay does not fit the engine volume",
        ),
    ],
)
def test_a_bad_replay_file_is_one_line(run: Run, content: str | None, said: str) -> None:
    if content is not None:
        Path("replay.json").write_text(content)
    result = run("replay", "replay.json")
    assert result.exit_code == 2
    assert said in result.stderr.splitlines()[-1]


@pytest.mark.parametrize(
    ("key", "value", "said"),
    [
        ("level", "zz", "'level' is 'zz', not integrity or linearizable"),
        ("clause", "NOPE", "'clause' is 'NOPE', and there is no such clause"),
        ("seed", -1, "'seed' is -1, and no run has a seed below 0"),
        ("seed", True, "'seed' is missing or of another type"),
    ],
)
def test_a_replay_file_that_was_tampered_with_is_one_line(
    run: Run, key: str, value: object, said: str
) -> None:
    content = {
        "schema": "tmem-replay/1",
        "target": "model:keep",
        "seed": 0,
        "level": "linearizable",
        "clause": "retain",
        "replay": {"engine": "volume"},
    }
    Path("replay.json").write_text(json.dumps(content | {key: value}))
    result = run("replay", "replay.json")
    assert result.exit_code == 2
    assert said in result.stderr.splitlines()[-1]


@pytest.mark.parametrize("option", ["-q", "-v"])
def test_less_and_more_can_be_said(quick: Run, option: str) -> None:
    result = quick("check", f"{HOSTILE}:answers_text", option)
    assert ("new: " in result.output) == (option == "-v")
    assert ("TMEM-POOL-1 " in result.output) == (option == "-v")
    assert "✗ TMEM-ERR-1" in result.output
    assert lines_of(result)[-1].startswith("FAIL") or "FAIL" in words(result)


def test_commands_that_do_not_exist_yet_are_not_offered(run: Run) -> None:
    there = {
        "calibrate",
        "cc",
        "check",
        "check-trace",
        "compare",
        "explain",
        "flags",
        "harness-check",
        "header",
        "new-backend",
        "replay",
        "schema",
        "serve",
    }
    assert set(cli.main.commands) == there
    assert run("--help").exit_code == 0
    assert run("--version").exit_code == 0
