"""Object ids, indexes, clients and UUIDs that a table can confuse, drawn for each program.

A *relation* is what the numbers of a family have in common: the XOR of their words, their remainder, their
CRC-32, all bits but one. A store that finds pages by such a property alone takes one number for another.
"""

from __future__ import annotations

import random
import zlib
from collections.abc import Callable, Iterator
from functools import cache, lru_cache, partial
from itertools import count, islice, permutations
from typing import Final, NamedTuple, TypeAlias

from tmem.spec.handle import CLIENT_BITS, INDEX_BITS, OBJECT_BITS

Relation: TypeAlias = Callable[[random.Random, int], Iterator[int]]
"""Yields related numbers of the given width in bits, without end; numbers may repeat."""

UUID_BITS: Final = 128
WORD_BITS: Final = 64
WORD: Final = (1 << WORD_BITS) - 1
MODULI: Final = (2**31 - 1, 2**32 - 1, 2**61 - 1, 2**64 - 1, 2**64 - 59, 251, 509, 1021, 65_521)
"""Primes and Mersenne numbers that hash functions divide by; the third is that of Python's `hash`."""
KEPT: Final = (6, 8, 12, 16, 24, 31, 32, 48, 53, 63, 64, 96, 127, 128)
"""Numbers of low bits that a store may keep of a number."""
BORDERS: Final = (1, 2, 3, 4, 5, 6, 6, 6, 7, 8, 8, 9, 10, 12, 12, 16, 18, 20, 24, 24, 30, 31)
"""Exponents of the powers of two at which a tree of fan-out 2 to 256 begins a new node or level."""


class Universe(NamedTuple):
    """The numbers that a program uses."""

    oids: tuple[int, ...]
    indexes: tuple[int, ...]
    clients: tuple[int, ...]
    uuids: tuple[int, ...]


PLAIN_UUIDS: Final = (0xA, 0xB, 0xC, 0xD)


def plain(objects: int, indexes: int, clients: int) -> Universe:
    """Return the universe of small numbers."""
    return Universe(tuple(range(objects)), tuple(range(indexes)), tuple(range(1, clients + 1)), PLAIN_UUIDS)


def universe(key: int, objects: int, indexes: int, clients: int) -> Universe:
    """Return the universe of a 32-bit key, with these numbers of object ids, indexes and clients.

    Keys with equal high halves share their families of numbers, so that a run draws these once.
    """
    seed, choice = key >> 16, key & 0xFFFF
    family, other = choice & 0xFF, choice >> 8
    close = family < CLOSE
    return Universe(
        _numbers("oid", seed, choice if objects > FEW else family, OBJECT_BITS, objects),
        _numbers("close" if close else "index", seed, 0 if close else other, INDEX_BITS, indexes),
        _numbers("client", seed, other & 31, CLIENT_BITS, clients),
        _numbers("uuid", seed, (family ^ other) & 31, UUID_BITS, len(PLAIN_UUIDS)),
    )


FEW: Final = 4
"""Programs share families of up to this number of objects. Larger ones are drawn for each program."""
CLOSE: Final = 24
"""Families, out of 256, in which object ids and indexes are small: a key computed from both confuses them."""

ONE_BIT: Final = 64
"""Families after those, in which object ids differ in one bit: three bits each, so that a seed has all."""


@lru_cache(1 << 12)
def _numbers(kind: str, seed: int, family: int, bits: int, count: int) -> tuple[int, ...]:
    draw = random.Random(f"{kind} {seed} {family}")
    bit = 3 * ((family & 0xFF) - CLOSE)
    if kind == "oid" and 0 <= bit < 3 * ONE_BIT:
        return _family(draw, partial(one_bit_apart, first=bit), bits, count)
    small = kind == "close" or (kind == "oid" and family & 0xFF < CLOSE)
    return _family(draw, consecutive if small else draw.choice(RELATIONS[kind]), bits, count)


def _family(draw: random.Random, relation: Relation, bits: int, count: int) -> tuple[int, ...]:
    found: set[int] = set()
    numbers = []
    for number in islice(relation(draw, bits), 4 * count):
        if number not in found:
            found.add(number)
            numbers.append(number)
            if len(numbers) == count:
                return tuple(numbers)
    while len(numbers) < count:  # the relation has too few
        number = draw.getrandbits(bits)
        if number not in found:
            found.add(number)
            numbers.append(number)
    return tuple(numbers)


