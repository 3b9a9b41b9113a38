"""The adversary keeps the contract whatever it chooses, and hosts can be tested against it."""

from __future__ import annotations

import re
import threading
from collections.abc import Callable
from doctest import DocTestParser, DocTestRunner
from functools import partial
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tmem.conformance.engines.volume import outcomes
from tmem.conformance.programs.pages import corpus
from tmem.conformance.programs.program import HEADER, decode
from tmem.conformance.programs.runner import run
from tmem.conformance.turn import Silent, Turn
from tmem.model import Adversary, Choice
from tmem.model.adversary import backend
from tmem.model.choices import STRATEGIES, keep
from tmem.spec import Reclaims, TellsFlags
from tmem.spec.abi import errors
from tmem.spec.abi.flags import PERSIST, SHARED

DOCS = Path(__file__).parents[2] / "docs"
PAGE_SIZE = 64
PAGE, OTHER = b"p" * PAGE_SIZE, b"o" * PAGE_SIZE


def adversary(**bent: str) -> Adversary:
    """One that takes these options, and the kindest elsewhere."""
    return Adversary(lambda choice, options: bent.get(choice.name, options[0]), page_size=PAGE_SIZE)


def violations(make: Callable[[int], Adversary], count: int) -> list[str]:
    turn = Turn("test", make, seed=0, page_size=PAGE_SIZE)
    return [
        str(outcome.violation) for _, _, outcome in outcomes(turn, "adversary", count) if outcome.violation
    ]


@pytest.mark.parametrize("strategy", STRATEGIES)
def test_every_strategy_conforms(strategy: str) -> None:
    assert not violations(lambda number: Adversary(strategy, page_size=PAGE_SIZE, seed=number), 300)


@pytest.mark.parametrize(("choice", "option"), [(c, o) for c in Choice for o in c.options])
def test_every_option_conforms(choice: Choice, option: str) -> None:
    assert not violations(lambda number: adversary(**{choice.name: option}), 40)


@given(st.data(), st.binary(min_size=HEADER + 2, max_size=HEADER + 40))
def test_any_mixture_conforms(data: st.DataObject, program: bytes) -> None:
    def draw(choice: Choice, options: tuple[str, ...]) -> str:
        return data.draw(st.sampled_from(options), label=choice.name)

    pages = corpus(PAGE_SIZE)
    outcome = run(decode(program, len(pages.pages)), Adversary(draw, page_size=PAGE_SIZE), pages, Silent())
    assert outcome.violation is None


def test_every_choice_is_asked() -> None:
    asked = set()

    def choose(choice: Choice, options: tuple[str, ...]) -> str:
        asked.add(choice)
        return options[0]

    violations(lambda number: Adversary(choose, page_size=PAGE_SIZE), 100)
    assert asked == set(Choice)


def refusals() -> dict[str, tuple[int, Callable[[Adversary], object]]]:
    return {
        "short page": (errors.EINVAL, lambda a: a.put(1, 0, 0, 0, PAGE[1:])),
        "long page": (errors.EINVAL, lambda a: a.put(1, 0, 0, 0, PAGE + b"p")),
        "wide object id": (errors.EINVAL, lambda a: a.put(1, 0, 1 << 192, 0, PAGE)),
        "negative object id": (errors.EINVAL, lambda a: a.get(1, 0, -1, 0)),
        "wide index": (errors.EINVAL, lambda a: a.flush_page(1, 0, 0, 1 << 32)),
        "wide object to flush": (errors.EINVAL, lambda a: a.flush_object(1, 0, 1 << 192)),
        "negative reclaim": (errors.EINVAL, lambda a: a.reclaim(-1)),
        "wide client": (errors.EINVAL, lambda a: a.new_pool(1 << 16)),
        "wide UUID": (errors.EINVAL, lambda a: a.new_pool(1, SHARED, 1 << 128)),
        "reserved flags": (errors.EPERM, lambda a: a.new_pool(1, 1 << 8)),
        "another page size": (errors.EPERM, lambda a: a.new_pool(1, 2 << 4)),
        "put to no pool": (errors.ENODEV, lambda a: a.put(1, 9, 0, 0, PAGE)),
        "get of another client's pool": (errors.ENODEV, lambda a: a.get(2, 0, 0, 0)),
        "flush of no pool": (errors.ENODEV, lambda a: a.flush_object(1, -1, 0)),
        "end of no pool": (errors.ENODEV, lambda a: a.destroy_pool(1, 9)),
        "flags of no pool": (errors.ENODEV, lambda a: a.pool_flags(1, 9)),
        "the other kind of a UUID": (errors.EPERM, lambda a: a.new_pool(2, SHARED | PERSIST, 7)),
    }


