"""The world that a run saw, in words: how many of everything there were on one store."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

NEVER_FULL: Final = "It was never full: what it does then was not seen. Check it with a smaller capacity too."
_HITS: Final = ("hits of a page", "puts of a slot", "copies of a page", "lifetimes of a pool id")


def described(world: Mapping[str, int]) -> str:
    """What the report shows of it, in a line; empty where no large program ran.

    >>> described({"pages": 70_000, "objects": 10_003, "full": 2, "clients": 20, "pools of a client": 300})
    'held 70,000 pages in 10,003 objects; full twice; 20 clients, 300 pools of one'
    """
    if not world.get("pages"):
        return ""
    parts = [f"held {world['pages']:,} pages in {world.get('objects', 0):,} objects"]
    if full := world.get("full"):
        parts.append(f"full {'once' if full == 1 else 'twice' if full == 2 else f'{full:,} times'}")
    people = [_counted(world[name], name) for name in ("clients", "sharers") if world.get(name)]
    if pools := world.get("pools of a client"):
        people.append(f"{pools:,} pools of one")
    parts.append(", ".join(people))
    parts += [_counted(world[name], name) for name in _HITS if world.get(name)]
    if age := world.get("age of a page in seconds"):
        parts.append(f"pages {age} s old")
    grown = [f"{world[name]:,} bytes {name[12:]}" for name in world if name.startswith("bytes grown ")]
    if grown:
        parts.append(f"grew by {', '.join(grown)}")
    return "; ".join(part for part in parts if part)


def _counted(count: int, name: str) -> str:
    """A number of things.

    >>> _counted(2, "hits of a page"), _counted(1, "lifetimes of a pool id"), _counted(1, "copies of a page")
    ('2 hits of a page', '1 lifetime of a pool id', '1 copy of a page')
    """
    if count != 1:
        return f"{count:,} {name}"
    thing, of, owner = name.partition(" ")
    one = f"{thing[:-3]}y" if thing.endswith("ies") else thing[:-1]
    return f"1 {one}{of}{owner}"


def never_full(world: Mapping[str, int]) -> bool:
    """Whether large programs ran, and the store took all there was."""
    return bool(world.get("pages")) and not world.get("full") and not world.get("evicted")
