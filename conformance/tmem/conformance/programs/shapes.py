"""Hostile pages for stores that compress pages, keep equal ones once, or guess their content."""

from __future__ import annotations

import random
import zlib
from collections.abc import Callable, Iterable, Iterator
from itertools import count
from typing import Final, TypeAlias

import lz4.block

Shaped: TypeAlias = tuple[str, bytes]
"""The kind of a page, and the page."""

WORD: Final = 8
PERIODS: Final = (1, 2, 4, 8, 16, 64)
"""Lengths in bytes of the patterns that fill a page."""
NEAR: Final = 64
"""Most bytes between the compressed size of a page and the page size for the two to count as near."""
CODECS: Final[tuple[Callable[[bytes], bytes], ...]] = (
    lambda page: bytes(lz4.block.compress(page, store_size=False)),
    lambda page: zlib.compress(page, 1),
)
ROUNDS: Final = 8
"""How often noise is drawn to find a page of each compressed size."""
NEAR_IN_GROUP: Final = 8
"""Pages in a group of those that compress to nearly a page."""


def hostile(draw: random.Random, size: int) -> Iterator[Iterable[Shaped]]:
    """Yield groups of hostile pages of `size` bytes, without end; a group has pages that stores confuse."""
    yield ("all zero", bytes(size)), ("one byte throughout", b"\xff" * size)
    near = near_a_page(draw, size)
    for number in count():
        yield _alike(draw, size)
        yield _equal_checksums(draw, size)
        yield _periodic(draw, size, PERIODS[number % len(PERIODS)])
        yield _periodic(draw, size, PERIODS[(number + 3) % len(PERIODS)])
        yield _equal_words_at_the_ends(draw, size)
        yield _zeroes(draw, size)
        some = near[number * NEAR_IN_GROUP : (number + 1) * NEAR_IN_GROUP]
        yield (("compresses to about a page", page) for page in some)


def _alike(draw: random.Random, size: int) -> Iterator[Shaped]:
    noise = draw.randbytes(size)
    flipped = bytearray(noise)
    flipped[draw.randrange(size)] ^= 1 << draw.randrange(8)
    yield "equal but for one bit", bytes(flipped)
    yield "random", noise
    for kept in (size // 4, min(64, size // 4)):
        yield "equal at both ends", noise[:kept] + draw.randbytes(size - 2 * kept) + noise[size - kept :]


def _equal_checksums(draw: random.Random, size: int) -> Iterator[Shaped]:
    noise = draw.randbytes(size)
    yield "random", noise
    swapped = bytearray(noise)
    swapped[0], swapped[-1] = swapped[-1], swapped[0]
    yield "equal byte sums", bytes(swapped)
    if size >= 4 * WORD:
        one, other = (WORD * n for n in draw.sample(range(size // WORD), 2))
        moved = bytearray(noise)
        moved[one : one + WORD], moved[other : other + WORD] = (
            noise[other : other + WORD],
            noise[one : one + WORD],
        )
        yield "equal word sums", bytes(moved)
        yield "equal CRC-32", with_equal_crc32(draw, noise)
        yield "equal Adler-32", with_equal_adler32(draw, noise)


def with_equal_crc32(draw: random.Random, page: bytes) -> bytes:
    """Return another page with the same CRC-32. The page must have at least eight bytes.

    CRC-32 is linear: adding its polynomial, x^32 + … + 1, to a message at any place does not change the
    remainder. So the two pages differ by the polynomial, shifted by whole bytes.
    """
    at = draw.randrange(len(page) - len(CRC_POLYNOMIAL) + 1)
    changed = bytearray(page)
    for n, byte in enumerate(CRC_POLYNOMIAL):
        changed[at + n] ^= byte
    return bytes(changed)


CRC_POLYNOMIAL: Final = ((0xEDB88320 << 1 | 1) & (1 << 33) - 1).to_bytes(5, "little")
"""The generator polynomial, lowest bit first as CRC-32 reads bytes."""


def with_equal_adler32(draw: random.Random, page: bytes) -> bytes:
    """Return another page with the same Adler-32 and byte sum: +1, -2, +1 on three bytes in a row."""
    for at in draw.sample(range(len(page) - 2), len(page) - 2):
        left, middle, right = page[at : at + 3]
        if left < 255 and middle > 1 and right < 255:
            return page[:at] + bytes([left + 1, middle - 2, right + 1]) + page[at + 3 :]
    return page


def _periodic(draw: random.Random, size: int, period: int) -> Iterator[Shaped]:
    page = (draw.randbytes(period) * (size // period + 1))[:size]
    yield f"period {period}", page
    for at in (draw.choice((0, size - 1)), draw.randrange(size)):
        broken = bytearray(page)
        broken[at] ^= 1 << draw.randrange(8)
        yield f"period {period}, broken at one place", bytes(broken)


def _equal_words_at_the_ends(draw: random.Random, size: int) -> Iterator[Shaped]:
    for width in (WORD, draw.choice((1, 2, 4, 16))):
        if size > 2 * width:
            noise = draw.randbytes(size - width)
            yield "first word equal to the last", noise + noise[:width]


def _zeroes(draw: random.Random, size: int) -> Iterator[Shaped]:
    cut = draw.randrange(1, size) if size > 1 else 0
    noise = draw.randbytes(size)
    yield "zeroes at the end", noise[:cut] + bytes(size - cut)
    yield "zeroes at the end", noise[: cut // 2] + bytes(size - cut // 2)
    yield "zeroes at the beginning", bytes(size - cut) + noise[:cut]


def near_a_page(draw: random.Random, size: int) -> list[bytes]:
    """Return for each codec a page of each compressed size within NEAR of the page size, if one is found.

    Noise that ends in zeroes, or in a copy of its beginning, compresses by about the length of that end.
    """
    found: list[dict[int, bytes]] = [{} for _ in CODECS]
    for _ in range(ROUNDS):
        if all(sizes.keys() >= set(range(size - NEAR, size + 1)) for sizes in found):
            break
        noise = draw.randbytes(size)
        for kept in range(size, max(size - 2 * NEAR, 0), -1):
            for page in (noise[:kept] + bytes(size - kept), noise[:kept] + noise[: size - kept]):
                for sizes, compress in zip(found, CODECS, strict=True):
                    if abs((compressed := len(compress(page))) - size) <= NEAR:
                        sizes.setdefault(compressed, page)
    pages = list(dict.fromkeys(page for sizes in found for page in sizes.values()))
    draw.shuffle(pages)
    return pages
