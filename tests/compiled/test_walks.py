"""The walks of docs/c.md and docs/rust.md: their commands run as they are printed."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.compiled.conftest import tool

DOCS = Path(__file__).parents[2] / "docs"


def commands(page: str) -> list[str]:
    """The lines of a page's console blocks that are typed."""
    blocks = re.findall(r"```console\n(.*?)```", (DOCS / page).read_text(), re.S)
    return [line.removeprefix("$ ") for block in blocks for line in block.splitlines()]


@pytest.mark.long
@pytest.mark.parametrize(("page", "compiler"), [("c.md", "cc"), ("rust.md", "cargo")])
def test_a_walk_leads_to_a_race(page: str, compiler: str, tmp_path: Path) -> None:
    tool(compiler)
    create, enter, check, fault = commands(page)
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"

    def run(*lines: str) -> str:
        script = "; ".join((*lines[:-1], f"{lines[-1]} 2>&1"))
        environment = os.environ | {"PATH": path}
        done = subprocess.run(
            script, shell=True, cwd=tmp_path, env=environment, stdout=subprocess.PIPE, text=True
        )
        return done.stdout

    assert "Makefile" in run(create)
    right, wrong = run(enter, check), run(enter, fault)
    assert "FAIL" not in right
    assert "schedules" in right
    assert re.search(r"✗ TMEM-(CONC-3|GET-2)", wrong)
    assert "FAIL" in wrong
    assert "thread 1" in wrong
