"""A naive store that answers frames on its standard streams, with private pools of either kind."""

import os
import struct
import sys

FAULT = bool(os.environ.get("FAULT"))  # make fault sets it
PAGE, LONGEST, VERSION = 4096, 68 + 4096, 1
EPERM, ENODEV, EINVAL, ENOSYS, EMSGSIZE = 1, 19, 22, 38, 90
HELLO, OPERATION, CLOSE = 0, 1, 4
NEW_POOL, DESTROY_POOL, PUT, GET, FLUSH_PAGE, FLUSH_OBJECT = 1, 2, 4, 5, 6, 7
FLAGS = 1 | 1 << 24  # persistent, version 1
OPENING = struct.pack("<4sHH", b"tmem", VERSION, 0)
WELCOME = struct.pack("<IIII16s", PAGE, 0, LONGEST, 0, bytes(16))  # no abilities, one connection
pools: dict[tuple[int, int], bool] = {}
pages: dict[tuple[int, bytes, int], bytes] = {}
in_session = False
made = 0


def refused(errno: int) -> tuple[int, bytes]:
    return -errno, b""


def answer(kind: int, client: int, body: bytes) -> tuple[int, bytes]:
    global in_session
    if kind == HELLO:
        if in_session or len(body) != 24 or body[:4] != OPENING[:4]:
            return refused(EINVAL)
        if body[:8] != OPENING or any(body[8:]):  # another version, or a key to join a session by
            return refused(EPERM)
        in_session = True
        return VERSION, WELCOME
    if kind not in (OPERATION, CLOSE):
        return refused(ENOSYS)
    if not in_session or len(body) < 56 * (kind == OPERATION):
        return refused(EINVAL)
    if kind == OPERATION:
        return operation(client, body[:56], body[56:])
    if body:
        return refused(EINVAL)
    pools.clear()
    pages.clear()
    in_session = False
    return 0, b""


def operation(client: int, op: bytes, page: bytes) -> tuple[int, bytes]:
    global made
    command, pool, oid, index = struct.unpack_from("<Ii24sI", op)
    slot = pool, oid, index
    if command not in (NEW_POOL, DESTROY_POOL, PUT, GET, FLUSH_PAGE, FLUSH_OBJECT):
        return refused(EINVAL)
    if len(page) != (PAGE if command == PUT else 0):
        return refused(EINVAL)
    if command == NEW_POOL:
        flags = int.from_bytes(op[24:28], "little")
        if flags & ~FLAGS:
            return refused(EPERM)
        made += 1
        pools[client, made] = bool(flags & 1)
        return made, b""
    if (client, pool) not in pools:
        return refused(ENODEV)
    if command == PUT:
        pages[slot] = page
        return 1, b""
    if command == GET:
        found = pages.get(slot) if pools[client, pool] or FAULT else pages.pop(slot, None)
        return (0, b"") if found is None else (1, found)
    if command == FLUSH_PAGE:
        return int(pages.pop(slot, None) is not None), b""
    whole = command == DESTROY_POOL
    gone = [each for each in pages if each[0] == pool and (whole or each[1] == oid)]
    for each in gone:
        del pages[each]
    return int(pools.pop((client, pool)) is not None if whole else bool(gone)), b""


def say(tag: int, number: int, body: bytes = b"") -> None:
    sys.stdout.buffer.write(struct.pack("<IIq", 12 + len(body), tag, number) + body)
    sys.stdout.buffer.flush()


def serve() -> None:
    while len(head := sys.stdin.buffer.read(4)) == 4:
        length = int.from_bytes(head, "little")
        if not 8 <= length <= LONGEST - 4:
            say(0, -EINVAL if length < 8 else -EMSGSIZE)
            break
        if len(frame := sys.stdin.buffer.read(length)) < length:
            break
        tag, kind, client = struct.unpack_from("<IHH", frame)
        say(tag, *answer(kind, client, frame[8:]))


if __name__ == "__main__":
    serve()