@pytest.mark.parametrize("what", refusals())
def test_errors(what: str) -> None:
    errno, act = refusals()[what]
    tmem = adversary()
    assert tmem.new_pool(1, SHARED, 7) == 0
    tmem.put(1, 0, 0, 0, PAGE)
    with pytest.raises(OSError, match=r".+") as caught:
        act(tmem)
    assert caught.value.errno == errno
    assert tmem.get(1, 0, 0, 0) == PAGE


def test_what_is_no_page_or_number_is_refused() -> None:
    tmem = adversary()
    pool = tmem.new_pool(1)
    for page in (PAGE_SIZE, "p" * PAGE_SIZE, None):
        with pytest.raises(TypeError):
            tmem.put(1, pool, 0, 0, page)  # type: ignore[arg-type]
    with pytest.raises(TypeError):
        tmem.get(1, pool, 0.5, 0)  # type: ignore[arg-type]
    wide = memoryview(PAGE * 2).cast("H")  # as many items as a page has bytes
    with pytest.raises(OSError, match="a page has"):
        tmem.put(1, pool, 0, 0, wide)


def test_sharers_see_the_same_pages_until_the_last_leaves() -> None:
    tmem = adversary()
    one, two = tmem.new_pool(1, PERSIST | SHARED, 7), tmem.new_pool(2, PERSIST | SHARED, 7)
    tmem.put(1, one, 0, 0, PAGE)
    tmem.destroy_pool(1, one)
    assert tmem.get(2, two, 0, 0) == PAGE
    tmem.destroy_pool(2, two)
    assert tmem.get(2, tmem.new_pool(2, PERSIST | SHARED, 7), 0, 0) is None


def test_reclaim_takes_the_ephemeral_pages_that_it_is_asked_for() -> None:
    for victim, left in (("oldest", [None, None, PAGE]), ("newest", [PAGE, None, None])):
        tmem = adversary(VICTIM=victim)
        cache, swap = tmem.new_pool(1), tmem.new_pool(1, PERSIST)
        for index in range(3):
            tmem.put(1, cache, 0, index, PAGE)
            tmem.put(1, swap, 0, index, OTHER)
        assert tmem.reclaim(2) == 2
        assert [tmem.get(1, cache, 0, index) for index in range(3)] == left
        assert [tmem.get(1, swap, 0, index) for index in range(3)] == [OTHER] * 3


def test_a_failed_duplicate_drops_the_old_page() -> None:
    tmem = adversary(DUPLICATE="ENOMEM")
    pool = tmem.new_pool(1, PERSIST)
    assert tmem.put(1, pool, 0, 0, PAGE)
    with pytest.raises(OSError, match="no room"):
        tmem.put(1, pool, 0, 0, OTHER)
    assert tmem.get(1, pool, 0, 0) is None


def test_equal_seeds_choose_alike() -> None:
    def trace(seed: int) -> list[str]:
        choose = STRATEGIES["random"](seed)
        return [choose(choice, choice.options) for choice in Choice for _ in range(9)]

    assert trace(1) == trace(1) != trace(2)


def test_chance_takes_the_kindest_five_times_in_six() -> None:
    choose = STRATEGIES["random"](0)
    taken = [choose(Choice.VANISH, Choice.VANISH.options) for _ in range(20_000)]
    assert 0.91 < taken.count("keep") / len(taken) < 0.925  # 5/6 and half of the rest


