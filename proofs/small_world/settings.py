"""The small worlds that are explored: two clients, two pages, and two slots a pool or two pools a client."""

from __future__ import annotations

from proofs.small_world.numbered import Relation, Size
from proofs.small_world.relation import Setting
from proofs.small_world.traces import Agreement, follow
from tmem.model.judge import Judge

PAGES = (b"AAAA", b"BBBB")
SETTINGS = {
    "two pools of one client": Setting(((1, 0), (1, 1), (2, 0)), ((7, 0),), PAGES),
    "two slots of one object": Setting(((1, 0), (2, 0)), ((7, 0), (7, 1)), PAGES),
    "two objects": Setting(((1, 0), (2, 0)), ((7, 0), (8, 0)), PAGES),
}
"""Pools of every kind, private and shared, ephemeral and persistent, in each of them."""


def explore(name: str, depth: int | None, seconds: float) -> tuple[str, Size, Agreement]:
    """How large the relation of a setting is, and how far the judge agrees with it."""
    relation = Relation(SETTINGS[name])
    return name, relation.fixpoint(), follow(relation, Judge(relation.setting.page_size), depth, seconds)
