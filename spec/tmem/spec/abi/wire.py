"""The frames by which a store in another process is called: the ABI's own structs, little endian (ours).

A client sends requests and a server answers each of them, in the order in which they came. Any number of
requests may be on their way at once. Operations of one connection do not overlap; those of several
connections may.

A request is a head of 12 bytes (its length, a tag, a kind, a client) and a body by its kind. An answer is a
head of 16 bytes (its length, the tag of its request, a number) and a body. Lengths count what follows them.
The number of an answer is what the call answers, or minus an errno.

A connection belongs to a session from its HELLO to its CLOSE. Client ids and pool ids are the session's own.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from enum import IntEnum
from typing import Final, TypeAlias

from tmem.spec.abi import errors
from tmem.spec.abi.calls import Call, from_abi, to_abi
from tmem.spec.abi.commands import Command
from tmem.spec.abi.layouts import OP_SIZE, AbiError, decode, encode
from tmem.spec.operations import PoolFlags, Put, Reclaim

VERSION: Final = 1
"""The version of the frames that this module describes."""
MAGIC: Final = b"tmem"
REQUEST: Final = struct.Struct("<IIHH")
"""The head of a request: length, tag, kind, client."""
ANSWER: Final = struct.Struct("<IIq")
"""The head of an answer: length, tag, number."""
LENGTH: Final = struct.Struct("<I")
"""What every frame begins with."""
OPENING: Final = struct.Struct("<4sHH16s")
"""The body of HELLO: magic, version, zero, the key of a session."""
WELCOME: Final = struct.Struct("<IIII16s")
"""The body of its answer: page size, abilities, longest request, zero, the session's key. Claims follow."""
NEW_SESSION: Final = bytes(16)
"""The key by which HELLO asks for a session of its own."""
CLIENTS: Final = 1 << 16
"""Client ids have 16 bits, as in Xen."""
EMSGSIZE: Final = 90
"""Answers a request that is longer than the server takes; the connection ends with it."""
ENOSYS: Final = 38
"""Answers a kind of request that the server does not know."""
EIO: Final = 5
"""Answers a call in which the store itself failed."""


class Kind(IntEnum):
    """What a request is."""

    HELLO = 0
    """Begin a session, or join the one of a key."""
    OPERATION = 1
    """A `tmem_op`, and behind it the page of a put. A get that hits is answered 1, with the page."""
    RECLAIM = 2
    """The number of pages to reclaim, 32 bits. Answered with how many went."""
    POOL_FLAGS = 3
    """A pool id, 32 bits with sign. Answered with the flags that the pool has."""
    CLOSE = 4
    """End the session: its pools end before this is answered. HELLO may follow."""


ABILITIES: Final = ("reclaim", "pool_flags")
"""What bits 0 and 1 of the abilities say that the store can do."""
JOINING: Final = 1 << 2
"""The bit of the abilities that says that several connections may join one session."""


class WireError(ValueError):
    """Bytes that are no frame. `errno` answers them, and `at` is the first wrong byte of the frame."""

    def __init__(self, errno: int, at: int, message: str) -> None:
        super().__init__(message)
        self.errno = errno
        self.at = at


@dataclass(frozen=True, slots=True)
class Hello:
    """The first request of a connection. `key` is NEW_SESSION or that of a session to join."""

    key: bytes = NEW_SESSION
    version: int = VERSION


@dataclass(frozen=True, slots=True)
class Close:
    """The last request of a session."""


Body: TypeAlias = Hello | Call | Reclaim | PoolFlags | Close


@dataclass(frozen=True, slots=True)
class Request:
    """A request as it is read."""

    tag: int
    body: Body


@dataclass(frozen=True, slots=True)
class Answer:
    """An answer as it is read. `number` is negative for an error; `body` is a page, or what HELLO gives."""

    tag: int
    number: int
    body: bytes = b""


@dataclass(frozen=True, slots=True)
class Welcome:
    """What a server says of its store. `longest` is the longest request that it takes, in bytes."""

    page_size: int
    abilities: frozenset[str]
    joining: bool
    longest: int
    key: bytes
    claims: tuple[str, ...] = ()


def request(tag: int, body: Body) -> bytes:
    """The bytes of a request. Raises AbiError where a value does not fit.

    >>> request(1, Hello()).hex(" ", 4)
    '20000000 01000000 00000000 746d656d 01000000 00000000 00000000 00000000 00000000'
    >>> request(2, Reclaim(3)).hex(" ", 4)
    '0c000000 02000000 02000000 03000000'
    """
    client, kind, rest = 0, Kind.OPERATION, b""
    match body:
        case Hello(key, version):
            kind, rest = Kind.HELLO, OPENING.pack(MAGIC, version, 0, key)
        case Close():
            kind = Kind.CLOSE
        case Reclaim(pages):
            kind, rest = Kind.RECLAIM, _number(pages, "pages", signed=False)
        case PoolFlags(client, pool):
            kind, rest = Kind.POOL_FLAGS, _number(pool, "pool_id", signed=True)
        case Put(client, _, page):
            rest = encode(to_abi(body)) + page
        case _:
            client, rest = body.client, encode(to_abi(body))
    if not 0 <= client < CLIENTS:
        raise AbiError(f"client {client} does not fit its 16 bits")
    return REQUEST.pack(REQUEST.size - LENGTH.size + len(rest), tag, kind, client) + rest


