"""The ABI's structs: what is encoded decodes to the same; other bytes are refused with one clear error."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tmem.spec import DestroyPool, FlushObject, FlushPage, Get, Handle, NewPool, Put
from tmem.spec.abi.calls import Call, from_abi, to_abi
from tmem.spec.abi.commands import Command, Subop
from tmem.spec.abi.flags import NO_UUID
from tmem.spec.abi.layouts import (
    HANDLE_SIZE,
    OP_SIZE,
    AbiError,
    Creat,
    Ctrl,
    Gen,
    TmemOp,
    arm_of,
    decode,
    decode_handle,
    encode,
    encode_handle,
)


def unsigned(bits: int) -> st.SearchStrategy[int]:
    """All of the range, the edges often."""
    return st.sampled_from((0, 1, (1 << bits) - 1, 1 << bits - 1)) | st.integers(0, (1 << bits) - 1)


u32, u64, oids, uuids = unsigned(32), unsigned(64), unsigned(192), unsigned(128)
pools = st.integers(-(1 << 31), (1 << 31) - 1)
ARMS = {
    Creat: st.builds(Creat, uuids, u32, u32),
    Ctrl: st.builds(Ctrl, st.sampled_from(Subop), u32, u32, u32, oids, u64),
    Gen: st.builds(Gen, oids, u32, u32, u32, u32, u64),
}
ops = st.sampled_from(Command).flatmap(lambda c: st.builds(TmemOp, st.just(c), pools, ARMS[arm_of(c)]))
handles = st.builds(Handle, pools, oids, u32)
clients = unsigned(16)
calls: st.SearchStrategy[Call] = st.one_of(
    st.builds(NewPool, clients, u32, st.none() | st.integers(0, NO_UUID - 1)),
    st.builds(DestroyPool, clients, pools),
    st.builds(Put, clients, handles, st.binary(max_size=8)),
    st.builds(Get, clients, handles),
    st.builds(FlushPage, clients, handles),
    st.builds(FlushObject, clients, pools, oids),
)


@given(ops)
def test_an_op_survives_its_bytes(op: TmemOp) -> None:
    raw = encode(op)
    assert len(raw) == OP_SIZE
    assert decode(raw) == op
    assert decode(memoryview(bytearray(raw))) == op


@given(st.builds(Handle, u32, oids, u32))
def test_a_handle_survives_its_bytes(handle: Handle) -> None:
    raw = encode_handle(handle)
    assert len(raw) == HANDLE_SIZE
    assert decode_handle(raw) == handle


@given(calls)
def test_a_call_survives_the_abi(call: Call) -> None:
    page = call.page if isinstance(call, Put) else None
    assert from_abi(decode(encode(to_abi(call))), call.client, page) == call


@given(st.binary(min_size=OP_SIZE, max_size=OP_SIZE) | st.binary(max_size=2 * OP_SIZE))
def test_whatever_is_accepted_encodes_to_the_same_bytes(raw: bytes) -> None:
    try:
        op = decode(raw)
    except AbiError:
        return
    assert encode(op) == raw


@given(ops, st.integers(0, OP_SIZE - 1), st.integers(1, 255))
def test_a_changed_byte_is_seen_or_refused(op: TmemOp, at: int, flip: int) -> None:
    raw = bytearray(encode(op))
    raw[at] ^= flip
    try:
        seen = decode(raw)
    except AbiError as error:
        message = str(error)
    else:
        message = "it must be zero" if seen != op else "the change went unseen"
    assert re.search("unknown|must be zero", message)


@pytest.mark.parametrize("length", [0, 1, 4, OP_SIZE - 1, OP_SIZE + 1, 2 * OP_SIZE])
def test_another_length_is_refused(length: int) -> None:
    with pytest.raises(AbiError, match=f"^a tmem_op has {OP_SIZE} bytes, not {length}$"):
        decode(bytes(length))
    with pytest.raises(AbiError, match=f"^a tmem_handle has {HANDLE_SIZE} bytes, not {length}$"):
        decode_handle(bytes(length))


@given(u32.filter(lambda n: n not in set(Command)))
def test_an_unknown_command_is_refused(number: int) -> None:
    with pytest.raises(AbiError, match=f"^command {number} is unknown$"):
        decode(number.to_bytes(4, "little").ljust(OP_SIZE, b"\0"))


@given(u32.filter(lambda n: n not in set(Subop)))
def test_an_unknown_subop_is_refused(number: int) -> None:
    with pytest.raises(AbiError, match=f"^subop {number} is unknown$"):
        decode((bytes(8) + number.to_bytes(4, "little")).ljust(OP_SIZE, b"\0"))


def test_bytes_behind_the_arm_must_be_zero() -> None:
    raw = bytearray(encode(TmemOp(Command.NEW_POOL, 0, Creat(7, 1))))
    raw[-1] = 1
    with pytest.raises(AbiError, match=r"^the bytes behind creat, from 32 on, must be zero$"):
        decode(raw)


@pytest.mark.parametrize(
    ("op", "message"),
    [
        (
            TmemOp(Command.PUT_PAGE, 1 << 31, Gen()),
            "pool_id 0x80000000 does not fit its 32 bits, one of them",
        ),
        (TmemOp(Command.PUT_PAGE, 0, Gen(oid=1 << 192)), "does not fit its 192 bits"),
        (TmemOp(Command.PUT_PAGE, 0, Gen(index=-1)), "index -0x1 does not fit its 32 bits"),
        (TmemOp(Command.NEW_POOL, 0, Creat(1 << 128, 0)), "uuid 0x1.* does not fit its 128 bits"),
        (TmemOp(Command.NEW_POOL, 0, Gen()), "NEW_POOL carries creat, not gen"),
        (TmemOp(Command.CONTROL, 0, Creat(0, 0)), "CONTROL carries ctrl, not creat"),
    ],
)
def test_what_no_struct_can_carry_is_refused(op: TmemOp, message: str) -> None:
    with pytest.raises(AbiError, match=message):
        encode(op)


def test_a_handle_out_of_range_is_refused() -> None:
    with pytest.raises(AbiError, match=r"pool_id -0x1 does not fit its 32 bits$"):
        encode_handle(Handle(-1, 0, 0))


@pytest.mark.parametrize("cmd", sorted(set(Command) - {Command.PUT_PAGE}))
def test_only_a_put_comes_with_a_page(cmd: Command) -> None:
    with pytest.raises(AbiError, match=f"^{cmd.name} comes with a page$"):
        from_abi(TmemOp(cmd, 0, Gen()), 1, b"page")


def test_a_put_needs_its_page() -> None:
    with pytest.raises(AbiError, match=r"^PUT_PAGE comes without a page$"):
        from_abi(to_abi(Put(1, Handle(0, 7, 3), b"page")), 1)


@pytest.mark.parametrize(
    "cmd",
    [
        Command.CONTROL,
        Command.NEW_PAGE,
        Command.READ,
        Command.WRITE,
        Command.XCHG,
        Command.AUTH,
        Command.RESTORE_NEW,
    ],
)
def test_what_is_no_operation_of_a_guest_is_refused(cmd: Command) -> None:
    with pytest.raises(AbiError, match=f"^{cmd.name} is no operation of a guest's$"):
        from_abi(TmemOp(cmd, 0, Gen()), 1)


@pytest.mark.parametrize("member", ["tmem_offset", "pfn_offset", "len"])
def test_a_part_of_a_page_is_refused(member: str) -> None:
    whole = to_abi(Get(1, Handle(0, 7, 3)))
    assert isinstance(whole.u, Gen)
    part = replace(whole, u=Gen(whole.u.oid, whole.u.index, **{member: 1}))
    with pytest.raises(AbiError, match="whole pages"):
        from_abi(part, 1)


def test_what_a_command_does_not_use_is_not_dropped_in_silence() -> None:
    with pytest.raises(AbiError, match="FLUSH_OBJECT leaves what it does not use zero"):
        from_abi(TmemOp(Command.FLUSH_OBJECT, 0, Gen(oid=7, index=1)), 1)
    with pytest.raises(AbiError, match="NEW_POOL leaves what it does not use zero"):
        from_abi(TmemOp(Command.NEW_POOL, 0, Creat(7, 1, arg1=5)), 1)


def test_no_uuid_travels_as_all_ones() -> None:
    assert to_abi(NewPool(1, flags=2)).u == Creat(NO_UUID, 2)
    assert from_abi(to_abi(NewPool(1, 2, NO_UUID)), 1) == NewPool(1, 2)


def test_where_the_page_lies_is_not_looked_at() -> None:
    op = TmemOp(Command.GET_PAGE, 0, Gen(oid=7, index=3, cmfn=0x1234))
    assert from_abi(op, 1) == Get(1, Handle(0, 7, 3))
