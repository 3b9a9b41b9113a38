"""The implementation: a lock-based store of compressed pages.

`store` has the operations; `registry` the pools by client and id; `pool` the pages and the steps under a
pool's lock; `room` the bytes in use and, with `order`, the age of pages; `reclaim` lets the oldest go;
`many` does many pages in one call; `codec` and `pam` have what pages are kept in, side by side;
`compiled` has the same store as an extension, once `build` has made it.
`docs/locking.md` says who may touch what.
"""

from tmem.impl.codec import Codec, Lz4
from tmem.impl.counters import Counters
from tmem.impl.hosts import Host
from tmem.impl.pam import Pam
from tmem.impl.pam.plain import Plain
from tmem.impl.store import Store

__all__ = ["Codec", "Counters", "Host", "Lz4", "Pam", "Plain", "Store"]
