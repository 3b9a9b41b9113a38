"""A violation as a program of its own: it reproduces it, with the target alone."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest

from tests.compiled.conftest import STORES, tool
from tests.run.short_run import SUPPORT, VOLUME, follow
from tests.support import found
from tmem.conformance.compiled import header
from tmem.conformance.engines import ENGINES
from tmem.conformance.faults import targets
from tmem.conformance.run import replay
from tmem.conformance.run.script import Script, script
from tmem.conformance.turn import Engine

LARGE = tuple(engine for engine in ENGINES if engine.name == "large")
CLAIMS = tuple(engine for engine in ENGINES if engine.name == "claims")
CLAIMS_TOO_MUCH = """
from tmem.conformance.faults import FAULTS
from tmem.impl import Store

def factory():
    return FAULTS["reclaim-idles"].wrap(Store(1 << 20))
"""
FAULT = f"py:{targets.__name__}:"


def saved(target: str, engines: Sequence[Engine], folder: Path, scale: float = 0.01) -> replay.Replay:
    """The replay file of the first violation that the engines find."""
    _, summary = follow(target, engines, hang_after=1.0, scale=scale)
    finding = next(iter(summary.violations.values()))
    return replay.load(replay.save(folder, finding, summary))


def ran(made: Script, folder: Path, *lines: str) -> tuple[int, str]:
    """Run a program in Python, far from the suite's folder; `lines` come before its calls."""
    path = folder / "again.py"
    path.write_text(made.text.replace("calls.backends +=", "\n".join((*lines, "calls.backends +="))), "utf-8")
    done = subprocess.run(
        [sys.executable, str(path)], cwd=folder, capture_output=True, text=True, check=False
    )
    assert done.stderr == ""
    return done.returncode, done.stdout


@pytest.mark.parametrize(
    ("target", "engines"),
    [
        (f"{FAULT}failed_duplicate_keeps_old", VOLUME),
        (f"{FAULT}misses_in_6_bits", LARGE),
        (f"py:{SUPPORT / 'hostile.py'}:segfaults_in_put", VOLUME),
        pytest.param(f"{FAULT}put_keeps_buffer", VOLUME, marks=pytest.mark.long),
        pytest.param(f"{FAULT}flush_object_locks_twice", VOLUME, marks=pytest.mark.long),
        pytest.param(f"py:{SUPPORT / 'hostile.py'}:close_raises", VOLUME, marks=pytest.mark.long),
        pytest.param(f"{FAULT}third_pool_is_first", VOLUME, marks=pytest.mark.long),
        pytest.param(f"{FAULT}pool_id_negative", VOLUME, marks=pytest.mark.long),
    ],
    ids=lambda value: str(value).rpartition(":")[2] if isinstance(value, str) else "",
)
def test_a_script_reproduces(target: str, engines: tuple[Engine, ...], tmp_path: Path) -> None:
    recorded = saved(target, engines, tmp_path)
    made = script(recorded)
    assert "tmem.conformance.engines" not in made.text
    code, output = ran(made, tmp_path)
    assert (code, output.splitlines()[-1]) == (1, f"{recorded.clause} is broken."), output
    assert output.startswith("#1 new_pool(")
    assert all(line in made.text for line in recorded.words)


@pytest.mark.long
def test_a_script_breaks_a_claim(tmp_path: Path) -> None:
    (tmp_path / "claims.py").write_text(CLAIMS_TOO_MUCH)
    recorded = saved(f"py:{tmp_path / 'claims.py'}:factory", CLAIMS, tmp_path, scale=1.0)
    code, output = ran(script(recorded), tmp_path)
    assert (recorded.clause, code) == ("reclaim-bound", 1), output
    assert "together they break the claim" in output


