"""Races of flush object with operations on its pages."""

from __future__ import annotations

from tmem.conformance.conforming.threads import Locked
from tmem.conformance.faults.fault import fault
from tmem.spec.backend import Backend


@fault("atomic-flush", needs=("private persistent",))
class FlushObjectByPage(Locked):
    """Flush object flushes page by page and lets others run in between, against the claim «atomic-flush»."""

    def __init__(self, inner: Backend) -> None:
        super().__init__(inner, by_page=True)
        self.claims: frozenset[str] = getattr(inner, "claims", frozenset()) | {"atomic-flush"}
