"""The operations of a guest as the ABI carries them, and back.

A `tmem_op` holds neither the client, whom the hypervisor knows as its caller, nor the page, which lies in
the caller's frame [X]: whoever carries the struct carries those two beside it. Reclaim is the host's own
affair and has no command. A UUID of None travels as all ones, which asks for the same pool.
"""

from __future__ import annotations

from typing import Final, TypeAlias

from tmem.spec.abi.commands import Command
from tmem.spec.abi.flags import NO_UUID
from tmem.spec.abi.layouts import AbiError, Creat, Gen, TmemOp
from tmem.spec.handle import Handle
from tmem.spec.operations import DestroyPool, FlushObject, FlushPage, Get, NewPool, Put

Call: TypeAlias = NewPool | DestroyPool | Put | Get | FlushPage | FlushObject
GUESTS: Final = frozenset(
    {
        Command.NEW_POOL,
        Command.DESTROY_POOL,
        Command.PUT_PAGE,
        Command.GET_PAGE,
        Command.FLUSH_PAGE,
        Command.FLUSH_OBJECT,
    }
)


def to_abi(call: Call) -> TmemOp:
    """The `tmem_op` of an operation, without its client and page.

    >>> to_abi(FlushObject(1, 0, 7))  # doctest: +ELLIPSIS
    TmemOp(cmd=<Command.FLUSH_OBJECT: 7>, pool_id=0, u=Gen(oid=7, index=0, ...))
    """
    match call:
        case NewPool(_, flags, uuid):
            return TmemOp(Command.NEW_POOL, 0, Creat(NO_UUID if uuid is None else uuid, flags))
        case DestroyPool(_, pool):
            return TmemOp(Command.DESTROY_POOL, pool, Gen())
        case Put(_, handle, _):
            return _of_handle(Command.PUT_PAGE, handle)
        case Get(_, handle):
            return _of_handle(Command.GET_PAGE, handle)
        case FlushPage(_, handle):
            return _of_handle(Command.FLUSH_PAGE, handle)
        case FlushObject(_, pool, oid):
            return TmemOp(Command.FLUSH_OBJECT, pool, Gen(oid))


def from_abi(op: TmemOp, client: int, page: bytes | None = None) -> Call:
    """The operation that a client's `tmem_op` asks for; `page` is what it puts, and only a put has one.

    AbiError for commands that are no operation of a guest's, for a part of a page, and for members that
    the command does not use and that are not zero (`cmfn` says where the page lies, and is not looked at).

    >>> from_abi(to_abi(Get(1, Handle(0, 7, 3))), client=1)
    Get(client=1, handle=Handle(pool=0, oid=7, index=3))
    """
    if (page is None) is (op.cmd is Command.PUT_PAGE):
        raise AbiError(f"{op.cmd.name} comes with{'out' if page is None else ''} a page")
    match op:
        case TmemOp(Command.NEW_POOL, 0, Creat(uuid, flags, 0)):
            return NewPool(client, flags, None if uuid == NO_UUID else uuid)
        case TmemOp(Command.DESTROY_POOL, pool, Gen(0, 0, 0, 0, 0)):
            return DestroyPool(client, pool)
        case TmemOp(Command.PUT_PAGE, pool, Gen(oid, index, 0, 0, 0)) if page is not None:
            return Put(client, Handle(pool, oid, index), page)
        case TmemOp(Command.GET_PAGE, pool, Gen(oid, index, 0, 0, 0)):
            return Get(client, Handle(pool, oid, index))
        case TmemOp(Command.FLUSH_PAGE, pool, Gen(oid, index, 0, 0, 0)):
            return FlushPage(client, Handle(pool, oid, index))
        case TmemOp(Command.FLUSH_OBJECT, pool, Gen(oid, 0, 0, 0, 0)):
            return FlushObject(client, pool, oid)
    raise AbiError(_objection(op))


def _of_handle(command: Command, handle: Handle) -> TmemOp:
    return TmemOp(command, handle.pool, Gen(handle.oid, handle.index))


def _objection(op: TmemOp) -> str:
    if op.cmd in GUESTS:
        return f"{op.cmd.name} leaves what it does not use zero, and moves whole pages: {op}"
    return f"{op.cmd.name} is no operation of a guest's"
