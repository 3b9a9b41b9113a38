"""Draws a conforming backend: the odds of its choices, and its layers."""

from __future__ import annotations

import random
from typing import Final

from tmem.conformance.conforming.abilities import (
    FewPools,
    KeepsAllOnes,
    Refuses,
    RefusesVersionZero,
    Without,
)
from tmem.conformance.conforming.eviction import (
    ORDERS,
    Capacity,
    DuplicateFlushes,
    LeaveEmptiesEphemeral,
    Restless,
    SharedHitsTake,
    WholeObjects,
)
from tmem.conformance.conforming.replies import ERRORS, NUMBERS, PoolIds, PythonErrors, Slow
from tmem.conformance.conforming.threads import Background, Locked
from tmem.conformance.conforming.wrapper import Wrapper
from tmem.model import Adversary, Choice
from tmem.spec.backend import Backend

SELDOM: Final = frozenset({Choice.NEW_POOL, Choice.PUT, Choice.GET, Choice.SHARE})
"""Choices of which only the first option gets anything done: the others are taken now and then only."""
GRANTS: Final = frozenset({Choice.SHARE, Choice.KIND})
"""Choices that may grant another pool than was asked for, which only a backend with `pool_flags` may do."""
ODDS: Final = (0.02, 0.1, 0.3)
PAGE_SIZES: Final = (4096, 4096, 4096, 8192, 512)


class Composed(Wrapper):
    """A conforming backend whose `str` lists what it is made of."""

    def __init__(self, inner: Backend, parts: list[str]) -> None:
        super().__init__(inner)
        self.parts = parts

    def __str__(self) -> str:
        return "; ".join(self.parts) or "keep"


class DrawnStrategy:
    """A strategy with drawn odds for each choice, and a drawn option that is taken instead of the first."""

    def __init__(self, dice: random.Random, *, reports_flags: bool) -> None:
        self.dice = random.Random(dice.random())
        self.options: dict[Choice, tuple[float, str | None]] = {}
        for choice in Choice:
            if choice in GRANTS and not reports_flags:
                continue
            draw = dice.random()
            if draw < 0.3:
                self.options[choice] = (dice.choice(ODDS), None)
            elif draw < 0.5:
                odds = dice.choice(ODDS) if choice in SELDOM else 1.0
                self.options[choice] = (odds, dice.choice(choice.options[1:]))

    def __call__(self, choice: Choice, options: tuple[str, ...]) -> str:
        """Return one of the options."""
        odds, option = self.options.get(choice, (0.0, None))
        if self.dice.random() >= odds:
            return options[0]
        return option or self.dice.choice(options)

    def __str__(self) -> str:
        return ", ".join(
            f"{choice.name} {option or 'any'}" + (f" at {odds}" if odds < 1 else "")
            for choice, (odds, option) in self.options.items()
        )


class Composer:
    """Adds layers to a backend, and lists them."""

    def __init__(self, backend: Backend, dice: random.Random) -> None:
        self.backend = backend
        self.dice = dice
        self.parts: list[str] = []

    def add(self, layer: type[Wrapper], *arguments: object, **named: object) -> None:
        """Wrap the backend in one more layer."""
        shown = [str(each) for each in arguments if not isinstance(each, random.Random)]
        shown += [f"{name}={value}" for name, value in named.items()]
        self.parts.append(layer.__name__ + (f"({', '.join(shown)})" if shown else ""))
        self.backend = layer(self.backend, *arguments, **named)

    def chance(self, odds: float) -> bool:
        """Draw True with these odds."""
        return self.dice.random() < odds


def compose(seed: int) -> Composed:
    """Return the conforming backend of this seed. Equal seeds behave alike, except for background threads."""
    dice = random.Random(f"conforming {seed}")
    reports_flags = dice.random() < 0.7
    strategy = DrawnStrategy(dice, reports_flags=reports_flags)
    made = Composer(Adversary(strategy, page_size=dice.choice(PAGE_SIZES)), dice)
    if str(strategy):
        made.parts.append(str(strategy))
    if not reports_flags:
        made.add(Without, "pool_flags")
    _limit(made)
    _evict(made)
    _answer(made)
    if made.chance(0.4):
        made.add(Background if made.chance(0.15) else Locked, made.chance(0.5))
    return Composed(made.backend, made.parts)


def _limit(made: Composer) -> None:
    if made.chance(0.25):
        made.add(Without, "reclaim")
    if made.chance(0.15):
        made.add(Refuses, **{made.dice.choice(("persistent", "shared")): False})
    if made.chance(0.15):
        made.add(RefusesVersionZero)
    if made.chance(0.15):
        made.add(FewPools, made.dice.randrange(1, 6))
    if made.chance(0.1):
        made.add(KeepsAllOnes, made.chance(0.5))


def _evict(made: Composer) -> None:
    dice = made.dice
    orders = list(ORDERS)
    if made.chance(0.4):
        refusal = dice.choice(("False", "ENOMEM", "ENOSPC"))
        made.add(Capacity, dice.randrange(1, 16), dice.choice(orders), refusal, _own(dice))
    if made.chance(0.3):
        made.add(Restless, dice.choice((0.05, 0.3, 1.0)), dice.choice(orders), _own(dice))
    if made.chance(0.15):
        made.add(WholeObjects, dice.randrange(2, 9))
    if made.chance(0.2):
        made.add(SharedHitsTake)
    if made.chance(0.2):
        made.add(LeaveEmptiesEphemeral)
    if made.chance(0.2):
        made.add(DuplicateFlushes, dice.randrange(1, 5))


def _answer(made: Composer) -> None:
    if made.chance(0.4):
        made.add(PoolIds, made.dice.choice(list(NUMBERS)), _own(made.dice))
    if made.chance(0.3):
        made.add(PythonErrors, made.dice.choice(list(ERRORS)))
    if made.chance(0.05):
        made.add(Slow)


def _own(dice: random.Random) -> random.Random:
    return random.Random(dice.random())
