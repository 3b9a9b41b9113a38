"""Stores in C: calls through the binding, schedules, and accesses without a switch, each beside a bare loop.

    python -m bench.compiled

All of it is CPU time of one process; ratios are of one run.
"""

from __future__ import annotations

import ctypes
import subprocess
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Final

from tmem.conformance.compiled import header
from tmem.conformance.compiled.library import load
from tmem.conformance.compiled.store import open_store
from tmem.conformance.schedules.native.toolchain import compiler, flags
from tmem.conformance.schedules.runtime.watchdog import watched
from tmem.conformance.schedules.search.executor import Executor
from tmem.conformance.schedules.search.search import Search
from tmem.conformance.schedules.search.subject import open_library
from tmem.conformance.schedules.threaded.program import EPHEMERAL, Program, number
from tmem.spec.handle import Handle
from tmem.spec.operations import Get, NewPool, Put

STORE: Final = r"""
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include "tmem.h"
struct tmem_store { pthread_mutex_t lock; int held; char page[4096]; };
static volatile int word;
tmem_store *tmem_open(const struct tmem_config *c) { return calloc(1, sizeof(tmem_store)); }
void tmem_close(tmem_store *s) { free(s); }
int tmem_new_pool(tmem_store *s, uint16_t c, uint32_t f, const uint64_t u[2]) { return 0; }
int tmem_destroy_pool(tmem_store *s, uint16_t c, int32_t p) { return 1; }
#define LOCK pthread_mutex_lock(&s->lock)
#define UNLOCK pthread_mutex_unlock(&s->lock)
int tmem_put(tmem_store *s, uint16_t c, int32_t p, const uint64_t o[3], uint32_t i, const void *page) {
    LOCK; memcpy(s->page, page, 4096); s->held = 1; UNLOCK; return 1;
}
int tmem_get(tmem_store *s, uint16_t c, int32_t p, const uint64_t o[3], uint32_t i, void *page) {
    LOCK; int held = s->held; if (held) memcpy(page, s->page, 4096); s->held = 0; UNLOCK; return held;
}
int tmem_flush_page(tmem_store *s, uint16_t c, int32_t p, const uint64_t o[3], uint32_t i) {
    LOCK; int held = s->held; s->held = 0; UNLOCK; return held;
}
int tmem_flush_object(tmem_store *s, uint16_t c, int32_t p, const uint64_t o[3]) {
    return tmem_flush_page(s, c, p, o, 0); }
int64_t tmem_reclaim(tmem_store *s, uint32_t n) { for (uint32_t k = 0; k < n; k++) word = (int)k; return 0; }
"""
"""A store of one page; reclaim(n) only writes a word n times."""
CALLS: Final = 100_000
ACCESSES: Final = 20_000_000
HANDLE: Final = Handle(0, 7, 0)


def main() -> None:
    """Measure, and print the figures."""
    with tempfile.TemporaryDirectory() as folder:
        plain, instrumented = _built(Path(folder))
        _calls(plain)
        _schedules(instrumented)
        _accesses(plain, instrumented)


def _built(folder: Path) -> tuple[Path, Path]:
    (folder / "tmem.h").write_text(header.text())
    (folder / "store.c").write_text(STORE)
    made = folder / "libplain.so", folder / "libinstrumented.so"
    for library, options in zip(made, (["-O2", "-shared", "-fPIC"], flags("c")), strict=True):
        command = [compiler("c"), "-w", str(folder / "store.c"), "-o", str(library), *options]
        subprocess.run(command, check=True)
    return made


def _seconds(work: Callable[[], object]) -> float:
    start = time.process_time()
    work()
    return time.process_time() - start


def _calls(library: Path) -> None:
    functions = load(library)
    store, page = open_store(functions), bytes(4096)
    opened = functions["tmem_open"](None)
    buffer, oid = ctypes.create_string_buffer(4096), (ctypes.c_uint64 * 3)(7)
    put, get = functions["tmem_put"], functions["tmem_get"]
    at, name = ctypes.addressof(buffer), ctypes.addressof(oid)

    def bare() -> None:
        for _ in range(CALLS):
            put(opened, 1, 0, name, 3, at)
            get(opened, 1, 0, name, 3, at)

    def bound() -> None:
        for _ in range(CALLS):
            store.put(1, 0, 7, 3, page)
            store.get(1, 0, 7, 3)

    alone, ours = min(_seconds(bare) for _ in range(3)), min(_seconds(bound) for _ in range(3))
    print(f"put and get: {2 * CALLS / ours:,.0f} calls/s, {alone / ours:.2f} of a bare loop of calls")


def _schedules(library: Path) -> None:
    subject = open_library(library, (None,))
    setup = (NewPool(1, EPHEMERAL), Put(1, HANDLE, number(1)))
    for other in (Get(1, HANDLE), Put(1, HANDLE, number(2))):
        program = Program(setup, ((Get(1, HANDLE),), (other,)))
        executor = Executor(subject.backends("statement", 0), program, subject.page_size)
        search, done = Search(executor), 0
        start = time.process_time()
        with watched():
            for _ in range(4):
                for execution in search.bounded(2, 30_000):
                    done += 1
                    assert search.breach(execution) is None
        spent = time.process_time() - start
        print(f"get and {type(other).__name__.lower()}: {done / spent:,.0f} schedules/s, judged, of {done}")


def _accesses(plain: Path, instrumented: Path) -> None:
    fast = load(plain, hold=True)["tmem_reclaim"]
    machine_library = open_library(instrumented, (None,))
    backend = machine_library.factories["lock"](None)
    reclaim = backend.reclaim  # type: ignore[attr-defined]  # the store of this module has it
    bare, ours = _seconds(lambda: fast(None, ACCESSES)), _seconds(lambda: reclaim(ACCESSES))
    print(f"an access without a switch: {1e9 * (ours - bare) / ACCESSES:.1f} ns")


if __name__ == "__main__":
    main()
