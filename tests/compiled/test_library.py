"""The C interface: its header, how libraries are loaded, and what the binding finds out about a call."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from tests.compiled.conftest import Build, tool
from tmem.conformance.compiled.interface import FUNCTIONS
from tmem.conformance.compiled.library import LibraryError, load
from tmem.conformance.compiled.store import LibraryFaultError, Store, open_store
from tmem.spec.abi import errors
from tmem.spec.clauses import CLAUSES

PAGE = bytes(range(256)) * 16


def opened(build: Build, *macros: str) -> Store:
    return open_store(load(build("one_page.c", *macros)))


@pytest.mark.parametrize("language", ["c", "c++"])
def test_the_header_compiles_without_a_warning(headers: Path, language: str) -> None:
    compiler = tool("cc", "gcc", "clang") if language == "c" else tool("g++", "clang++")
    command = [compiler, "-Wall", "-Wextra", "-Werror", "-fsyntax-only", "-x", language, f"-I{headers}", "-"]
    subprocess.run(command, input=b'#include "tmem.h"\n#include "tmem.h"\n', check=True)


def test_every_function_names_clauses_that_there_are() -> None:
    named = {clause for function in FUNCTIONS.values() for clause in function.clauses}
    assert named <= set(CLAUSES)
    assert {"TMEM-PUT-3", "TMEM-GET-2", "TMEM-FLUSH-2", "TMEM-POOL-3"} <= named


def test_a_page_comes_back(build: Build) -> None:
    store = opened(build)
    assert store.get(1, 0, 7, 0) is None
    assert store.put(1, 0, 7, 0, PAGE) is True
    assert store.get(1, 0, 7, 0) == PAGE
    assert store.put(1, 0, 7, 0, memoryview(bytearray(PAGE[::-1]))) is True
    assert store.get(1, 0, 7, 0) == PAGE[::-1]
    assert store.flush_page(1, 0, 7, 0) is True
    assert store.flush_object(1, 0, 7) is False
    assert store.get(1, 0, 7, 0) is None
    store.close()


def test_pages_of_another_size(build: Build) -> None:
    store = opened(build, "PAGE=65536")
    assert store.page_size == 65536
    assert store.put(1, 0, 7, 0, PAGE * 16) is True
    assert store.get(1, 0, 7, 0) == PAGE * 16
    with pytest.raises(ValueError, match="65536 bytes, not 4096"):
        store.put(1, 0, 7, 0, PAGE)


def test_word_two_of_an_object_id_is_the_most_significant(build: Build) -> None:
    store = opened(build, "TELLS_OID")
    assert store.put(1, 0, 3 << 128 | 2 << 64 | 1, 0, PAGE) is True
    assert store.put(1, 0, 1 << 128 | 2 << 64 | 3, 0, PAGE) is False


def test_word_one_of_a_uuid_is_the_most_significant(build: Build) -> None:
    store = opened(build, "TELLS_UUID")
    assert store.new_pool(1, 2, 4 << 64 | 2) == 42
    assert store.new_pool(1, 0, None) == 0


def test_what_a_library_does_not_offer_the_store_does_not_have(build: Build) -> None:
    bare, full = opened(build), opened(build, "OFFERS")
    assert not hasattr(bare, "reclaim")
    assert not hasattr(bare, "pool_flags")
    assert not hasattr(bare, "claims")
    full.put(1, 0, 7, 0, PAGE)
    assert full.reclaim(1) == 1
    assert full.pool_flags(1, 0) == 1 << 24
    assert full.claims == {"retain", "lru"}


@pytest.mark.parametrize("fault", ["WRITES_INTO_PUT", "WRITES_BEFORE_PUT", "ANSWERS_TWO"])
def test_a_put_that_writes_into_its_page_or_answers_two(build: Build, fault: str) -> None:
    with pytest.raises(LibraryFaultError, match="tmem_put"):
        opened(build, fault).put(1, 0, 7, 0, PAGE)


@pytest.mark.parametrize("fault", ["WRITES_BEHIND_GET", "WRITES_BEFORE_GET"])
def test_a_hit_that_writes_outside_of_its_page(build: Build, fault: str) -> None:
    store = opened(build, fault)
    store.put(1, 0, 7, 0, PAGE)
    with pytest.raises(LibraryFaultError, match="outside of the page"):
        store.get(1, 0, 7, 0)


def test_a_miss_that_writes_into_the_buffer(build: Build) -> None:
    with pytest.raises(LibraryFaultError, match="missed and wrote"):
        opened(build, "WRITES_ON_MISS").get(1, 0, 7, 0)


def test_arguments_that_c_has_no_room_for_never_reach_the_library(build: Build) -> None:
    store = opened(build)
    for client, oid, index in (
        (1 << 16, 7, 0),
        (-1, 7, 0),
        (1, 1 << 192, 0),
        (1, -1, 0),
        (1, 7, 1 << 32),
        (1, 7, -1),
    ):
        with pytest.raises(OverflowError):
            store.put(client, 0, oid, index, PAGE)
        with pytest.raises(OverflowError):
            store.get(client, 0, oid, index)
        with pytest.raises(OverflowError):
            store.flush_page(client, 0, oid, index)
    with pytest.raises(OSError, match="ENODEV") as refused:
        store.destroy_pool(1, 5)
    assert refused.value.errno == errors.ENODEV
    with pytest.raises(OSError, match="EPERM"):
        store.new_pool(1, 0x100)


def test_a_library_that_cannot_be_used_is_named_in_one_line(build: Build, tmp_path: Path) -> None:
    with pytest.raises(LibraryError, match="there is no file"):
        load(tmp_path / "libnone.so")
    (tmp_path / "libtext.so").write_text("no library")
    with pytest.raises(LibraryError, match="loading it failed"):
        load(tmp_path / "libtext.so")
    with pytest.raises(LibraryError, match="it lacks tmem_flush_object; a store exports"):
        load(build("one_page.c", "NO_FLUSH_OBJECT"))
    with pytest.raises(OSError, match="NULL"):
        opened(build, "OPENS_NOT")
