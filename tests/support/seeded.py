"""Bugs seeded into a copy of the specification, each with a theorem that must fail."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import NamedTuple

SPEC = Path(__file__).parents[2] / "spec"


class Bug(NamedTuple):
    """A replacement in `file` of `tmem.spec`: `right` becomes `wrong`, which `refutes` a theorem."""

    refutes: str
    file: str
    right: str
    wrong: str


EMPTIES = "case Does.REFUSED | Does.FLUSHED | Does.ENDED:\n            return (None,)"

BUGS = {
    "an exclusive hit keeps the page": Bug(
        "an_exclusive_hit_removes_the_page",
        "slot.py",
        "case Does.HIT if kind.exclusive:\n            return (None,)",
        "case Does.HIT if kind.exclusive:\n            return (holds,)",
    ),
    "a hit is exclusive in shared pools, not in private ones": Bug(
        "an_exclusive_hit_removes_the_page",
        "slot.py",
        "return not self.persistent and not self.shared",
        "return not self.persistent and self.shared",
    ),
    "a failed put keeps the old page": Bug(
        "a_failed_put_leaves_nothing",
        "slot.py",
        EMPTIES,
        "case Does.REFUSED:\n            return (holds,)\n        " + EMPTIES.replace("Does.REFUSED | ", ""),
    ),
    "a failed duplicate may keep the old page": Bug(
        "an_old_page_is_never_seen_again",
        "slot.py",
        "case Does.STORED:\n            return (event.page,)",
        "case Does.STORED:\n            return (event.page,) if holds is None else (holds,)",
    ),
    "a hit shows another page": Bug(
        "a_hit_returns_what_was_put", "slot.py", "holds is None or holds != event.page", "holds is None"
    ),
    "a miss keeps the page, which hits later": Bug(
        "after_a_miss_only_a_put_brings_a_page",
        "slot.py",
        "return (None,) if holds is None else ()",
        "return (holds,)",
    ),
    "a persistent page may miss": Bug(
        "a_persistent_page_must_hit_and_stays",
        "slot.py",
        "return (None,) if holds is None else ()",
        "return (None,)",
    ),
    "reclaim takes persistent pages": Bug(
        "a_persistent_page_never_vanishes",
        "slot.py",
        "return holds if kind.persistent else None",
        "return None",
    ),
    "a flush leaves a persistent page": Bug(
        "a_flush_leaves_nothing",
        "slot.py",
        EMPTIES,
        "case Does.FLUSHED if kind.persistent:\n            return (holds,)\n        " + EMPTIES,
    ),
    "the judge forgets that an ephemeral page may vanish": Bug(
        "learning_loses_nothing",
        "belief.py",
        "return Belief(event.page, kind.persistent)",
        "return Belief(event.page, True)",
    ),
    "the judge believes in a page after a failed put": Bug(
        "learning_adds_nothing",
        "belief.py",
        "case Does.REFUSED | Does.FLUSHED | Does.ENDED:",
        "case Does.REFUSED:\n            return belief\n        case Does.FLUSHED | Does.ENDED:",
    ),
    "the judge refuses a miss that may be": Bug(
        "what_is_refused_cannot_happen",
        "belief.py",
        "case Does.MISS:\n            return None if belief.sure else Belief()",
        "case Does.MISS:\n            return None if belief.page is not None else Belief()",
    ),
    "a flush reaches the neighbouring index": Bug(
        "an_operation_changes_no_other_slot",
        "store.py",
        "self.index is None or self.index == slot.index",
        "self.index is None or self.index // 2 == slot.index // 2",
    ),
    "flush object misses index 0": Bug(
        "flush_object_empties_the_object_and_nothing_else",
        "store.py",
        "(self.index is None or self.index == slot.index)",
        "(slot.index != 0 if self.index is None else self.index == slot.index)",
    ),
    "flush object looks at two words of the object id": Bug(
        "flush_object_empties_the_object_and_nothing_else",
        "store.py",
        "self.oid == slot.oid",
        "self.oid % (1 << 128) == slot.oid % (1 << 128)",
    ),
    "the index is cut to 31 bits": Bug(
        "every_bit_of_a_handle_counts",
        "store.py",
        "(1 << INDEX_BITS) + self.index",
        "(1 << INDEX_BITS) + self.index % (1 << 31)",
    ),
    "the middle word of an object id is lost": Bug(
        "every_word_of_an_object_id_counts", "handle.py", "oid >> 64 & mask", "oid >> 64 & 0"
    ),
    "pool ids of all clients are one": Bug(
        "every_client_has_its_own_ids", "store.py", "return client * (1 << 32) + id", "return id"
    ),
    "an id is destroyed for every client": Bug(
        "a_name_is_changed_by_nobody_else",
        "store.py",
        "naming.client == client and naming.id == id",
        "naming.id == id",
    ),
    "a flush reaches the same handle in another pool": Bug(
        "clients_are_isolated",
        "store.py",
        "if self.pool.number != slot.pool.number:",
        "if self.pool.number > slot.pool.number:",
    ),
    "destroy by one sharer ends the pool for all": Bug(
        "pages_stay_while_a_sharer_stays",
        "store.py",
        "return left if users(left, pool) > 0 else give(",
        "return give(",
    ),
    "the pages outlive the last sharer": Bug(
        "the_last_to_leave_ends_the_pool",
        "store.py",
        "return left if users(left, pool) > 0 else give(left, Effect(Event(Does.ENDED), pool))",
        "return left",
    ),
    "a destroyed id still works": Bug(
        "destroy_ends_the_name",
        "store.py",
        "return None if naming.leaves else naming.pool",
        "return naming.pool",
    ),
    "who joins a UUID gets a pool of his own": Bug(
        "sharers_of_a_uuid_see_the_same_pages",
        "store.py",
        "(joined := shared_by(store, uuid)) is not None",
        "(joined := shared_by(store, uuid)) is not None and joined.kind.persistent",
    ),
    "a UUID without anybody in it still leads to its old pool": Bug(
        "a_uuid_that_all_have_left_leads_to_a_new_pool",
        "store.py",
        "return last if last is not None and users(store, last) > 0 else None",
        "return last",
    ),
    "operations are applied in the wrong order": Bug(
        "operations_follow_one_another",
        "store.py",
        "for effect in store.effects:",
        "for effect in store.effects[::-1]:",
    ),
    "a destroyed id does not come back": Bug(
        "the_latest_naming_counts",
        "store.py",
        "for naming in reversed(store.namings):",
        "for naming in store.namings:",
    ),
    "a new pool takes over an id that is live": Bug(
        "a_pool_is_granted_under_an_id_that_is_free",
        "store.py",
        "    if stands_for(store, client, id) is not None:\n        return None\n",
        "",
    ),
}


def broken_spec(folder: Path, bug: Bug) -> Path:
    """Copy the specification with this bug into a folder. Returns the folder to put first on the path."""
    shutil.copytree(SPEC, folder / "spec", ignore=shutil.ignore_patterns("__pycache__"))
    file = folder / "spec" / "tmem" / "spec" / bug.file
    text = file.read_text()
    if text.count(bug.right) != 1:
        raise ValueError(f"{bug.file} has {text.count(bug.right)} times: {bug.right}")
    file.write_text(text.replace(bug.right, bug.wrong))
    return folder / "spec"
