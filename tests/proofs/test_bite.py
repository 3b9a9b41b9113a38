"""The theorems bite: a bug in a copy of the specification refutes the theorem that forbids it."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path

import pytest

from proofs import THEOREMS
from tests.support.seeded import BUGS, broken_spec

ROOT = Path(__file__).parents[2]
PROVE = """
import sys, tmem.spec.slot
from proofs import THEOREMS
from proofs.check import prove
result = prove(THEOREMS[sys.argv[1]])
print(tmem.spec.slot.__file__, result.theorem.verdict, result.theorem.detail, sep="|")
"""


def some(names: Iterable[str]) -> list[object]:
    """The first three; the others take long."""
    return [pytest.param(name, marks=[pytest.mark.long] * (n > 2)) for n, name in enumerate(names)]


@pytest.mark.parametrize("name", some(BUGS))
def test_a_seeded_bug_is_refuted(name: str, tmp_path: Path) -> None:
    bug = BUGS[name]
    spec = broken_spec(tmp_path, bug)
    done = subprocess.run(
        [sys.executable, "-c", PROVE, bug.refutes],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": f"{spec}{os.pathsep}{ROOT}"},
        capture_output=True,
        text=True,
        timeout=300,
        check=True,
    )
    file, verdict, detail = done.stdout.strip().split("|", 2)
    assert Path(file).is_relative_to(tmp_path)  # what was proved is the copy
    assert verdict == "refuted", done.stdout
    assert "AssertionError" in detail  # and no accident of the bug


def test_every_bug_names_a_theorem() -> None:
    assert {bug.refutes for bug in BUGS.values()} <= set(THEOREMS)
