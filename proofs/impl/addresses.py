"""Handles in all their bits, and numbers that are no handles."""

from __future__ import annotations

from proofs.impl.calls import Call, made
from proofs.impl.contract import contract
from proofs.impl.judged import sound, undisturbed
from proofs.impl.scene import BESIDE, ELSEWHERE, OTHER, TARGET, Before, Scene, Slot
from proofs.impl.symbolic import among, quietly
from proofs.impl.tokens import PUT
from tmem.spec.handle import INDEX_BITS, OBJECT_BITS, in_range
from tmem.spec.slot import Does, Kind


def flipped(bit: int) -> Slot:
    """Return the target with one bit flipped. Bits are counted through the index, then the object id."""
    pool, oid, index = TARGET
    return (pool, oid, index ^ 1 << bit) if bit < INDEX_BITS else (pool, oid ^ 1 << bit - INDEX_BITS, index)


@contract("TMEM-HANDLE-1", "TMEM-HANDLE-2")
def every_bit_of_a_handle_counts(target: int, page: int, bit: int) -> bool:
    """A handle with any one bit flipped names another slot: nothing that is done there is seen here."""
    twin = flipped(among(bit, range(INDEX_BITS + OBJECT_BITS)))
    scene = Scene(Before(Kind(persistent=True), target, None, 1, 2, cluttered=False), page)
    with quietly():
        assert scene.get(twin).does is Does.MISS, f"{twin} shows a page"
        scene.put(twin)
        assert scene.holds(twin) is scene.pam.pages[PUT], f"{twin} does not hold what was put"
        undisturbed(scene, TARGET, OTHER, ELSEWHERE)
        if twin[1] == TARGET[1]:
            scene.flush_page(twin)
        else:
            scene.flush_object(twin)
        undisturbed(scene, TARGET, OTHER, ELSEWHERE)
    sound(scene)
    return True


@contract("TMEM-ARG-1", searched=10.0)
def a_number_out_of_range_is_refused(kind: Kind, oid: int, index: int, call: Call) -> bool:
    """An object id or index that is negative or too wide: refused by every operation, and nothing changes.

    The text of the error shows the number, so CrossHair finds a path for each number.
    """
    if in_range(oid, 0 if call is Call.FLUSH_OBJECT else index):
        return False
    scene = Scene(Before(kind, 1, 2, 3, 4, cluttered=False), 5)
    event = made(call, scene, (TARGET[0], oid, index))
    assert event.does in (Does.DENIED, Does.NOTHING), (
        f"{call.value} of {oid:#x}, {index:#x}: {event.does.value}"
    )
    undisturbed(scene, TARGET, BESIDE, OTHER, ELSEWHERE)
    sound(scene)
    return oid >= 0 and index >= 0
