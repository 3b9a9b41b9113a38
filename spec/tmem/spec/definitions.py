"""The words that the sentences of the contract use, each with its meaning."""

from __future__ import annotations

from types import MappingProxyType
from typing import Final

DEFINITIONS: Final = MappingProxyType(
    {
        "client": "A guest or kernel that uses the store: a number of 16 bits.",
        "pool id": (
            "The number of 31 bits by which a client names a pool. It may come back after destroy pool."
        ),
        "live": (
            "Said of a pool id of a client from the new pool that returned it to the destroy pool that "
            "ended it. Every other id is dead, whether it was ever live or not. A pool lives as long as "
            "an id of it."
        ),
        "kind": ("Ephemeral or persistent, private or shared. A pool has one kind for its whole lifetime."),
        "ephemeral pool": "A pool whose pages may vanish at any time (flag bit 0 is clear).",
        "persistent pool": "A pool whose pages may not vanish (flag bit 0 is set).",
        "private pool": "A pool that one client uses, by one id.",
        "shared pool": (
            "A pool that clients join by its UUID (flag bit 1 is set, and the UUID is given and is not "
            "all ones)."
        ),
        "sharer": "A client that joined a shared pool. A client that joins twice counts as two users.",
        "handle": "⟨pool id, object id, index⟩; the object id has 192 bits, the index 32.",
        "slot": (
            "What a handle of a client names: the pool that the pool id stands for now, the object id, "
            "the index. A slot is empty or holds one page."
        ),
        "holds nothing": "Said of a slot: a get of it misses.",
        "page": "The bytes that a slot holds; as many as the backend's page size.",
        "hit": "A get that returned a page.",
        "miss": "A get that answered None or raised EEMPTY.",
        "duplicate put": "A put to a slot that holds a page.",
        "failed": (
            "Said of a put with right arguments into a live pool that stored nothing: it answered "
            "False, or raised ENOMEM, ENOSPC or EFROZEN. It is not without effect: the slot holds "
            "nothing afterwards."
        ),
        "refused": (
            "Said of a call that was turned down for its arguments (EINVAL, ValueError, OverflowError, "
            "TypeError), and of a request for a pool that was turned down (EPERM, ENOMEM). It has "
            "changed nothing."
        ),
        "denied": (
            "Said of a get that raised an errno of the ABI other than EEMPTY. It has changed nothing."
        ),
        "exclusive": "Said of a hit that removes the page.",
        "vanish": "To be gone without an operation on the slot. Only an ephemeral page may vanish.",
        "reclaim": "To give ephemeral pages back to the host, by request or unasked.",
        "pressure": "That room is short: a reclaim ran, a put failed, or an ephemeral page vanished.",
        "room": "Memory that a backend has left for pages.",
        "instant": "The time between its call and its return at which an operation takes effect.",
        "history": "Calls that may overlap, each with its begin, its end and its answer.",
        "linearizable": "Said of a history: one choice of instants explains every answer.",
    }
)
"""Every word with its meaning, in an order in which they can be read."""
