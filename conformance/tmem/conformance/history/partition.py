"""The calls of a history, sorted by the slots and pool ids that they concern and by what they did there."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from tmem.conformance.history.calls import Call, Name, Perhaps, end_of


class SlotCalls:
    """The calls on one slot, or the flushes of one object, by what they did. Each list is in any order."""

    __slots__ = (
        "denied",
        "emptied",
        "hits",
        "maybe_emptied",
        "maybe_stored",
        "misses",
        "stored",
        "unflushed",
    )

    def __init__(self) -> None:
        self.stored: list[Call] = []
        """Puts that stored their page."""
        self.maybe_stored: list[Perhaps] = []
        """Puts that stored their page, or failed and left nothing, or have not happened."""
        self.hits: list[Call] = []
        self.misses: list[Call] = []
        self.denied: list[Call] = []
        """Gets that raised an errno: not allowed while a persistent page is there."""
        self.emptied: list[Call] = []
        """Puts that failed, and flushes."""
        self.maybe_emptied: list[Perhaps] = []
        self.unflushed: list[Call] = []
        """Puts and flushes that changed nothing, by their errno: at some instant of such a call there was no
        pool."""

    @property
    def sure(self) -> Iterator[Call]:
        """The calls that certainly did something, or showed something."""
        for calls in (self.stored, self.hits, self.misses, self.denied, self.emptied):
            yield from calls

    @property
    def unsure(self) -> Iterator[Perhaps]:
        """The calls that need not have happened."""
        yield from self.maybe_stored
        yield from self.maybe_emptied

    def add(self, others: SlotCalls) -> None:
        """Add other calls on the same slot."""
        for name in self.__slots__:
            getattr(self, name).extend(getattr(others, name))

    def all(self) -> Iterator[Call]:
        """All calls."""
        yield from self.sure
        yield from (unsure.call for unsure in self.unsure)
        yield from self.unflushed

    def times(self) -> Iterator[float]:
        """The begins and ends of all calls that did something or showed something."""
        for call in self.sure:
            yield call.begin
            yield end_of(call)
        for unsure in self.unsure:
            yield unsure.begin
            yield unsure.end


class PoolIdCalls:
    """The new pools that answered one pool id, and the other calls on it that restrict when it was live."""

    __slots__ = ("ended", "flags", "made", "maybe_ended", "maybe_made")

    def __init__(self) -> None:
        self.made: list[Call] = []
        self.maybe_made: list[Perhaps] = []
        self.ended: list[Call] = []
        """Destroys; the pool may have ended before."""
        self.maybe_ended: list[Perhaps] = []
        self.flags: list[Call] = []
        """Pool flags that answered."""

    def all(self) -> Iterator[Call]:
        """All calls."""
        for calls in (self.made, self.ended, self.flags):
            yield from calls
        for unsure in (*self.maybe_made, *self.maybe_ended):
            yield unsure.call


class BySlot(dict[Name, SlotCalls]):
    """The calls of slots, or of objects, by name."""

    def __missing__(self, name: Name) -> SlotCalls:
        self[name] = made = SlotCalls()
        return made


class ByPoolId(dict[Name, PoolIdCalls]):
    """The calls on pool ids, by ⟨client, pool id⟩."""

    def __missing__(self, name: Name) -> PoolIdCalls:
        self[name] = made = PoolIdCalls()
        return made


class Partition:
    """The calls of a history by what they concern."""

    def __init__(self) -> None:
        self.count = 0
        self.slots: dict[Name, dict[Name, SlotCalls]] = {}
        """By pool id and slot: puts, gets and flush pages."""
        self.objects: dict[Name, dict[Name, SlotCalls]] = {}
        """By pool id and object: flush objects."""
        self.pools = ByPoolId()
        """By pool id: new pools (under the id that they answered), destroys and pool flags."""
        self.reclaims: list[Call] = []
        self.unnamed: list[Perhaps] = []
        """New pools that may have made a pool, but answered no id."""

    @property
    def names(self) -> set[Name]:
        """Every pool id on which there are calls."""
        return {*self.slots, *self.objects, *self.pools}

    def groups(self) -> Iterator[SlotCalls]:
        """The calls of each slot, and the flushes of each object."""
        for by_name in (self.slots, self.objects):
            for named in by_name.values():
                yield from named.values()

    def calls_on(self, names: Iterable[Name], place: Name = ()) -> list[Call]:
        """The calls on these pool ids; with an object id and an index as `place`, on that slot only."""
        found = [unsure.call for unsure in self.unnamed]
        for name in names:
            if name in self.pools:
                found += self.pools[name].all()
            for target, flushes in self.objects.get(name, {}).items():
                if target[2:] == place[:1] or not place:
                    found += flushes.all()
            for target, calls in self.slots.get(name, {}).items():
                if target[2:] == place or not place:
                    found += calls.all()
        return found
