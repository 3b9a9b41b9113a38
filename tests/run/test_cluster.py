"""The work of a run goes to other machines, and comes back as that of one."""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Iterator
from concurrent.futures import Executor, Future, ThreadPoolExecutor
from typing import Any

import pytest
from click.testing import CliRunner

from tests.run.short_run import SUPPORT, VOLUME
from tmem.conformance.cli.main import main
from tmem.conformance.engines import ENGINES
from tmem.conformance.events import Event, Finished, Found, Note, Progress, Worked
from tmem.conformance.report.summary import Summary
from tmem.conformance.run import cluster as machines
from tmem.conformance.run.check import check
from tmem.conformance.run.cluster import Cluster, connected, elsewhere
from tmem.conformance.run.piece import Piece
from tmem.conformance.run.request import Request
from tmem.conformance.run.supervisor import RunError

TARGET = f"py:{SUPPORT / 'hostile.py'}:answers_none_to_put"
SOME = tuple(each for each in ENGINES if each.name in ("machine", "volume", "schedules"))


def counted(events: list[Event]) -> dict[str, object]:
    """What a report says, which must not depend on where the work was done."""
    summary = Summary(TARGET, 0, "linearizable")
    for event in events:
        summary.add(event)
    findings = sorted(str(event.finding) for event in events if isinstance(event, Found))
    return {"findings": findings, "totals": (summary.totals, summary.checks, summary.points)}


@pytest.fixture
def pool() -> Iterator[Executor]:
    with ThreadPoolExecutor(2) as executor:
        yield executor


def test_any_executor_does_the_work(pool: Executor) -> None:
    request = Request(TARGET, scale=0.01)
    here = counted(list(check(request, VOLUME)))
    assert here["findings"]
    assert counted(list(check(request, VOLUME, cluster=Cluster(pool, 2)))) == here


def test_further_seeds_go_to_all_workers(pool: Executor) -> None:
    request = Request("model:keep", scale=0.002, budget=6.0)
    events = list(check(request, VOLUME, cluster=Cluster(pool, 2)))
    assert sum(isinstance(event, Progress) and event.done == 1 for event in events) > 2


def test_a_target_that_cannot_be_used_there_ends_the_run(pool: Executor) -> None:
    with pytest.raises(RunError, match="nothing_of_this_name"):
        list(
            check(
                Request(f"py:{SUPPORT / 'hostile.py'}:nothing_of_this_name"), VOLUME, cluster=Cluster(pool, 2)
            )
        )


class Deaf(Executor):
    """An executor that never answers, or raises an error."""

    def __init__(self, error: Exception | None = None) -> None:
        self.error = error

    def submit(self, *call: Any, **more: Any) -> Future[Any]:
        future: Future[Any] = Future()
        if self.error is not None:
            future.set_exception(self.error)
        return future


PIECE = Piece(Request("model:keep"), 7, ("volume", "stress"))


def test_a_piece_without_an_answer_is_not_done(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(machines, "LATE", 0.0)
    task = elsewhere(Deaf(), PIECE, time.monotonic())
    events = []
    while (event := next(task, Deaf)) is not Deaf:
        events.append(event)
    assert events == [Note("No answer came from the cluster for seed 7: volume, stress.")]


def test_a_run_with_such_a_piece_is_not_complete(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(machines, "LATE", 0.0)
    events = list(check(Request("model:keep", budget=0.01), VOLUME, cluster=Cluster(Deaf(), 1)))
    assert [each.complete for each in events if isinstance(each, Finished)] == [False]
    assert [each.done for each in events if isinstance(each, Worked)] == [{"volume": 0.0}]


def test_a_cluster_that_breaks_ends_the_run() -> None:
    with pytest.raises(
        RunError, match=r"could not do volume, stress: ModuleNotFoundError: No module .*same version"
    ):
        list(elsewhere(Deaf(ModuleNotFoundError("No module named 'tmem'")), PIECE, None))


@pytest.mark.parametrize(
    ("address", "line"),
    [
        ("spark://here:1", "names no cluster: the form is dask://HOST:PORT"),
        ("dask://here", "names no cluster: the form is dask://HOST:PORT"),
        ("dask://127.0.0.1:9", "no Dask scheduler answers at 127.0.0.1:9"),
    ],
)
def test_an_address_without_a_cluster_is_refused_in_one_line(
    address: str, line: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("distributed", reason="Dask is missing: pip install 'tmem[dask]' brings it")
    monkeypatch.setattr(machines, "CONNECT", 0.5)
    result = CliRunner().invoke(main, ["check", "--executor", address])
    assert result.exit_code == 2
    assert line in " ".join(result.output.split())
    assert "Traceback" not in result.output


def test_dask_is_named_where_it_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(machines, "find_spec", lambda name: None)
    with pytest.raises(ValueError, match="Dask is not installed"), connected("dask://127.0.0.1:9"):
        pass


@pytest.mark.long
def test_a_worker_of_the_cluster_is_killed_and_nothing_is_lost_or_counted_twice() -> None:
    distributed = pytest.importorskip("distributed", reason="pip install 'tmem[dask]' brings it")
    request = Request(TARGET, scale=0.05)
    here = counted(list(check(request, SOME)))
    killed = threading.Event()
    with (
        distributed.LocalCluster(n_workers=2, threads_per_worker=1, dashboard_address=None) as local,
        distributed.Client(local) as client,
        connected(local.scheduler_address.replace("tcp", "dask")) as cluster,
    ):
        assert cluster.workers == 2

        def kill_one() -> None:
            processes = client.run(os.getpid)
            while not all(client.processing().values()):
                time.sleep(0.01)
            os.kill(next(iter(processes.values())), signal.SIGKILL)
            killed.set()

        thread = threading.Thread(target=kill_one)
        thread.start()
        events = list(check(request, SOME, cluster=cluster))
        thread.join()
    assert killed.is_set()
    assert here["findings"]
    assert counted(events) == here
