"""The engines: each is one way to look for violations. `ENGINES` is their order in a run.

May import `schedules`, `faults` and what lies below them; an engine never sees the supervisor.
"""

from tmem.conformance.engines.canaries import Canaries
from tmem.conformance.engines.claims import ClaimChecks
from tmem.conformance.engines.large.run import Large
from tmem.conformance.engines.machine import Machines
from tmem.conformance.engines.schedules import Schedules
from tmem.conformance.engines.stress import Stress
from tmem.conformance.engines.volume import Volume
from tmem.conformance.turn import Engine

ENGINES: tuple[Engine, ...] = (
    ClaimChecks(),
    Large(),
    Machines(),
    Volume(),
    Schedules(),
    Stress(),
    Canaries(),
)
