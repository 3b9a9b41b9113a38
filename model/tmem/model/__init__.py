"""The reference model: `judge` says whether observed answers keep the contract, and which clause they
break; `adversary` is a backend that behaves as badly as the contract allows: a strategy makes its `choices`.
"""

from tmem.model.adversary import Adversary
from tmem.model.choices import Choice, Choose
from tmem.model.judge import Judge
from tmem.model.violation import Violation

__all__ = ["Adversary", "Choice", "Choose", "Judge", "Violation"]
