"""What the memory of a process grows by, against the compressed payload and the store's own account."""

from __future__ import annotations

import gc
import random
import resource
import tempfile
import threading
from array import array
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from lz4.block import compress

from bench.fresh import call
from bench.pages import PAGE
from bench.plan import Plan, open_contender
from bench.subjects import PER_OBJECT, Subject

FILL, CHURN, CHURN_ONE_ARENA = "fill", "churn", "churn, one arena"
PAYLOAD, RSS, ACCOUNT = "payload", "RSS", "account"
THREADS = 8
SETTLED = 8_000
"""Pages, some 16 MB, that are put before anything is measured."""
PEER = "dict + lz4 + lock"
ONE_ARENA = {"MALLOC_ARENA_MAX": "1"}


def measure(plan: Plan) -> Iterator[tuple[str, dict[str, list[dict[str, float]]]]]:
    """By kind of load and contender, the bytes of each round, each in a fresh process."""
    names = [*plan.variants[:1], PEER]
    for piece, function, count, environment in (
        (FILL, fill, plan.memory_pages, {}),
        (CHURN, churn, plan.churn, {}),
        (CHURN_ONE_ARENA, churn, plan.churn, ONE_ARENA),
    ):
        found: dict[str, list[dict[str, float]]] = {name: [] for name in names}
        for _ in range(plan.memory_rounds):
            for name in names:
                found[name].append(call(function, environment, name=name, count=count))
        yield piece, found


def fill(name: str, count: int) -> dict[str, float]:
    """Put `count` pages into an ephemeral pool; what the process grew by, in bytes."""
    pages = Plan().pages
    sizes = [data_size(page) for page in pages]
    with tempfile.TemporaryDirectory() as folder:
        contender = open_contender(name, Path(folder))
        subject = contender.cache
        _settle(subject, pages)
        before, account = rss(), _account(contender.store)
        payload = 0
        for number in range(count):
            which = number % len(pages)
            _put(subject, number, pages[which])
            payload += sizes[which]
        grown: dict[str, float] = {PAYLOAD: payload, RSS: rss() - before}
        if contender.store is not None:
            grown[ACCOUNT] = _account(contender.store) - account
        return grown


def churn(name: str, count: int) -> dict[str, float]:
    """Eight threads put over, flush and take, `count` operations each; half of their slots hold pages."""
    pages = Plan().pages
    data = array("H", [data_size(page) for page in pages])
    with tempfile.TemporaryDirectory() as folder:
        contender = open_contender(name, Path(folder))
        subject = contender.cache
        _settle(subject, pages)
        slots = count // 4
        held = [array("H", bytes(2 * slots)) for _ in range(THREADS)]
        before, account = rss(), _account(contender.store)

        def work(number: int) -> None:
            draw, own = random.Random(number), held[number]
            for _ in range(count):
                slot, choice = draw.randrange(slots), draw.random()
                if choice < 0.5:
                    which = draw.randrange(len(pages))
                    _put(subject, number * slots + slot, pages[which])
                    own[slot] = data[which]
                    continue
                key = _key(subject, number * slots + slot)
                if choice < 0.75:
                    subject.flush([key])
                else:
                    subject.take([key])
                own[slot] = 0

        threads = [threading.Thread(target=work, args=(number,)) for number in range(THREADS)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        grown: dict[str, float] = {PAYLOAD: sum(map(sum, held)), RSS: rss() - before}
        if contender.store is not None:
            grown[ACCOUNT] = _account(contender.store) - account
        return grown


def data_size(page: bytes) -> int:
    """Bytes of the payload: what lz4 makes of the page, or the page where that is not less."""
    return min(PAGE, len(compress(page)))


def rss() -> int:
    """Bytes of memory that the process has now."""
    gc.collect()
    with open("/proc/self/statm") as statm:
        return int(statm.read().split()[1]) * resource.getpagesize()


def _key(subject: Subject, number: int) -> Any:
    return subject.keys([divmod(number, PER_OBJECT)])[0]


def _put(subject: Subject, number: int, page: bytes) -> None:
    # Bytes of its own each time: a page that lz4 cannot shrink may be kept as it is, at no cost.
    subject.put([_key(subject, number)], [bytes(bytearray(page))])


def _settle(subject: Subject, pages: list[bytes]) -> None:
    """Put pages that stay, until they have taken what memory was free: from now on all growth is seen."""
    gc.collect()
    for number in range(SETTLED):
        _put(subject, (1 << 22) + number, pages[number % len(pages)])


def _account(store: Any) -> int:
    return 0 if store is None else store.counters().bytes
