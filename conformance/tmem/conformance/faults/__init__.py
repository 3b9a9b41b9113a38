"""The catalogue of faults: bugs to lay around a correct backend, which a run must notice.

`FAULTS` has them all by name; a module holds those of one subject. A fault is a class that wraps any
backend (`tmem.conformance.conforming.wrapper`), or a function that a class of its module wraps with.
May import `conforming` and the specification.
"""

from tmem.conformance.faults import (  # noqa: F401  # importing a module registers its faults
    addressing,
    arguments,
    claims,
    contents,
    duplicates,
    errors,
    flushes,
    gets,
    isolation,
    liveness,
    pools,
    puts,
    races,
    reclaims,
    refusals,
    sharing,
)
from tmem.conformance.faults.fault import FAULTS, Fault

__all__ = ["FAULTS", "Fault"]
