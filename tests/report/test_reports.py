"""The reports: one account, four shapes."""

from __future__ import annotations

import json
import re
from html.parser import HTMLParser
from io import StringIO
from pathlib import Path
from xml.etree import ElementTree

import pytest
from rich.console import Console

from tmem.conformance.coverage import CHOICES, REQUIRED
from tmem.conformance.events import (
    Canary,
    Checked,
    Covered,
    Event,
    Finding,
    Finished,
    Found,
    Note,
    NotOffered,
    Progress,
    Started,
    TurnBegan,
)
from tmem.conformance.report import as_html, as_json, as_junit, terminal
from tmem.conformance.report.summary import Summary
from tmem.spec.clauses import CLAUSES

STALE = Finding(
    "TMEM-PUT-3",
    "The page [b]A[/b] was replaced & came <again>.",
    "page B, or nothing",
    ("client 1: new pool EPHEMERAL → 0", "put ⟨0, 0, 0⟩ page A → True", "put B → True", "get → page A \x00"),
    {"engine": "volume", "variant": 0, "program": {"steps": [[0, 1]]}},
    picture="thread 1 │ thread 2\n    put   │   get",
    engine="volume",
)
EVENTS: tuple[Event, ...] = (
    Started("impl", 7, "linearizable", 4096, ("reclaim",), ("lru",)),
    NotOffered("shared persistent", "new pool answers EPERM", ("TMEM-SHARE-2",)),
    TurnBegan("volume", "random programs", 0.6),
    Progress(operations=1234, programs=30, done=1.0, engine="volume"),
    Covered({"private ephemeral: hit": 12}),
    Checked({"TMEM-PUT-3": 100, "TMEM-GET-1": 50}, {"TMEM-PUT-3": 40, "TMEM-GET-1": 5}),
    Canary("drops flushes", "TMEM-FLUSH-1", True, 100, 0.5),
    Note("a fallback was taken"),
)


def summary(*more: Event) -> Summary:
    made = Summary("impl", 7, "linearizable")
    for event in (*EVENTS, *more):
        made.add(event)
    return made


FAILED = summary(Found(STALE), Finished(True, 12.345))
VACUOUS = summary(Finished(True, 12.345))
UNKNOWN = summary(Finished(False, 1.0))
REPLAYS = {"TMEM-PUT-3": Path("tmem-replays/TMEM-PUT-3-x.json")}


def shown(made: Summary, width: int = 80) -> str:
    console = Console(file=StringIO(), width=width)
    terminal.show(console, terminal.report(made, REPLAYS))
    assert isinstance(console.file, StringIO)
    return console.file.getvalue()


def test_json_holds_what_the_contract_names() -> None:
    report = json.loads(as_json.text(FAILED, REPLAYS))
    assert {
        *("verdict", "violations", "clauses", "canaries", "coverpoints", "operations", "schedules"),
        *("histories", "seconds", "seed", "target", "schema"),
    } <= report.keys()
    assert (report["verdict"], report["seed"], report["target"]) == ("FAIL", 7, "impl")
    assert (report["operations"], report["seconds"]) == (1234, 12.345)
    (violation,) = report["violations"]
    assert violation["clause"] == "TMEM-PUT-3"
    assert violation["message"] == STALE.message
    assert violation["steps"] == list(STALE.steps)
    assert violation["replay"] == STALE.replay
    assert violation["replay_file"] == "tmem-replays/TMEM-PUT-3-x.json"
    assert report["clauses"].keys() == {*CLAUSES, "lru"}
    assert report["clauses"]["TMEM-GET-1"] == {
        "status": "passed",
        "checks": 50,
        "exercised": 5,
        "sentence": CLAUSES["TMEM-GET-1"].sentence,
    }
    assert report["canaries"][0]["caught"] is True
    assert report["coverpoints"]["private ephemeral: hit"]["count"] == 12
    assert report["coverpoints"].keys() >= {*REQUIRED, *CHOICES}
    assert report["coverpoints"]["shared persistent: put stored"]["applicable"] is False


def test_junit_has_a_case_per_clause_and_one_for_the_verdict() -> None:
    root = ElementTree.fromstring(as_junit.text(FAILED).split("\n", 1)[1])
    (suite,) = root
    cases = {case.get("name", "").split(":")[0]: case for case in suite}
    assert cases.keys() == {*CLAUSES, "lru", "verdict"}
    failure = cases["TMEM-PUT-3"].find("failure")
    assert failure is not None
    assert failure.get("message") == STALE.message
    assert "get → page A" in (failure.text or "")
    assert "\x00" not in as_junit.text(FAILED)
    assert len(cases["TMEM-GET-1"]) == 0
    skipped = cases["TMEM-SHARE-2"].find("skipped")
    assert skipped is not None
    assert skipped.get("message") == "not offered"
    assert (suite.get("tests"), suite.get("failures")) == (str(len(cases)), "1")
    assert suite.get("skipped") == str(len(suite.findall("*/skipped")))


