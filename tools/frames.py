"""Records frames in bytes, against which other implementations of the wire protocol can test themselves.

`python -m tools.frames` writes `docs/frames.json`.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Final

from tmem.spec.abi import errors, wire
from tmem.spec.abi.flags import PERSIST, SHARED
from tmem.spec.handle import Handle
from tmem.spec.operations import DestroyPool, FlushObject, FlushPage, Get, NewPool, PoolFlags, Put, Reclaim

INTO: Final = Path(__file__).parents[1] / "docs" / "frames.json"
_OID: Final = 0x1716151413121110_0F0E0D0C0B0A0908_0706050403020100
_HANDLE: Final = Handle(3, _OID, 0x23222120)
_PAGE: Final = bytes(range(16))
"""A page of 16 bytes: the golden frames are for a store of such pages, so that they can be read."""

FRAMES: Final[tuple[tuple[str, int, wire.Body], ...]] = (
    ("hello", 1, wire.Hello()),
    ("hello, joining", 2, wire.Hello(bytes(range(0x80, 0x90)))),
    ("new pool, private ephemeral", 3, NewPool(1)),
    ("new pool, private persistent, version 1", 4, NewPool(0x0201, PERSIST | 1 << 24)),
    ("new pool, shared", 5, NewPool(1, SHARED, 0x0F0E0D0C0B0A0908_0706050403020100)),
    ("put", 6, Put(1, _HANDLE, _PAGE)),
    ("get", 7, Get(1, _HANDLE)),
    ("flush page", 8, FlushPage(1, _HANDLE)),
    ("flush object", 9, FlushObject(1, 3, _OID)),
    ("destroy pool", 10, DestroyPool(1, 3)),
    ("pool flags", 11, PoolFlags(1, 3)),
    ("reclaim", 12, Reclaim(5)),
    ("close", 0xFFFFFFFF, wire.Close()),
)
"""Requests, with a tag each."""
_WELCOME: Final = wire.Welcome(
    16, frozenset({"reclaim", "pool_flags"}), True, 4096, bytes(range(0x80, 0x90)), ("lru", "retain")
)
_ANSWERS: Final[tuple[tuple[str, int, int, bytes], ...]] = (
    ("to hello", 1, wire.VERSION, wire.welcome(_WELCOME)),
    ("a pool id", 3, 3, b""),
    ("stored, found, ended", 6, 1, b""),
    ("not stored, not found, a miss", 7, 0, b""),
    ("a hit", 7, 1, _PAGE),
    ("no such pool", 10, -errors.ENODEV, b""),
    ("a miss, as an errno", 7, -errors.EEMPTY, b""),
)


def golden() -> dict[str, list[dict[str, object]]]:
    """The frames by name, as hexadecimal digits."""
    return {
        "requests": [
            {"name": name, "tag": tag, "hex": wire.request(tag, body).hex(" ", 4)}
            for name, tag, body in FRAMES
        ],
        "answers": [
            {"name": name, "tag": tag, "number": number, "hex": wire.answer(tag, number, body).hex(" ", 4)}
            for name, tag, number, body in _ANSWERS
        ],
    }


if __name__ == "__main__":
    INTO.write_text(json.dumps(golden(), indent=1) + "\n", "utf-8")
