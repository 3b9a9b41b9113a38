"""Virtual clocks jump by up to 30 days: what expires is found."""

from __future__ import annotations

import json

import pytest

from tmem.conformance.schedules.explore import open_subject
from tmem.conformance.schedules.waiting import replay, waiting
from tools.races import STORE

TAKEN = "            frame = found.objects.get(oid, {}).get(index)\n"
FILLED = "            frame.fill(page)\n"
CLOCKS = {
    "time": ("time", "time.time()", 5),
    "monotonic": ("time", "time.monotonic()", 5),
    "datetime": ("datetime", "datetime.datetime.now().timestamp()", 86_000),
    "utcnow": ("datetime", "datetime.datetime.utcnow().timestamp()", 29 * 86_400),
    "today": ("datetime", "datetime.date.today().toordinal()", 20),
}
CHECK = "            if frame is not None and {now} - frame.at > {most}:\n                frame = None\n"
TIMER = """\
            timer = threading.Timer(3600, self.flush_page, (client, pool, oid, index))
            timer.daemon = True
            timer.start()
"""


def rewritten(module: str, *changes: tuple[str, str]):
    def rewrite(source: str) -> str:
        for old, new in changes:
            assert source.count(old) == 1
            source = source.replace(old, new)
        return source.replace("import threading\n", f"import {module}\nimport threading\n")

    return {"store": rewrite}


@pytest.mark.parametrize("clock", CLOCKS)
def test_a_time_to_live_by_any_clock_is_found(clock: str) -> None:
    module, now, most = CLOCKS[clock]
    changes = (
        (FILLED, f"{FILLED}            frame.at = {now}\n"),
        (TAKEN, TAKEN + CHECK.format(now=now, most=most)),
    )
    subject = open_subject(STORE, "factory", rewrite=rewritten(module, *changes))
    (found,) = waiting(subject, "schedules")
    assert found.clause == "TMEM-GET-3"
    assert len(found.steps) == 4
    assert "by the virtual clock" in found.steps[2]
    data = json.loads(json.dumps(found.replay))
    assert replay(subject, data, "schedules") == found
    assert replay(open_subject(STORE, "factory"), data, "schedules") is None


def test_a_timer_that_flushes_is_found() -> None:
    rewrite = rewritten("time", (FILLED, FILLED + TIMER))
    (found,) = waiting(open_subject(STORE, "factory", rewrite=rewrite), "schedules")
    assert found.clause == "TMEM-GET-3"
    assert "a day pass" in found.steps[2] or "30 days pass" in found.steps[2]


@pytest.mark.parametrize(
    ("place", "variants"), [(STORE, ((),)), ("tmem.impl.target", ((None,), (3 * 4096,)))]
)
def test_stores_that_keep_their_pages_pass(place: str, variants: tuple[tuple[object, ...], ...]) -> None:
    assert list(waiting(open_subject(place, "factory", variants), "schedules")) == []
