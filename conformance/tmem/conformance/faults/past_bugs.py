"""Real bugs of the tmem family, which faults of the catalogue imitate.

Sources: Xo and Xn are an older and a newer `xen/common/tmem.c`; Z is Linux 3.6
`drivers/staging/zcache/zcache-main.c`, R its RAMster copy. Only facts are taken from them; none was run.
"""

from __future__ import annotations

from typing import Final

PAST_BUGS: Final[dict[int, str]] = {
    1: "Xn put: room is made before the duplicate is looked up; ENOMEM, and the old page stays",
    2: "Linux fb993fa1a2f6, frontswap: a failed duplicate store left the expired page",
    3: "R remote persistent put: a page that was sent away replaces whatever is in its slot by then",
    4: "Z eviction while the pool dies: no flush, the frame is reused, another handle's data is freed",
    5: "Z eviction after the pool id was reused: a persistent page is flushed",
    6: "Z pool lookup: found first, referenced later, without a lock against destroy",
    7: "Z new pool: published before it is initialised",
    8: "Xn dispatcher: a gap between two locks, in which the pool is destroyed",
    9: "Xo new object: a failed insertion is ignored, and the put goes to an object in no tree",
    10: "Xen: leaving a shared pool marks it as dying for those who stay",
    11: "Xen: reassigning a shared pool moves all ephemeral pages of its old owner",
    12: "Xen save: the first page is skipped, and a second save ends early",
    13: "Xen save end: the list of invalidated pages is freed without unlinking",
    14: "Xen destroy during live migration: the id is cleared and the pool leaks",
    15: "Xen: a private ephemeral get whose copy fails unlinks the page and leaves it in the order",
    16: "CVE-2012-6031: the error path of get kept the lock",
    17: "CVE-2012-6035, CVE-2012-6036: pool ids were not checked",
    18: "Xen authorisation of shared pools: its handler asked for no privilege",
    19: "Xo partial write on a duplicate: a fresh page partly copied, the rest uninitialised",
    20: "Xo eviction: unlocks a tree that was not locked where deduplication is off",
    21: "Z: references leak when a pool is absent, and a count drifts on a get during eviction",
    22: "Z persistent decompression: always the local client's allocator",
    23: "zbud 3.0 to 3.6: two locks taken in both orders",
    24: "Xen 51010e4de3d4: put's livelock when memory is short and every client fills one object",
    25: "R get of a page in transit: retried without bound",
    26: "R: a failed remote put is never retried; 0fb3860a8212: put and flush arrive out of order",
    27: "Linux zswap 25cd241408a2: an exclusive load lost data; zsmalloc 85b325815b56: reclaim against free",
    28: "Z put: one whose preparation fails must become a flush",
    29: "Z and Xen: a shared pool made private in silence; a joiner given the maker's kind in silence",
}
"""Where each bug was and what went wrong, by the number that `Fault.history` refers to."""

NOT_TODAY: Final[dict[int, str]] = {
    12: "there is no save yet",
    13: "there is no save yet",
    14: "there is no live migration yet",
    18: "there is no authorisation yet",
    21: "counts and references are not seen through the operations",
}
"""The bugs that no fault imitates, each with the reason."""
