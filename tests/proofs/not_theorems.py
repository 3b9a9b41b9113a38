"""What must not pass for proved: a false theorem, an empty premise, and one that no search can finish."""

from __future__ import annotations

from tmem.spec.slot import Does, Event, Kind, after


def false(kind: Kind, page: int) -> bool:
    """Every hit removes the page."""
    assert after(kind, page, Event(Does.HIT, page)) == (None,)
    return True


def of_nothing(kind: Kind, page: int) -> bool:
    """Whatever follows from what cannot be: its premise is empty, so CrossHair confirms it."""
    if page > 3 and page < 3:
        assert kind.persistent
        return True
    return False


def without_end(page: int) -> bool:
    """True, but there are as many paths as pages."""
    left = page
    while left > 0:
        left -= 1
    assert left <= 0
    return page > 0
