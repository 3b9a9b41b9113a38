"""The flag word of new pool [X]."""

from __future__ import annotations

from typing import Final

from tmem.spec.slot import Kind

PERSIST: Final = 1 << 0
SHARED: Final = 1 << 1
PRECOMPRESSED: Final = 1 << 2
NAMES: Final = {PERSIST: "PERSIST", SHARED: "SHARED", PRECOMPRESSED: "PRECOMPRESSED"}
PAGE_SIZE_SHIFT: Final = 4
PAGE_SIZE_MASK: Final = 0xF
RESERVED: Final = 0x00FFFF00
VERSION_SHIFT: Final = 24
VERSION_MASK: Final = 0xFF
VERSION: Final = 1
"""The version of the specification that a pool asks for; 0 counts as 1 (ours: Xen refuses it)."""
NO_UUID: Final = (1 << 128) - 1
"""All ones: a shared request with this UUID, or with none, gives a private pool [X]."""


def compose(
    *, persistent: bool = False, shared: bool = False, page_size: int = 4096, version: int = VERSION
) -> int:
    """The flag word for a kind of pool.

    >>> hex(compose(persistent=True)), hex(compose(shared=True, page_size=8192))
    ('0x1000001', '0x1000012')
    """
    kind = persistent * PERSIST | shared * SHARED
    return kind | page_size_nibble(page_size) << PAGE_SIZE_SHIFT | version << VERSION_SHIFT


def page_size_nibble(page_size: int) -> int:
    """The n of `4096 << n`; 0 for a size that the ABI cannot express.

    >>> page_size_nibble(4096), page_size_nibble(65536), page_size_nibble(64)
    (0, 4, 0)
    """
    n = (page_size // 4096).bit_length() - 1
    return n if 0 <= n <= PAGE_SIZE_MASK and 4096 << n == page_size else 0


def kind_of(flags: int, uuid: int | None = None) -> Kind:
    """The kind of pool that flags and UUID ask for; shared without a UUID is private [X].

    >>> str(kind_of(SHARED, 7)), str(kind_of(PERSIST | SHARED)), str(kind_of(0, 7))
    ('shared ephemeral', 'private persistent', 'private ephemeral')
    """
    shared = bool(flags & SHARED) and uuid is not None and uuid != NO_UUID
    return Kind(persistent=bool(flags & PERSIST), shared=shared)


def objection(flags: int, page_size: int = 4096) -> str | None:
    """Why no backend with this page size may make a pool of these flags; None where it may.

    >>> objection(compose()), objection(RESERVED), objection(2 << VERSION_SHIFT)
    (None, 'reserved bits are set', 'version 2 is unknown')
    """
    if not 0 <= flags < 1 << 32:
        return "more than 32 bits"
    if flags & RESERVED:
        return "reserved bits are set"
    if flags & PRECOMPRESSED:
        return "precompressed pages are not supported"
    if (version := flags >> VERSION_SHIFT) not in (0, VERSION):
        return f"version {version} is unknown"
    if (nibble := flags >> PAGE_SIZE_SHIFT & PAGE_SIZE_MASK) != (wanted := page_size_nibble(page_size)):
        return f"bits 4-7, the page size, are {nibble}; for pages of {page_size} bytes they must be {wanted}"
    return None


def describe(flags: int) -> str:
    """A flag word in words.

    >>> describe(compose(persistent=True)), describe(SHARED | PRECOMPRESSED | RESERVED)
    ('PERSIST', 'SHARED|PRECOMPRESSED|RESERVED 0xffff00|version 0')
    """
    parts = [name for bit, name in NAMES.items() if flags & bit] or ["EPHEMERAL"]
    if flags & 1 << 3:
        parts.append("bit 3")
    if nibble := flags >> PAGE_SIZE_SHIFT & PAGE_SIZE_MASK:
        parts.append(f"page size {4096 << nibble}")
    if reserved := flags & RESERVED:
        parts.append(f"RESERVED {reserved:#x}")
    if (version := flags >> VERSION_SHIFT) != VERSION:
        parts.append(f"version {version}")
    return "|".join(parts)
