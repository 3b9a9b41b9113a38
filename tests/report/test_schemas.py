"""The published schemas, against what tmem really writes."""

from __future__ import annotations

import json
from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from jsonschema import Draft202012Validator, ValidationError

from tests.run.short_run import VOLUME, follow
from tests.support import found
from tmem.conformance import schemas
from tmem.conformance.cli.main import main
from tmem.conformance.cli.ndjson import SCHEMA as EVENTS
from tmem.conformance.cli.ndjson import stream
from tmem.conformance.events import Event, Found
from tmem.conformance.faults import targets
from tmem.conformance.history.trace.recorder import Recorder
from tmem.conformance.report import as_json
from tmem.conformance.report.summary import Summary
from tmem.conformance.run import replay
from tmem.model import adversary
from tools import schemas as tool

PAGE = bytes(4096)


def strict(schema: Any) -> Any:
    """The schema, which now allows no field but those that it names."""
    if isinstance(schema, list):
        return [strict(each) for each in schema]
    if not isinstance(schema, dict):
        return schema
    found = {name: strict(each) for name, each in schema.items()}
    if isinstance(found.get("properties"), dict) and "type" in found:
        found.setdefault("additionalProperties", False)
    return found


def objections(name: str, value: object) -> list[str]:
    return [each.message for each in Draft202012Validator(strict(schemas.schema(name))).iter_errors(value)]


@pytest.fixture(scope="module")
def ran() -> tuple[list[Event], Summary]:
    """A run with a violation of a program and one of threads, which no engine of the run finds."""
    race = found.race()
    events, summary = follow(f"py:{targets.__name__}:put_answers_one", VOLUME)
    summary.add(Found(race))
    return [*events, Found(race)], summary


@pytest.mark.parametrize("name", schemas.NAMES)
def test_each_schema_is_one(name: str) -> None:
    Draft202012Validator.check_schema(schemas.schema(name))
    printed = CliRunner().invoke(main, ["schema", name])
    assert json.loads(printed.output) == schemas.schema(name)


def test_the_report_is_valid(ran: tuple[list[Event], Summary], tmp_path: Path) -> None:
    _, summary = ran
    saved = dict.fromkeys(summary.findings, tmp_path / "x.json")
    report = json.loads(as_json.text(summary, saved))
    assert len(report["violations"]) > 1
    assert objections("report-1", report) == []
    passed = json.loads(as_json.text(Summary("impl", 0, "linearizable"), {}))
    assert objections("report-1", passed) == []
    for path in (("verdict",), ("violations", 0, "words", "called"), ("coverpoints",)):
        assert objections("report-1", without(report, path)), path


def test_replay_files_are_valid(ran: tuple[list[Event], Summary], tmp_path: Path) -> None:
    _, summary = ran
    for finding in summary.findings.values():
        content = json.loads(replay.save(tmp_path, finding, summary).read_text("utf-8"))
        assert objections("replay-1", content) == []
        assert objections("replay-1", without(content, ("replay", "engine")))


def test_every_event_is_a_valid_line(ran: tuple[list[Event], Summary], tmp_path: Path) -> None:
    events, _ = ran
    with stream(tmp_path / "events") as tell:
        for event in events:
            tell(event)
    lines = [json.loads(line) for line in (tmp_path / "events").read_text("utf-8").splitlines()]
    assert lines[0] == {"is": "Stream", "schema": EVENTS}
    assert len(lines) == len(events) + 1
    assert [line["is"] for line in lines[1:]] == [type(event).__name__ for event in events]
    assert [each for line in lines for each in objections("events-1", line)] == []
    found = next(line for line in lines if line["is"] == "Found")
    assert objections("events-1", without(found, ("finding", "clause")))


def test_the_schema_of_events_is_that_of_the_classes() -> None:
    assert tool.FILE.read_text("utf-8") == tool.written(), "run python -m tools.schemas"


def test_lines_of_traces_are_valid(tmp_path: Path) -> None:
    recorder = Recorder(adversary.backend("keep"))
    pool = recorder.new_pool(1)
    recorder.put(1, pool, 1 << 190, 3, PAGE)
    recorder.get(1, pool, 1 << 190, 3)
    recorder.get(1, pool, 1 << 190, 3)
    recorder.flush_page(1, pool, 7, 3)
    recorder.flush_object(1, pool, 7)
    recorder.destroy_pool(1, pool)
    with pytest.raises(OSError, match="reserved bits"):
        recorder.new_pool(1, 1 << 8)
    recorder.save(tmp_path / "trace")
    lines = [json.loads(line) for line in (tmp_path / "trace").read_text("utf-8").splitlines()]
    assert len(lines) == 8
    assert [each for line in lines for each in objections("trace-1", line)] == []
    lines[0]["begun"] = lines[0].pop("begin")
    with pytest.raises(ValidationError):
        Draft202012Validator(schemas.schema("trace-1")).validate(lines[0])


def without(value: Any, path: tuple[str | int, ...]) -> Any:
    """A copy of JSON data without the field at a path."""
    copy = deepcopy(value)
    at = copy
    for name in path[:-1]:
        at = at[name]
    del at[path[-1]]
    return copy
