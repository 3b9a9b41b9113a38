"""What a host wants to know: how often each thing happened, and what the store holds."""

from __future__ import annotations

from dataclasses import dataclass

COUNTS = (
    "dropped",
    "ended",
    "failed",
    "flushed",
    "flushes",
    "hits",
    "misses",
    "reclaimed",
    "replaced",
    "stored",
    "taken",
)


class Tally:
    """The counts of one pool, guarded by its lock. A count only grows.

    Hits of a private persistent pool are counted without the lock. As long as the interpreter runs one
    thread at a time, no such hit is lost, since the addition does not release the interpreter. Only the hits
    of a get that still runs when its pool is destroyed may be lost. A get whose page was freed while it was
    read looks again, and counts two hits.
    """

    __slots__ = COUNTS

    def __init__(self) -> None:
        self.stored = 0
        self.failed = 0
        self.replaced = 0
        self.dropped = 0
        self.hits = 0
        self.taken = 0
        self.misses = 0
        self.flushes = 0
        self.flushed = 0
        self.reclaimed = 0
        self.ended = 0

    def plus(self, other: Tally) -> Tally:
        """Return the sum of both."""
        total = Tally()
        for name in COUNTS:
            setattr(total, name, getattr(self, name) + getattr(other, name))
        return total

    @property
    def pages(self) -> int:
        """Pages held: those that were stored, less those that were removed in any way."""
        gone = self.replaced + self.dropped + self.taken + self.flushed + self.reclaimed + self.ended
        return self.stored - gone


@dataclass(frozen=True, slots=True)
class Counters:
    """A snapshot. Each pool's counts belong to one instant, so pages that came and went add up to `pages`."""

    puts_stored: int
    puts_failed: int
    duplicates_replaced: int
    """Puts that stored over a page."""
    duplicates_flushed: int
    """Pages that were lost because a put over them failed."""
    hits: int
    misses: int
    flushes_found: int
    """Flushes, of a page or an object, that found something."""
    pages_flushed: int
    pages_reclaimed: int
    pages_ended: int
    """Pages that went with their pool."""
    pools: int
    pages: int
    bytes: int
    """The bytes that count against the budget: data of pages, and overhead of pages, objects and pools."""
    budget: int | None

    @classmethod
    def of(cls, total: Tally, pools: int, used: int, budget: int | None) -> Counters:
        """Return the snapshot for the sum of the counts of all pools."""
        return cls(
            puts_stored=total.stored,
            puts_failed=total.failed,
            duplicates_replaced=total.replaced,
            duplicates_flushed=total.dropped,
            hits=total.hits,
            misses=total.misses,
            flushes_found=total.flushes,
            pages_flushed=total.flushed,
            pages_reclaimed=total.reclaimed,
            pages_ended=total.ended,
            pools=pools,
            pages=total.pages,
            bytes=used,
            budget=budget,
        )
