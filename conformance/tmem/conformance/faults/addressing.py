"""Faults of addressing: handles that are confused with others because some bits are ignored."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Callable
from typing import TypeAlias

from tmem.conformance.conforming.wrapper import At, Page, Wrapper
from tmem.conformance.faults.fault import LOST, register
from tmem.spec.backend import Backend
from tmem.spec.handle import in_range, words

Rewrite: TypeAlias = Callable[[int, int], At]
WORD = (1 << 64) - 1
ALL = (1 << 192) - 1
INDEX = (1 << 32) - 1
BITS = ("TMEM-HANDLE-2", "TMEM-HANDLE-1", *LOST)
SLOTS = ("TMEM-HANDLE-1", "TMEM-HANDLE-2", *LOST)


class Readdressed(Wrapper):
    """Sends every operation to a slot given by a function of object id and index that is not one-to-one."""

    def __init__(self, inner: Backend, rewrite: Rewrite) -> None:
        super().__init__(inner)
        self.rewrite = rewrite

    def at(self, oid: int, index: int) -> At:
        """Return the slot that is used instead; arguments out of range stay, for the backend to refuse."""
        return self.rewrite(oid, index) if in_range(oid, index) else (oid, index)

    def put(self, client: int, pool: int, oid: int, index: int, page: Page) -> bool:
        return super().put(client, pool, *self.at(oid, index), page)

    def get(self, client: int, pool: int, oid: int, index: int) -> bytes | None:
        return super().get(client, pool, *self.at(oid, index))

    def flush_page(self, client: int, pool: int, oid: int, index: int) -> bool:
        return super().flush_page(client, pool, *self.at(oid, index))

    def flush_object(self, client: int, pool: int, oid: int) -> bool:
        return super().flush_object(client, pool, self.at(oid, 0)[0])


def readdress(*clauses: str) -> Callable[[Rewrite], Rewrite]:
    """Register a function that maps a handle to the one that is used instead."""

    def decorate(rewrite: Rewrite) -> Rewrite:
        register(rewrite, lambda inner: Readdressed(inner, rewrite), clauses)
        return rewrite

    return decorate


@readdress(*BITS)
def object_id_low_word(oid: int, index: int) -> At:
    """Only the low 64 bits of an object id count."""
    return oid & WORD, index


@readdress(*BITS)
def object_id_two_words(oid: int, index: int) -> At:
    """The most significant word of an object id is dropped."""
    return oid & (1 << 128) - 1, index


@readdress(*BITS)
def object_id_middle_word_lost(oid: int, index: int) -> At:
    """The middle word of an object id is dropped."""
    return oid & ~(WORD << 64), index


@readdress(*SLOTS)
def object_id_high_words_only(oid: int, index: int) -> At:
    """The least significant word of an object id is dropped."""
    return oid >> 64, index


@readdress(*BITS)
def object_id_top_bit_lost(oid: int, index: int) -> At:
    """Bit 191 of an object id is dropped."""
    return oid & ALL >> 1, index


@readdress(*SLOTS)
def object_id_words_xored(oid: int, index: int) -> At:
    """The words of an object id are folded into one by XOR."""
    low, middle, high = words(oid)
    return low ^ middle ^ high, index


@readdress(*SLOTS)
def object_id_words_added(oid: int, index: int) -> At:
    """The words of an object id are folded into one by addition."""
    return sum(words(oid)) & WORD, index


@readdress(*SLOTS)
def object_id_words_in_any_order(oid: int, index: int) -> At:
    """Object ids with the same words in another order are confused."""
    low, middle, high = sorted(words(oid))
    return low | middle << 64 | high << 128, index


@readdress(*SLOTS)
def object_id_32_bits_a_word(oid: int, index: int) -> At:
    """Only the low 32 bits of each word of an object id count."""
    return oid & (INDEX | INDEX << 64 | INDEX << 128), index


@readdress(*SLOTS)
def object_id_signed_word(oid: int, index: int) -> At:
    """The low word of an object id loses its sign bit."""
    return oid & ~(1 << 63), index


@readdress(*SLOTS)
def object_id_modulo_2_61(oid: int, index: int) -> At:
    """Object ids are compared by their remainder modulo 2^61-1, which is how Python hashes integers."""
    return oid % ((1 << 61) - 1), index


@readdress(*SLOTS)
def object_id_modulo_2_31(oid: int, index: int) -> At:
    """Object ids are compared by their remainder modulo 2^31-1."""
    return oid % ((1 << 31) - 1), index


@readdress(*SLOTS)
def object_id_modulo_2_64(oid: int, index: int) -> At:
    """Object ids are compared modulo 2^64-1, by the sum of their words with end-around carry."""
    return oid % WORD, index


@readdress(*BITS)
def object_id_two_words_in_a_bucket(oid: int, index: int) -> At:
    """A table has 256 buckets and does not compare the most significant word within a bucket."""
    low, middle, high = words(oid)
    bucket = ((low ^ middle ^ high) * 0x9E3779B97F4A7C15 & WORD) >> 56
    return oid & (1 << 128) - 1 | bucket << 128, index


@readdress(*SLOTS)
def object_id_by_crc32(oid: int, index: int) -> At:
    """Object ids are compared by the CRC-32 of their bytes."""
    return zlib.crc32(oid.to_bytes(24, "little")), index


@readdress(*SLOTS)
def object_id_by_fnv(oid: int, index: int) -> At:
    """Object ids are compared by the 32-bit FNV-1a hash of their bytes."""
    found = 0x811C9DC5
    for byte in oid.to_bytes(24, "little"):
        found = (found ^ byte) * 0x01000193 & INDEX
    return found, index


@readdress(*BITS)
def object_id_bit_77_lost(oid: int, index: int) -> At:
    """One bit in the middle of an object id is not compared."""
    return oid & ~(1 << 77), index


@readdress(*SLOTS)
def index_modulo_65521(oid: int, index: int) -> At:
    """Indexes are compared by their remainder modulo a prime."""
    return oid, index % 65_521


@readdress(*SLOTS)
def object_id_as_double(oid: int, index: int) -> At:
    """Object ids are compared as floating-point numbers."""
    return int(float(oid)) & ALL, index


@readdress(*SLOTS)
def object_id_all_ones_is_zero(oid: int, index: int) -> At:
    """The object id of all ones is read as «none» and becomes object 0."""
    return 0 if oid == ALL else oid, index


@readdress(*SLOTS)
def object_id_last_bit_lost(oid: int, index: int) -> At:
    """Object ids are treated as aligned addresses: their last bit is used as a tag."""
    return oid & ~1, index


@readdress(*BITS)
def index_31_bits(oid: int, index: int) -> At:
    """An index loses its sign bit."""
    return oid, index & INDEX >> 1


@readdress(*BITS)
def index_24_bits(oid: int, index: int) -> At:
    """An index is packed into 24 bits."""
    return oid, index & (1 << 24) - 1


@readdress(*BITS)
def index_16_bits(oid: int, index: int) -> At:
    """An index is stored in 16 bits."""
    return oid, index & 0xFFFF


@readdress(*BITS)
def index_8_bits(oid: int, index: int) -> At:
    """An index is stored in a byte."""
    return oid, index & 0xFF


@readdress(*BITS)
def index_6_bits(oid: int, index: int) -> At:
    """Only one level of the radix tree is searched, so that index 64 is index 0."""
    return oid, index & 63


@readdress(*SLOTS)
def index_64_is_63(oid: int, index: int) -> At:
    """The border between two nodes of the radix tree is off by one."""
    return oid, 63 if index == 64 else index


@readdress(*BITS)
def index_12_bits(oid: int, index: int) -> At:
    """The radix tree has two levels only, so that index 4096 is index 0."""
    return oid, index & 0xFFF


@readdress(*SLOTS)
def index_saturates(oid: int, index: int) -> At:
    """An index greater than 2^31 is replaced by 2^31."""
    return oid, min(index, 1 << 31)


@readdress(*SLOTS)
def index_all_ones_is_zero(oid: int, index: int) -> At:
    """Index 2^32-1 is read as «none» and becomes index 0."""
    return oid, 0 if index == INDEX else index


@readdress(*SLOTS)
def index_as_float(oid: int, index: int) -> At:
    """Indexes are stored in single precision."""
    return oid, int(struct.unpack("f", struct.pack("f", index))[0]) & INDEX


@readdress(*SLOTS, "TMEM-FLUSH-2")
def key_by_sum(oid: int, index: int) -> At:
    """Object id and index are added up to one key."""
    return (oid + index) & ALL, 0


@readdress(*SLOTS, "TMEM-FLUSH-2")
def key_by_xor(oid: int, index: int) -> At:
    """Object id and index are folded into one key by XOR."""
    return oid ^ index, 0


@readdress(*SLOTS, "TMEM-FLUSH-2")
def key_overlaps(oid: int, index: int) -> At:
    """Object id and index are packed into one key with 16 bits for the index."""
    return ((oid << 16) + index) & ALL, 0


@readdress(*SLOTS, "TMEM-FLUSH-2")
def key_without_object(oid: int, index: int) -> At:
    """Pages are found by their index alone."""
    return 0, index


@readdress(*SLOTS, "TMEM-FLUSH-2")
def key_without_index(oid: int, index: int) -> At:
    """An object has room for one page."""
    return oid, 0
