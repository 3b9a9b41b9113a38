"""Whose turn it is, and for how long: so a budget that is short gives every engine its part."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping


class TimeSlices:
    """The seconds of each engine's turns, by the part that each engine takes of the whole.

    `left` says how many seconds there are, None for as many as it takes. An engine whose turn ends before
    its work does waits for another, which it gets where the others leave time.
    """

    def __init__(self, shares: Mapping[str, float], left: Callable[[], float | None]) -> None:
        self._shares = shares
        self._left = left
        self.done = dict.fromkeys(shares, 0.0)
        """How much of its work each engine has done, 0 to 1: to be brought up to date in each turn."""

    def __iter__(self) -> Iterator[tuple[str, float | None]]:
        """The engine whose turn it is, and its seconds."""
        waiting = list(self._shares)
        while waiting:
            for place, name in enumerate(waiting):
                left = self._left()
                if left is not None and left <= 0:
                    return
                yield name, None if left is None else left * self._part(name, waiting[place:])
            waiting = [name for name in waiting if self.done[name] < 1]

    def _part(self, name: str, waiting: list[str]) -> float:
        return self._shares[name] / (sum(self._shares[each] for each in waiting) or 1)

    @property
    def complete(self) -> bool:
        """Whether all work is done."""
        return all(done >= 1 for done in self.done.values())