def test_a_script_tells_a_repair_and_what_shows_nothing(tmp_path: Path) -> None:
    made = script(saved(f"{FAULT}failed_duplicate_keeps_old", VOLUME, tmp_path))
    fault = "target.failed_duplicate_keeps_old()"
    other = Script("py", made.text.replace(f"[{fault}]", "[Other()]"))
    lines = ("class Other:", f"    inner = {fault}", "    def __getattr__(self, name):")
    own = "        return (lambda *_: {}) if name == {!r} else getattr(self.inner, name)"
    code, output = ran(other, tmp_path, *lines, own.format(None, "get"), "")
    assert (code, output.splitlines()[-1]) == (0, "The answer is allowed."), output
    code, output = ran(other, tmp_path, *lines, own.format(False, "put"), "")
    assert code == 3, output
    assert "it was True: this run shows nothing" in output


def test_the_script_of_a_race_executes_its_schedule(tmp_path: Path) -> None:
    race = found.race()
    recorded = replay.Replay(f"{FAULT}double_exclusive_get", 0, "linearizable", race.clause, race.replay)
    made = script(recorded)
    assert "tmem.conformance.engines" not in made.text
    code, output = ran(made, tmp_path)
    assert code == 1, output
    assert output.splitlines()[-1] == f"{race.clause} is broken."


@pytest.mark.long
def test_the_script_of_a_race_tells_a_repair(tmp_path: Path) -> None:
    target = f"{FAULT}wide_object_crashes"  # which no schedule of this race sees
    made = script(replay.Replay(target, 0, "linearizable", found.race().clause, found.race().replay))
    assert ran(made, tmp_path) == (0, "This schedule breaks no clause.\n")


@pytest.mark.parametrize("macro", ["WRITES_INTO_PUT", pytest.param("CRASHES", marks=pytest.mark.long)])
def test_a_violation_of_a_library_is_a_program_in_c(macro: str, tmp_path: Path) -> None:
    compiler = tool("cc", "gcc", "clang")
    (tmp_path / "tmem.h").write_text(header.text())
    library = tmp_path / "libstore.so"
    source = (STORES / "one_page.c").read_text("utf-8")
    (tmp_path / "store.c").write_text(
        source.replace("s->held = 1;", "s->held = 1;\n#ifdef CRASHES\n*(volatile int *)0 = 1;\n#endif")
    )
    options = ("-shared", "-fPIC", f"-D{macro}", f"-I{tmp_path}")
    subprocess.run([compiler, *options, "-o", str(library), str(tmp_path / "store.c")], check=True)
    recorded = saved(f"so:{library}", VOLUME, tmp_path)
    made = script(recorded)
    assert made.suffix == "c"
    (tmp_path / "again.c").write_text(made.text, "utf-8")
    command = [
        compiler,
        "-Wall",
        "-Wextra",
        "-Werror",
        "-o",
        str(tmp_path / "again"),
        str(tmp_path / "again.c"),
    ]
    subprocess.run([*command, str(library), f"-Wl,-rpath,{tmp_path}"], check=True)
    done = subprocess.run([str(tmp_path / "again")], capture_output=True, text=True, check=False)
    assert done.returncode == 1, done.stdout
    assert done.stdout.endswith(f"{recorded.clause} is broken.\n")


@pytest.mark.parametrize("engine", ["stress", "handshake"])
def test_what_can_have_no_script_says_why(engine: str) -> None:
    recorded = replay.Replay("impl", 0, "linearizable", "TMEM-PUT-3", {"engine": engine})
    with pytest.raises(ValueError, match="`tmem replay` tries it again"):
        script(recorded)


@pytest.mark.long
def test_a_script_calls_a_server(tmp_path: Path) -> None:
    command = [sys.executable, "-c", "from tmem.conformance.cli.main import main; main()", "serve"]
    options = ["--store", f"{FAULT}flush_page_ignored"]
    server = subprocess.Popen(
        [*command, f"unix:{tmp_path / 's'}", *options], stderr=subprocess.PIPE, text=True
    )
    assert server.stderr is not None
    try:
        next(line for line in server.stderr if line.startswith("listening"))
        recorded = saved(f"unix:{tmp_path / 's'}", VOLUME, tmp_path)
        code, output = ran(script(recorded), tmp_path)
        assert (code, output.splitlines()[-1]) == (1, f"{recorded.clause} is broken."), output
    finally:
        server.kill()
        server.communicate()
