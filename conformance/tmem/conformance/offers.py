"""What a target offers beyond the Protocol, found by asking: kinds of pools and further abilities."""

from __future__ import annotations

from collections.abc import Collection

from tmem.conformance.coverage import REQUIRED
from tmem.conformance.driver import close, perform
from tmem.conformance.events import NotOffered
from tmem.conformance.trial import Trial
from tmem.spec.abi.flags import compose, kind_of
from tmem.spec.backend import Backend, Reclaims, TellsFlags
from tmem.spec.clauses import CLAUSES
from tmem.spec.operations import NewPool, PoolFlags
from tmem.spec.slot import Kind

KINDS = [Kind(persistent, shared) for shared in (False, True) for persistent in (False, True)]
TRIES = 4
"""How often a kind of pool is asked for before it is taken as not offered."""
_UUID = 0xA

_NEEDS: dict[str, tuple[str, ...]] = {
    "TMEM-GET-2": ("private ephemeral pools",),
    "TMEM-GET-3": ("private persistent pools", "shared persistent pools"),
    "TMEM-RECLAIM-1": ("private persistent pools", "shared persistent pools"),
    "TMEM-SHARE-1": ("shared ephemeral pools", "shared persistent pools"),
    "TMEM-SHARE-2": ("shared persistent pools",),
}
"""What a clause needs to be put to the test: any of these."""
_BY_CHOICE = frozenset({"TMEM-PUT-1"})
"""Clauses that are exercised only if the backend makes a choice: here, refuses a put."""
_THREADED = frozenset({"TMEM-CONC-1", "TMEM-CONC-2", "TMEM-CONC-3"})


def not_offered(trial: Trial) -> list[NotOffered]:
    """What the target does not offer, with the clauses that can therefore not be checked."""
    lacks = [
        NotOffered(f"{kind} pools", f"new pool refused them {TRIES} times")
        for kind in KINDS
        if not any(_granted(trial.fresh(variant), kind) for variant in range(TRIES))
    ]
    backend = trial.fresh(0)
    for protocol, name in ((Reclaims, "reclaim"), (TellsFlags, "pool_flags")):
        if not isinstance(backend, protocol):
            lacks.append(NotOffered(name, f"the backend has no method {name}"))
    close(backend)
    missing = {lack.what for lack in lacks}
    return [
        NotOffered(
            lack.what, lack.why, tuple(c for c in sorted(lost_clauses(missing)) if lack.what in _NEEDS[c])
        )
        for lack in lacks
    ]


def lost_clauses(missing: Collection[str]) -> frozenset[str]:
    """The clauses that cannot be put to the test without what is missing."""
    return frozenset(clause for clause, needs in _NEEDS.items() if all(need in missing for need in needs))


def required_points(missing: Collection[str]) -> dict[str, str]:
    """The required coverpoints that remain, each with what to say when it was not reached."""
    gone = {what.removesuffix(" pools") for what in missing}
    return {point: unseen for point, unseen in REQUIRED.items() if point.split(":")[0] not in gone}


def required_clauses(missing: Collection[str]) -> frozenset[str]:
    """The clauses that a run must have exercised to PASS."""
    implied = {clause.id for clause in CLAUSES.values() if clause.implied}
    return (
        frozenset(CLAUSES)
        - implied
        - _BY_CHOICE
        - _THREADED
        - lost_clauses(missing)
        - ({"TMEM-RECLAIM-1"} if "reclaim" in missing else set())
    )


def _granted(backend: Backend, kind: Kind) -> bool:
    flags = compose(persistent=kind.persistent, shared=kind.shared, page_size=backend.page_size)
    answer = perform(backend, NewPool(1, flags, _UUID))
    granted = type(answer) is int
    if granted and isinstance(answer, int) and isinstance(backend, TellsFlags):
        told = perform(backend, PoolFlags(1, answer))
        granted = isinstance(told, int) and kind_of(told, _UUID) == kind
    close(backend)
    return granted
