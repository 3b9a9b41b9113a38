"""Which time counts against a target, and whose stacks say that it hangs."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import pairwise

import pytest

from tests.run.short_run import STUBS, follow, stub
from tmem.conformance.run.hang import OURS, Look, counted, in_target, look

SLEEPS = "import time; print(flush=True); time.sleep(3600)"
SPINS = "print(flush=True)\nwhile True: pass"


@contextmanager
def process(code: str) -> Iterator[int]:
    """A process that runs the code, once it has printed something."""
    with subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE) as started:
        assert started.stdout is not None
        started.stdout.read(1)
        try:
            yield started.pid
        finally:
            started.kill()


def time_of(pid: int, looks: int = 10) -> tuple[float, float]:
    """Return the seconds that count in this number of looks, and all seconds."""
    looked = [look(pid)]
    for _ in range(looks):
        time.sleep(0.05)
        looked.append(look(pid))
    whole = sum(counted(one, two) for one, two in pairwise(looked))
    return whole, sum(min(two.at - one.at, 0.2) for one, two in pairwise(looked))


def test_a_process_that_sleeps_has_all_the_time() -> None:
    with process(SLEEPS) as pid:
        time_of(pid, 2)  # it comes to rest
        had, whole = time_of(pid)
    assert had > 0.9 * whole


def test_a_process_that_spins_has_the_time_that_it_computes() -> None:
    with process(SPINS) as pid:
        before, (had, _), after = look(pid), time_of(pid), look(pid)
    assert before.computed is not None
    assert after.computed is not None
    computed = (sum(after.computed.values()) - sum(before.computed.values())) / 1e9
    assert 0 < had <= computed * 1.001


def test_a_process_that_is_stopped_has_no_time() -> None:
    with process(SPINS) as pid:
        subprocess.run(["kill", f"-{signal.SIGSTOP.value}", str(pid)], check=True)
        while "T" not in look(pid).states:
            time.sleep(0.01)
        assert time_of(pid)[0] == 0.0


def test_a_thread_that_waits_for_a_processor_has_no_time() -> None:
    before = Look(0.0, frozenset("R"), {1: 0}, {1: 0})
    assert counted(before, Look(0.1, frozenset("R"), {1: 0}, {1: 0})) == 0.0, "it waits still"
    before = Look(0.0, frozenset("S"), {1: 0}, {1: 0})
    waited = Look(0.1, frozenset("S"), {1: 0}, {1: 100_000_000})
    assert counted(before, waited) == pytest.approx(0.0), "it waited meanwhile"


def test_children_of_the_worker_count() -> None:
    code = f"import subprocess, sys\nwith subprocess.Popen([sys.executable, '-c', {SPINS!r}]): pass"
    with process(code) as pid:
        threads = look(pid).computed
        assert threads is not None
        assert len(threads) == 2
        for child in threads.keys() - {pid}:
            subprocess.run(["kill", "-9", str(child)], check=True)


def stack(*files: str) -> str:
    return "Thread 0x00007f (most recent call first):\n" + "".join(
        f'  File "{file}", line 1 in f\n' for file in files
    )


@pytest.mark.parametrize(
    ("files", "calls"),
    [
        (("/their/store.py", f"{OURS}/programs/perform.py", f"{OURS}/run/worker.py"), True),
        ((f"{OURS}/programs/perform.py", f"{OURS}/run/worker.py"), True),
        ((f"{OURS}/schedules/runtime/locks.py", "/their/store.py", f"{OURS}/run/worker.py"), True),
        ((f"{OURS}/programs/shrink.py", f"{OURS}/run/worker.py"), False),
        (("/their/background.py",), False),
    ],
)
def test_the_stacks_say_whether_the_target_is_called(files: tuple[str, ...], calls: bool) -> None:
    assert in_target(stack(*files)) is calls
    assert in_target(stack("/their/background.py") + stack(*files)) is calls


def test_a_worker_that_is_stopped_does_not_hang() -> None:
    _, summary = follow("model:keep", stub("stopped"), hang_after=0.5, command=STUBS)
    assert summary.findings == {}
    assert summary.complete
