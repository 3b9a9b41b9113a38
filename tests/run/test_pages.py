"""The corpus is what it says: distinct real and hostile pages."""

import pytest

from tmem.conformance.programs.pages import COUNT, corpus
from tmem.conformance.programs.transcript import Pages


@pytest.mark.parametrize("size", [16, 64, 4096, 65536])
def test_pages_are_distinct_and_of_one_size(size: int) -> None:
    pages = corpus(size)
    assert len(set(pages.pages)) == len(pages.pages) == COUNT
    assert {len(page) for page in pages.pages} == {size}
    assert pages.scribble not in pages.pages


def test_every_kind_is_there() -> None:
    kinds = set(corpus(4096).kinds)
    assert kinds >= {"all zero", "same-filled", "random", "equal but for one byte", "equal at both ends"}
    assert kinds >= {"equal byte sums", "trailing zeroes", "executable", "source text", "SQLite"}


def test_hostile_neighbours_resemble_each_other() -> None:
    pages = corpus(4096)
    at = pages.kinds.index("random")
    noise, flipped, middle, swapped = pages.pages[at : at + 4]
    assert sum(a != b for a, b in zip(noise, flipped, strict=True)) == 1
    assert noise[:1024] == middle[:1024]
    assert noise[-1024:] == middle[-1024:]
    assert sum(noise) == sum(swapped)


def test_tiny_pages_are_still_distinct() -> None:
    pages = corpus(1)
    assert len(set(pages.pages)) == len(pages.pages) > 100


def test_names_go_on_after_z() -> None:
    pages = corpus(4096)
    name = Pages(pages)
    names = [name(page).split(" (")[0] for page in pages.pages[:28]]
    assert [names[0], names[25], names[26], names[27]] == ["page A", "page Z", "page AA", "page AB"]
    assert name(pages.pages[0]) == "page A"
