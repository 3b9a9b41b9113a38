"""What the judge says when the contract was broken."""

from __future__ import annotations

from dataclasses import dataclass

from tmem.spec.operations import Answer, Operation


@dataclass(frozen=True, slots=True)
class Violation:
    """One answer that the contract does not allow.

    `clause` is an id of `tmem.spec.clauses.CLAUSES`; `message` says what came and why it may not;
    `allowed` says what would have been right; `number` counts the operations observed, from 1.
    """

    clause: str
    message: str
    allowed: str
    number: int
    operation: Operation
    answer: Answer

    def __str__(self) -> str:
        return f"{self.clause}: {self.message} Allowed: {self.allowed}."
