"""Every fault as a target: `tmem check py:tmem.conformance.faults.targets:put_answers_one`.

Each attribute is a factory: it wraps the adversary that keeps everything with the fault of that name.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from tmem.conformance.faults import FAULTS, Fault
from tmem.model import adversary
from tmem.spec.backend import Backend


def __getattr__(name: str) -> Callable[[], Backend]:
    fault = FAULTS.get(name.replace("_", "-"))
    if fault is None:
        raise AttributeError(f"there is no fault {name}")
    return partial(_faulty, fault)


def __dir__() -> list[str]:
    return [name.replace("-", "_") for name in FAULTS]


def _faulty(fault: Fault) -> Backend:
    return fault.wrap(adversary.backend("keep", 0))
