"""One cause is reported once: clauses that break only in shared pools are lines below a clause on sharing."""

from __future__ import annotations

from io import StringIO
from pathlib import Path

from rich.console import Console

from tmem.conformance.events import Finding, Found
from tmem.conformance.report import as_json, terminal
from tmem.conformance.report.causes import causes
from tmem.conformance.report.summary import Summary

JOIN = "client 1: new pool SHARED, uuid 0xa → 0"
SHARE = Finding("TMEM-SHARE-1", "A page of another UUID came back.", "none", (JOIN, JOIN, "get → page A"))
LOSS = Finding(
    "TMEM-GET-3", "A persistent page is gone.", "page A", (JOIN, "put → True", "get → nothing", JOIN)
)
STALE = Finding("TMEM-PUT-3", "A stale page came back.", "none", ("put → True", "get → page A"))


def test_findings_that_need_a_shared_pool_stand_under_the_clause_on_sharing() -> None:
    grouped = causes([STALE, LOSS, SHARE])
    assert [(each.finding, each.others) for each in grouped] == [(SHARE, (LOSS,)), (STALE, ())]


def test_without_a_clause_on_sharing_each_is_told() -> None:
    assert [each.finding for each in causes([LOSS, STALE])] == [LOSS, STALE]


def test_the_report_tells_one_story_and_a_line_for_the_others() -> None:
    summary = Summary("impl", 0, "linearizable")
    for each in (STALE, LOSS, SHARE):
        summary.add(Found(each))
    console = Console(file=StringIO(), width=100)
    terminal.show(console, terminal.report(summary, {"TMEM-GET-3": Path("r/loss.json")}))
    assert isinstance(console.file, StringIO)
    shown = " ".join(console.file.getvalue().split())
    assert "may have the same cause: ✗ TMEM-GET-3 A persistent page is gone. tmem replay r/loss.json" in shown
    assert "get → nothing" not in shown
    assert "put → True" in shown, "the stale page is another story"
    assert as_json.data(summary, {})["causes"] == [["TMEM-SHARE-1", "TMEM-GET-3"], ["TMEM-PUT-3"]]
