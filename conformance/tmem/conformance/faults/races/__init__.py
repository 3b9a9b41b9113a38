"""Races: wrappers that are right as long as calls do not overlap.

They are plain Python over `threading`, so that an engine of schedules can take their threads over. What
they hold beside the backend is not guarded, or by too little.
"""

from tmem.conformance.faults.races import flushes, frames, pages, pools, sweeps  # noqa: F401
