"""What a slot may hold according to the answers so far: the semantics of `slot`, determinised.

Every choice of a backend is observed (a put's answer, a hit or a miss) or is the vanishing of an
ephemeral page, and absence never contradicts an ephemeral miss. So the set of what a slot may hold
is never more than *nothing*, *this page*, or *this page or nothing*, and judging needs no search.
`proofs/` shows that this is exactly the set that `slot.after` and `slot.vanished` generate.
"""

from __future__ import annotations

from typing import Generic, NamedTuple

from tmem.spec.slot import Does, Event, Kind, P


class Belief(NamedTuple, Generic[P]):
    """The pages a slot may hold: `page` or, unless `sure`, nothing. No page: it holds nothing."""

    page: P | None = None
    sure: bool = False

    def __str__(self) -> str:
        if self.page is None:
            return "nothing"
        return f"{self.page}" if self.sure else f"{self.page} or nothing"


EMPTY: Belief[bytes] = Belief()


def allows(belief: Belief[P], holds: P | None) -> bool:
    """Whether the slot may hold this.

    >>> [allows(Belief("page"), x) for x in ("page", "other", None)]
    [True, False, True]
    """
    return not belief.sure if holds is None else holds == belief.page


def learn(kind: Kind, belief: Belief[P], event: Event[P]) -> Belief[P] | None:
    """What the slot may hold after the event; None where the contract does not allow the event.

    >>> cache, swap = Kind(persistent=False), Kind(persistent=True)
    >>> learn(cache, Belief("a"), Event(Does.MISS))          # it had vanished, and stays away
    Belief(page=None, sure=False)
    >>> learn(swap, Belief("a", sure=True), Event(Does.MISS)) is None
    True
    """
    match event.does:
        case Does.STORED:
            return Belief(event.page, kind.persistent)
        case Does.REFUSED | Does.FLUSHED | Does.ENDED:
            return Belief()
        case Does.HIT if belief.page is None or belief.page != event.page:
            return None
        case Does.HIT:
            return Belief() if kind.exclusive else Belief(belief.page, kind.persistent)
        case Does.MISS:
            return None if belief.sure else Belief()
        case Does.DENIED if kind.persistent:
            return None if belief.sure else Belief()
        case Does.DENIED:
            return belief
        case Does.RECLAIMED:
            return belief if kind.persistent else Belief()
        case Does.NOTHING:
            return None
