"""Families of handles have the relation that they are drawn for, and programs use numbers that differ."""

from __future__ import annotations

import random
import zlib
from collections.abc import Callable
from itertools import islice

import pytest

from tmem.conformance.programs import handles
from tmem.conformance.programs.handles import MODULI, Relation, plain, universe
from tmem.conformance.programs.program import HEADER, decode
from tmem.conformance.programs.runner import twins
from tmem.spec.handle import words

Shared = Callable[[int], object]


def xor_of_words(oid: int) -> object:
    low, middle, high = words(oid)
    return low ^ middle ^ high


def crc(oid: int) -> object:
    return zlib.crc32(oid.to_bytes(24, "little"))


RELATIONS: list[tuple[Relation, Shared]] = [
    (handles.equal_xors_of_words, xor_of_words),
    (handles.equal_sums_of_words, lambda oid: sum(words(oid)) % (1 << 64)),
    (handles.words_in_another_order, lambda oid: tuple(sorted(words(oid)))),
    (handles.equal_low_halves_of_words, lambda oid: tuple(word % (1 << 32) for word in words(oid))),
    (handles.equal_crc32, crc),
]


@pytest.mark.parametrize(("relation", "shared"), RELATIONS, ids=lambda each: getattr(each, "__name__", ""))
@pytest.mark.parametrize("seed", range(10))
def test_numbers_of_a_family_share_a_property(relation: Relation, shared: Shared, seed: int) -> None:
    numbers = list(islice(relation(random.Random(seed), 192), 3))
    assert len(set(numbers)) >= 2
    assert len(set(map(shared, numbers))) == 1


@pytest.mark.parametrize("bits", [32, 192])
@pytest.mark.parametrize("seed", range(10))
def test_equal_remainders(seed: int, bits: int) -> None:
    one, other, third = islice(handles.equal_remainders(random.Random(seed), bits), 3)
    assert one != other
    assert any((other - one) % modulus == (third - one) % modulus == 0 for modulus in MODULI)


@pytest.mark.parametrize("seed", range(10))
def test_one_bit_anywhere(seed: int) -> None:
    first, *others = islice(handles.one_bit_apart(random.Random(seed), 192), 20)
    assert {(first ^ other).bit_count() for other in others} == {1}


@pytest.mark.parametrize("pair", handles.FNV_PAIRS)
def test_equal_fnv(pair: tuple[int, int]) -> None:
    one, other = pair
    assert one != other
    assert _fnv(one.to_bytes(4, "little")) == _fnv(other.to_bytes(4, "little"))


def test_fnv_of_whole_ids_is_equal_in_either_byte_order() -> None:
    for seed in range(20):
        one, other = islice(handles.equal_fnv(random.Random(seed), 192), 2)
        assert any(
            _fnv(one.to_bytes(24, order)) == _fnv(other.to_bytes(24, order)) for order in ("little", "big")
        )


def _fnv(data: bytes) -> int:
    found = 0x811C9DC5
    for byte in data:
        found = (found ^ byte) * 0x01000193 & 0xFFFFFFFF
    return found


@pytest.mark.parametrize("shape", [(3, 3), (16, 1), (1, 16)])
def test_the_numbers_of_a_universe_differ_and_fit(shape: tuple[int, int]) -> None:
    for key in range(0, 1 << 16, 97):
        drawn = universe(key, *shape, 4)
        assert [len(set(numbers)) for numbers in drawn] == [*shape, 4, 4]
        for numbers, bits in zip(drawn, (192, 32, 16, 128), strict=True):
            assert all(0 <= number < 1 << bits for number in numbers)


def test_each_seed_has_universes_of_its_own() -> None:
    first, second = ({universe(seed << 16 | n, 3, 3, 2).oids for n in range(256)} for seed in (1, 2))
    assert len(first & second) < 30
    assert plain(3, 3, 2).oids in first & second


def test_programs_have_one_to_four_clients_and_many_slots() -> None:
    draw = random.Random(1)
    programs = [decode(draw.randbytes(HEADER + 100), 768) for _ in range(300)]
    assert {len(each.universe.clients) for each in programs} == {1, 2, 3, 4}
    used = [{step.client_row for step in each.steps} for each in programs]
    assert {0, 1, 2, 3} in used
    assert any(len({(step.oid_row, step.index_row) for step in each.steps}) >= 16 for each in programs)
    assert any(map(twins, programs))
    assert not all(map(twins, programs))
