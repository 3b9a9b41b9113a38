"""The page of a report in a browser: by mouse and by keyboard, on a desk and on a phone, offline."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.compiled.conftest import tool
from tests.report.test_reports import EVENTS, STALE
from tests.support import found
from tests.support.browser import Browser, browser
from tmem.conformance.events import Covered, Finished, Found
from tmem.conformance.report import as_html
from tmem.conformance.report.summary import Summary

LARGEST = 2 << 20
PROGRAM = "print('again')\n" * 20


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The page of a run that found a race and a violation without threads."""
    race = found.race()
    summary = Summary("py:mine:factory", 7, "linearizable")
    for event in (*EVENTS, Covered({"duplicate": 3}), Found(race), Found(STALE), Finished(True, 12.0)):
        summary.add(event)
    folder = tmp_path_factory.mktemp("page")
    replays = {clause: folder / f"{clause}.json" for clause in summary.findings}
    script = folder / "again.py"
    script.write_text(PROGRAM, "utf-8")
    path = folder / "report.html"
    path.write_text(as_html.text(summary, replays, {race.clause: script}), "utf-8")
    return path


@pytest.fixture(scope="module")
def shown(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    """A browser for all tests of this file."""
    program = tool("chromium", "chromium-browser", "google-chrome")
    with browser(program, tmp_path_factory.mktemp("profile")) as found:
        yield found


FOCUSED = "document.activeElement.getAttribute('aria-label')"
CAPTION = "document.querySelector('#TMEM-GET-2 .caption').textContent"


def test_it_is_small(page: Path) -> None:
    assert page.stat().st_size < LARGEST


def test_tab_reaches_every_call_and_reads_what_its_slot_may_hold(page: Path, shown: Browser) -> None:
    shown.open(page)
    bars = shown.run(
        "[...document.querySelectorAll('#TMEM-GET-2 .bar')].map(b => b.getAttribute('aria-label'))"
    )
    reached = []
    while len(reached) < len(bars):
        shown.press("Tab")
        if (label := shown.run(FOCUSED)) in bars:
            reached.append(label)
            assert shown.run(CAPTION) == label
        assert shown.run("document.activeElement !== document.body"), f"only {reached} were reached"
    assert sorted(reached) == sorted(bars)
    assert any("The slot holds nothing." in label for label in bars)
    assert any(
        "No order of the calls explains this answer: the slot holds nothing" in label for label in bars
    )


def test_pointing_at_a_call_reads_it_too(page: Path, shown: Browser) -> None:
    shown.open(page)
    assert shown.run(CAPTION).startswith("Time runs downwards")
    shown.point("#TMEM-GET-2 .bar.broken")
    assert "which breaks the contract" in shown.run(CAPTION)


@pytest.mark.parametrize(
    ("button", "copied"),
    [
        ("#TMEM-GET-2 [data-copy]", "tmem replay {folder}/TMEM-GET-2.json"),
        ("#TMEM-GET-2 [data-copy-of]", PROGRAM),
    ],
)
def test_buttons_copy_the_command_and_the_program(
    page: Path, shown: Browser, button: str, copied: str
) -> None:
    shown.open(page)
    shown.ask("Emulation.setFocusEmulationEnabled", enabled=True)
    shown.run(
        "window.copied = []; navigator.clipboard.writeText = text => { window.copied.push(text);"
        " return Promise.resolve(); }"
    )
    shown.run(f"document.querySelector('{button}').focus()")
    shown.press("Enter")
    assert shown.run("window.copied") == [copied.format(folder=page.parent)]
    assert shown.run(f"document.querySelector('{button}').textContent") == "copied"


def test_the_program_opens_by_keyboard(page: Path, shown: Browser) -> None:
    shown.open(page)
    shown.run("document.querySelector('#TMEM-GET-2 .alone summary').focus()")
    shown.press("Enter")
    assert shown.run("document.querySelector('#TMEM-GET-2 .alone').open") is True


@pytest.mark.parametrize("width", [375, 1100])
def test_it_fits_a_phone_and_a_desk(page: Path, shown: Browser, width: int) -> None:
    shown.open(page, width)
    assert shown.run("document.scrollingElement.scrollWidth") <= width
    shown.picture(page.with_name(f"{width}.png"))
    assert page.with_name(f"{width}.png").stat().st_size > 10_000


def test_what_went_wrong_is_on_the_first_screen(page: Path, shown: Browser) -> None:
    shown.open(page)
    bottom = "document.querySelector('#TMEM-GET-2 .broken').getBoundingClientRect().bottom"
    assert shown.run(bottom) < 900


def test_it_asks_for_nothing_else(page: Path, shown: Browser) -> None:
    shown.fetched.clear()
    shown.open(page)
    assert {address for address in shown.fetched if not address.startswith("data:")} == {page.as_uri()}
