"""The pages of a program, each as an expression that is short where the page is simple."""

from __future__ import annotations

import base64
import inspect
import zlib
from typing import Final

from tmem.conformance.engines.large import stamps
from tmem.conformance.engines.large.areas import TEXTURES

LONGEST: Final = 64
"""Bytes of the longest pattern that is looked for."""
STAMPED: Final = "\n\n".join(
    (
        "import random\nfrom functools import cache\nfrom struct import Struct",
        '_STAMP = Struct("<8sHHIIIQ")\nPACK = _STAMP.pack\nMARK = b"tmem\\xa5put"\nSIZE = _STAMP.size\n'
        f"BODIES = {stamps.BODIES}\nSALT = {stamps.SALT:#x}\nWORD = (1 << 64) - 1",
        *(inspect.getsource(each) for each in (stamps.stamp, stamps._text, stamps.bodies.__wrapped__)),
        "def page(texture, name, area, lifetime, slot, time):\n"
        '    """The page of a put: its ends say which one, and between them is what its texture has."""\n'
        "    ends = stamp(name, area, lifetime, slot, time)\n"
        "    return ends + bodies(texture, PAGE_SIZE)[(slot + time) % BODIES] + ends\n",
    )
)
"""What makes the pages of large programs again."""


def stamped(page: bytes) -> tuple[str, stamps.Stamp] | None:
    """The texture and the stamp of a page of a large program; None for any other page."""
    found = stamps.read(page)
    if found is None or len(page) < 2 * stamps.SIZE:
        return None
    for texture in TEXTURES:
        if stamps.page(found, texture, len(page)) == page:
            return texture, found
    return None


def pattern(page: bytes) -> bytes | None:
    """The least bytes, up to LONGEST, of which the page is made by repetition; None if there are none.

    >>> pattern(b"abab"), pattern(bytes(4096)), pattern(bytes(range(200)))
    (b'ab', b'\\x00', None)
    """
    for length in range(1, min(LONGEST, len(page) // 2) + 1):
        if page[length:] == page[:-length]:
            return page[:length]
    return None


def expression(page: bytes) -> str:
    """The page in Python.

    >>> expression(bytes(4096)), expression(b"short")
    ("repeated('00', 4096)", "b'short'")
    """
    if len(page) <= LONGEST:
        return repr(page)
    if (least := pattern(page)) is not None:
        return f"repeated({least.hex()!r}, {len(page)})"
    return f"unpacked({base64.b85encode(zlib.compress(page, 9)).decode()!r})"