# Relations of numbers of any width


def consecutive(draw: random.Random, bits: int) -> Iterator[int]:
    """0, 1, 2, …"""
    yield from range(1 << bits)


def extremes(draw: random.Random, bits: int) -> Iterator[int]:
    """The least and the greatest numbers and the sign bit, some of which stores reserve."""
    top = (1 << bits) - 1
    numbers = [0, top, 1 << (bits - 1), top - 1, top >> 1, 1]
    draw.shuffle(numbers)
    yield from numbers


def one_bit_apart(draw: random.Random, bits: int, first: int | None = None) -> Iterator[int]:
    """A number, and copies of it with one bit changed: each bit in turn from `first` on, or from any."""
    number = draw.choice((0, 7, draw.getrandbits(bits)))
    yield number
    for bit in count(draw.randrange(bits) if first is None else first):
        yield number ^ 1 << bit % bits


def equal_low_bits(draw: random.Random, bits: int) -> Iterator[int]:
    """Numbers that differ above their low bits only."""
    kept = draw.choice([each for each in KEPT if each < bits])
    low = draw.choice((0, 5, draw.getrandbits(kept)))
    yield low
    while True:
        high = draw.getrandbits(bits - kept)
        yield low | draw.choice((high, 1, 1 << (bits - kept - 1))) << kept


def equal_high_bits(draw: random.Random, bits: int) -> Iterator[int]:
    """Large numbers close to each other, which are equal as floats."""
    number = draw.getrandbits(bits) | 1 << (bits - 1)
    while True:
        yield number
        number ^= 1 << draw.randrange(4)


def equal_remainders(draw: random.Random, bits: int) -> Iterator[int]:
    """Numbers that are equal modulo a number that hash functions divide by."""
    modulus = draw.choice([each for each in MODULI if each >> (bits - 1) == 0])
    rest, most = draw.choice((0, 5, draw.randrange(modulus))), (1 << bits) // modulus - 1
    yield rest
    yield rest + modulus
    while True:
        yield rest + modulus * draw.randint(1, most)


def at_a_border(draw: random.Random, bits: int) -> Iterator[int]:
    """Numbers on both sides of a power of two and of its multiples."""
    border = 1 << draw.choice([each for each in BORDERS if each < bits])
    yield from (border - 1, border, 0)
    times = 2
    while border * times >> bits == 0:
        yield from (border * times, border * times - 1)
        times *= 2
    yield from range(border + 1, 1 << bits)


# Relations of numbers of two words and more


