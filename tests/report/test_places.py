"""What has a place in the source: SARIF and the annotations of GitHub."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

from tests.report.test_reports import FAILED, STALE, UNKNOWN, summary
from tests.support import found
from tmem.conformance.events import DataRace, Found
from tmem.conformance.report import as_annotations, as_sarif

RACE = DataRace("store.c:568 in tmem_put", "store.c:99 in tmem_get")
PLACED = summary(Found(replace(STALE, places=(f"{Path.cwd()}/a b/store.py:7", "/usr/lib/other.py:9"))), RACE)


def test_sarif_points_at_places() -> None:
    (run,) = json.loads(as_sarif.text(PLACED))["runs"]
    violation, race = run["results"]
    assert (violation["ruleId"], violation["level"], race["level"]) == ("TMEM-PUT-3", "error", "warning")
    assert violation["locations"][0]["physicalLocation"] == {
        "artifactLocation": {"uri": "a%20b/store.py"},
        "region": {"startLine": 7},
    }
    other = violation["relatedLocations"][0]["physicalLocation"]
    assert other["artifactLocation"]["uri"] == "file:///usr/lib/other.py"
    assert [rule["id"] for rule in run["tool"]["driver"]["rules"]] == ["TMEM-PUT-3", "data-race"]


def test_what_has_no_place_is_not_in_sarif() -> None:
    (run,) = json.loads(as_sarif.text(FAILED))["runs"]
    assert run["results"] == []


def test_annotations_escape_what_targets_say() -> None:
    violation, race = as_annotations.lines(PLACED)
    assert violation.startswith("::error file=a b/store.py,line=7,title=TMEM-PUT-3 impl::called: #4 get%0A")
    assert "\n" not in violation
    assert "page [b]A[/b] was replaced" in violation
    assert race.startswith("::warning file=store.c,line=568,title=data race impl::")
    (without,) = as_annotations.lines(FAILED)
    assert without.startswith("::error title=TMEM-PUT-3 impl::called: #4 get%0A")
    (unknown,) = as_annotations.lines(UNKNOWN)
    assert unknown == "::error title=UNKNOWN impl::the run ended before it was complete"


def test_a_race_has_the_places_where_threads_were_switched() -> None:
    seen = found.race()
    assert any(f"{Path(each.rpartition(':')[0]).name}:" in seen.picture for each in seen.places)
    assert all(Path(each.rpartition(":")[0]).is_file() for each in seen.places)
