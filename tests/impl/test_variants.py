"""Every variant of the store is a target, and is found right; a variant that is broken is not."""

from __future__ import annotations

import subprocess
import sys
from contextlib import closing
from importlib.util import find_spec
from pathlib import Path

import pytest

from proofs.impl.bugs import LOCKED_TAKE, PUT_MANY, unlocked
from tmem.conformance.engines.schedules import Schedules
from tmem.conformance.events import Found
from tmem.conformance.run.check import check as every_event
from tmem.conformance.run.request import Request
from tools.races.impl import RACES, Change, seed

COMMAND = str(Path(sys.executable).with_name("tmem"))
VARIANTS = ["impl-native", "impl-compiled"]
OTHERS = ["impl-held", "impl-in-advance", "impl-by-many"]


def check(target: str, folder: Path, seconds: int) -> subprocess.CompletedProcess[str]:
    command = [COMMAND, "check", target, "--budget", str(seconds)]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)


@pytest.mark.parametrize("variant", [*VARIANTS, *(pytest.param(v, marks=pytest.mark.long) for v in OTHERS)])
def test_a_variant_breaks_no_clause(variant: str, tmp_path: Path) -> None:
    if variant == "impl-native" and find_spec("tmem.impl.codec._native") is None:
        pytest.skip("the native codec is not compiled: python -m tmem.impl.codec.build")
    if variant == "impl-compiled":
        pytest.importorskip("tmem.impl.compiled", exc_type=ImportError)
    run = check(variant, tmp_path, 3)
    assert run.returncode in (0, 3), run.stdout + run.stderr  # 3: the budget is too short for the whole


BROKEN = {
    "many pages are taken without the lock": LOCKED_TAKE,
    "many pages are stored without the lock": PUT_MANY,
}


@pytest.mark.long
@pytest.mark.parametrize("broken", BROKEN)
def test_a_variant_that_is_broken_is_found(
    broken: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(RACES, broken, (Change("many.py", BROKEN[broken], unlocked(BROKEN[broken])),))
    target = seed(broken, tmp_path)
    target.write_text(target.read_text().replace("import factory", "import by_many as factory"))
    with closing(every_event(Request(f"py:{target}:factory"), engines=(Schedules(),))) as events:
        assert any(isinstance(event, Found) for event in events)
