"""Histories of calls that overlap: recorded, split into slots, and decided.

`check` decides a history, `check_trace` one that was written down, `Recorder` makes one. `calls` is how a
call is kept; `split`, `lives` and `settle` tell which calls meet in a slot, and when; `slots` decides one:
by `zones` and `misses`, or by `frontier` where pages repeat. `order` and `replay` are the evidence of a legal
history, `window` and `reasons` that of an illegal one. Imports no other room.
"""

from tmem.conformance.history.calls import Call
from tmem.conformance.history.checker import Illegal, Legal, Result, Unknown, check
from tmem.conformance.history.trace.format import TraceError
from tmem.conformance.history.trace.recorder import Recorder
from tmem.conformance.history.trace.stream import check_trace

__all__ = [
    "Call",
    "Illegal",
    "Legal",
    "Recorder",
    "Result",
    "TraceError",
    "Unknown",
    "check",
    "check_trace",
]
