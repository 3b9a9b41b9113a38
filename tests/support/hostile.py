"""Misbehaving backends: targets for tests of the suite. Imports nothing from tmem."""

from __future__ import annotations

import ctypes
import itertools
import os
import signal
import sys
import threading
import time


class Good:
    """A backend in dictionaries, with private pools only."""

    page_size = 4096

    def __init__(self):
        self.ids, self.pools = itertools.count(), {}

    def find(self, client, pool, oid, index=0):
        if not (0 <= oid < 1 << 192 and 0 <= index < 1 << 32):
            raise OSError(22, "no such handle")
        if (found := self.pools.get((client, pool))) is None:
            raise OSError(19, "no such pool")
        return found

    def new_pool(self, client, flags=0, uuid=None):
        if flags & ~0x01000001:
            raise OSError(1, "flags not taken")
        pool = next(self.ids)
        self.pools[client, pool] = flags & 1, {}
        return pool

    def destroy_pool(self, client, pool):
        return self.pools.pop((client, pool), None) is not None

    def put(self, client, pool, oid, index, page):
        if len(page) != self.page_size:
            raise OSError(22, "not a page")
        self.find(client, pool, oid, index)[1].setdefault(oid, {})[index] = bytes(page)
        return True

    def get(self, client, pool, oid, index):
        persistent, objects = self.find(client, pool, oid, index)
        pages = objects.get(oid, {})
        return pages.get(index) if persistent else pages.pop(index, None)

    def flush_page(self, client, pool, oid, index):
        return self.find(client, pool, oid, index)[1].get(oid, {}).pop(index, None) is not None

    def flush_object(self, client, pool, oid):
        return self.find(client, pool, oid)[1].pop(oid, None) is not None

    def close(self):
        self.pools.clear()


def overriding(name, body):
    """Return a factory of Good with one method replaced."""
    return type(f"Bad{name}", (Good,), {name: body})


def sleep(self, *arguments):
    time.sleep(3600)


def wedge(self, *arguments):
    lock = threading.Lock()
    with lock:
        lock.acquire()


def spin(self, *arguments):
    while True:
        pass


def raises(error):
    def method(self, *arguments):
        raise error

    return method


def answers(value):
    return lambda self, *arguments: value


class Base(BaseException):
    pass


hangs_in_put = overriding("put", sleep)
wedged_in_get = overriding("get", wedge)
spins_in_flush = overriding("flush_page", spin)
hangs_in_new_pool = overriding("new_pool", sleep)
hangs_in_close = overriding("close", sleep)

exits_in_get = overriding("get", lambda self, *arguments: os._exit(3))
segfaults_in_put = overriding("put", lambda self, *arguments: ctypes.string_at(0))
aborts_in_flush = overriding("flush_object", lambda self, *arguments: os.abort())
killed_in_get = overriding("get", lambda self, *arguments: os.kill(os.getpid(), signal.SIGKILL))
stops_parents_pipe = overriding("get", lambda self, *arguments: os.closerange(3, 200) or os._exit(0))

raises_base = overriding("get", raises(Base("odd")))
raises_exit = overriding("put", raises(SystemExit(0)))
raises_interrupt = overriding("flush_page", raises(KeyboardInterrupt()))
raises_key_error = overriding("put", raises(KeyError("x")))
answers_text = overriding("get", answers("text"))
answers_none_to_put = overriding("put", answers(None))
close_raises = overriding("close", raises(RuntimeError("cannot")))


class DiesOfTwoPuts(Good):
    """Ends the process when a put begins while another put is under way."""

    inside = 0

    def put(self, *arguments):
        self.inside += 1
        if self.inside > 1:
            os._exit(9)
        try:
            return super().put(*arguments)
        finally:
            self.inside -= 1


class OwnLocks(Good):
    """Leaves locking to its callers: a put removes the old page before it stores the new one."""

    def put(self, client, pool, oid, index, page):
        if len(page) != self.page_size:
            raise OSError(22, "not a page")
        pages = self.find(client, pool, oid, index)[1].setdefault(oid, {})
        pages.pop(index, None)
        copied = bytes(page)
        pages[index] = copied
        return True

    def flush_object(self, client, pool, oid):
        pages = self.find(client, pool, oid)[1].get(oid, {})
        found = [pages.pop(index, None) for index in list(pages)]
        return any(page is not None for page in found)


class TornLocks(OwnLocks):
    """Also copies each page in two halves."""

    def put(self, client, pool, oid, index, page):
        if len(page) != self.page_size:
            raise OSError(22, "not a page")
        pages = self.find(client, pool, oid, index)[1].setdefault(oid, {})
        pages[index] = bytes(page[:2048]) + pages.get(index, b"")[2048:]
        pages[index] = bytes(page)
        return True

    def get(self, client, pool, oid, index):
        found = super().get(client, pool, oid, index)
        return found if found is None else found + bytes(self.page_size - len(found))


class Recurses(Good):
    def get(self, *arguments):
        return self.get(*arguments)


class Prints(Good):
    def put(self, *arguments):
        print("noise " * 2000)
        sys.stderr.write("more noise\n")
        return super().put(*arguments)


class LeavesThreads(Good):
    def __init__(self):
        super().__init__()
        if threading.active_count() < 20:
            threading.Thread(target=time.sleep, args=(3600,)).start()


class LeavesChildren(Good):
    def get(self, *arguments):
        if not hasattr(LeavesChildren, "child"):
            LeavesChildren.child = os.fork()
            if LeavesChildren.child == 0:
                time.sleep(30)
                os._exit(0)
            os._exit(7)
        return super().get(*arguments)


class WritesOnPipes(Good):
    """Writes garbage on every descriptor it can find."""

    def get(self, *arguments):
        for descriptor in range(3, 30):
            try:
                os.write(descriptor, b'{"is": "Finished"}\n\xff\xfe{]\n[1, 2]\n')
            except OSError:
                continue
        return super().get(*arguments)


def slow():
    time.sleep(1)
    return Good()


def fails():
    raise RuntimeError("no disk\nnor anything else")


def fails_later():
    fails_later.count = getattr(fails_later, "count", 0) + 1
    if fails_later.count > 20:
        raise OSError(24, "Too many open files")
    return Good()


def exits():
    sys.exit("bye")


def crashes():
    ctypes.string_at(0)


def hangs():
    time.sleep(3600)


only = Good()


def one():
    return only


def needs(path, size=3):
    return Good()


async def later():
    return Good()


class NoPut(Good):
    put = None
    putt = Good.put


class NoPageSize(Good):
    page_size = None


class BoolPageSize(Good):
    page_size = True


class ShortPut(Good):
    def put(self, pool, oid, index, page):
        return True


class AsyncGet(Good):
    async def get(self, *arguments):
        return None


class Boasts(Good):
    claims = frozenset({"lru", "retian"})


class NoPools(Good):
    def new_pool(self, client, flags=0, uuid=None):
        raise OSError(1, "no")


class LargePagesNoFlags(NoPools):
    page_size = 8192


def number():
    return 42


def not_a_backend():
    return {}


class Properties(Good):
    @property
    def page_size(self):
        raise RuntimeError("not yet")


class AnswersView(Good):
    """Get answers a memoryview."""

    def get(self, *arguments):
        page = super().get(*arguments)
        return page if page is None else memoryview(page)
