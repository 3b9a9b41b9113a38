"""Bugs seeded into a copy of the implementation, each with a contract that must find it."""

from __future__ import annotations

from typing import Final, NamedTuple

from proofs.impl.copy import Bug


class Seeded(NamedTuple):
    """A bug, and the contract that it refutes."""

    refutes: str
    bug: Bug


def unlocked(section: str) -> str:
    """Return a critical section of a pool without its lock."""
    return section.replace("not owner.lock.acquire(False)", "False").replace("owner.lock.release()", "pass")


LOCKED_GET = """\
                if not owner.lock.acquire(False):
                    take(owner.lock)
                there = table.get(pool) is owner
                pampd = owner.get(oid, index) if there else None
                owner.lock.release()
"""
TWO_STEP_GET = """\
                with owner.lock:
                    there = table.get(pool) is owner
                    pampd = owner.peek(oid, index) if there else None
                with owner.lock:
                    owner.get(oid, index)
"""
LOCKED_PUT = """\
                    if not owner.lock.acquire(False):
                        take(owner.lock)
                    there = table.get(pool) is owner
                    if there:
                        lacking = owner.store(oid, index, pampd)
                    owner.lock.release()
"""
ACCOUNT = """\
            if not room.lock.acquire(False):
                take(room.lock)
            used = room.used + cost
"""
EARLY_ACCOUNT = """\
            used = room.used + cost
            if not room.lock.acquire(False):
                take(room.lock)
"""
LOCKED_TAKE = """\
        if not owner.lock.acquire(False):
            take(owner.lock)
        pampds = [owner.get(*slot) for slot in slots] if table.get(pool) is owner else None
        owner.lock.release()
"""
PUT_MANY = """\
            if not owner.lock.acquire(False):
                take(owner.lock)
            if table.get(pool) is owner:
                for (oid, index), pampd in zip(slots, pampds, strict=True):
                    if owner.store(oid, index, pampd):
                        break
                    stored += 1
            owner.lock.release()
"""
FLUSH_PAGE = """\
            if not owner.lock.acquire(False):
                take(owner.lock)
            there = table.get(pool) is owner
            if there:
                found = owner.flush(oid, index)
            owner.lock.release()
"""
FLUSH_OBJECT = """\
            owner.lock.acquire()
            there = table.get(pool) is owner
            if there:
                detached = owner.detach(oid)
            owner.lock.release()
"""
TRY_LOCK = """\
            if not pool.lock.acquire(blocking=False):
                passed.append(entry)
                continue
            gone.append((pool, pool.evict(cast(Object, obj), index)))
            pool.lock.release()
"""
STRIKE = """\
        room.lock.acquire()
        order, used = room.order, room.used
        while looked < BATCH and len(gone) < pages and used - room.used < wanted:
            entry = order.pop()
            if entry is None:
                break
            looked += 1
            obj, index = entry
            if order.drop_if_stale(obj, index):
                continue
            pool = cast(Pool, obj.pool)
            if not pool.lock.acquire(blocking=False):
                passed.append(entry)
                continue
            gone.append((pool, pool.evict(cast(Object, obj), index)))
            pool.lock.release()
        for obj, index in reversed(passed):
            order.push_back(obj, index)
        given = used - room.used
        room.lock.release()
"""
MARKS = """\
        marks = obj.late if self._sweeping else obj.stale
        if marks is None:
            marks = {}
            if self._sweeping:
                obj.late = marks
            else:
                obj.stale = marks
"""
POP = """\
        queue = self._old if self._old.objects else self._young
        return queue.pop()"""
FIND = """\
            if oid >> OBJECT_BITS or index >> INDEX_BITS:
                raise bad_handle(oid, index)
            table = self._tables[client]
            return table, table[pool]
"""
LEAVE = """\
            self.lock.acquire()
            table = self.tables.get(client, {})
            pool = table.get(id)
            if pool is not None:
                self._part(client, table, id, pool)
            self.lock.release()
"""

