"""Backends that conform raise no alarm, and are as different as they should be."""

from __future__ import annotations

import random
import threading
import time
from collections import Counter
from collections.abc import Sequence

import pytest

from tmem.conformance.conforming import compose, seeds
from tmem.conformance.conforming.eviction import Capacity, Restless
from tmem.conformance.conforming.threads import Background
from tmem.conformance.coverage import Coverage
from tmem.conformance.history.exhaustive import Breach, violation_in
from tmem.conformance.programs.pages import corpus
from tmem.conformance.programs.program import HEADER, decode
from tmem.conformance.programs.runner import run
from tmem.conformance.schedules.explore import explore
from tmem.conformance.schedules.search.subject import open_subject
from tmem.conformance.turn import Silent
from tmem.model import Adversary
from tmem.spec import Reclaims, TellsFlags
from tmem.spec.abi.flags import PERSIST
from tmem.spec.history import Call
from tmem.spec.operations import NewPool, Put

SEEDS = range(400)


@pytest.mark.parametrize("block", range(8))
def test_conforming_backends_raise_no_alarm(block: int) -> None:
    for seed in SEEDS[block::8]:
        pages = corpus(compose(seed).page_size)
        draw = random.Random(seed)
        for _ in range(8):
            program = decode(draw.randbytes(HEADER + 2 * draw.randrange(4, 64)), len(pages.pages))
            violation = run(program, compose(seed), pages, Silent()).violation
            assert violation is None, f"seed {seed}, {compose(seed)}: {violation}"


def test_conforming_backends_differ_and_make_every_choice() -> None:
    texts = {str(compose(seed)) for seed in SEEDS}
    assert len(texts) > 0.9 * len(SEEDS)
    layers = Counter(part.partition("(")[0] for text in texts for part in text.split("; "))
    for layer in (
        "Without",
        "Capacity",
        "Restless",
        "PoolIds",
        "Locked",
        "Background",
        "Slow",
        "KeepsAllOnes",
    ):
        assert layers[layer] >= 5, layer
    backends = [compose(seed) for seed in SEEDS]
    for ability in (Reclaims, TellsFlags):
        assert 0.5 < sum(isinstance(each, ability) for each in backends) / len(backends) < 0.95
    assert {each.page_size for each in backends} == {512, 4096, 8192}
    for each in backends:
        each.close()


def test_conforming_backends_reach_every_required_coverpoint() -> None:
    coverage = Coverage()
    for seed in SEEDS[:150]:
        backend = compose(seed)
        pages = corpus(backend.page_size)
        backend.close()
        draw = random.Random(seed)
        for _ in range(3):
            program = decode(draw.randbytes(HEADER + 120), len(pages.pages))
            coverage.program(run(program, compose(seed), pages, Silent()).judge, twins=False, changed=False)
    for point in ("put refused", "duplicate put flushed", "eviction seen", "get denied"):
        assert coverage.points[point] > 20, point
    for kind in ("private ephemeral", "private persistent", "shared ephemeral", "shared persistent"):
        assert coverage.points[f"{kind}: hit"] > 20, kind


def test_equal_seeds_are_equal_backends() -> None:
    program = decode(random.Random(5).randbytes(HEADER + 120), 256)
    for seed in range(40):
        if "Background" in str(compose(seed)):
            continue
        pages = corpus(compose(seed).page_size)
        one, two = (run(program, compose(seed), pages, Silent()).trace for _ in range(2))
        assert one == two
        assert str(compose(seed)) == str(compose(seed))


def test_a_full_store_lets_ephemeral_pages_go_and_keeps_persistent_ones() -> None:
    store = Capacity(Adversary("keep", page_size=8), 2, "newest first", "False", random.Random(0))
    swap, cache = store.new_pool(1, PERSIST), store.new_pool(1)
    assert [store.put(1, swap, 0, n, b"%08d" % n) for n in range(3)] == [True, True, False]
    assert store.flush_page(1, swap, 0, 0)
    assert store.put(1, cache, 0, 0, b"ephemral")
    assert store.put(1, swap, 0, 3, b"00000003")
    assert [store.get(1, swap, 0, n) for n in (1, 3)] == [b"00000001", b"00000003"]
    assert store.get(1, cache, 0, 0) is None


def test_a_restless_reclaimer_removes_no_persistent_page() -> None:
    store = Restless(Adversary("keep", page_size=8), 1.0, "any", random.Random(0))
    swap, cache = store.new_pool(1, PERSIST), store.new_pool(1)
    store.put(1, swap, 0, 0, b"persists")
    store.put(1, cache, 0, 0, b"ephemral")
    assert store.get(1, swap, 0, 0) == b"persists"
    assert store.get(1, cache, 0, 0) is None


def threaded() -> list[int]:
    return [seed for seed in SEEDS if "Locked" in str(compose(seed))][:24]


def test_conforming_backends_serve_threads_differently() -> None:
    texts = [str(compose(seed)) for seed in threaded()]
    assert any("reclaim)" in text for text in texts), "some have no reclaim"
    assert any("SHARE" in text for text in texts), "some grant private pools for shared ones"
    assert any("KIND" in text for text in texts), "some grant the kind of the pool's maker"


@pytest.mark.parametrize(
    "part", [slice(2), pytest.param(slice(2, None), marks=pytest.mark.long)], ids=["few", "all"]
)
def test_no_alarm_under_controlled_schedules(part: slice) -> None:
    for seed in threaded()[part]:
        subject = open_subject(seeds.__name__, f"seed_{seed}")
        found = next(explore(subject, seed, 12), None)
        assert found is None, f"seed {seed}, {compose(seed)}: {found}"


def test_a_put_goes_to_the_new_pool_of_a_reused_id() -> None:
    landed = 0

    def judging(calls: Sequence[Call]) -> Breach | None:
        nonlocal landed
        puts = [call for call in calls if isinstance(call.operation, Put) and call.answer is True]
        made = [call for call in calls if isinstance(call.operation, NewPool)]
        landed += sum(
            new.operation.client == put.operation.client
            and new.answer == put.operation.handle.pool
            and put.begin < new.begin
            and (new.end or 0) < (put.end or 0)
            for put in puts
            for new in made
        )
        return violation_in(calls)

    seed = 17
    assert "Locked" in str(compose(seed))
    subject = open_subject(seeds.__name__, f"seed_{seed}")
    assert not list(explore(subject, seed, 200, over=lambda: landed > 0, judging=judging))
    assert landed > 0


def test_a_name_that_is_not_a_seed_is_reported() -> None:
    with pytest.raises(AttributeError, match="for example, seed_17"):
        seeds.seventeen  # noqa: B018


def test_a_background_reclaimer_runs_from_the_first_pool_until_close() -> None:
    def reclaimers() -> int:
        return sum(thread.name == "reclaimer" for thread in threading.enumerate())

    before = reclaimers()
    never_used, used = (Background(Adversary("keep", page_size=8), by_page=False) for _ in range(2))
    assert reclaimers() == before
    cache = used.new_pool(1)
    assert reclaimers() == before + 1
    used.put(1, cache, 0, 0, b"ephemral")
    until = time.monotonic() + 20
    while list(used.ephemeral()) and time.monotonic() < until:
        time.sleep(0.001)
    assert used.get(1, cache, 0, 0) is None
    used.close()
    never_used.close()
    assert reclaimers() == before
