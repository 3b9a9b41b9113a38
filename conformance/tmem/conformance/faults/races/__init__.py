"""Races: wrappers that are correct as long as calls do not overlap.

They are plain Python on `threading`, so that the engine of schedules can control their threads. The data that
they keep beside the backend has no lock, or the wrong one.
"""

from tmem.conformance.faults.races import flushes, frames, pages, pools, sweeps  # noqa: F401