def read_request(frame: bytes | memoryview) -> Request:
    """The request of a whole frame, its length included. Raises WireError.

    >>> read_request(request(7, Reclaim(3)))
    Request(tag=7, body=Reclaim(pages=3))
    """
    if len(frame) < REQUEST.size:
        raise WireError(errors.EINVAL, 0, f"a request has at least {REQUEST.size} bytes, not {len(frame)}")
    length, tag, kind, client = REQUEST.unpack_from(frame)
    rest = bytes(frame[REQUEST.size :])
    if length != len(frame) - LENGTH.size:
        raise WireError(
            errors.EINVAL, 0, f"the length is {length}, and {len(frame) - LENGTH.size} bytes follow"
        )
    match kind:
        case Kind.HELLO:
            return Request(tag, _hello(rest))
        case Kind.OPERATION:
            return Request(tag, _operation(rest, client))
        case Kind.RECLAIM:
            return Request(tag, Reclaim(_read_number(rest, signed=False)))
        case Kind.POOL_FLAGS:
            return Request(tag, PoolFlags(client, _read_number(rest, signed=True)))
        case Kind.CLOSE:
            _no_more(rest, 0)
            return Request(tag, Close())
    raise WireError(ENOSYS, 8, f"kind {kind} is unknown")


def answer(tag: int, number: int, body: bytes = b"") -> bytes:
    """The bytes of an answer.

    >>> answer(7, -19).hex(" ", 4)
    '0c000000 07000000 edffffff ffffffff'
    """
    return ANSWER.pack(ANSWER.size - LENGTH.size + len(body), tag, number) + body


def read_answer(frame: bytes | memoryview) -> Answer:
    """The answer of a whole frame, its length included. Raises WireError.

    >>> read_answer(answer(7, 1, b"page"))
    Answer(tag=7, number=1, body=b'page')
    """
    if len(frame) < ANSWER.size:
        raise WireError(errors.EINVAL, 0, f"an answer has at least {ANSWER.size} bytes, not {len(frame)}")
    length, tag, number = ANSWER.unpack_from(frame)
    if length != len(frame) - LENGTH.size:
        raise WireError(
            errors.EINVAL, 0, f"the length is {length}, and {len(frame) - LENGTH.size} bytes follow"
        )
    return Answer(tag, number, bytes(frame[ANSWER.size :]))


def welcome(about: Welcome) -> bytes:
    """The body of the answer to HELLO."""
    bits = sum(1 << bit for bit, name in enumerate(ABILITIES) if name in about.abilities)
    bits |= JOINING if about.joining else 0
    head = WELCOME.pack(about.page_size, bits, about.longest, 0, about.key)
    return head + " ".join(about.claims).encode("ascii")


def read_welcome(body: bytes) -> Welcome:
    """What the answer to HELLO says. Raises WireError; `at` counts from the body's first byte.

    >>> read_welcome(welcome(Welcome(4096, frozenset({"reclaim"}), True, 4164, b"k" * 16, ("lru",)))).claims
    ('lru',)
    """
    if len(body) < WELCOME.size:
        raise WireError(errors.EINVAL, len(body), f"it has at least {WELCOME.size} bytes, not {len(body)}")
    page_size, bits, longest, reserved, key = WELCOME.unpack_from(body)
    if unknown := bits & ~(JOINING | (1 << len(ABILITIES)) - 1):
        raise WireError(errors.EINVAL, 4, f"abilities {unknown:#x} are unknown")
    if reserved:
        raise WireError(errors.EINVAL, 12, "the reserved word is not zero")
    if not page_size:
        raise WireError(errors.EINVAL, 0, "a page has no bytes")
    if longest < REQUEST.size + OP_SIZE + page_size:
        raise WireError(errors.EINVAL, 8, f"requests of {longest} bytes hold no put")
    claims = body[WELCOME.size :]
    if not claims.isascii():
        raise WireError(errors.EINVAL, WELCOME.size, "claims are ASCII")
    able = frozenset(name for bit, name in enumerate(ABILITIES) if bits >> bit & 1)
    return Welcome(page_size, able, bool(bits & JOINING), longest, key, tuple(claims.decode().split()))


def _hello(rest: bytes) -> Hello:
    if len(rest) != OPENING.size:
        raise WireError(
            errors.EINVAL, REQUEST.size, f"HELLO has {OPENING.size} bytes of body, not {len(rest)}"
        )
    magic, version, reserved, key = OPENING.unpack(rest)
    if magic != MAGIC:
        raise WireError(errors.EINVAL, REQUEST.size, f"the magic is {magic!r}, not {MAGIC!r}")
    if version != VERSION:
        raise WireError(
            errors.EPERM, REQUEST.size + 4, f"version {version} is not spoken here, only {VERSION}"
        )
    if reserved:
        raise WireError(errors.EINVAL, REQUEST.size + 6, "the reserved half-word is not zero")
    return Hello(key, version)


def _operation(rest: bytes, client: int) -> Call:
    if len(rest) < OP_SIZE:
        raise WireError(errors.EINVAL, REQUEST.size, f"a tmem_op has {OP_SIZE} bytes, not {len(rest)}")
    try:
        op = decode(rest[:OP_SIZE])
        has_page = op.cmd is Command.PUT_PAGE or len(rest) > OP_SIZE
        return from_abi(op, client, rest[OP_SIZE:] if has_page else None)
    except AbiError as error:
        raise WireError(errors.EINVAL, REQUEST.size, str(error)) from None


def _no_more(rest: bytes, size: int) -> None:
    if len(rest) != size:
        raise WireError(errors.EINVAL, REQUEST.size, f"the body has {size} bytes, not {len(rest)}")


def _number(value: int, name: str, signed: bool) -> bytes:
    try:
        return value.to_bytes(4, "little", signed=signed)
    except OverflowError:
        raise AbiError(f"{name} {value:#x} does not fit its 32 bits") from None


def _read_number(rest: bytes, signed: bool) -> int:
    _no_more(rest, 4)
    return int.from_bytes(rest, "little", signed=signed)
