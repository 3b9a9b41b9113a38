"""The catalogue of faults: each wraps a correct backend with one bug, which a run must notice.

`FAULTS` holds all of them by name. A fault is a class that wraps any backend (see `conforming.wrapper`), or a
function that such a class applies. `fault` registers them, `targets` makes each a target, and `past_bugs`
lists the real bugs that they imitate. The other modules hold the faults, by what is wrong; those in `races`
show only where calls overlap, and those in `large` only in large programs. May import `conforming`, the model
and the specification.
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
