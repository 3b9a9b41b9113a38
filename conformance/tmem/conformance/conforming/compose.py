"""Draws a conforming backend: the tempers of its choices, and its layers."""

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
"""Choices of which only the kindest option lets anything happen: the others are taken now and then."""
TOLD: Final = frozenset({Choice.SHARE, Choice.KIND})
"""Choices that may grant another pool than was asked for, which takes the ability `pool_flags` to tell."""
ODDS: Final = (0.02, 0.1, 0.3)
PAGE_SIZES: Final = (4096, 4096, 4096, 8192, 512)


class Composed(Wrapper):
    """A conforming backend that can say, as text, what it is made of."""

    def __init__(self, inner: Backend, parts: list[str]) -> None:
        super().__init__(inner)
        self.parts = parts

    def __str__(self) -> str:
        return "; ".join(self.parts) or "keep"


class Tempers:
    """A strategy: each choice by its own odds, and its own option where it is not the kindest."""

    def __init__(self, dice: random.Random, *, tells: bool) -> None:
        self.dice = random.Random(dice.random())
        self.options: dict[Choice, tuple[float, str | None]] = {}
        for choice in Choice:
            if choice in TOLD and not tells:
                continue
            draw = dice.random()
            if draw < 0.3:
                self.options[choice] = (dice.choice(ODDS), None)
            elif draw < 0.5:
                odds = dice.choice(ODDS) if choice in SELDOM else 1.0
                self.options[choice] = (odds, dice.choice(choice.options[1:]))

    def __call__(self, choice: Choice, options: tuple[str, ...]) -> str:
        """One of the options."""
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
    """Lays layers around a backend, and keeps what they are."""

    def __init__(self, backend: Backend, dice: random.Random) -> None:
        self.backend = backend
        self.dice = dice
        self.parts: list[str] = []

    def lay(self, layer: type[Wrapper], *arguments: object, **named: object) -> None:
        """Lay a layer around what there is."""
        told = [str(each) for each in arguments if not isinstance(each, random.Random)]
        told += [f"{name}={value}" for name, value in named.items()]
        self.parts.append(layer.__name__ + (f"({', '.join(told)})" if told else ""))
        self.backend = layer(self.backend, *arguments, **named)

    def chance(self, odds: float) -> bool:
        """Whether to do something that is done with these odds."""
        return self.dice.random() < odds


def compose(seed: int) -> Composed:
    """The conforming backend of this seed: equal seeds, equal backends, but for threads of their own."""
    dice = random.Random(f"conforming {seed}")
    tells = dice.random() < 0.7
    tempers = Tempers(dice, tells=tells)
    made = Composer(Adversary(tempers, page_size=dice.choice(PAGE_SIZES)), dice)
    if str(tempers):
        made.parts.append(str(tempers))
    if not tells:
        made.lay(Without, "pool_flags")
    _limit(made)
    _evict(made)
    _answer(made)
    if made.chance(0.4):
        made.lay(Background if made.chance(0.15) else Locked, made.chance(0.5))
    return Composed(made.backend, made.parts)


def _limit(made: Composer) -> None:
    if made.chance(0.25):
        made.lay(Without, "reclaim")
    if made.chance(0.15):
        made.lay(Refuses, **{made.dice.choice(("persistent", "shared")): False})
    if made.chance(0.15):
        made.lay(RefusesVersionZero)
    if made.chance(0.15):
        made.lay(FewPools, made.dice.randrange(1, 6))
    if made.chance(0.1):
        made.lay(KeepsAllOnes, made.chance(0.5))


def _evict(made: Composer) -> None:
    dice = made.dice
    orders = list(ORDERS)
    if made.chance(0.4):
        refusal = dice.choice(("False", "ENOMEM", "ENOSPC"))
        made.lay(Capacity, dice.randrange(1, 16), dice.choice(orders), refusal, _own(dice))
    if made.chance(0.3):
        made.lay(Restless, dice.choice((0.05, 0.3, 1.0)), dice.choice(orders), _own(dice))
    if made.chance(0.15):
        made.lay(WholeObjects, dice.randrange(2, 9))
    if made.chance(0.2):
        made.lay(SharedHitsTake)
    if made.chance(0.2):
        made.lay(LeaveEmptiesEphemeral)
    if made.chance(0.2):
        made.lay(DuplicateFlushes, dice.randrange(1, 5))


def _answer(made: Composer) -> None:
    if made.chance(0.4):
        made.lay(PoolIds, made.dice.choice(list(NUMBERS)), _own(made.dice))
    if made.chance(0.3):
        made.lay(PythonErrors, made.dice.choice(list(ERRORS)))
    if made.chance(0.05):
        made.lay(Slow)


def _own(dice: random.Random) -> random.Random:
    return random.Random(dice.random())
