"""What calls that never return may still do to a slot.

A call that never returns may as well not have happened yet. So it takes effect only when something needs it:
a put just before a hit of its page, and any such put or flush just before a miss of a persistent page, which
it emptied the slot for. Open puts of equal pages are interchangeable, so it is enough to count them.

A hit takes the put of its page that began last: an older put could serve more misses. A miss takes no
particular call, since it is not known yet which puts later hits will need. It only leaves one call less for
them among those that had begun by then. `OpenCalls` keeps how many calls can still be taken without leaving
too few for a miss, and that is exact: the calls that a miss may take are all those that an earlier miss may
take, and some more (by Hall's theorem for nested sets).

Puts of a page beyond what later hits can need, given the puts that are still to begin, can only empty the
slot. They are counted as such, so that states which differ in them alone are one. Where there is no miss to
serve, `free` is infinite.
"""

from __future__ import annotations

from bisect import bisect_left
from typing import NamedTuple, TypeAlias

Puts: TypeAlias = tuple[tuple[int, int], ...]
"""Pages, by a number for each, with how often they were put; in the order of the numbers."""


class Layer(NamedTuple):
    """The open calls that began between one miss which took a call and the next.

    `free` says how many of the calls of this layer and of older ones can still be taken before too few are
    left for the misses so far. `puts` are the puts that a hit may take; other calls count in `free` only.
    """

    free: float
    puts: Puts


class OpenCalls(NamedTuple):
    """The calls on a slot that never return and have not taken effect, in layers, the oldest first."""

    layers: tuple[Layer, ...] = (Layer(0, ()),)

    def with_put(self, page: int) -> OpenCalls:
        """One more put of a page has begun."""
        *older, last = self.layers
        return OpenCalls((*older, Layer(last.free + 1, _plus(last.puts, page, 1))))

    def with_flush(self) -> OpenCalls:
        """One more call has begun that can do nothing but empty the slot."""
        *older, last = self.layers
        return OpenCalls((*older, last._replace(free=last.free + 1)))

    def capped(self, page: int, most: int) -> OpenCalls:
        """Return the same calls, limited to the number of puts of the page that hits can still need.

        The older puts beyond that can only empty the slot.
        """
        layers = list(self.layers)
        surplus = sum(_count(puts, page) for _, puts in layers) - most
        for n, (free, puts) in enumerate(layers):
            if surplus > 0 and (count := min(surplus, _count(puts, page))):
                layers[n] = Layer(free, _plus(puts, page, -count))
                surplus -= count
        return OpenCalls(tuple(layers))

    def taken_by_hit(self, page: int) -> OpenCalls | None:
        """Return what is left when a put of the page takes effect, or None if no such put is free."""
        layers = self.layers
        for n in reversed(range(len(layers))):
            if _count(layers[n].puts, page):
                break
        else:
            return None
        if any(layer.free < 1 for layer in layers[n:]):
            return None
        puts = _plus(layers[n].puts, page, -1)
        newer = [layer._replace(free=layer.free - 1) for layer in layers[n + 1 :]]
        return _merged((*layers[:n], Layer(layers[n].free - 1, puts), *newer))

    def taken_by_miss(self) -> OpenCalls | None:
        """Return what is left when some call empties the slot, or None if no such call is free."""
        *older, last = self.layers
        if last.free < 1:
            return None
        free = last.free - 1
        return _merged((*older, last._replace(free=free), Layer(free, ())))

    def allows_all_of(self, other: OpenCalls) -> bool:
        """Whether whatever can be taken from the other can be taken from these."""
        if len(self.layers) != len(other.layers):
            return False
        return all(
            mine.free >= its.free and _contains(mine.puts, its.puts)
            for mine, its in zip(self.layers, other.layers, strict=True)
        )


def _plus(puts: Puts, page: int, change: int) -> Puts:
    n = bisect_left(puts, (page,))
    if n == len(puts) or puts[n][0] != page:
        return (*puts[:n], (page, change), *puts[n:]) if change else puts
    count = puts[n][1] + change
    return (*puts[:n], (page, count), *puts[n + 1 :]) if count else puts[:n] + puts[n + 1 :]


def _count(puts: Puts, page: int) -> int:
    n = bisect_left(puts, (page,))
    return puts[n][1] if n < len(puts) and puts[n][0] == page else 0


def _contains(puts: Puts, others: Puts) -> bool:
    return puts == others or all(_count(puts, page) >= count for page, count in others)


def _merged(layers: tuple[Layer, ...]) -> OpenCalls:
    # The end of a layer is a limit only if it is tighter than each newer limit: whatever is taken from a
    # layer counts in the newer ones too. The newest layer is still growing, and is no limit.
    kept = [layers[-1]]
    limit: float | None = None
    for layer in reversed(layers[:-1]):
        if limit is None or layer.free < limit:
            kept.append(layer)
            limit = layer.free
        else:
            newer = kept.pop()
            puts = newer.puts
            for page, count in layer.puts:
                puts = _plus(puts, page, count)
            kept.append(Layer(newer.free, puts))
    return OpenCalls(tuple(reversed(kept)))
