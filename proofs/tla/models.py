"""The models that TLC checks: the modules of this folder with the constants of the small worlds."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import starmap
from typing import Final

from proofs.small_world.numbered import Relation
from proofs.small_world.relation import Setting
from proofs.small_world.settings import BOTH, CACHE, COMMON, SETTINGS, SWAP
from proofs.tla.tlc import MODULES, Change, Checked, check
from tmem.spec.abi.flags import PERSIST, SHARED

CLAUSES: Final = tuple(re.findall(r"^([A-Z]+_\d) ==", (MODULES / "Clauses.tla").read_text("utf-8"), re.M))
"""The clauses that are properties of steps, by the names that TLA+ can have."""
INVARIANTS: Final = ("TypeOK", "UnusedPoolsAreEmpty", "PrivatePoolsAreTheirMakers")
JUDGE: Final = ("AcceptsExactlyWhatCanHappen", "BelievesExactlyWhatCanBe")
LOCKS: Final = ("NeverTooMuch", "NoLockIsKept", "RoomIsTheLast")
JUDGED: Final = SETTINGS["two clients"]
"""The world in which the judge is followed."""


TINY: Final = Setting(
    ((1, 0), (2, 0)),
    ((7, 0), (7, 1)),
    (b"AAAA", b"BBBB"),
    ((CACHE, None), (SWAP, None), (COMMON, 5), (BOTH, 6)),
)
"""A world in which each clause can be broken."""


@dataclass(frozen=True, slots=True)
class Model:
    """A module with its constants and what must hold of it.

    `setting` is the small world that must have the same states and transitions, where there is one.
    """

    name: str
    text: str
    config: str
    setting: Setting | None = None

    def check(self, change: Change | None = None) -> Checked:
        """What TLC finds, of the modules as they are or with one text in one of them changed."""
        return check(self.text, self.config, change)


def store(name: str, setting: Setting) -> Model:
    """The store in a small world: its invariants, and each clause as a property of its steps."""
    must = f"VIEW View\nINVARIANTS {' '.join(INVARIANTS)}\nPROPERTIES {' '.join(CLAUSES)}\n"
    return Model(f"store, {name}", _world("Clauses", setting), _config("Spec", setting) + must, setting)


def judge(name: str, setting: Setting) -> Model:
    """The judge beside all worlds in which the backend may be."""
    must = f"INVARIANTS {' '.join(JUDGE)}\n"
    return Model(f"judge, {name}", _world("Judge", setting), _config("JudgeSpec", setting) + must)


def locks(*, waits: bool = False) -> Model:
    """Two callers, two pools and the reclaimer; where it `waits`, the reclaimer waits for a pool's lock."""
    constants = f"Callers = {{c1, c2}} Pools = {{p1, p2}} Room = 1 Rounds = 1 Waits = {str(waits).upper()}"
    must = f"INVARIANTS {' '.join(LOCKS)}\nPROPERTIES CONC_3\n"
    return Model(
        "locks of the page store", _module("Locking"), f"SPECIFICATION Spec\nCONSTANTS {constants}\n{must}"
    )


def size(setting: Setting) -> tuple[int, int]:
    """The states and transitions of a small world, counted as TLC counts: a transition for each letter."""
    relation = Relation(setting)
    seen, frontier, transitions = set(relation.start), list(relation.start), 0
    for world in frontier:
        start = frozenset((world,))
        letters = (relation.ends(world, taken) for taken in relation.steps if taken is not None)
        for ends in (*letters, relation.vanished(world) - start):
            transitions += len(ends)
            frontier += sorted(ends - seen)
            seen |= ends
    return len(seen), transitions


def compared(model: Model) -> tuple[str, Checked, bool]:
    """The model's name, what TLC finds, and whether its small world, if any, has the same counts."""
    checked = model.check()
    same = model.setting is None or size(model.setting) == (checked.states, checked.transitions)
    return model.name, checked, same


def _module(extended: str, *definitions: str) -> str:
    return "\n".join(("---- MODULE World ----", f"EXTENDS {extended}", *definitions, "===="))


def _world(extended: str, setting: Setting) -> str:
    requests = ", ".join(starmap(_request, setting.requests))
    return _module(
        extended,
        f"TheNames == {_tuples(setting.names)}",
        f"ThePlaces == {_tuples(setting.places)}",
        f"TheRequests == {{{requests}}}",
    )


def _request(flags: int, uuid: int | None) -> str:
    named = "none" if uuid is None else "all ones" if uuid == (1 << 128) - 1 else str(uuid)
    persistent, sharing = _bool(bool(flags & PERSIST)), _bool(bool(flags & SHARED))
    return f'[persistent |-> {persistent}, sharing |-> {sharing}, uuid |-> "{named}"]'


def _config(spec: str, setting: Setting) -> str:
    pages = ", ".join(page.decode() for page in setting.pages)
    return (
        f"SPECIFICATION {spec}\nCONSTANTS Names <- TheNames Places <- ThePlaces Requests <- TheRequests\n"
        f"Pages = {{{pages}}} Nothing = Nothing NoPool = NoPool\n"
    )


def _tuples(pairs: Sequence[tuple[int, int]]) -> str:
    return "{" + ", ".join(f"<<{a}, {b}>>" for a, b in pairs) + "}"


def _bool(value: bool) -> str:
    return str(value).upper()


MODELS: Final = (
    *(store(name, setting) for name, setting in SETTINGS.items()),
    judge("two clients", JUDGED),
    locks(),
)