def equal_other_words(draw: random.Random, bits: int) -> Iterator[int]:
    """Numbers that differ in one word only."""
    shift = WORD_BITS * draw.randrange(bits // WORD_BITS)
    number = draw.choice((0, draw.getrandbits(bits))) & ~(WORD << shift)
    yield number
    while True:
        yield number | draw.getrandbits(WORD_BITS) << shift


def equal_sums_of_words(draw: random.Random, bits: int) -> Iterator[int]:
    """Numbers whose words have the same sum."""
    number, count = draw.getrandbits(bits), bits // WORD_BITS
    while True:
        one, other = draw.sample(range(count), 2)
        words = _words(number, count)
        by = draw.getrandbits(WORD_BITS)
        words[one] = words[one] + by & WORD
        words[other] = words[other] - by & WORD
        number = _number(words)
        yield number


def equal_xors_of_words(draw: random.Random, bits: int) -> Iterator[int]:
    """Numbers whose words have the same XOR."""
    number, count = draw.getrandbits(bits), bits // WORD_BITS
    while True:
        one, other = draw.sample(range(count), 2)
        by = draw.getrandbits(WORD_BITS)
        number ^= by << WORD_BITS * one | by << WORD_BITS * other
        yield number


def words_in_another_order(draw: random.Random, bits: int) -> Iterator[int]:
    """Numbers with the same words in different orders."""
    count = bits // WORD_BITS
    while True:
        words = [draw.choice((5, draw.getrandbits(WORD_BITS))), *(0 for _ in range(count - 1))]
        if draw.random() < 0.5:
            words = [draw.choice((3, draw.getrandbits(WORD_BITS))) + n for n in range(count)]
        for each in permutations(words):
            yield _number(list(each))


def equal_low_halves_of_words(draw: random.Random, bits: int) -> Iterator[int]:
    """Numbers whose words have equal low 32 bits."""
    number = draw.choice((7, draw.getrandbits(bits)))
    yield number
    while True:
        shift = WORD_BITS * draw.randrange(bits // WORD_BITS) + 32
        yield number ^ draw.choice((1, draw.getrandbits(32) or 1)) << shift


def equal_crc32(draw: random.Random, bits: int) -> Iterator[int]:
    """Numbers whose bytes, the low ones first, have the same CRC-32."""
    number, differences = draw.getrandbits(bits), crc_differences(bits)
    while True:
        yield number
        number ^= draw.choice(differences)


def equal_fnv(draw: random.Random, bits: int) -> Iterator[int]:
    """Numbers whose bytes, the low ones first or the high ones, have the same 32-bit FNV-1a hash."""
    rest = draw.getrandbits(bits - FNV_BYTES * 8)
    little = draw.random() < 0.5
    pairs = list(FNV_PAIRS)
    draw.shuffle(pairs)
    for pair in pairs:
        for first in pair:
            if little:
                yield rest << FNV_BYTES * 8 | first
            else:
                yield _reversed(first, FNV_BYTES) << bits - FNV_BYTES * 8 | rest


FNV_BYTES: Final = 4
FNV_PAIRS: Final = (
    *((0xB20CCDB0, 0xA6AFDE02), (0xA1F915F8, 0x58C36E9C), (0xDF941A17, 0xC638AB73)),
    *((0x2B389364, 0x4E3D4312), (0x382BB32, 0xF72B0A60), (0x2FE61EF9, 0x28C2459D)),
    *((0x8A8B1570, 0xB3255E14), (0x95DE1A7D, 0x9CF6DB59), (0x1A740FDF, 0x138846F3)),
    *((0x618FB7F1, 0xA8A39514), (0xE1291078, 0xEE57611C), (0xB083CC6, 0xFBC7FA5B)),
)
"""Pairs of prefixes of four bytes, as little-endian numbers, with the same 32-bit FNV-1a hash."""


@cache
def crc_differences(bits: int) -> tuple[int, ...]:
    """Return numbers that can be XORed to any number without changing the CRC-32 of its bytes.

    CRC-32 is linear: the change of the CRC depends only on the changed bits. So Gaussian elimination over the
    changes by single bits finds the combinations that do not change the CRC.
    """
    size = bits // 8
    nothing = zlib.crc32(bytes(size))
    draw = random.Random(bits)
    order = list(range(bits))
    draw.shuffle(order)
    pivots: dict[int, tuple[int, int]] = {}
    found = []
    for bit in order:
        change = 1 << bit
        crc = zlib.crc32(change.to_bytes(size, "little")) ^ nothing
        while crc and (lead := crc.bit_length()) in pivots:
            other, combination = pivots[lead]
            crc, change = crc ^ other, change ^ combination
        if crc:
            pivots[crc.bit_length()] = crc, change
        else:
            found.append(change)
    return tuple(found)


def _words(number: int, count: int) -> list[int]:
    return [number >> WORD_BITS * n & WORD for n in range(count)]


def _number(words: list[int]) -> int:
    return sum(word << WORD_BITS * n for n, word in enumerate(words))


def _reversed(number: int, size: int) -> int:
    return int.from_bytes(number.to_bytes(size, "little"), "big")


OBJECT_IDS: Final[tuple[Relation, ...]] = (
    *(consecutive, extremes, one_bit_apart, one_bit_apart, equal_low_bits, equal_high_bits),
    *(equal_remainders, equal_remainders, equal_other_words, equal_other_words, equal_sums_of_words),
    *(equal_xors_of_words, words_in_another_order, equal_low_halves_of_words, equal_crc32, equal_fnv),
)
INDEXES: Final[tuple[Relation, ...]] = (
    *(consecutive, extremes, one_bit_apart, equal_low_bits, equal_low_bits, equal_high_bits),
    *(equal_remainders, at_a_border, at_a_border),
)
RELATIONS: Final[dict[str, tuple[Relation, ...]]] = {
    "oid": OBJECT_IDS,
    "index": INDEXES,
    "client": (consecutive, extremes, one_bit_apart, equal_low_bits),
    "uuid": (
        *(one_bit_apart, equal_low_bits, equal_other_words, equal_sums_of_words, equal_xors_of_words),
        *(words_in_another_order, equal_low_halves_of_words, equal_remainders),
    ),
}
