"""The command numbers of the ABI: what `tmem_op.cmd` and `ctrl.subop` may be [X].

Later Xen moved TMEM_CONTROL, AUTH and RESTORE_NEW out of the guest's call into a privileged one; the
numbers here are those of the call that carried everything.
"""

from __future__ import annotations

from enum import IntEnum
from typing import Final


class Command(IntEnum):
    """`tmem_op.cmd`. Xen implements neither NEW_PAGE nor, lately, READ, WRITE and XCHG [X]."""

    CONTROL = 0
    NEW_POOL = 1
    DESTROY_POOL = 2
    NEW_PAGE = 3
    PUT_PAGE = 4
    GET_PAGE = 5
    FLUSH_PAGE = 6
    FLUSH_OBJECT = 7
    READ = 8
    WRITE = 9
    XCHG = 10
    AUTH = 101
    RESTORE_NEW = 102


class Subop(IntEnum):
    """`tmem_op.u.ctrl.subop`: what a CONTROL does to a client, save and restore of its pages included [X]."""

    THAW = 0
    FREEZE = 1
    FLUSH = 2
    DESTROY = 3
    LIST = 4
    SET_WEIGHT = 5
    SET_CAP = 6
    SET_COMPRESS = 7
    QUERY_FREEABLE_MB = 8
    SAVE_BEGIN = 10
    SAVE_GET_VERSION = 11
    SAVE_GET_MAXPOOLS = 12
    SAVE_GET_CLIENT_WEIGHT = 13
    SAVE_GET_CLIENT_CAP = 14
    SAVE_GET_CLIENT_FLAGS = 15
    SAVE_GET_POOL_FLAGS = 16
    SAVE_GET_POOL_NPAGES = 17
    SAVE_GET_POOL_UUID = 18
    SAVE_GET_NEXT_PAGE = 19
    SAVE_GET_NEXT_INV = 20
    SAVE_END = 21
    RESTORE_BEGIN = 30
    RESTORE_PUT_PAGE = 32
    RESTORE_FLUSH_PAGE = 33


PRIVILEGED: Final = frozenset({Command.CONTROL, Command.AUTH, Command.RESTORE_NEW})
"""The commands that a guest may not give for itself; Xen answers EPERM [X]."""

CLIENT_COMPRESS: Final = 1
"""Bit of SAVE_GET_CLIENT_FLAGS: the client's pages are compressed."""
CLIENT_FROZEN: Final = 2
"""Bit of SAVE_GET_CLIENT_FLAGS: the client is frozen."""
