"""The space-time diagram of a report: every operation is a bar that can be read without seeing it."""

from __future__ import annotations

from dataclasses import replace
from xml.etree import ElementTree

from tests.report.test_reports import STALE, Page, summary
from tests.support import found
from tmem.conformance.events import Found, Moment
from tmem.conformance.report import as_html, words
from tmem.conformance.report.diagram import bars, diagram, moments
from tmem.conformance.run.messages import decode, encode

TIMELINE = (
    Moment("before", "│", "#1 new pool → 0"),
    Moment("thread 1", "┌", "#2 get ⟨0, 7, 0⟩"),
    Moment("thread 1", "│", "⇢ thread 2 at <store>.py:7"),
    Moment("thread 2", "┌", '#3 put "A" & more'),
    Moment("thread 2", "└", "True"),
    Moment("thread 1", "└", "page A  ✗"),
    Moment("reclaimer", "┌", "#4 reclaim 1 page"),
)


def test_operations_are_bars_with_words() -> None:
    svg = ElementTree.fromstring(diagram(TIMELINE))
    labels = [each.get("aria-label") for each in svg.iter("g")]
    assert labels == [
        "before: #1 new pool → 0",
        "thread 1: #2 get ⟨0, 7, 0⟩ → page A, which breaks the contract",
        'thread 2: #3 put "A" & more → True',
        "reclaimer: #4 reclaim 1 page → never returned",
    ]
    assert all(each.get("tabindex") == "0" for each in svg.iter("g"))
    lanes = [each.text for each in svg.iter("text") if each.get("class") == "lane"]
    assert lanes == ["thread 1", "thread 2", "reclaimer"]
    assert sum(each.get("class") == "switch" for each in svg.iter("path")) == 1
    assert sum(each.get("class") == "window" for each in svg.iter("rect")) == 1


def test_bars_overlap_as_the_calls_did() -> None:
    _, first, second, third = bars(TIMELINE)
    assert first.begin < second.begin < second.end < first.end < third.begin


def test_a_long_text_is_cut_and_its_title_is_whole() -> None:
    text = "put " + "x" * 200
    svg = ElementTree.fromstring(diagram((Moment("thread 1", "┌", text), Moment("thread 1", "└", "True"))))
    (call,) = (each for each in svg.iter("text") if each.get("class") == "call")
    assert (call.text or "").endswith("…")
    assert [title.text for title in call.iter("title")] == [text]


def test_without_moments_there_is_no_diagram() -> None:
    assert diagram(()) == ""


def test_a_violation_without_threads_has_one_lane() -> None:
    svg = ElementTree.fromstring(diagram(moments(STALE)))
    labels = [each.get("aria-label") for each in svg.iter("g")]
    assert labels[0] == "#1 client 1: new pool EPHEMERAL → 0"
    assert labels[-1] == "#4 get → page A \ufffd, which breaks the contract"
    assert [each.get("class") for each in svg.iter("g")][-1] == "bar broken"


def test_of_a_long_timeline_the_end_is_drawn() -> None:
    long = tuple(Moment("calls", "│", f"#{n} put → True") for n in range(1, 10_001))
    svg = diagram(long)
    assert "9,600 moments before" in svg
    assert "#10000 put → True" in svg
    assert len(svg) < 300_000


def test_a_bar_says_what_its_slot_may_hold() -> None:
    timeline = (Moment("thread 1", "┌", "get"), Moment("thread 1", "└", "page A", "The slot holds nothing."))
    assert 'aria-label="thread 1: get → page A. The slot holds nothing."' in diagram(timeline)


def test_a_lock_that_is_released_at_once_takes_one_row() -> None:
    rows = ("acquire L", "release L", "acquire L", "release L", "acquire M")
    timeline = tuple(Moment("thread 1", "│", text) for text in rows)
    assert [each.text for each in moments(replace(STALE, timeline=timeline))] == [
        "acquire, release L",
        "acquire, release L",
        "acquire M",
    ]


def test_the_page_holds_the_diagram_and_fetches_nothing() -> None:
    page = as_html.text(summary(Found(replace(STALE, timeline=TIMELINE))), {})
    seen = Page(page)
    assert (seen.open, seen.fetched) == ([], [])
    assert "which breaks the contract" in page
    assert "<store>" not in page, "what a target says is escaped"


def test_the_page_shows_what_the_target_printed() -> None:
    page = as_html.text(summary(Found(replace(STALE, output="a <line> of the target"))), {})
    assert "a <line> of the target" in Page(page).texts


def test_a_timeline_crosses_from_the_worker() -> None:
    found = Found(replace(STALE, timeline=TIMELINE))
    assert decode(encode(found)) == found


def test_a_race_has_the_timeline_of_its_picture() -> None:
    seen = found.race()
    drawn = [moment for moment in seen.timeline if moment.edge in "┌└" and moment.lane.startswith("thread")]
    assert all(moment.text.removesuffix("  ✗") in seen.picture for moment in drawn)
    assert any("✗" in moment.text for moment in drawn)
    assert len(bars(seen.timeline)) >= 2


def test_the_words_of_a_race_say_what_overlapped_and_where_it_was_stopped() -> None:
    found = replace(STALE, timeline=TIMELINE)
    called, answered, *_ = words.lines(found)
    assert called.says == (
        'thread 1: #2 get ⟨0, 7, 0⟩, while thread 2: #3 put "A" & more was under way; '
        "thread 1 was stopped at <store>.py:7"
    )
    assert answered.says == "page A"
    late = (*TIMELINE[:5], Moment("thread 1", "└", "page A"), Moment("after", "│", "#4 get → page A  ✗"))
    called, *_ = words.lines(replace(found, timeline=late))
    assert called.says.startswith(
        "#4 get, after the threads: thread 1: #2 get ⟨0, 7, 0⟩ had overlapped thread 2"
    )
