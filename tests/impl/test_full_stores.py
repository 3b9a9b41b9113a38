"""What a store does wrong when it is full shows in runs, for half of their stores have little room."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tmem.conformance.engines.volume import outcomes
from tmem.conformance.targets.resolve import BUDGETS
from tmem.conformance.turn import Turn
from tmem.spec.backend import Backend
from tools.races.impl import COPY, Change, changed

PROGRAMS = 1_000

WRONG = {
    "a failed put leaves the old page": Change(
        "pool.py",
        "        pampd = self._take(oid, index)\n        if pampd is not None:\n",
        "        if pampd := None:\n",
    ),
    "a failed put drops the object": Change(
        "pool.py",
        "        self.tally.failed += 1\n",
        "        self.tally.failed += 1\n        self.detach(oid)\n",
    ),
    "a failed put is answered with success": Change(
        "store.py",
        "pampd if lacking else None)\n        return False\n",
        "pampd if lacking else None)\n        return True\n",
    ),
}


@pytest.fixture
def make(
    request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Callable[..., Backend]:
    """Stores with a change laid on."""
    changed([request.param], tmp_path)
    monkeypatch.syspath_prepend(str(tmp_path))
    for name in [name for name in sys.modules if name.partition(".")[0] == COPY]:
        monkeypatch.delitem(sys.modules, name)
    factory: Callable[..., Backend] = importlib.import_module(f"{COPY}.target").factory
    return factory


def broken(fresh: Callable[[int], Backend]) -> set[str]:
    turn = Turn("changed", fresh, seed=0)
    violations = [outcome.violation for _, _, outcome in outcomes(turn, "full stores", PROGRAMS)]
    return {each.clause for each in violations if each is not None}


@pytest.mark.parametrize(
    "make",
    [
        pytest.param(change, id=name, marks=[pytest.mark.long] * (n > 0))
        for n, (name, change) in enumerate(WRONG.items())
    ],
    indirect=True,
)
def test_it_shows_with_little_room_alone(make: Callable[..., Backend]) -> None:
    found = broken(lambda number: make(BUDGETS[number % len(BUDGETS)]))
    assert found
    assert found <= {"TMEM-PUT-1", "TMEM-RECLAIM-1", "TMEM-GET-3", "TMEM-SHARE-1", "TMEM-SHARE-2"}
    assert not broken(lambda number: make(None))
