"""Decides whether calls that overlapped can have happened one at a time, as the contract of tmem allows.

This is a library of its own: it imports `tmem.spec` and the reference model, and nothing else of the suite.

>>> from tmem.conformance.history import Call, check
>>> SLOT = (1, 0, 7, 3)                                             # client, pool id, object id, index
>>> calls = [
...     Call(0, 0, 1, "new_pool", (1, 0x01000001, None), 0),        # thread 0, from time 0 to 1: persistent
...     Call(0, 2, 5, "put", (*SLOT, "a page"), True),
...     Call(1, 3, 4, "get", SLOT, None),                           # may have come before the put
... ]
>>> check(calls)
Legal(calls=3)
>>> check([*calls, Call(1, 6, 7, "get", SLOT, None)]).reason
'#3: A persistent page is gone: the page of put #2 at ⟨0, 7, 3⟩ by client 1.'

`check` decides a history, `check_trace` one that was written to a file, and `Recorder` makes one from the
calls of threads. The layers, each of which imports only those below it:

- `trace` records histories, writes them to files, and reads them from files.
- `checker` decides a history.
- `counterexample` says what is wrong with an illegal history; `integrity` checks the level of that name;
  `may_hold` says what a slot may hold at a moment of one.
- `pools` finds when pools were made and ended; `exhaustive` decides a handful of calls by trying all orders.
- `slot` decides the calls of one slot.
- `interpret` interprets each call once, into what it does to which slots.
- `partition` holds what was interpreted, by slot.
- `calls` is what a call is.
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
