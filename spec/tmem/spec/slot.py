"""The semantics of one slot. A store is the product of its slots, so this is all of tmem.

A slot holds one page or nothing. What an operation does to a slot follows from its answer
(`tmem.spec.answers`). One choice is left open: an ephemeral page may vanish silently between any two
events (`vanished`). Pages are compared, never looked into, so a page is of any type with `==`.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import Generic, TypeVar

P = TypeVar("P")


@dataclass(frozen=True, slots=True)
class Kind:
    """The kind of a pool. It decides whether pages may vanish and whether a hit removes them."""

    persistent: bool = False
    shared: bool = False

    @property
    def exclusive(self) -> bool:
        """Whether a hit removes the page: only in a private ephemeral pool [T]."""
        return not self.persistent and not self.shared

    def __str__(self) -> str:
        return ("shared " if self.shared else "private ") + ("persistent" if self.persistent else "ephemeral")


class Does(Enum):
    """What the answer of an operation says that the operation did to one slot."""

    STORED = "put stored"
    REFUSED = "put failed"
    HIT = "hit"
    MISS = "miss"
    DENIED = "get denied"
    FLUSHED = "flushed"
    ENDED = "pool ended"
    RECLAIMED = "reclaimed"
    NOTHING = "changed nothing"  # what no put, flush or destroy of a live pool may say


@dataclass(frozen=True, slots=True)
class Event(Generic[P]):
    """One thing that happens to a slot; `page` is what was put or what came back, else None."""

    does: Does
    page: P | None = None


def vanished(kind: Kind, holds: P | None) -> P | None:
    """What is left when the reclaimer strikes: an ephemeral page goes, a persistent page stays [P]."""
    return holds if kind.persistent else None


def untouched(kind: Kind, before: P | None, now: P | None) -> bool:
    """Whether a slot that no operation touches may hold `now` where it held `before`."""
    return now == before or now == vanished(kind, before)


def after(kind: Kind, holds: P | None, event: Event[P]) -> tuple[P | None, ...]:
    """Everything the slot may hold after the event; the empty tuple where the event cannot happen.

    >>> cache, swap = Kind(persistent=False), Kind(persistent=True)
    >>> after(cache, "old", Event(Does.REFUSED))      # a failed duplicate put dropped the old page
    (None,)
    >>> after(cache, "page", Event(Does.HIT, "page")), after(swap, "page", Event(Does.HIT, "page"))
    ((None,), ('page',))
    >>> after(swap, "page", Event(Does.MISS))         # a persistent page must hit
    ()
    """
    match event.does:
        case Does.STORED:
            return (event.page,)
        case Does.REFUSED | Does.FLUSHED | Does.ENDED:
            return (None,)
        case Does.HIT if holds is None or holds != event.page:
            return ()
        case Does.HIT if kind.exclusive:
            return (None,)
        case Does.HIT:
            return (holds,) if kind.persistent else (holds, None)
        case Does.MISS:
            return (None,) if holds is None else ()
        case Does.DENIED:
            return () if kind.persistent and holds is not None else (holds,)
        case Does.RECLAIMED:
            return (vanished(kind, holds),)
        case Does.NOTHING:
            return ()
