"""The choices that the contract leaves to a backend, and strategies that resolve them.

Every choice is a question with a few options, kindest first: whoever always takes the first is a store
that never refuses and never forgets. A strategy is any callable `choose(choice, options) -> option`.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from enum import Enum
from typing import Final, Protocol


class Choice(Enum):
    """A question that the contract leaves open. `options` are its answers, kindest first.

    An option in capitals is the errno that the operation raises.
    """

    NEW_POOL = ("Is there room for a pool?", ("grant", "ENOMEM", "EPERM"))
    SHARE = ("Is a pool that was asked for by UUID shared?", ("share", "private", "EPERM"))
    KIND = ("Is a joiner that asks for the other kind given the maker's?", ("EPERM", "maker's"))
    POOL_ID = ("Which id does a pool get?", ("smallest", "fresh", "large"))
    PUT = ("Is a page stored where none is?", ("store", "refuse", "ENOMEM", "ENOSPC", "EFROZEN"))
    DUPLICATE = (
        "Does a page replace the one that is there?",
        ("store", "refuse", "ENOMEM", "ENOSPC", "EFROZEN"),
    )
    VANISH = ("Is an ephemeral page that a get looks for still there?", ("keep", "vanish"))
    GET = ("Is a get answered, where no persistent page is?", ("answer", "ENOMEM", "EPERM"))
    MISS = ("How does a get say that there is nothing?", ("None", "EEMPTY"))
    NEIGHBOURS = ("What ephemeral pages does a flush take along?", ("none", "object", "pool"))
    FOUND = ("What does a flush answer?", ("truth", "contrary", "EFROZEN"))
    DEAD = ("How does an operation on an unknown pool fail?", ("ENODEV", "softly"))
    RECLAIM = ("How many ephemeral pages go?", ("asked", "one", "none"))
    VICTIM = ("Which ephemeral page goes first?", ("oldest", "newest"))

    def __init__(self, question: str, options: tuple[str, ...]) -> None:
        self.question = question
        self.options = options


class Choose(Protocol):
    """What resolves choices. It is called under the adversary's lock, so it must not call the adversary."""

    def __call__(self, choice: Choice, options: tuple[str, ...]) -> str:
        """One of the options."""


def keep(choice: Choice, options: tuple[str, ...]) -> str:
    """Always the kindest: nothing is refused, nothing vanishes."""
    return options[0]


def evict_at_once(choice: Choice, options: tuple[str, ...]) -> str:
    """No ephemeral page is ever seen again; persistent ones are kept."""
    return "vanish" if choice is Choice.VANISH else options[0]


def refuse_puts(choice: Choice, options: tuple[str, ...]) -> str:
    """Every put fails."""
    return "refuse" if choice in (Choice.PUT, Choice.DUPLICATE) else options[0]


def fail_duplicates(choice: Choice, options: tuple[str, ...]) -> str:
    """A put to a slot that holds a page fails, and the old page is gone."""
    return "refuse" if choice is Choice.DUPLICATE else options[0]


def flush_neighbours(choice: Choice, options: tuple[str, ...]) -> str:
    """A flush takes along every ephemeral page of the pool."""
    return "pool" if choice is Choice.NEIGHBOURS else options[0]


def at_random(seed: int) -> Choose:
    """The kindest option five times in six, else any; equal seeds and operations choose alike."""
    dice = random.Random(seed)

    def choose(choice: Choice, options: tuple[str, ...]) -> str:
        return options[0] if dice.random() < 5 / 6 else dice.choice(options)

    return choose


STRATEGIES: Final[dict[str, Callable[[int], Choose]]] = {
    "keep": lambda seed: keep,
    "evict-at-once": lambda seed: evict_at_once,
    "refuse-puts": lambda seed: refuse_puts,
    "fail-duplicates": lambda seed: fail_duplicates,
    "flush-neighbours": lambda seed: flush_neighbours,
    "random": at_random,
}
"""What makes each strategy from a seed, by its name."""
