"""The corpus is what it says: distinct real and hostile pages, drawn for each seed."""

from __future__ import annotations

import random
import zlib

import pytest

from tmem.conformance.programs.pages import COUNT, corpus
from tmem.conformance.programs.shapes import CODECS, NEAR, with_equal_adler32, with_equal_crc32
from tmem.conformance.programs.transcript import Pages

SEEDS = (0, 1, 2)


def of_kind(kind: str, seed: int = 0) -> list[int]:
    return [n for n, each in enumerate(corpus(4096, seed).kinds) if each == kind]


@pytest.mark.parametrize("size", [16, 64, 4096, pytest.param(65536, marks=pytest.mark.long)])
def test_pages_are_distinct_and_of_one_size(size: int) -> None:
    pages = corpus(size)
    assert len(set(pages.pages)) == len(pages.pages) == COUNT
    assert {len(page) for page in pages.pages} == {size}
    assert pages.scribble not in pages.pages


def test_each_seed_has_its_own_pages_and_always_the_same() -> None:
    first, second = corpus(4096, 1), corpus(4096, 2)
    corpus.cache_clear()
    assert corpus(4096, 1) == first
    kinds = dict(zip(second.pages, second.kinds, strict=True))
    assert {kinds[page] for page in {*first.pages} & {*second.pages}} <= {
        *("all zero", "one byte throughout", "executable", "source text", "SQLite"),
    }


@pytest.mark.parametrize("seed", SEEDS)
def test_every_kind_of_page_occurs(seed: int) -> None:
    kinds = set(corpus(4096, seed).kinds)
    assert kinds >= {"all zero", "random", "equal but for one bit", "equal at both ends"}
    assert kinds >= {"equal byte sums", "equal word sums", "equal CRC-32", "equal Adler-32"}
    assert kinds >= {"zeroes at the end", "zeroes at the beginning", "first word equal to the last"}
    assert kinds >= {"executable", "source text", "SQLite", "compresses to about a page"}
    for period in (1, 2, 4, 8, 16, 64):
        assert kinds >= {f"period {period}", f"period {period}, broken at one place"}


@pytest.mark.parametrize("seed", SEEDS)
def test_pages_compress_to_every_size_near_a_page(seed: int) -> None:
    pages = corpus(4096, seed).pages
    for compress in CODECS:
        sizes = {len(compress(page)) - 4096 for page in pages}
        assert sizes >= set(range(-NEAR, 1)), "a size is missing"
        assert max(sizes) == len(compress(random.Random(1).randbytes(4096))) - 4096


@pytest.mark.parametrize("seed", SEEDS)
def test_pages_that_a_store_may_confuse_are_neighbours(seed: int) -> None:
    pages = corpus(4096, seed).pages
    for at in of_kind("equal but for one bit", seed):
        changed = int.from_bytes(pages[at]) ^ int.from_bytes(pages[at + 1])
        assert changed.bit_count() == 1
    for at in of_kind("equal byte sums", seed):
        noise, swapped, moved, crc, adler = pages[at - 1 : at + 4]
        assert sum(noise) == sum(swapped)
        assert sum(_words(noise)) == sum(_words(moved))
        assert zlib.crc32(noise) == zlib.crc32(crc)
        assert zlib.adler32(noise) == zlib.adler32(adler)
        assert len({noise, swapped, moved, crc, adler}) == 5
    same = of_kind("equal at both ends", seed)
    assert all(pages[at][:64] == pages[at - 1][:64] and pages[at][-64:] == pages[at - 1][-64:] for at in same)


def test_a_page_of_words_that_are_equal_at_the_ends_only() -> None:
    pages = corpus(4096).pages
    ends = [pages[at] for at in of_kind("first word equal to the last")]
    assert any(page[:8] == page[-8:] and page[8:16] != page[:8] for page in ends)


@pytest.mark.parametrize("seed", range(20))
def test_pages_of_equal_checksums(seed: int) -> None:
    draw = random.Random(seed)
    page = draw.randbytes(draw.randrange(32, 300))
    for other, checksum in (
        (with_equal_crc32(draw, page), zlib.crc32),
        (with_equal_adler32(draw, page), zlib.adler32),
    ):
        assert other != page
        assert checksum(other) == checksum(page)


def _words(page: bytes) -> list[int]:
    return [int.from_bytes(page[n : n + 8], "little") for n in range(0, len(page), 8)]


def test_tiny_pages_are_still_distinct() -> None:
    pages = corpus(1)
    assert len(set(pages.pages)) == len(pages.pages) > 100


def test_names_of_pages_continue_after_z() -> None:
    pages = corpus(4096)
    name = Pages(pages)
    names = [name(page).split(" (")[0] for page in pages.pages[:28]]
    assert [names[0], names[25], names[26], names[27]] == ["page A", "page Z", "page AA", "page AB"]
    assert name(pages.pages[0]) == "page A"
