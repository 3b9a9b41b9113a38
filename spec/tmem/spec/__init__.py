"""The contract of transcendent memory, executable. It imports nothing of model, impl or conformance.

`slot` is the semantics, on one screen; `store` makes a store of slots; `belief` says what a slot may
hold according to its answers; `answers` what each answer does; `clauses` the numbered contract,
`freedoms` what it leaves open, `definitions` its words, `situations` every operation in every situation;
`abi` the bytes and numbers on the wire; `backend` the Protocol that a page store fulfils.
"""

from tmem.spec.backend import Backend, Claims, Reclaims, TellsFlags
from tmem.spec.handle import Handle
from tmem.spec.operations import (
    Answer,
    DestroyPool,
    FlushObject,
    FlushPage,
    Get,
    NewPool,
    Operation,
    PoolFlags,
    Put,
    Raised,
    Reclaim,
)
from tmem.spec.slot import Does, Event, Kind

__all__ = [
    "Answer",
    "Backend",
    "Claims",
    "DestroyPool",
    "Does",
    "Event",
    "FlushObject",
    "FlushPage",
    "Get",
    "Handle",
    "Kind",
    "NewPool",
    "Operation",
    "PoolFlags",
    "Put",
    "Raised",
    "Reclaim",
    "Reclaims",
    "TellsFlags",
]
