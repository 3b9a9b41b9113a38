"""What the hand-written pages of the site ask their reader to type does what they say."""

from __future__ import annotations

import doctest
import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from tmem.conformance.cli.main import main
from tmem.spec.abi.flags import PAGE_SIZE_SHIFT, RESERVED, VERSION_SHIFT, objection
from tools.site.__main__ import HERE
from tools.site.reference import pages as reference

WALKS = {path.stem: path.read_text("utf-8") for path in sorted((HERE / "pages").glob("*.md"))}
CONSOLE = re.compile(r"```console\n(.*?)```", re.DOTALL)
INLINE = re.compile(r"`(tmem [^`]+)`")


def typed(text: str) -> list[str]:
    """The commands in the console blocks of a page, without prompt and comment."""
    lines = [line for block in CONSOLE.findall(text) for line in block.splitlines()]
    return [line.removeprefix("$ ").partition("  #")[0].strip() for line in lines if line.startswith("$ ")]


@pytest.mark.parametrize("name", [name for name, text in WALKS.items() if ">>>" in text])
def test_examples_run(name: str) -> None:
    test = doctest.DocTestParser().get_doctest(WALKS[name], {}, name, None, 0)
    result = doctest.DocTestRunner().run(test)
    assert result.attempted
    assert not result.failed


def commands() -> list[str]:
    found = [line for text in WALKS.values() for line in (*typed(text), *INLINE.findall(text))]
    return [line for line in found if line.startswith("tmem ")]


@pytest.mark.parametrize("line", commands())
def test_a_command_is_one_that_there_is(line: str) -> None:
    _, name, *arguments = shlex.split(line)
    main.commands[name].make_context(name, arguments)


def test_a_command_that_there_is_not_is_noticed() -> None:
    assert len(commands()) >= 4
    with pytest.raises(Exception, match="No such option"):
        main.commands["serve"].make_context("serve", ["unix:/tmp/x", "--shop", "impl"])


@pytest.mark.long
def test_the_walk_of_a_backend_in_python(tmp_path: Path) -> None:
    section = WALKS["backend-author"].partition("## In Python\n")[2].partition("\n## ")[0]
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    env = os.environ | {"PATH": path, "ARGS": "--budget 10"}
    script = "set -e\n" + "\n".join(typed(section))
    done = subprocess.run(
        ["bash", "-c", script],
        cwd=tmp_path,
        env=env,
        capture_output=True,
        text=True,
        timeout=200,
        check=False,
    )
    assert "TMEM-PUT-3" in done.stdout, done.stdout + done.stderr
    assert "FAIL" not in done.stdout


@pytest.mark.parametrize("bit", range(33))
def test_the_page_of_numbers_says_which_flags_are_refused(bit: int) -> None:
    page = dict(reference())["numbers"]
    refused = objection(1 << bit) is not None
    taken = bit in (0, 1, 3, VERSION_SHIFT)  # persistent, shared, the bit that is unspecified, version 1
    assert refused != taken
    assert f"{RESERVED:#010x}" in page
    assert f"bits {PAGE_SIZE_SHIFT} to {PAGE_SIZE_SHIFT + 3} hold" in page
