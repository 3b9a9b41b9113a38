"""Large histories, to see how fast they are decided."""

from __future__ import annotations

import random
from heapq import heapify, heappop, heappush

from tmem.conformance.history.calls import Call
from tmem.spec.abi.flags import PERSIST
from tmem.spec.operations import Raised

ENODEV = Raised("OSError", 19)
FLUSH_OBJECT, DESTROY, FAILED_PUT = 0.01, 0.0001, 0.02
"""The shares of flush objects and destroys in a large history, and of puts that fail."""


def large(count: int, threads: int, slots: int, flags: int, seed: int = 1) -> list[Call]:
    """A legal history: `count` calls by threads that never rest, in the order of their begins.

    Pools have up to 10 objects of 10 slots. Pages are numbers; times are nanoseconds, as of calls that
    take 1 to 11 microseconds, with a moment in between at which they take effect.
    """
    draw = random.Random(seed)
    ready = [(draw.randrange(10_000), thread) for thread in range(threads)]
    heapify(ready)
    schedule: list[tuple[int, int, int, int]] = []
    for _ in range(count):
        begin, thread = heappop(ready)
        end = begin + 1_000 + draw.randrange(10_000)
        schedule.append((draw.randint(begin, end), begin, end, thread))
        heappush(ready, (end + 1 + draw.randrange(1_000), thread))
    schedule.sort()
    store = Numbers(flags, slots, draw)
    calls = store.setup()
    for number, (_, begin, end, thread) in enumerate(schedule[len(calls) :]):
        op, args, answer = store.next(number, thread)
        calls.append(Call(thread, begin, end, op, args, answer))
    calls.sort(key=lambda call: call.begin)
    return calls


class Numbers:
    """A store of numbers that answers random operations, and forgets an ephemeral page now and then."""

    def __init__(self, flags: int, slots: int, draw: random.Random) -> None:
        self.flags = flags
        self.persistent = bool(flags & PERSIST)
        self.draw = draw
        self.names = [(1, n // 100, n // 10 % 10, n % 10) for n in range(slots)]
        self.live = {pool for _, pool, _, _ in self.names}
        self.mending: dict[int, int] = {}
        self.pages: dict[tuple[int, int, int, int], int] = {}

    def setup(self) -> list[Call]:
        """The new pools, before everything else."""
        pools = sorted(self.live)
        return [
            Call(0, n - 1000, n - 1000, "new_pool", (1, self.flags, None), pool)
            for n, pool in enumerate(pools)
        ]

    def next(self, number: int, thread: int) -> tuple[str, tuple[int | None, ...], object]:
        """An operation and its answer; a thread that destroyed a pool makes it again."""
        draw = self.draw
        if thread in self.mending:
            pool = self.mending.pop(thread)
            self.live.add(pool)
            return "new_pool", (1, self.flags, None), pool
        name = draw.choice(self.names)
        client, pool, oid, _ = name
        live = pool in self.live
        chance = draw.random()
        if chance < DESTROY and live:
            self.live.discard(pool)
            self.mending[thread] = pool
            self.pages = {slot: page for slot, page in self.pages.items() if slot[1] != pool}
            return "destroy_pool", (client, pool), True
        if not live:
            return "get", name, ENODEV
        if chance < FLUSH_OBJECT:
            for slot in [slot for slot in self.pages if slot[:3] == (client, pool, oid)]:
                del self.pages[slot]
            return "flush_object", (client, pool, oid), True
        return self.page(number, name, chance)

    def page(
        self, number: int, name: tuple[int, int, int, int], chance: float
    ) -> tuple[str, tuple[int, ...], object]:
        """An operation on one slot."""
        if chance < 0.45:
            if self.draw.random() < FAILED_PUT:
                self.pages.pop(name, None)
                return "put", (*name, number), False
            self.pages[name] = number
            return "put", (*name, number), True
        if chance < 0.9:
            if not self.persistent and self.draw.random() < 0.05:
                self.pages.pop(name, None)
            return "get", name, self.pages.get(name) if self.persistent else self.pages.pop(name, None)
        return "flush_page", name, self.pages.pop(name, None) is not None


def overlapping(count: int, threads: int, slots: int, flags: int) -> list[Call]:
    """The hostile extreme: every call on one slot is under way at one moment, so that they all overlap."""
    draw = random.Random(count)
    calls = [Call(0, 0, 1, "new_pool", (1, flags, None), 0)]
    pages: list[int] = []
    for number in range(1, count):
        begin, end = 1 + number, 2 * count + draw.randrange(count)
        chance = draw.random()
        if chance < 0.4:
            calls.append(Call(number, begin, end, "put", (1, 0, 7, 3, number), True))
            pages.append(number)
        elif chance < 0.6 and pages:
            page = pages.pop() if not flags & PERSIST else draw.choice(pages)
            calls.append(Call(number, begin, end, "get", (1, 0, 7, 3), page))
        elif chance < 0.9:
            calls.append(Call(number, begin, end, "get", (1, 0, 7, 3), None))
        else:
            calls.append(Call(number, begin, end, "flush_page", (1, 0, 7, 3), True))
    return calls


def reused(count: int, threads: int, slots: int, flags: int) -> list[Call]:
    """A legal history in which pages are put again and again, as callers that share contents do."""
    calls = large(count, threads, slots, flags)
    pages = {call.args[4]: call.args[4] % 50 for call in calls if call.op == "put"}  # type: ignore[operator]
    return [
        call._replace(
            args=(*call.args[:4], pages[call.args[4]]) if call.op == "put" else call.args,
            answer=pages[call.answer] if call.op == "get" and type(call.answer) is int else call.answer,
        )
        for call in calls
    ]


def broken(count: int, threads: int, slots: int, flags: int) -> list[Call]:
    """A history in which, in the middle, a page comes back once more after another put had replaced it."""
    calls = large(count, threads, slots, flags)
    last: dict[tuple[object, ...], Call] = {}
    for number, call in enumerate(calls):
        if call.op != "put" or call.answer is not True or call.end is None:
            continue
        before = last.setdefault(call.args[:4], call)
        if number > count // 2 and before.end is not None and before.end < call.begin:
            again = Call(threads, call.end + 1, call.end + 2, "get", call.args[:4], before.args[4])
            return sorted([*calls, again], key=lambda call: call.begin)
        last[call.args[:4]] = call
    raise ValueError("no slot was put to twice")
