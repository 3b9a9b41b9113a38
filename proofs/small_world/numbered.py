"""The relation of a setting, walked: worlds are numbered as they are met, and steps remembered."""

from __future__ import annotations

from typing import NamedTuple

from proofs.small_world.alphabet import letters
from proofs.small_world.relation import Setting, World, after, empty, vanishings
from proofs.small_world.rules import Step, step


class Size(NamedTuple):
    """How large a relation is: `depth` is how many transitions the farthest world is away."""

    states: int
    transitions: int
    depth: int

    def __str__(self) -> str:
        return f"{self.states:,} states, {self.transitions:,} transitions, depth {self.depth}"


class Relation:
    """Where the letters of the alphabet lead, from worlds and from sets of worlds."""

    def __init__(self, setting: Setting) -> None:
        self.setting = setting
        self.letters = list(letters(setting))
        self.steps = [step(setting.page_size, *letter) for letter in self.letters]
        """What each letter says that it did; None for one that is nowhere legal."""
        self._worlds: list[World] = []
        self._numbers: dict[World, int] = {}
        self._after: dict[tuple[int, Step], frozenset[int]] = {}
        self._left: dict[int, frozenset[int]] = {}
        self.start = frozenset((self._number(empty(setting)),))

    def reach(self, worlds: frozenset[int], taken: Step | None) -> frozenset[int]:
        """Where the step may lead from any of the worlds, pages vanishing afterwards or not."""
        if taken is None:
            return frozenset()
        ends: set[int] = set()
        for world in worlds:
            for then in self.ends(world, taken):
                ends |= self.vanished(then)
        return frozenset(ends)

    def fixpoint(self) -> Size:
        """Walk it until no world is new. A transition is a step, or the vanishing of pages."""
        steps = {taken for taken in self.steps if taken is not None}
        transitions, depth = 0, -1
        seen, frontier = set(self.start), set(self.start)
        while frontier:
            depth += 1
            found: set[int] = set()
            for world in frontier:
                for ends in (*(self.ends(world, taken) for taken in steps), self.vanished(world) - {world}):
                    transitions += len(ends)
                    found |= ends
            frontier = found - seen
            seen |= frontier
        return Size(len(seen), transitions, depth)

    def _number(self, world: World) -> int:
        if world not in self._numbers:
            self._numbers[world] = len(self._worlds)
            self._worlds.append(world)
        return self._numbers[world]

    def ends(self, world: int, taken: Step) -> frozenset[int]:
        """Where the step may lead from one world."""
        if (world, taken) not in self._after:
            ends = after(self.setting, self._worlds[world], taken)
            self._after[world, taken] = frozenset(map(self._number, ends))
        return self._after[world, taken]

    def vanished(self, world: int) -> frozenset[int]:
        """The world, and what it may become while nobody looks."""
        if world not in self._left:
            self._left[world] = frozenset(map(self._number, vanishings(self._worlds[world])))
        return self._left[world]
