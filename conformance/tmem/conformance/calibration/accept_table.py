"""The table of conforming backends: false alarms, and how often the faults that wrapped them were noticed."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection
from dataclasses import asdict
from typing import Any

from tmem.conformance.calibration.accept import Accepted
from tmem.conformance.faults import FAULTS


def accept_table(accepted: Collection[Accepted]) -> dict[str, Any]:
    """Return the numbers of backends and operations, the false alarms, and how often faults were noticed."""
    noticed = Counter(name for each in accepted for name in each.faults.noticed)
    unnoticed = Counter(name for each in accepted for name in each.faults.unnoticed)
    return {
        "backends": len(accepted),
        "operations": sum(each.operations for each in accepted),
        "alarms": [asdict(each) for each in accepted if each.alarms],
        "faults": {name: [noticed[name], unnoticed[name]] for name in FAULTS if name in noticed | unnoticed},
    }
