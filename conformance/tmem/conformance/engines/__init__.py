"""The engines: each one way to look for violations. `ENGINES` is the order of a run."""

from tmem.conformance.engine import Engine
from tmem.conformance.engines.canaries import Canaries
from tmem.conformance.engines.claims import ClaimChecks
from tmem.conformance.engines.machine import Machines
from tmem.conformance.engines.schedules import Schedules
from tmem.conformance.engines.stress import Stress
from tmem.conformance.engines.volume import Volume

ENGINES: tuple[Engine, ...] = (
    ClaimChecks(),
    Machines(),
    Volume(),
    Schedules(),
    Stress(),
    Canaries(),
)
