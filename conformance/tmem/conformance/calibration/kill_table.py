"""The table of kills: how soon each fault was noticed, and which clauses' checks notice it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from statistics import median

from tmem.conformance.calibration.kill import Kill
from tmem.conformance.faults import FAULTS
from tmem.spec.clauses import CLAUSES


def kill_table(kills: Iterable[Kill]) -> dict[str, dict[str, object]]:
    """Return for each fault its kills, their clauses, how soon they came and how small they are."""
    by_fault: defaultdict[str, list[Kill]] = defaultdict(list)
    for each in kills:
        by_fault[each.fault].append(each)
    return {name: _row(name, by_fault[name]) for name in FAULTS if name in by_fault}


def _row(name: str, kills: list[Kill]) -> dict[str, object]:
    operations = [each.operations for each in kills]
    steps = [each.steps for each in kills if each.steps] or [0]
    return {
        "sentence": FAULTS[name].sentence,
        "kind": FAULTS[name].kind,
        "history": list(FAULTS[name].history),
        "seeds": len(kills),
        "killed": sum(each.killed for each in kills),
        "clauses": sorted({each.clause for each in kills if each.clause}),
        "operations": [median(operations), max(operations)],
        "schedules": [median(k.schedules for k in kills), max(k.schedules for k in kills)],
        "seconds": [round(median(k.seconds for k in kills), 3), round(max(k.seconds for k in kills), 3)],
        "steps": [median(steps), max(steps)],
    }


def breadth(kills: Iterable[Kill]) -> dict[str, dict[str, list[str]]]:
    """Return the faults blamed on each clause that is not implied, and those that no other clause kills.

    A fault that is noticed only where operations overlap is killed only by the checks of overlap.
    """
    blamed: defaultdict[str, set[str]] = defaultdict(set)
    checks: defaultdict[str, set[str]] = defaultdict(set)
    for each in kills:
        blamed[each.fault] |= {each.clause, each.overlap} - {""}
        if each.steps or FAULTS[each.fault].kind != "races":  # otherwise `overlap` was not determined
            checks[each.fault].add(each.overlap or each.clause)
    table = {}
    for clause in CLAUSES.values():
        if not clause.implied:
            faults = sorted(name for name, clauses in blamed.items() if clause.id in clauses)
            table[clause.id] = {"faults": faults, "only": [n for n in faults if checks[n] == {clause.id}]}
    return table