def test_what_strategies_are_called_after_they_do() -> None:
    def left(strategy: str) -> list[bytes | None]:
        tmem = Adversary(strategy, page_size=PAGE_SIZE)
        pool = tmem.new_pool(1)
        tmem.put(1, pool, 7, 0, PAGE)
        tmem.put(1, pool, 7, 0, OTHER)
        tmem.put(1, pool, 8, 0, PAGE)
        tmem.flush_page(1, pool, 9, 0)
        return [tmem.get(1, pool, 7, 0), tmem.get(1, pool, 8, 0)]

    assert left("keep") == [OTHER, PAGE]
    assert left("evict-at-once") == [None, None]
    assert left("refuse-puts") == [None, None]
    assert left("fail-duplicates") == [None, PAGE]
    assert left("flush-neighbours") == [None, None]


def test_nothing_is_left_once_it_is_closed() -> None:
    tmem = adversary()
    pool = tmem.new_pool(1, SHARED | PERSIST, 7)
    tmem.put(1, pool, 7, 0, PAGE)
    tmem.close()
    assert raises(errors.ENODEV, lambda: tmem.get(1, pool, 7, 0))
    assert tmem.get(2, tmem.new_pool(2, SHARED | PERSIST, 7), 7, 0) is None


def test_an_option_that_is_none_is_named() -> None:
    tmem = adversary(VANISH="perhaps")
    pool = tmem.new_pool(1)
    tmem.put(1, pool, 0, 0, PAGE)
    with pytest.raises(ValueError, match=r"VANISH has the options .* not 'perhaps'"):
        tmem.get(1, pool, 0, 0)


def test_a_strategy_that_is_none_is_named() -> None:
    with pytest.raises(ValueError, match="no strategy 'kind'; there are keep, evict-at-once"):
        backend("kind", 0)


def test_it_has_the_further_abilities() -> None:
    tmem = backend("keep", 0)
    assert isinstance(tmem, Reclaims)
    assert isinstance(tmem, TellsFlags)
    assert tmem.page_size == 4096
    assert keep(Choice.VANISH, Choice.VANISH.options) == "keep"


