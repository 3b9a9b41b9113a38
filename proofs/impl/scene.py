"""A small store in an arbitrary state, and the operations on it, whose answers come as events of slots."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final, NamedTuple, TypeVar, cast

from proofs.impl.copy import Current, held
from proofs.impl.symbolic import decided, quietly
from proofs.impl.tokens import PUT, PUT_TOO, SETUP, Page, Pampd, Tokens
from tmem.impl.hosts import Host
from tmem.impl.order import OrderedObject
from tmem.impl.pool import Object, Pool
from tmem.impl.room import UNLIMITED, Room
from tmem.spec.abi.errors import EINVAL, ENODEV
from tmem.spec.abi.flags import compose
from tmem.spec.operations import Raised
from tmem.spec.slot import Does, Event, Kind

A = TypeVar("A")

CLIENT: Final = 1
UUID: Final = 5

Slot = tuple[int, int, int]
"""Pool id of the client, object id, index."""
TARGET: Final[Slot] = (0, 7, 3)
"""The slot that operations go to."""
BESIDE: Final[Slot] = (0, 7, 4)
"""Another index of the same object."""
OTHER: Final[Slot] = (0, 9, 3)
"""The same index of another object."""
ELSEWHERE: Final[Slot] = (1, 7, 3)
"""The same object and index of another pool, which is private and ephemeral."""
SLOTS: Final = (TARGET, BESIDE, OTHER, ELSEWHERE)


class Before(NamedTuple):
    """A store before the operation: a kind of pool, what its slots hold, the clutter in its reclaim order.

    The pages were put in the order of the fields, the target's first. Clutter are entries that lead to no
    page, in front of all others: of an object that is gone, and of the target.
    """

    kind: Kind
    target: int | None
    beside: int | None
    other: int
    elsewhere: int
    cluttered: bool


class Scene:
    """A store in the state before the operation; the number of each of its pages is known."""

    def __init__(
        self,
        before: Before,
        put: int = 0,
        put_too: int = 0,
        host: Host | None = None,
    ) -> None:
        self.kind = Kind(decided(before.kind.persistent), decided(before.kind.shared))
        self.before: Mapping[Slot, int | None] = {
            TARGET: before.target,
            BESIDE: before.beside,
            OTHER: before.other,
            ELSEWHERE: before.elsewhere,
        }
        self.client = CLIENT
        self.struck = 0
        """Pages that strikes took."""
        cluttered = decided(before.cluttered)
        with quietly():
            self.pam = Tokens({PUT: put, PUT_TOO: put_too})
            self.store = Current.copy.store(page_size=1, pam=lambda codec: cast(Any, self.pam), host=host)
            self.new_pool()
            self.store.new_pool(CLIENT)
            if cluttered:
                self._clutter()
            for slot, page in self.before.items():
                if page is not None:
                    self._set_up(slot, page)

    def _clutter(self) -> None:
        self._set_up(TARGET, 0)
        self.store.flush_page(CLIENT, *TARGET)
        self._set_up(BESIDE, 0)
        self._set_up(TARGET, 0)
        self.store.flush_page(CLIENT, *TARGET)
        if self.before[BESIDE] is None:
            self.store.flush_page(CLIENT, *BESIDE)

    def _set_up(self, slot: Slot, page: int) -> None:
        self.pam.pages[SETUP] = page
        if not self.store.put(CLIENT, *slot, SETUP):
            raise AssertionError("the store before could not be made")

    def squeeze(self, size: int, spare: int, ahead: int) -> Room:
        """Let the target's page be of this size, and no more than `spare` bytes free; the room."""
        room, pampd = self.store._room, self._pampd(TARGET)
        if pampd is not None:
            pool = self.store._tables[CLIENT][TARGET[0]]
            pool.held += size - pampd.size
            room.used += size - pampd.size
            pampd.size = size
        room.budget = room.mark = room.used + spare
        self.store._ahead = ahead
        return room

    # What others may do at a point

    def nobody_is_in(self) -> bool:
        """Return whether no lock is held, so that any operation can be done from start to end."""
        store = self.store
        pools = (pool for table in store._tables.values() for pool in table.values())
        locks = (store._room.lock, store._registry.lock, *(pool.lock for pool in pools))
        return not any(map(held, locks))

    def elsewhere_is_free(self) -> bool:
        """Return whether an operation on the other pool can be done from start to end."""
        store = self.store
        locks = (store._room.lock, store._registry.lock, store._tables[CLIENT][ELSEWHERE[0]].lock)
        return not any(map(held, locks))

    def room_is_free(self) -> bool:
        """Return whether the reclaimer may begin; it goes on where a pool is busy."""
        return not held(self.store._room.lock)

    def strike(self, pages: int) -> None:
        """Let the reclaimer take up to this number of pages, in one batch."""
        self.struck += Current.copy.strike(self.store._room, pages, UNLIMITED).pages

    # Operations, and what they did to the slot

    def put(self, slot: Slot = TARGET, page: bytes = PUT) -> Event[int]:
        """STORED, REFUSED, or NOTHING where there is no pool."""
        answer = attempt(lambda: self.store.put(self.client, *slot, page))
        if isinstance(answer, Raised):
            return nothing_changed(answer, Does.NOTHING)
        return Event(Does.STORED, self.pam.pages[page]) if answer else Event(Does.REFUSED)

    def get(self, slot: Slot = TARGET) -> Event[int]:
        """HIT, MISS, or DENIED where there is no pool."""
        answer = attempt(lambda: cast("Page | None", self.store.get(self.client, *slot)))
        if isinstance(answer, Raised):
            return nothing_changed(answer, Does.DENIED)
        return Event(Does.MISS) if answer is None else Event(Does.HIT, answer.number)

    def put_many(self, slots: Sequence[Slot], page: bytes = PUT) -> list[Event[int]]:
        """`put` of the page to each slot of the pool."""
        answers = attempt(lambda: self.store.put_many(self.client, 0, _in_pool(slots), [page] * len(slots)))
        assert not isinstance(answers, Raised), f"put_many raised {answers}"
        return [Event(Does.STORED, self.pam.pages[page]) if each else Event(Does.REFUSED) for each in answers]

    def get_many(self, slots: Sequence[Slot]) -> list[Event[int]]:
        """`get` of each slot of the pool."""
        answers = attempt(lambda: self.store.get_many(self.client, 0, _in_pool(slots)))
        assert not isinstance(answers, Raised), f"get_many raised {answers}"
        pages = cast("Sequence[Page | None]", answers)
        return [Event(Does.MISS) if page is None else Event(Does.HIT, page.number) for page in pages]

    def flush_page(self, slot: Slot = TARGET) -> Event[int]:
        """FLUSHED, or NOTHING where there is no pool."""
        answer = attempt(lambda: self.store.flush_page(self.client, *slot))
        return nothing_changed(answer, Does.NOTHING) if isinstance(answer, Raised) else Event(Does.FLUSHED)

    def flush_object(self, slot: Slot = TARGET) -> Event[int]:
        """FLUSHED, or NOTHING where there is no pool."""
        answer = attempt(lambda: self.store.flush_object(self.client, *slot[:2]))
        return nothing_changed(answer, Does.NOTHING) if isinstance(answer, Raised) else Event(Does.FLUSHED)

    def reclaim(self, pages: int) -> int:
        """Return how many pages went."""
        answer = attempt(lambda: self.store.reclaim(pages))
        assert isinstance(answer, int), f"reclaim raised {answer}"
        return answer

    def destroy_pool(self, slot: Slot = TARGET) -> Event[int]:
        """ENDED."""
        answer = attempt(lambda: self.store.destroy_pool(self.client, slot[0]))
        assert answer is True, f"destroy pool answered {answer}"
        return Event(Does.ENDED)

    def new_pool(self, client: int = CLIENT) -> int:
        """Make the pool of this kind, or join it; its id."""
        flags = compose(persistent=self.kind.persistent, shared=self.kind.shared)
        return self.store.new_pool(client, flags, UUID)

    def by_age(self) -> list[Slot]:
        """The slots of all pages that may be reclaimed, oldest first, as the reclaim order has them."""
        ids = {pool: id for id, pool in self.store._tables[CLIENT].items()}
        order = self.store._room.order
        skipped: Counter[tuple[OrderedObject, int]] = Counter()
        slots: list[Slot] = []
        for queue in (order._old, order._young):
            for obj, index in zip(queue.objects, queue.indexes, strict=True):
                if obj.gone or obj.pool.ended:
                    continue
                stale = (obj.stale or {}).get(index, 0) + (obj.late or {}).get(index, 0)
                if skipped[obj, index] < stale:
                    skipped[obj, index] += 1
                else:
                    slots.append((ids[cast(Pool, obj.pool)], cast(Object, obj).oid, index))
        return slots

    def holds(self, slot: Slot) -> int | None:
        """Look up, without a get, what the slot holds; None also if there is no pool."""
        pampd = self._pampd(slot)
        return None if pampd is None else pampd.page

    def _pampd(self, slot: Slot) -> Pampd | None:
        pool = self.store._tables.get(self.client, {}).get(slot[0])
        obj = None if pool is None else pool.objects.get(slot[1])
        return None if obj is None else cast("Pampd | None", obj.pages.get(slot[2]))


def _in_pool(slots: Sequence[Slot]) -> list[tuple[int, int]]:
    assert not any(pool for pool, _, _ in slots), "all slots are of the pool 0"
    return [(oid, index) for _, oid, index in slots]


def attempt(call: Callable[[], A]) -> A | Raised:
    """Return the answer, or what was raised instead."""
    try:
        return call()
    except AssertionError:
        raise
    except Exception as error:
        return Raised.of(error)


def nothing_changed(raised: Raised, does: Does) -> Event[int]:
    """Return the event of a call that was refused; an AssertionError for any other error."""
    assert raised.errno in (EINVAL, ENODEV), f"raised {raised}"
    return Event(does)
