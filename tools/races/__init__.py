"""Twelve races, one of each kind, as rewrites of a correct store."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

STORE = str(Path(__file__).with_name("store.py"))


@dataclass(frozen=True)
class Race:
    """Replacements of texts of the store; `clauses` are the clauses that the race may break."""

    clauses: frozenset[str]
    changes: tuple[tuple[str, str], ...]

    def rewrite(self, source: str) -> str:
        for old, new in self.changes:
            assert source.count(old) == 1, f"{source.count(old)} times: {old}"
            source = source.replace(old, new)
        return source


def race(clauses: str, *changes: tuple[str, str]) -> Race:
    return Race(frozenset(f"TMEM-{clause}" for clause in clauses.split()), changes)


GET = """\
        with found.lock:
            frame = found.objects.get(oid, {}).get(index)
            if frame is None:
                return None
            page = frame.read()
            if not found.persistent:
                self.remove(found, oid, index)
            return page
"""
PUT = """\
        with found.lock:
            if not found.alive:
                return False
            frames = found.objects.setdefault(oid, {})
            old = frames.pop(index, None)
            if old is not None:
                self.order.give(old)
            frame = self.order.take()
            frame.fill(page)
            frame.where = (found, oid, index)
            frames[index] = frame
            if not found.persistent:
                self.order.append(frame)
            return True
"""
RECLAIM = """\
            with found.lock:
                if frame.where == where and not found.persistent:
                    gone += self.remove(found, oid, index)
"""
FREE = "        frame.where = None\n"
LOOK = "            frame = found.objects.get(oid, {}).get(index)\n"
PAGES = "HANDLE-1 HANDLE-2 POOL-1 POOL-2 POOL-3 PUT-2 PUT-3 GET-1 GET-2 GET-3 FLUSH-1 FLUSH-2 RECLAIM-1 ERR-1"

RACES = {
    "unlocked read": race(
        PAGES,
        (
            GET,
            """\
        frame = found.objects.get(oid, {}).get(index)
        if frame is None:
            return None
        page = frame.read()
        if not found.persistent:
            with found.lock:
                self.remove(found, oid, index)
        return page
""",
        ),
    ),
    "check-then-act": race(
        "ERR-1",
        (
            """\
        with found.lock:
            return self.remove(found, oid, index)
""",
            """\
        with found.lock:
            held = index in found.objects.get(oid, {})
        if not held:
            return False
        with found.lock:
            self.order.give(found.objects[oid].pop(index))
            return True
""",
        ),
    ),
    "lock order": race(
        "CONC-3",
        (
            RECLAIM,
            """\
            with self.order.lock, found.lock:
                still = frame.where == where
            if still:
                with found.lock:
                    gone += self.remove(found, oid, index)
""",
        ),
    ),
    "put against destroy": race(
        PAGES,
        (
            "        self.order = Order(self.page_size)\n",
            "        self.order = Order(self.page_size)\n        self.spare = []\n",
        ),
        (
            "            self.pools[client, number] = Pool(bool(flags & 1))\n",
            """\
            made = self.spare.pop() if self.spare else Pool(False)
            made.persistent = bool(flags & 1)
            self.pools[client, number] = made
""",
        ),
        ("                found.alive = False\n", "                self.spare.append(found)\n"),
    ),
    "reclaim by handle": race(  # another pool may have the id by then
        PAGES,
        (
            "            self.pools[client, number] = Pool(bool(flags & 1))\n",
            """\
            made = self.pools[client, number] = Pool(bool(flags & 1))
            made.name = client, number
""",
        ),
        (
            RECLAIM,
            """\
            gone += self.flush_page(*found.name, oid, index)
""",
        ),
    ),
    "destroy of a reclaimed frame": race(  # the frame has another page by then
        PAGES,
        (
            """\
            with found.lock:
                found.alive = False
                self.empty(found)
""",
            """\
            with found.lock:
                found.alive = False
            self.empty(found)
""",
        ),
        (
            RECLAIM,
            """\
            with found.lock:
                if not found.alive:
                    self.order.give(frame)
                elif frame.where == where and not found.persistent:
                    gone += self.remove(found, oid, index)
""",
        ),
        (FREE, FREE + "        frame.fill(bytes(self.size))\n"),
        (LOOK, "            if not found.alive:\n                return None\n" + LOOK),
    ),
    "reclaim against get": race(
        PAGES,
        (
            RECLAIM,
            """\
            if frame.where == where and not found.persistent:
                gone += self.remove(found, oid, index)
""",
        ),
    ),
    "reclaim against duplicate put": race(
        PAGES,
        (
            RECLAIM,
            """\
            moved = Frame(self.page_size)  # to a denser place, before it goes
            moved.fill(frame.read())
            with found.lock:
                if index in found.objects.get(oid, {}):
                    moved.where = where
                    self.order.give(found.objects[oid][index])
                    found.objects[oid][index] = moved
                    self.order.append(moved)
""",
        ),
    ),
    "double exclusive get": race(
        "GET-2",
        (
            GET,
            """\
        with found.lock:
            frame = found.objects.get(oid, {}).get(index)
            if frame is None:
                return None
            page = frame.read()
        if not found.persistent:
            with found.lock:
                self.remove(found, oid, index)
        return page
""",
        ),
    ),
    "copy-on-write lost put": race(
        PAGES,
        (
            PUT,
            """\
        found.objects = {**found.objects, oid: {**found.objects.get(oid, {}), index: self.filled(page)}}
        return True

    def filled(self, page):
        frame = Frame(self.page_size)
        frame.data[:] = page
        return frame
""",
        ),
    ),
    "torn page": race(
        PAGES,
        (
            PUT,
            """\
        with found.lock:
            if not found.alive:
                return False
            frames = found.objects.setdefault(oid, {})
            frame = frames.get(index)
            if frame is None:
                frame = self.order.take()
                frame.where = (found, oid, index)
                if not found.persistent:
                    self.order.append(frame)
                frame.fill(page)
                frames[index] = frame
                return True
        frame.fill(page)
        return True
""",
        ),
    ),
    "put into a freed object": race(
        "GET-3 RECLAIM-1",
        (
            PUT,
            """\
        with found.lock:
            if not found.alive:
                return False
            frames = found.objects.setdefault(oid, {})
            old = frames.pop(index, None)
            if old is not None:
                self.order.give(old)
        frame = self.order.take()
        frame.fill(page)
        with found.lock:
            if not found.alive:
                return False
            frame.where = (found, oid, index)
            frames[index] = frame
            if not found.persistent:
                self.order.append(frame)
            return True
""",
        ),
    ),
}
