"""The numbered contract: every clause and claim with its sentence, source, decision and example."""

from tmem.spec.clauses import (  # isort: skip  # the order is that of the specification
    pools,
    handles,
    puts,
    gets,
    flushes,
    reclaim,
    concurrency,
    sharing,
    replies,
    claims,
)
from tmem.spec.clauses.clause import CLAIMS, CLAUSES, SOURCES, Clause

__all__ = [
    "CLAIMS",
    "CLAUSES",
    "SOURCES",
    "Clause",
    "claims",
    "concurrency",
    "flushes",
    "gets",
    "handles",
    "pools",
    "puts",
    "reclaim",
    "replies",
    "sharing",
]
