"""The adapters of real stores: the right ones conform, and the naive ones break the clause that they name."""

from __future__ import annotations

import importlib.util
import json
import os
import re
import signal
import subprocess
import sys
import time
from contextlib import closing
from pathlib import Path

import pytest

from tests.compiled.conftest import tool
from tmem.conformance.engines import ENGINES
from tmem.conformance.events import Found, Seen
from tmem.conformance.report.verdict import Verdict, verdict
from tmem.conformance.run.check import check
from tmem.conformance.run.request import Request
from tools.matrix import PAGE, RESULTS, RIGHT, STORES, checked, naive, page

FOLDER = Path(__file__).parents[2] / "examples" / "stores"
SERVERS = {"redis_persistent": "redis-server", "redis_lru": "redis-server", "memcached": "memcached"}
MODULES = {"redis_persistent": "redis", "redis_lru": "redis", "memcached": "pymemcache", "lmdb_pages": "lmdb"}
MODULES |= {"disk_cache": "diskcache", "cache_tools": "cachetools"}
NAMES = tuple(STORES)
LONG = [pytest.param(name, marks=pytest.mark.long) for name in NAMES]


def needed(name: str) -> None:
    """Skip a test that lacks its store; in CI it fails."""
    if name in SERVERS:
        tool(SERVERS[name])
    if name in MODULES and importlib.util.find_spec(MODULES[name]) is None:
        pytest.skip(f"{MODULES[name]} is not installed: pip install 'tmem[stores]'")


def breaks(name: str) -> str:
    """The clause that an adapter's file says its naive variant breaks."""
    found = re.search(r'^BREAKS = "(.*)"$', (FOLDER / f"{name}.py").read_text(), re.MULTILINE)
    assert found is not None
    return found[1]


@pytest.mark.parametrize("name", LONG)
def test_the_right_adapter_conforms(name: str) -> None:
    needed(name)
    summary = checked(name, "Right", RIGHT)
    assert verdict(summary) is Verdict.PASS, summary.findings


@pytest.mark.parametrize("name", [NAMES[0], *LONG[1:]])
def test_the_naive_adapter_breaks_its_clause(name: str) -> None:
    needed(name)
    names, scale = naive(name)
    engines = [each for each in ENGINES if each.name in names]
    request = Request(f"py:{FOLDER / name}.py:Naive", hang_after=120.0, scale=scale)
    with closing(check(request, engines)) as events:
        found = (event.finding.clause for event in events if isinstance(event, Seen | Found))
        assert breaks(name) in found


def test_an_adapter_is_short() -> None:
    assert {each.stem for each in FOLDER.glob("*.py")} == {*NAMES, "adapter", "of_the_run"}
    assert all(len(each.read_text().splitlines()) < 150 for each in FOLDER.glob("*.py"))


def test_the_page_of_stores_is_that_of_the_results() -> None:
    results = json.loads(RESULTS.read_text())
    assert results.keys() <= STORES.keys()
    assert PAGE.read_text() == page(results)
    for name, one in results.items():
        assert one["right"]["verdict"] == "PASS"
        assert breaks(name) in one["naive"]["failures"]


LISTEN = """
import socket, sys, time
with socket.socket(socket.AF_UNIX) as listening:
    listening.bind(sys.argv[1])
    listening.listen()
    while True:
        listening.accept()
"""
RUN = """
import os, subprocess, sys, time
sys.path.insert(0, sys.argv[1])
from of_the_run import folder
path = folder("test", sys.executable, "-c", sys.argv[2], "SOCKET")
worker = "import sys; sys.path.insert(0, sys.argv[1]); from of_the_run import folder"
worker += "; print(folder('test', sys.executable, '-c', sys.argv[2], 'SOCKET'))"
told = os.environ | {"TMEM_RUN": str(os.getpid())}
command = [sys.executable, "-c", worker, *sys.argv[1:3]]
same = subprocess.run(command, env=told, capture_output=True, text=True)
print(path, same.stdout.strip(), flush=True)
time.sleep(3600)
"""


def listeners(path: str) -> list[str]:
    """The processes whose arguments have this path."""
    found = []
    for each in Path("/proc").glob("[0-9]*"):
        try:
            if path.encode() in (each / "cmdline").read_bytes():
                found.append(each.name)
        except OSError:
            continue
    return found


@pytest.mark.parametrize("end", [signal.SIGKILL, signal.SIGTERM])
def test_a_server_is_there_once_and_ends_with_its_run(end: signal.Signals) -> None:
    environment = {name: value for name, value in os.environ.items() if name != "TMEM_RUN"}
    command = [sys.executable, "-c", RUN, str(FOLDER), LISTEN]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment) as run:
        assert run.stdout is not None
        path, same = run.stdout.readline().split()
        assert path == same
        assert len(listeners(f"{path}/socket")) == 1
        run.send_signal(end)
    while Path(path).exists() or listeners(path):
        time.sleep(0.01)


def test_a_server_that_does_not_start_says_why() -> None:
    code = "from of_the_run import server; server('false')"
    run = subprocess.run([sys.executable, "-c", code], cwd=FOLDER, capture_output=True, text=True)
    assert "MissingError: false did not start" in run.stderr
