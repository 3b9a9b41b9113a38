"""What a run has seen: the coverpoints, and how often each clause was checked and exercised.

A clause is *checked* by every answer it is a condition of, and *exercised* where a wrong backend
could have broken it: a get after a failed put exercises TMEM-PUT-1, whatever comes back.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Collection
from typing import Protocol

from tmem.conformance.events import Checked, Covered, Event
from tmem.model import Judge
from tmem.model.record import Transition
from tmem.spec.slot import Does, Kind

REQUIRED: dict[str, str] = {
    "private ephemeral: put stored": "no put was ever stored in a private ephemeral pool",
    "private ephemeral: hit": "no get ever hit in a private ephemeral pool",
    "private ephemeral: get after a hit": "no slot was asked again after an exclusive hit",
    "private persistent: put stored": "no put was ever stored in a private persistent pool",
    "private persistent: hit": "no get ever hit in a private persistent pool",
    "shared ephemeral: put stored": "no put was ever stored in a shared ephemeral pool",
    "shared ephemeral: hit": "no get ever hit in a shared ephemeral pool",
    "shared persistent: put stored": "no put was ever stored in a shared persistent pool",
    "shared persistent: hit by another sharer": "no sharer of a persistent pool ever got another's page",
    "shared persistent: get after a sharer left": "no persistent page was asked for after a sharer left",
    "get after a miss": "no slot was asked again after a miss",
    "get after flush page": "no slot was asked after flush page took its page",
    "get after flush object": "no slot was asked after flush object took its page",
    "get after a duplicate put": "no slot was asked after a duplicate put",
    "operation on a dead pool": "no operation was tried on a pool that had ended",
    "bad argument": "no argument out of range was tried",
    "flags to be refused": "no flags that must be refused were tried",
    "reclaim": "the reclaimer was never called",
}
"""Coverpoints that decide VACUOUS, each with what to say when it was never reached."""

CHOICES: dict[str, str] = {
    "put refused": "no put was ever refused",
    "duplicate put flushed": "no duplicate put ever failed",
    "eviction seen": "no ephemeral page ever vanished",
    "pool id came back": "no pool id ever came back after destroy",
    "pool id of two clients": "no two clients ever had pools of one id",
    "persistent page kept under pressure": "no persistent page was asked for while room was short",
    "get denied": "no get with right arguments in a live pool was answered by an error",
    "dead pool answered softly": "no operation on a dead pool missed or failed without ENODEV",
    "reclaim made progress": "reclaim never let a page go",
    "new pool refused": "no pool was refused because room was short",
    "page read after 30 days": "no page grew older than the run",
}
"""Coverpoints that a backend may choose never to reach: reported only."""


def applicable(missing: Collection[str]) -> dict[str, str]:
    """The required coverpoints that hang on nothing `missing`, which the target does not offer.

    What a coverpoint hangs on stands before its colon, or is its name: a kind of pool, an ability.
    """
    return {point: text for point, text in REQUIRED.items() if point.partition(":")[0] not in missing}


# What a get of a slot in this state puts to the test, whatever it answers.
_EXERCISES = {
    "TMEM-PUT-1": ("TMEM-PUT-1",),
    "failed duplicate": ("TMEM-PUT-1", "TMEM-PUT-3"),
    "TMEM-PUT-3": ("TMEM-PUT-3",),
    "replaced": ("TMEM-PUT-3",),
    "TMEM-GET-1": ("TMEM-GET-1",),
    "TMEM-GET-2": ("TMEM-GET-2",),
    "TMEM-GET-3": ("TMEM-GET-3",),
    "TMEM-FLUSH-1": ("TMEM-FLUSH-1",),
    "TMEM-FLUSH-2": ("TMEM-FLUSH-2",),
    "TMEM-RECLAIM-1": ("TMEM-GET-3", "TMEM-RECLAIM-1"),
    "TMEM-SHARE-1": ("TMEM-GET-3", "TMEM-SHARE-1"),
    "TMEM-SHARE-2": ("TMEM-GET-3", "TMEM-SHARE-2"),
}
_POINTS = {
    "TMEM-GET-1": "get after a miss",
    "TMEM-FLUSH-1": "get after flush page",
    "TMEM-FLUSH-2": "get after flush object",
    "TMEM-RECLAIM-1": "persistent page kept under pressure",
    "failed duplicate": "get after a duplicate put",
    "replaced": "get after a duplicate put",
}
_GETS = (Does.HIT, Does.MISS, Does.DENIED)
_CHECKED_BY_GET = (
    *("TMEM-POOL-2", "TMEM-HANDLE-1", "TMEM-HANDLE-2", "TMEM-PUT-1", "TMEM-PUT-2", "TMEM-PUT-3"),
    *("TMEM-PUT-4", "TMEM-GET-1", "TMEM-GET-2", "TMEM-FLUSH-1", "TMEM-FLUSH-2", "TMEM-SHARE-1"),
)


class Seen(Protocol):
    """What a judge has recorded, of the model or another: see `tmem.model.record`."""

    count: int
    transitions: defaultdict[Transition, int]
    seen: defaultdict[str, int]

    def ids(self) -> set[tuple[int, int]]:
        """Every ⟨client, pool id⟩ that stands or once stood for a pool."""


class Coverage:
    """Counts what was seen over many programs: coverpoints, and checks and exercises by clause."""

    def __init__(self) -> None:
        self.points: Counter[str] = Counter()
        self.checks: Counter[str] = Counter()
        self.exercised: Counter[str] = Counter()

    def report(self, emit: Callable[[Event], None]) -> None:
        """Emit what was counted since the last report."""
        emit(Covered(dict(self.points)))
        emit(Checked(dict(self.checks), dict(self.exercised)))
        self.points.clear()
        self.checks.clear()
        self.exercised.clear()

    def program(self, judge: Judge, *, twins: bool, changed: bool) -> None:
        """Count what a judge saw in one program.

        `twins`: the program has handles that differ in high bits only; `changed`: its callers change
        their buffers after a put.
        """
        self.seen(judge.record, twins=twins, changed=changed)

    def seen(self, record: Seen, *, twins: bool, changed: bool) -> None:
        """The same of what any judge has recorded."""
        ids = record.ids()
        neighbours = len({client for client, _ in ids}) > 1
        if len({pool for _, pool in ids}) < len(ids):
            self.points["pool id of two clients"] += 1
        for (kind, state, does), count in record.transitions.items():
            if kind is None:
                self._dead(does, count)
            elif does in _GETS:
                self._get(kind, state, does, count)
                if twins:
                    self.exercised["TMEM-HANDLE-2"] += count
                if neighbours:
                    self.exercised["TMEM-POOL-2"] += count
                if changed and does is Does.HIT:
                    self.exercised["TMEM-PUT-4"] += count
            else:
                self._change(kind, state, does, count)
        self._others(record)

    def _get(self, kind: Kind, state: str, does: Does, count: int) -> None:
        for clause in _CHECKED_BY_GET:
            self.checks[clause] += count
        if kind.persistent:
            for clause in ("TMEM-GET-3", "TMEM-RECLAIM-1", "TMEM-SHARE-2"):
                self.checks[clause] += count
        self.exercised["TMEM-HANDLE-1"] += count
        if kind.shared:
            self.exercised["TMEM-SHARE-1"] += count
        for clause in _EXERCISES.get(state, ()):
            self.exercised[clause] += count
        if point := _POINTS.get(state):
            self.points[point] += count
        if does is Does.HIT:
            self.exercised["TMEM-PUT-2"] += count
            self.points[f"{kind}: hit"] += count
        elif does is Does.MISS and state in ("page", "replaced"):
            self.points["eviction seen"] += count
        elif does is Does.DENIED:
            self.points["get denied"] += count
        if kind.persistent and state in ("TMEM-SHARE-1", "TMEM-SHARE-2"):
            self.points["shared persistent: " + _SHARED_POINTS[state]] += count
        if state == "TMEM-GET-2":
            self.points["private ephemeral: get after a hit"] += count

    def _change(self, kind: Kind, state: str, does: Does, count: int) -> None:
        if does is Does.STORED:
            self.points[f"{kind}: put stored"] += count
        elif does is Does.REFUSED:
            self.points["put refused"] += count
            if state == "page":
                self.points["duplicate put flushed"] += count

    def _dead(self, does: Does, count: int) -> None:
        self.checks["TMEM-POOL-3"] += count
        self.points["operation on a dead pool"] += count
        if does not in (Does.NOTHING, Does.DENIED):
            self.points["dead pool answered softly"] += count

    def _others(self, record: Seen) -> None:
        seen = record.seen
        for point in ("bad argument", "pool id came back", "reclaim made progress", "new pool refused"):
            if seen[point]:
                self.points[point] += seen[point]
        self.points["flags to be refused"] += seen["flags refused"]
        self.points["reclaim"] += seen["reclaim made progress"] + seen["reclaim let nothing go"]
        made = seen["pool made"] + seen["pool id came back"]
        for clause, count in (
            ("TMEM-ERR-1", record.count),
            ("TMEM-ARG-1", seen["bad argument"]),
            ("TMEM-POOL-1", made),
            ("TMEM-POOL-3", seen["dead pool asked"]),
            ("TMEM-POOL-4", seen["flags refused"]),
            ("TMEM-POOL-5", seen["pool flags answered"]),
        ):
            self.exercised[clause] += count
        self.checks["TMEM-ERR-1"] += record.count
        self.checks["TMEM-ARG-1"] += seen["bad argument"]
        self.checks["TMEM-POOL-1"] += made
        self.checks["TMEM-POOL-4"] += made + seen["flags refused"]
        self.checks["TMEM-POOL-5"] += seen["pool flags answered"]


_SHARED_POINTS = {"TMEM-SHARE-1": "hit by another sharer", "TMEM-SHARE-2": "get after a sharer left"}