BUGS: Final = {
    "a get takes the page without the pool's lock": Seeded(
        "a_get_under_a_strike_is_right",
        Bug("store", LOCKED_GET, unlocked(LOCKED_GET)),
    ),
    "the reclaimer takes pages of a busy pool": Seeded(
        "a_put_under_a_strike_is_right",
        Bug("reclaim", TRY_LOCK, TRY_LOCK.splitlines(True)[3]),
    ),
    "a flush takes the page without the pool's lock": Seeded(
        "a_flush_under_a_strike_is_right",
        Bug("store", FLUSH_PAGE, unlocked(FLUSH_PAGE)),
    ),
    "an object that was flushed can still be reclaimed from": Seeded(
        "flush_object_under_a_strike_is_right",
        Bug("order", "        obj.gone = True\n        obj.stale = obj", "        obj.stale = obj"),
    ),
    "a pool that has ended can still be reclaimed from": Seeded(
        "destroy_pool_under_a_strike_is_right",
        Bug(
            "order",
            "        if not (obj.gone or obj.pool.ended):\n            if obj.sweep != self._sweep:",
            "        if not obj.gone:\n            if obj.sweep != self._sweep:",
        ),
    ),
    "an exclusive hit looks, and takes the page later": Seeded(
        "a_get_that_others_overlap_is_right",
        Bug("store", LOCKED_GET, TWO_STEP_GET),
    ),
    "a page that is freed while it is read is a miss": Seeded(
        "a_get_that_others_overlap_is_right",
        Bug(
            "store",
            "            if page is not None:\n                return page",
            "            return page",
        ),
    ),
    "a put stores without the pool's lock": Seeded(
        "a_put_that_others_overlap_is_right",
        Bug("store", LOCKED_PUT, unlocked(LOCKED_PUT)),
    ),
    "flush object detaches the object without the pool's lock": Seeded(
        "a_flush_that_others_overlap_is_right",
        Bug(
            "store",
            FLUSH_OBJECT,
            FLUSH_OBJECT.replace("owner.lock.acquire()", "pass").replace("owner.lock.release()", "pass"),
        ),
    ),
    "a put reads the bytes in use before it has the room's lock": Seeded(
        "operations_on_two_pools_are_each_as_if_alone",
        Bug("pool", ACCOUNT, EARLY_ACCOUNT),
    ),
    "put_many stores without the pool's lock": Seeded(
        "put_many_that_others_overlap_is_right",
        Bug("many", PUT_MANY, unlocked(PUT_MANY)),
    ),
    "a page that is freed while get_many reads it is a miss": Seeded(
        "get_many_that_others_overlap_is_right",
        Bug("many", "if there == len(pages)", "if True"),
    ),
    "get_many takes pages without the pool's lock": Seeded(
        "many_under_a_strike_are_right",
        Bug("many", LOCKED_TAKE, unlocked(LOCKED_TAKE)),
    ),
    "a put does not look again whether its pool is still there": Seeded(
        "no_operation_reaches_the_next_pool_of_the_id",
        Bug(
            "store",
            "there = table.get(pool) is owner\n                    if there",
            "there = True\n                    if there",
        ),
    ),
    "a reclaimer looks at the order without the room's lock": Seeded(
        "a_reclaim_within_a_reclaim_is_right",
        Bug(
            "reclaim",
            STRIKE,
            STRIKE.replace("room.lock.acquire()", "pass").replace("room.lock.release()", "pass"),
        ),
    ),
    "reclaim takes more than it is asked for": Seeded(
        "a_reclaim_within_a_reclaim_is_right",
        Bug("reclaim", "strike(room, pages - gone, ", "strike(room, pages, "),
    ),
    "the younger half of the order goes first": Seeded(
        "reclaim_takes_the_oldest_and_no_more",
        Bug("order", POP, POP.replace("_old", "_x").replace("_young", "_old").replace("_x", "_young")),
    ),
    "entries that were passed over return in the wrong order": Seeded(
        "busy_pools_are_passed_over_and_keep_their_place",
        Bug("reclaim", "in reversed(passed)", "in passed"),
    ),
    "a sweep drops a young entry instead of the one that it has swept": Seeded(
        "a_sweep_leaves_every_page_in_its_place",
        Bug("order", MARKS, "        marks = obj.stale = obj.stale or {}\n"),
    ),
    "an object that is gone keeps counts of its entries": Seeded(
        "a_sweep_leaves_every_page_in_its_place",
        Bug(
            "order",
            "obj.gone = True\n        obj.stale = obj.late = None",
            "obj.gone = True\n        obj.stale = None",
        ),
    ),
    "the budget may be exceeded by one byte": Seeded(
        "a_put_fits_the_budget_or_fails",
        Bug("room", "max(0, used - self.budget)", "max(0, used - self.budget - 1)"),
    ),
    "a put over a page does not count the old page's room as free": Seeded(
        "a_put_fits_the_budget_or_fails",
        Bug("pool", "            cost -= self.cost_of(old)\n", "            cost -= self.cost\n"),
    ),
    "a put that is refused memory keeps the old page": Seeded(
        "a_put_that_is_refused_memory_leaves_nothing",
        Bug("store", "OSError):\n            pass\n", "OSError):\n            return False\n"),
    ),
    "a page that the host refuses stays in the PAM": Seeded(
        "a_put_that_is_refused_memory_leaves_nothing",
        Bug("hosts", "            self._pam.free(pampd)\n            raise", "            raise"),
    ),
    "any client that leaves ends a shared pool": Seeded(
        "the_pages_stay_with_those_who_stay",
        Bug("registry", "        if not users:\n            pool.end()", "        pool.end()"),
    ),
    "a pool is left without the registry's lock": Seeded(
        "who_joins_while_the_last_leaves_gets_all_or_nothing",
        Bug(
            "registry",
            LEAVE,
            LEAVE.replace("self.lock.acquire()", "pass").replace("self.lock.release()", "pass"),
        ),
    ),
    "object ids are cut to 191 bits": Seeded(
        "every_bit_of_a_handle_counts",
        Bug("store", "owner.store(oid, ", "owner.store(oid % (1 << 191), "),
    ),
    "an index may be of any width": Seeded(
        "a_number_out_of_range_is_refused",
        Bug("store", FIND, FIND.replace(" or index >> INDEX_BITS", "")),
    ),
}
