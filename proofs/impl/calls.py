"""The operations on a handle, as values."""

from __future__ import annotations

from enum import Enum

from proofs.impl.scene import TARGET, Scene, Slot
from proofs.impl.tokens import PUT
from tmem.spec.slot import Event


class Call(Enum):
    """An operation on a handle."""

    GET = "get"
    PUT = "put"
    FLUSH_PAGE = "flush page"
    FLUSH_OBJECT = "flush object"


def made(call: Call, scene: Scene, slot: Slot = TARGET, page: bytes = PUT) -> Event[int]:
    """Make the call; return what it did to the slot."""
    match call:
        case Call.GET:
            return scene.get(slot)
        case Call.PUT:
            return scene.put(slot, page)
        case Call.FLUSH_PAGE:
            return scene.flush_page(slot)
        case Call.FLUSH_OBJECT:
            return scene.flush_object(slot)