@pytest.mark.parametrize(
    ("made", "outcome", "said"),
    [(VACUOUS, "failure", "VACUOUS: no put was ever stored"), (UNKNOWN, "error", "UNKNOWN")],
)
def test_junit_fails_where_the_verdict_is_not_pass(made: Summary, outcome: str, said: str) -> None:
    root = ElementTree.fromstring(as_junit.text(made).split("\n", 1)[1])
    (found,) = root.findall(f".//testcase[@name='verdict']/{outcome}")
    assert said in (found.get("message") or "")


def test_every_report_says_what_the_run_would_have_noticed() -> None:
    made = summary(Canary("keeps late pages", "TMEM-PUT-3", False, 100, 0.5), Finished(True, 1.0))
    root = ElementTree.fromstring(as_junit.text(made).split("\n", 1)[1])
    text = root.findtext(".//testcase[@name='verdict']/system-out") or ""
    assert "would have noticed: drops flushes (TMEM-FLUSH-1)." in text
    assert "would not have: keeps late pages (TMEM-PUT-3)." in text
    words = " ".join(shown(made).split())
    assert "would have noticed drops flushes" in words
    assert "would not have keeps late pages" in words
    assert [each["caught"] for each in json.loads(as_json.text(made, {}))["canaries"]] == [True, False]
    assert "would have noticed, or would not have" in as_html.text(made, {})


class Page(HTMLParser):
    """What a browser would see: texts, and whatever it would fetch."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.texts: list[str] = []
        self.fetched: list[str] = []
        self.open: list[str] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag not in ("meta", "br"):
            self.open.append(tag)
        self.fetched += [value or "" for name, value in attrs if name in ("src", "href")]

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.texts.append(data)


def test_html_is_one_file_and_escapes_what_targets_say() -> None:
    page = as_html.text(FAILED, REPLAYS)
    seen = Page(page)
    assert seen.open == []
    assert seen.fetched == []
    assert "url(" not in page
    assert "\0" not in page
    assert f"{STALE.clause}: {STALE.message}" in seen.texts
    assert STALE.picture in seen.texts
    text = " ".join(seen.texts)
    assert "tmem replay tmem-replays/TMEM-PUT-3-x.json" in text
    assert all(clause in text for clause in CLAUSES)


@pytest.mark.parametrize("made", [VACUOUS, UNKNOWN])
def test_html_of_other_verdicts(made: Summary) -> None:
    assert "no put was ever stored in a private persistent pool" in as_html.text(made, {})


def test_the_terminal_tells_a_violation_as_a_story() -> None:
    text = shown(FAILED)
    words = " ".join(text.split())
    assert CLAUSES["TMEM-PUT-3"].sentence in words
    assert "1 client 1: new pool EPHEMERAL → 0 2 put ⟨0, 0, 0⟩ page A → True 3 put B → True 4 get" in words
    assert "called #4 get answered page A" in words
    assert f"forbidden TMEM-PUT-3: {STALE.message}" in words
    assert "allowed page B, or nothing" in words
    assert "again tmem replay tmem-replays/TMEM-PUT-3-x.json" in words
    assert STALE.picture.splitlines()[1] in text
    assert words.endswith("FAIL impl: 1 clause was broken. 1,234 operations, 30 programs, seed 7, 12.3 s.")


@pytest.mark.parametrize("width", [80, 100])
@pytest.mark.parametrize("made", [FAILED, VACUOUS, UNKNOWN])
def test_the_terminal_keeps_to_its_width_and_leaves_no_blanks(made: Summary, width: int) -> None:
    lines = shown(made, width).splitlines()
    assert all(len(line) <= width and line == line.rstrip() for line in lines)
    assert not any("\x1b" in line for line in lines), "no colours where there is no terminal"


def test_the_terminal_says_what_was_never_seen() -> None:
    text = shown(VACUOUS)
    assert "never seen" in text
    assert "no put was ever stored in a private ephemeral pool" in text
    assert "shared persistent: put stored" not in text, "what is not offered is not asked for"
    assert re.search(r"not offered +shared persistent: new pool answers EPERM", text)
    assert "VACUOUS  impl: nothing was broken, but" in text


def test_a_long_story_is_cut_at_its_beginning() -> None:
    long = Finding("TMEM-PUT-3", "came", "nothing", tuple(f"operation {n}" for n in range(1, 101)))
    text = shown(summary(Found(long)))
    assert "operation 100" in text
    assert "100  operation 100" in text
    assert "88 operations before" in text
    assert "operation 88\n" not in text


def test_a_clause_of_a_later_version_does_no_harm() -> None:
    made = summary(Found(Finding("TMEM-NEW-9", "came", "nothing", ())))
    assert "TMEM-NEW-9" in shown(made)
    assert "TMEM-NEW-9" in as_junit.text(made)
    assert "TMEM-NEW-9" in as_html.text(made, {})


@pytest.mark.parametrize("made", [FAILED, VACUOUS])
def test_at_40_columns_ids_and_numbers_are_whole(made: Summary) -> None:
    text = shown(made, 40)
    assert all(len(line) <= 40 for line in text.splitlines())
    assert all(clause in text for clause in CLAUSES)
    assert "100 checks, 40 exercised" in text
    assert "…" not in text
