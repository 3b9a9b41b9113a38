"""A target that cannot be loaded, or not in time, gets no verdict."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.run.short_run import STUBS, follow, stub
from tmem.conformance.run.supervisor import RunError


def test_a_crash_while_loading_is_no_verdict_on_the_target() -> None:
    with pytest.raises(
        RunError, match=r"could not be loaded: making a backend with it ends the process by SIGSEGV"
    ) as caught:
        follow("crashes")
    assert "in crashes" in caught.value.details


def test_a_factory_that_never_returns_is_no_verdict_on_the_target() -> None:
    with pytest.raises(RunError, match=r"loaded: making a backend with it does not return within 2\.4 s"):
        follow("hangs", hang_after=0.2)


def test_an_import_that_never_returns_is_no_verdict_on_the_target(tmp_path: Path) -> None:
    (tmp_path / "waits.py").write_text("import time\ntime.sleep(3600)\n")
    with pytest.raises(RunError, match=r"importing it does not return within 0\.5 s; --hang-after"):
        follow(f"py:{tmp_path / 'waits.py'}:factory", hang_after=0.5)


def test_an_import_that_takes_long_is_not_the_making_of_a_backend(tmp_path: Path) -> None:
    (tmp_path / "late.py").write_text(
        "import time\ntime.sleep(2.5)\n"
        "from tmem.model import Adversary\nfactory = lambda: Adversary('keep')\n"
    )
    _, summary = follow(f"py:{tmp_path / 'late.py'}:factory")
    assert summary.notes == []


@pytest.mark.long
def test_a_slow_factory_is_no_hang() -> None:
    _, summary = follow("slow", stub("slow"), hang_after=0.7, command=STUBS)
    assert summary.findings == {}
    assert summary.complete
    assert "Making a backend takes about 1 s" in summary.notes[0]


def test_a_factory_that_fails_later_says_so() -> None:
    with pytest.raises(RunError, match=r"the factory raised OSError: .*Too many open files"):
        follow("fails_later")
