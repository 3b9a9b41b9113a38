"""The implementation: a lock-based store of compressed pages.

`store` has the operations, and `many` those on many pages; `arguments` and `options` say what is wrong with
a call. `registry` has the pools by client and id. `pool` has the pages, what each costs, and the steps under
the lock of a pool; `room` the bytes in use against the budget and, with `order`, the age of pages. `reclaim`
lets the oldest pages go,
`background` does so in a thread, and `drain` frees what was detached. `mend` makes right what an exception
interrupted, and `lifetime` handles forks and stores that are dropped. `codec`, `pam` and `hosts` are how
and where pages are kept. `build` makes the same store as an extension in `compiled`. `docs/locking.md` says
who may touch what.
"""

from tmem.impl.codec import Codec, Lz4
from tmem.impl.counters import Counters
from tmem.impl.hosts import Host
from tmem.impl.pam import Pam
from tmem.impl.pam.plain import Plain
from tmem.impl.store import Store

__all__ = ["Codec", "Counters", "Host", "Lz4", "Pam", "Plain", "Store"]
