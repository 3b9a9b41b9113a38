"""How many states a search may visit before it gives up."""

from __future__ import annotations


class Spent(Exception):  # noqa: N818  # it reports no error
    """The budget of states is spent before an answer is found."""


class Budget:
    """How many states may still be visited."""

    def __init__(self, states: int) -> None:
        self.left = states

    def spend(self, states: int = 1) -> None:
        """Count visited states. Raises Spent if the budget has none left."""
        self.left -= states
        if self.left < 0:
            raise Spent
