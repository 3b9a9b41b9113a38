"""The small worlds that are explored, each for what it is small enough to have all of."""

from __future__ import annotations

from typing import Final

from proofs.small_world.numbered import Relation, Size
from proofs.small_world.relation import Setting
from proofs.small_world.traces import Agreement, follow
from tmem.model.judge import Judge

CACHE, SWAP, COMMON, BOTH = 0x01000000, 0x01000001, 0x01000002, 0x01000003
PAGES: Final = (b"AAAA", b"BBBB")
ONE: Final = ((7, 0),)
SETTINGS: Final = {
    "two clients": Setting(
        ((1, 0), (2, 0)), ONE, PAGES, ((CACHE, None), (SWAP, None), (COMMON, 5), (BOTH, 5))
    ),
    "three clients": Setting(((1, 0), (2, 0), (3, 0)), ONE, PAGES[:1], ((BOTH, 5),)),
    "two joins of one client": Setting(
        ((1, 0), (1, 1)), ONE, PAGES[:1], ((CACHE, None), (COMMON, 5), (BOTH, 5))
    ),
    "requests for what is not shared": Setting(
        ((1, 0), (2, 0)), ONE, PAGES[:1], ((COMMON, None), (BOTH, (1 << 128) - 1), (CACHE, 5), (3, 5), (2, 6))
    ),
    "two slots of one object": Setting(((1, 0),), ((7, 0), (7, 1)), PAGES, ((CACHE, None), (BOTH, 5))),
    "two objects": Setting(((1, 0),), ((7, 0), (8, 0)), PAGES, ((SWAP, None), (COMMON, 5))),
}
"""Pools of every kind, joins as another kind, requests that share nothing; a page or two."""


def explore(name: str, depth: int | None, seconds: float) -> tuple[str, Size, Agreement]:
    """How large the relation of a setting is, and how far the judge agrees with it."""
    relation = Relation(SETTINGS[name])
    return name, relation.fixpoint(), follow(relation, Judge(relation.setting.page_size), depth, seconds)
