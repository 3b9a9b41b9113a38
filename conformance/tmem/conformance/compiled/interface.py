"""The C interface of a store in a shared library: its functions, what each promises, and by which clauses.

The header is made of this table, and so are the signatures by which the library is called.
"""

from __future__ import annotations

import ctypes
from dataclasses import dataclass
from typing import Final

STORE: Final = "tmem_store *"
CTYPES: Final[dict[str, type[ctypes._SimpleCData[int]] | type[ctypes.c_void_p] | None]] = {
    "void": None,
    "int": ctypes.c_int,
    "int32_t": ctypes.c_int32,
    "int64_t": ctypes.c_int64,
    "uint16_t": ctypes.c_uint16,
    "uint32_t": ctypes.c_uint32,
}
"""Types that are passed by value. All others are pointers."""


class Config(ctypes.Structure):
    """`struct tmem_config`: what a store is opened with."""

    _fields_ = (("page_size", ctypes.c_uint32), ("reserved", ctypes.c_uint32), ("budget", ctypes.c_uint64))


@dataclass(frozen=True, slots=True)
class Function:
    """One function of a store.

    `arguments` are C types with names, `contract` two lines for the header, and `clauses` the ids of the
    clauses that say more. `method` is the method of a backend that calls it; empty where none does.
    """

    name: str
    result: str
    arguments: tuple[tuple[str, str], ...]
    contract: tuple[str, str]
    clauses: tuple[str, ...] = ()
    optional: bool = False
    method: str = ""

    @property
    def declaration(self) -> str:
        """The declaration in C.

        >>> FUNCTIONS["tmem_close"].declaration
        'void tmem_close(tmem_store *store);'
        """
        arguments = ", ".join(_declared(kind, name) for kind, name in self.arguments) or "void"
        return f"{_declared(self.result, self.name)}({arguments});"


def _declared(kind: str, name: str) -> str:
    kind, bracket, length = kind.partition("[")
    return f"{kind}{'' if kind.endswith('*') else ' '}{name}{bracket}{length}"


def ctype(kind: str) -> type[ctypes._SimpleCData[int]] | type[ctypes.c_void_p] | None:
    """What ctypes passes for a C type."""
    return CTYPES.get(kind, ctypes.c_void_p)


_POOL: Final = ((STORE, "store"), ("uint16_t", "client"), ("int32_t", "pool"))
_OBJECT: Final = (*_POOL, ("const uint64_t[3]", "oid"))
_SLOT: Final = (*_OBJECT, ("uint32_t", "index"))

_ALL: Final = (
    Function(
        "tmem_open",
        STORE,
        (("const struct tmem_config *", "config"),),
        (
            "Returns a new, empty store, or NULL. Several may be open at once; they share nothing.",
            "config is not to be kept.",
        ),
    ),
    Function(
        "tmem_close",
        "void",
        ((STORE, "store"),),
        ("Gives back everything that the store holds, its threads included.", "No call follows."),
        method="close",
    ),
    Function(
        "tmem_new_pool",
        "int",
        (
            (STORE, "store"),
            ("uint16_t", "client"),
            ("uint32_t", "flags"),
            ("const uint64_t[2]", "uuid"),
        ),
        (
            "Returns the id, 0 or more, of a new pool, or of the shared pool of the UUID, which it joins.",
            "uuid may be NULL; word 1 is the most significant. -EPERM: flags not taken. -ENOMEM: no room.",
        ),
        ("TMEM-POOL-1", "TMEM-POOL-2", "TMEM-POOL-4", "TMEM-SHARE-1"),
        method="new_pool",
    ),
    Function(
        "tmem_destroy_pool",
        "int",
        _POOL,
        (
            "Ends the pool for this client: returns 1.",
            "Returns 0 or -ENODEV where there is no such pool.",
        ),
        ("TMEM-POOL-3", "TMEM-SHARE-2"),
        method="destroy_pool",
    ),
    Function(
        "tmem_put",
        "int",
        (*_SLOT, ("const void *", "page")),
        (
            "Copies the page in: returns 1. Returns 0, -ENOMEM or -ENOSPC where it stores nothing,",
            "and then the slot holds nothing: an old page is gone too.",
        ),
        ("TMEM-PUT-1", "TMEM-PUT-2", "TMEM-PUT-3", "TMEM-PUT-4"),
        method="put",
    ),
    Function(
        "tmem_get",
        "int",
        (*_SLOT, ("void *", "page")),
        (
            "Copies the page out: returns 1. A hit in a private ephemeral pool removes the page.",
            "Returns 0 or -EEMPTY for a miss, which leaves the buffer untouched.",
        ),
        ("TMEM-GET-1", "TMEM-GET-2", "TMEM-GET-3"),
        method="get",
    ),
    Function(
        "tmem_flush_page",
        "int",
        _SLOT,
        ("Empties one slot.", "Returns 1 where it held a page and 0 where it held none; both are right."),
        ("TMEM-FLUSH-1",),
        method="flush_page",
    ),
    Function(
        "tmem_flush_object",
        "int",
        _OBJECT,
        (
            "Empties every slot of an object.",
            "Returns 1 where one held a page and 0 where none did; both are right.",
        ),
        ("TMEM-FLUSH-2", "TMEM-CONC-2"),
        method="flush_object",
    ),
    Function(
        "tmem_reclaim",
        "int64_t",
        ((STORE, "store"), ("uint32_t", "pages")),
        (
            "Removes up to this number of ephemeral pages.",
            "Returns how many went. A persistent page never goes.",
        ),
        ("TMEM-RECLAIM-1", "TMEM-RECLAIM-2"),
        optional=True,
        method="reclaim",
    ),
    Function(
        "tmem_pool_flags",
        "int64_t",
        _POOL,
        (
            "Returns the flags that the pool really has.",
            "A store needs it where it grants another kind of pool than was asked for.",
        ),
        ("TMEM-SHARE-1",),
        optional=True,
        method="pool_flags",
    ),
    Function(
        "tmem_claims",
        "const char *",
        (),
        (
            "Returns the claims that the store makes beyond the contract, with blanks between them:",
            "retain, reclaim-bound, regain, atomic-flush, lru.",
        ),
        optional=True,
    ),
    Function(
        "tmem_page_size",
        "uint32_t",
        ((STORE, "store"),),
        ("Returns the bytes in a page.", "A store without this function has pages of 4096 bytes."),
        optional=True,
    ),
)
FUNCTIONS: Final = {each.name: each for each in _ALL}
"""Every function by its name, in the order of the header."""
REQUIRED: Final = tuple(each.name for each in _ALL if not each.optional)
