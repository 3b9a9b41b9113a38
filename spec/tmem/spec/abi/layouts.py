"""The bytes of `tmem_op` and `tmem_handle` as a 64-bit Xen guest sees them: little endian [X].

`tmem_op` is a command, a pool id and a union of three: `creat` (new pool, auth, restore), `ctrl`
(control) and `gen` (everything else). Words stand least significant first, so an object id (three u64,
word 2 the most significant) and a UUID (two) are each one little-endian number.

Decoding is strict (ours): another length, an unknown command or subop, and bytes that no member of the
command's union arm covers and that are not zero raise AbiError. So what is accepted encodes to the same
bytes again. Xen looks at no byte it does not need and Linux leaves those behind `creat` as they were:
whoever takes structs from such a guest clears them first.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import Final, TypeAlias, TypeVar

from tmem.spec.abi.commands import Command, Subop
from tmem.spec.handle import Handle

Members: TypeAlias = dict[str, str]
"""The members of a C struct in their order, each with its `struct` code; wide numbers are bytes."""

HEAD: Final[Members] = {"cmd": "I", "pool_id": "i"}
CREAT: Final[Members] = {"uuid": "16s", "flags": "I", "arg1": "I"}
CTRL: Final[Members] = {
    "subop": "I",
    "cli_id": "I",
    "arg1": "I",
    "arg2": "I",
    "oid": "24s",
    "buf": "Q",
}
GEN: Final[Members] = {
    "oid": "24s",
    "index": "I",
    "tmem_offset": "I",
    "pfn_offset": "I",
    "len": "I",
    "cmfn": "Q",
}
HANDLE: Final[Members] = {"pool_id": "I", "index": "I", "oid": "24s"}

Number = TypeVar("Number", Command, Subop)


class AbiError(ValueError):
    """Bytes that are no struct of the ABI, or values that no struct of the ABI can carry."""


@dataclass(frozen=True, slots=True)
class Creat:
    """The arm of NEW_POOL, AUTH and RESTORE_NEW; `arg1` is the client that the last two are about."""

    uuid: int
    flags: int
    arg1: int = 0


@dataclass(frozen=True, slots=True)
class Ctrl:
    """The arm of CONTROL; `buf` is the address of the caller's buffer, `arg1` mostly its length."""

    subop: Subop
    cli_id: int
    arg1: int = 0
    arg2: int = 0
    oid: int = 0
    buf: int = 0


@dataclass(frozen=True, slots=True)
class Gen:
    """The arm of all other commands; `cmfn` is the caller's page frame, the three before it a part of it."""

    oid: int = 0
    index: int = 0
    tmem_offset: int = 0
    pfn_offset: int = 0
    len: int = 0
    cmfn: int = 0


@dataclass(frozen=True, slots=True)
class TmemOp:
    """One call. `pool_id` is signed, and negative ones stand for no pool [X]."""

    cmd: Command
    pool_id: int
    u: Creat | Ctrl | Gen


Arm: TypeAlias = type[Creat] | type[Ctrl] | type[Gen]
ARMS: Final[dict[Arm, Members]] = {Creat: CREAT, Ctrl: CTRL, Gen: GEN}


def compiled(members: Members) -> struct.Struct:
    """The struct of these members, in their order without gaps: C's alignment asks for none."""
    return struct.Struct("<" + "".join(members.values()))


STRUCTS: Final = {arm: compiled(HEAD | members) for arm, members in ARMS.items()}
OP_SIZE: Final = max(each.size for each in STRUCTS.values())
"""Bytes in a `tmem_op`: its largest arm decides."""
_HANDLE: Final = compiled(HANDLE)
HANDLE_SIZE: Final = _HANDLE.size
"""Bytes in a `tmem_handle`."""


def arm_of(command: Command) -> Arm:
    """The arm of the union that a command uses [X].

    >>> [arm_of(c).__name__ for c in (Command.CONTROL, Command.NEW_POOL, Command.PUT_PAGE)]
    ['Ctrl', 'Creat', 'Gen']
    """
    match command:
        case Command.CONTROL:
            return Ctrl
        case Command.NEW_POOL | Command.AUTH | Command.RESTORE_NEW:
            return Creat
        case _:
            return Gen


