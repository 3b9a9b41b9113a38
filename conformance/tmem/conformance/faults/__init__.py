"""The catalogue of faults: each wraps a correct backend with one bug, which a run must notice.

`FAULTS` holds all of them by name; each module holds the faults of one subject. A fault is a class that wraps
any backend (see `tmem.conformance.conforming.wrapper`), or a function that such a class applies.
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
    large,
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
