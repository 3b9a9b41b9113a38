"""Offsets, sizes and byte order of the ABI's structs, as a C compiler sees them."""

from __future__ import annotations

import json
import os
import shutil
import struct
import subprocess
from pathlib import Path
from typing import TypedDict

import pytest

from tmem.spec import Handle
from tmem.spec.abi.commands import Command, Subop
from tmem.spec.abi.layouts import (
    CREAT,
    CTRL,
    GEN,
    HANDLE,
    HANDLE_SIZE,
    HEAD,
    OP_SIZE,
    Creat,
    Ctrl,
    Gen,
    Members,
    TmemOp,
    encode,
    encode_handle,
)

SOURCE = Path(__file__).with_name("abi_layout.c")
SAMPLES: dict[str, bytes] = {
    "creat": encode(TmemOp(Command.NEW_POOL, -2, Creat(uuid=(2 << 64) | 1, flags=3, arg1=4))),
    "ctrl": encode(
        TmemOp(
            Command.CONTROL,
            -2,
            Ctrl(Subop.SAVE_BEGIN, cli_id=1, arg1=2, arg2=3, oid=(6 << 128) | (5 << 64) | 4, buf=7),
        )
    ),
    "gen": encode(
        TmemOp(Command.PUT_PAGE, -2, Gen((3 << 128) | (2 << 64) | 1, 4, 5, 6, 7, (0x89 << 56) | 0x1)),
    ),
    "handle": encode_handle(Handle(pool=1, oid=(5 << 128) | (4 << 64) | 3, index=2)),
}


class Seen(TypedDict):
    """What the C program prints."""

    sizes: dict[str, int]
    members: dict[str, dict[str, list[int]]]
    samples: dict[str, str]


@pytest.fixture(scope="module")
def c(tmp_path_factory: pytest.TempPathFactory) -> Seen:
    """The structs as the machine's C compiler lays them out, for a 64-bit little-endian guest."""
    compiler = shutil.which("cc") or shutil.which("gcc") or shutil.which("clang")
    if compiler is None:
        message = "no C compiler (cc, gcc, clang): the ABI's layouts go unchecked"
        if os.environ.get("CI"):
            pytest.fail(message)
        pytest.skip(message)
    program = tmp_path_factory.mktemp("abi") / "layout"
    subprocess.run([compiler, "-std=c11", "-Wall", "-Werror", "-o", program, SOURCE], check=True)
    seen: Seen = json.loads(subprocess.run([program], check=True, capture_output=True, text=True).stdout)
    return seen


def places(members: Members, start: int = 0) -> dict[str, list[int]]:
    """Offset and size of each member, from our own table."""
    sizes = {name: struct.calcsize("<" + code) for name, code in members.items()}
    ends = [start + sum(list(sizes.values())[: n + 1]) for n in range(len(sizes))]
    return {name: [end - size, size] for (name, size), end in zip(sizes.items(), ends, strict=True)}


def test_sizes_are_those_of_c(c: Seen) -> None:
    assert c["sizes"] == {"tmem_op": OP_SIZE, "tmem_handle": HANDLE_SIZE}


def test_every_member_lies_where_c_puts_it(c: Seen) -> None:
    body = struct.calcsize("<" + "".join(HEAD.values()))
    assert c["members"] == {
        "head": places(HEAD),
        "creat": places(CREAT, body),
        "ctrl": places(CTRL, body),
        "gen": places(GEN, body),
        "handle": places(HANDLE),
    }


@pytest.mark.parametrize("name", SAMPLES)
def test_encoded_bytes_are_those_that_c_writes(c: Seen, name: str) -> None:
    assert SAMPLES[name].hex() == c["samples"][name]


def test_the_comparison_bites(c: Seen) -> None:
    swapped = {"index": HANDLE["index"], "pool_id": HANDLE["pool_id"], "oid": HANDLE["oid"]}
    assert places(swapped) != c["members"]["handle"]
    assert places(GEN) != c["members"]["gen"], "without the head every offset is another"
    assert places(GEN | {"len": "Q"}, 8) != c["members"]["gen"]