def encode(op: TmemOp) -> bytes:
    """The bytes of a `tmem_op`; AbiError where a value does not fit its member.

    >>> encode(TmemOp(Command.PUT_PAGE, 3, Gen(oid=7 << 128, index=5))).hex(" ", 8)[:53]
    '0400000003000000 0000000000000000 0000000000000000 07'
    """
    arm = arm_of(op.cmd)
    if type(op.u) is not arm:
        raise AbiError(f"{op.cmd.name} carries {arm.__name__.lower()}, not {type(op.u).__name__.lower()}")
    values = (op.cmd, op.pool_id, *(getattr(op.u, name) for name in ARMS[arm]))
    return _pack(STRUCTS[arm], HEAD | ARMS[arm], values).ljust(OP_SIZE, b"\0")


def decode(raw: bytes | bytearray | memoryview) -> TmemOp:
    """The `tmem_op` of exactly OP_SIZE bytes; raises AbiError for other bytes.

    >>> decode(bytes([6, 0, 0, 0, 3] + 51 * [0]))  # doctest: +ELLIPSIS
    TmemOp(cmd=<Command.FLUSH_PAGE: 6>, pool_id=3, u=Gen(oid=0, index=0, ...))
    >>> decode(bytes(12))
    Traceback (most recent call last):
    tmem.spec.abi.layouts.AbiError: a tmem_op has 56 bytes, not 12
    """
    data = _exactly(raw, OP_SIZE, "tmem_op")
    command = _known(Command, int.from_bytes(data[:4], "little"), "command")
    arm = arm_of(command)
    layout = STRUCTS[arm]
    if any(data[layout.size :]):
        raise AbiError(f"the bytes behind {arm.__name__.lower()}, from {layout.size} on, must be zero")
    _, pool_id, *values = _unpack(layout, data)
    if arm is Ctrl:
        return TmemOp(command, pool_id, Ctrl(_known(Subop, values[0], "subop"), *values[1:]))
    return TmemOp(command, pool_id, Creat(*values) if arm is Creat else Gen(*values))


def encode_handle(handle: Handle) -> bytes:
    """The bytes of a `tmem_handle`, as save hands them out before each page [X]; AbiError as in encode."""
    return _pack(_HANDLE, HANDLE, (handle.pool, handle.index, handle.oid))


def decode_handle(raw: bytes | bytearray | memoryview) -> Handle:
    """The `tmem_handle` of exactly HANDLE_SIZE bytes; raises AbiError for other bytes.

    >>> decode_handle(encode_handle(Handle(2, 7 << 64, 3)))
    Handle(pool=2, oid=129127208515966861312, index=3)
    """
    pool, index, oid = _unpack(_HANDLE, _exactly(raw, HANDLE_SIZE, "tmem_handle"))
    return Handle(pool, oid, index)


def _exactly(raw: bytes | bytearray | memoryview, size: int, what: str) -> bytes:
    data = memoryview(raw).tobytes()
    if len(data) != size:
        raise AbiError(f"a {what} has {size} bytes, not {len(data)}")
    return data


def _known(kinds: type[Number], number: int, what: str) -> Number:
    try:
        return kinds(number)
    except ValueError:
        raise AbiError(f"{what} {number} is unknown") from None


def _unpack(layout: struct.Struct, data: bytes) -> list[int]:
    found = layout.unpack_from(data)
    return [int.from_bytes(one, "little") if isinstance(one, bytes) else one for one in found]


def _pack(layout: struct.Struct, members: Members, values: tuple[int, ...]) -> bytes:
    try:
        return layout.pack(*map(_as_struct_has_it, members.values(), values))
    except (struct.error, OverflowError):
        raise AbiError(_misfit(members, values)) from None


def _as_struct_has_it(code: str, value: int) -> int | bytes:
    return value.to_bytes(struct.calcsize(code), "little") if code.endswith("s") else value


def _misfit(members: Members, values: tuple[int, ...]) -> str:
    for (name, code), value in zip(members.items(), values, strict=True):
        bits, signed = 8 * struct.calcsize("<" + code), code == "i"
        low, high = (-1 << bits - 1, 1 << bits - 1) if signed else (0, 1 << bits)
        if not low <= value < high:
            return (
                f"{name} {value:#x} does not fit its {bits} bits{', one of them the sign' if signed else ''}"
            )
    return "a value is no whole number"
