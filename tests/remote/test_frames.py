"""Frames: what is written is read again, and nothing else is read."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tmem.spec.abi import errors, wire
from tmem.spec.abi.layouts import OP_SIZE, AbiError
from tmem.spec.handle import Handle
from tmem.spec.operations import DestroyPool, FlushObject, FlushPage, Get, NewPool, PoolFlags, Put, Reclaim
from tools.frames import FRAMES, INTO, golden

words = st.integers(0, (1 << 32) - 1)
clients = st.integers(0, (1 << 16) - 1)
pools = st.integers(-(1 << 31), (1 << 31) - 1)
oids = st.integers(0, (1 << 192) - 1)
handles = st.builds(Handle, pools, oids, words)
bodies = st.one_of(
    st.builds(wire.Hello, st.binary(min_size=16, max_size=16)),
    st.builds(NewPool, clients, words, st.none() | st.integers(0, (1 << 128) - 2)),
    st.builds(DestroyPool, clients, pools),
    st.builds(Put, clients, handles, st.binary(max_size=100)),
    st.builds(Get, clients, handles),
    st.builds(FlushPage, clients, handles),
    st.builds(FlushObject, clients, pools, oids),
    st.builds(PoolFlags, clients, pools),
    st.builds(Reclaim, words),
    st.builds(wire.Close),
)


@given(words, bodies)
def test_a_request_is_read_as_it_was_written(tag: int, body: wire.Body) -> None:
    assert wire.read_request(wire.request(tag, body)) == wire.Request(tag, body)


@given(words, st.integers(-(1 << 63), (1 << 63) - 1), st.binary(max_size=100))
def test_an_answer_is_read_as_it_was_written(tag: int, number: int, body: bytes) -> None:
    assert wire.read_answer(wire.answer(tag, number, body)) == wire.Answer(tag, number, body)


def read(frame: bytes) -> wire.Request | wire.WireError:
    try:
        return wire.read_request(frame)
    except wire.WireError as error:
        return error


CMFN = range(60, 68)
"""The bytes of a request that say where a page lies in memory: they mean nothing in another process."""


@given(words, bodies, st.data())
def test_a_request_with_a_wrong_byte_is_refused_or_is_another_request(
    tag: int, body: wire.Body, data: st.DataObject
) -> None:
    frame = bytearray(wire.request(tag, body))
    at = data.draw(st.integers(0, len(frame) - 1))
    frame[at] ^= data.draw(st.integers(1, 255))
    found = read(bytes(frame))
    if isinstance(found, wire.WireError):
        assert 0 <= found.at < len(frame)
        assert found.errno > 0
    elif at not in CMFN and not isinstance(found.body, wire.Close | Reclaim | wire.Hello):
        assert found != wire.Request(tag, body)
        assert wire.request(found.tag, found.body) == frame


@given(st.binary(max_size=200))
def test_any_bytes_are_a_request_or_refused(frame: bytes) -> None:
    found = read(frame)
    assert isinstance(found, wire.Request) or found.errno in (1, 22, wire.ENOSYS)


@pytest.mark.parametrize(
    ("bits", "at", "why"),
    [
        ({"page_size": 0}, 0, "a page has no bytes"),
        ({"abilities": 8}, 4, "abilities 0x8 are unknown"),
        ({"longest": 4163}, 8, "hold no put"),
        ({"reserved": 1}, 12, "the reserved word is not zero"),
        ({"claims": b"\xff"}, 32, "claims are ASCII"),
    ],
)
def test_a_welcome_is_strict(bits: dict[str, object], at: int, why: str) -> None:
    claims = bits.pop("claims", b"")
    parts = {"page_size": 4096, "abilities": 7, "longest": 4164, "reserved": 0, "key": bytes(16)} | bits
    body = wire.WELCOME.pack(*parts.values())
    assert isinstance(claims, bytes)
    with pytest.raises(wire.WireError, match=why) as error:
        wire.read_welcome(body + claims)
    assert error.value.at == at


def test_a_client_of_more_than_16_bits_is_no_frame() -> None:
    with pytest.raises(AbiError, match="16 bits"):
        wire.request(1, Get(1 << 16, Handle(0, 7, 0)))


def test_the_golden_frames_are_the_ones_that_are_written() -> None:
    recorded = json.loads(INTO.read_text("utf-8"))
    assert recorded == golden(), "python -m tools.frames records them"
    for name, tag, body in FRAMES:
        (found,) = (each for each in recorded["requests"] if each["name"] == name)
        assert wire.read_request(bytes.fromhex(found["hex"])) == wire.Request(tag, body)


def test_the_page_of_the_protocol_has_its_numbers() -> None:
    page = (INTO.parent / "wire.md").read_text("utf-8")
    for kind in wire.Kind:
        assert f"| {kind.value} | {kind.name} |" in page
    for errno in (wire.ENOSYS, wire.EMSGSIZE, wire.EIO, errors.EINVAL, errors.EEMPTY):
        assert f"-{errno} " in page or f"-{errno}\n" in page
    assert f"{OP_SIZE} bytes" in page
    assert f"| {wire.REQUEST.size} | | body" in page
    assert f"| {wire.ANSWER.size} | | the page" in page
    assert f"| {wire.ANSWER.size + wire.WELCOME.size} | | claims" in page
