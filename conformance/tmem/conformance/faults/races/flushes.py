"""Races of flush object with what looks at its pages meanwhile."""

from __future__ import annotations

from tmem.conformance.conforming.threads import Locked
from tmem.conformance.faults.fault import fault
from tmem.spec.backend import Backend


@fault("atomic-flush", needs=("private persistent",))
class FlushObjectByPage(Locked):
    """Flush object lets others in between its pages, against the claim «atomic-flush»."""

    def __init__(self, inner: Backend) -> None:
        super().__init__(inner, by_page=True)
        self.claims: frozenset[str] = getattr(inner, "claims", frozenset()) | {"atomic-flush"}
