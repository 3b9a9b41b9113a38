"""A strategy for Hypothesis that draws backends: each choice that the contract leaves open is drawn."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from hypothesis import note
from hypothesis import strategies as st
from hypothesis.errors import InvalidArgument

from tmem.model import Adversary
from tmem.model.choices import Choice

KIND: Final = 5 / 6
"""How likely the kindest option of a choice is drawn."""


@st.composite
def adversaries(draw: st.DrawFn, exempt: Iterable[str] = (), page_size: int = 4096) -> Adversary:
    """Draw a backend that keeps the contract and otherwise behaves as Hypothesis chooses.

    Shrinking leaves the fewest unkind choices, and the report of a failure lists them in their order.
    `exempt` names choices of `tmem.model.choices.Choice` that are always kind, such as "VANISH".
    """
    kind = set(exempt)
    if unknown := kind - set(Choice.__members__):
        names = ", ".join(Choice.__members__)
        raise InvalidArgument(f"there is no choice {', '.join(sorted(unknown))}; the choices are {names}")
    random = draw(st.randoms(use_true_random=False))

    def choose(choice: Choice, options: tuple[str, ...]) -> str:
        if choice.name in kind or random.random() < KIND:
            return options[0]
        option = options[1 + random.randrange(len(options) - 1)]
        note(f"The backend chooses: {choice.question} {option}")
        return option

    return Adversary(choose, page_size=page_size)