def test_threads_see_whole_pages() -> None:
    tmem = adversary()
    pool = tmem.new_pool(1, PERSIST)
    seen: set[bytes | None] = set()

    def work(page: bytes) -> None:
        for _ in range(2000):
            tmem.put(1, pool, 0, 0, page)
            seen.add(tmem.get(1, pool, 0, 0))

    threads = [threading.Thread(target=work, args=(page,)) for page in (PAGE, OTHER)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert seen <= {PAGE, OTHER}
    assert seen


@pytest.mark.parametrize(("name", "least"), [("adversary.md", 10), ("pytest.md", 5)])
def test_the_documentation_runs(name: str, least: int) -> None:
    page = DOCS / name
    examples = "\n".join(re.findall(r"```python\n(.*?)```", page.read_text(), re.DOTALL))
    test = DocTestParser().get_doctest(examples, {}, page.name, str(page), 0)
    output: list[str] = []
    results = DocTestRunner().run(test, out=output.append)
    assert results.attempted >= least
    assert not results.failed, "".join(output)


def test_the_documentation_names_every_strategy() -> None:
    assert all(f"`{name}`" in (DOCS / "adversary.md").read_text() for name in STRATEGIES)


def raises(errno: int, act: Callable[[], object]) -> bool:
    with pytest.raises(OSError, match=r".+") as caught:
        act()
    return caught.value.errno == errno


@pytest.mark.parametrize(
    ("option", "ids"),
    [
        ("smallest", [0, 1, 2, 1]),
        ("fresh", [0, 1, 2, 3]),
        ("large", [2**31 - 1, 2**31 - 2, 2**31 - 3, 2**31 - 2]),
    ],
)
def test_which_id_a_pool_gets(option: str, ids: list[int]) -> None:
    tmem = adversary(POOL_ID=option)
    got = [tmem.new_pool(1) for _ in range(3)]
    assert tmem.destroy_pool(1, got[1]) is True
    assert [*got, tmem.new_pool(1)] == ids


@pytest.mark.parametrize(
    ("flags", "option", "left"),
    [
        (0, "none", [None, OTHER, OTHER]),
        (0, "object", [None, None, OTHER]),
        (0, "pool", [None, None, None]),
        (PERSIST, "pool", [None, OTHER, OTHER]),
    ],
)
def test_what_a_flush_takes_along(flags: int, option: str, left: list[bytes | None]) -> None:
    tmem = adversary(NEIGHBOURS=option)
    pool = tmem.new_pool(1, flags)
    slots = [(7, 0), (7, 1), (8, 0)]
    for oid, index in slots:
        tmem.put(1, pool, oid, index, OTHER)
    assert tmem.flush_page(1, pool, 7, 0) is True
    assert [tmem.get(1, pool, *slot) for slot in slots] == left


def test_what_a_flush_answers() -> None:
    for option, answers in (("truth", [True, False]), ("contrary", [False, True])):
        tmem = adversary(FOUND=option, NEIGHBOURS="none" if option == "truth" else "object")
        pool = tmem.new_pool(1)
        tmem.put(1, pool, 7, 0, PAGE)
        assert [tmem.flush_object(1, pool, 7), tmem.flush_page(1, pool, 7, 0)] == answers
    tmem = adversary(FOUND="EFROZEN")
    pool = tmem.new_pool(1, PERSIST)
    tmem.put(1, pool, 7, 0, PAGE)
    assert raises(errors.EFROZEN, lambda: tmem.flush_page(1, pool, 7, 0))
    assert tmem.get(1, pool, 7, 0) is None


@pytest.mark.parametrize(("option", "gone"), [("asked", [0, 2, 1]), ("one", [0, 1, 1]), ("none", [0, 0, 0])])
def test_how_many_pages_go(option: str, gone: list[int]) -> None:
    tmem = adversary(RECLAIM=option)
    pool = tmem.new_pool(1)
    for index in range(3):
        tmem.put(1, pool, 7, index, PAGE)
    assert [tmem.reclaim(pages) for pages in (0, 2, 2)] == gone


def test_how_a_get_fails_and_misses() -> None:
    tmem = adversary(GET="ENOMEM")
    pool = tmem.new_pool(1)
    assert raises(errors.ENOMEM, lambda: tmem.get(1, pool, 7, 0))
    tmem = adversary(MISS="EEMPTY")
    pool = tmem.new_pool(1)
    assert raises(errors.EEMPTY, lambda: tmem.get(1, pool, 7, 0))
    tmem.put(1, pool, 7, 0, PAGE)
    assert tmem.get(1, pool, 7, 0) == PAGE


def test_how_pools_are_refused_and_shared() -> None:
    for option in ("ENOMEM", "EPERM"):
        refusing = adversary(NEW_POOL=option)
        assert raises(getattr(errors, option), partial(refusing.new_pool, 1))
    assert raises(errors.EPERM, lambda: adversary(SHARE="EPERM").new_pool(1, SHARED, 7))
    tmem = adversary(SHARE="private")
    assert tmem.pool_flags(1, tmem.new_pool(1, SHARED | PERSIST, 7)) & (SHARED | PERSIST) == PERSIST
    tmem = adversary(KIND="maker's")
    tmem.new_pool(1, SHARED | PERSIST, 7)
    assert tmem.pool_flags(2, tmem.new_pool(2, SHARED, 7)) & (SHARED | PERSIST) == SHARED | PERSIST


def test_how_softly_a_dead_pool_answers() -> None:
    tmem = adversary(DEAD="softly")
    answers = [tmem.put(1, 0, 7, 0, PAGE), tmem.get(1, 0, 7, 0), tmem.flush_page(1, 0, 7, 0)]
    assert [*answers, tmem.flush_object(1, 0, 7), tmem.destroy_pool(1, 0)] == [False, None, *[False] * 3]


def test_chance_is_that_of_seed_0_where_none_is_given() -> None:
    def observed(tmem: Adversary) -> list[object]:
        pool = 0
        answers: list[object] = []
        for index in range(200):
            try:
                pool = tmem.new_pool(1)
                answers.append((pool, tmem.put(1, pool, 7, index, bytes(4096)), tmem.reclaim(1)))
            except OSError as error:
                answers.append(error.errno)
        return answers

    first = observed(Adversary())
    assert first == observed(Adversary("random", page_size=4096, seed=0))
    assert first == observed(backend("random"))
    assert first != observed(Adversary("random", page_size=4096, seed=1))
