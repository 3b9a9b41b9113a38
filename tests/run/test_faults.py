"""Every fault of the catalogue is noticed, for a clause that it may be blamed on; without its fault a wrapper
conforms."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable

import pytest

from tmem.conformance.conforming.wrapper import Reclaiming, Shadow, Wrapper
from tmem.conformance.coverage import CHOICES
from tmem.conformance.engines.claims import ClaimChecks
from tmem.conformance.engines.volume import outcomes
from tmem.conformance.events import Event, Found
from tmem.conformance.faults import FAULTS, Fault
from tmem.conformance.faults.addressing import Readdressed
from tmem.conformance.faults.contents import Altered, Deduplicated
from tmem.conformance.faults.fault import fault, register
from tmem.conformance.faults.isolation import Meets, Others
from tmem.conformance.faults.past_bugs import NOT_TODAY, PAST_BUGS
from tmem.conformance.faults.pools import FlagsTaken, PoolsSurvive
from tmem.conformance.faults.sharing.joining import Misjoined
from tmem.conformance.faults.sharing.leaving import Leaves
from tmem.conformance.turn import Turn
from tmem.impl import Store
from tmem.model import Adversary
from tmem.spec import Backend, Reclaims, TellsFlags
from tmem.spec.backend import Claims
from tmem.spec.clauses import CLAIMS, CLAUSES

PROGRAMS = 8_000
ENOUGH = 2
"""Violations after which a fault's blame is taken to be known."""


def kinds(*kinds: str) -> list[Fault]:
    return [known for known in FAULTS.values() if known.kind in kinds]


APART = kinds("races", "liveness", "claims", "large")
SEQUENTIAL = [known for known in FAULTS.values() if known not in APART]


def blamed(make: Callable[[int], Backend], count: int, primary: str = "") -> Counter[str]:
    """The clauses of the first violation of each program, until there are enough of them."""
    seen: Counter[str] = Counter()
    for _, _, outcome in outcomes(Turn("test", make, 0), "volume 0", count):
        if outcome.violation is not None:
            seen[outcome.violation.clause] += 1
            if (primary in seen or not primary) and seen.total() >= ENOUGH:
                break
    return seen


RARE = {
    "deduplicated-by-word-sum",
    "duplicate-of-zero-page-keeps-old",
    "flush-takes-equal-pages",
    "hit-not-exclusive-now-and-then",
    "object-id-bit-77-lost",
    "object-id-modulo-2-61",
    "object-id-two-words-in-a-bucket",
    "put-changes-equal-pages",
    "size-of-a-page-marks-raw",
    "size-of-a-page-marks-raw-deflated",
    "wide-put-refused-but-done",
}
"""Faults that take a second or more to be noticed."""


@pytest.mark.parametrize(
    "known",
    [pytest.param(known, marks=[pytest.mark.long] * (known.name in RARE)) for known in SEQUENTIAL],
    ids=lambda known: known.name,
)
def test_every_fault_is_noticed(known: Fault) -> None:
    seen = blamed(lambda number: known.wrap(Adversary("keep")), PROGRAMS, known.clauses[0])
    assert seen[known.clauses[0]], f"{known.name} was never blamed on {known.clauses[0]}: {dict(seen)}"
    assert set(seen) <= set(known.clauses), dict(seen)


@pytest.mark.parametrize(
    "known",
    [
        pytest.param(known, marks=[pytest.mark.long] * (place >= 8 or known.name in RARE))
        for place, known in enumerate(random.Random(1).sample(SEQUENTIAL, 40))
    ],
    ids=lambda known: known.name,
)
def test_a_fault_can_wrap_any_backend(known: Fault) -> None:
    budgets = (None, 40_000)
    seen = blamed(lambda number: known.wrap(Store(budget=budgets[number % 2])), PROGRAMS)
    assert seen, f"{known.name} around impl was not noticed"
    assert set(seen) <= set(known.clauses), dict(seen)


def same(*values: object) -> object:
    return values[0] if len(values) == 1 else values


FAULTLESS: dict[str, Callable[[Backend], Backend]] = {
    "nothing": lambda inner: inner,
    "wrapper": Wrapper,
    "shadow": Shadow,
    "meets": Meets,
    "others": Others,
    "leaves": Leaves,
    "misjoined": Misjoined,
    "readdressed": lambda inner: Readdressed(inner, lambda oid, index: (oid, index)),
    "altered": lambda inner: Altered(inner, lambda page: page),
    "deduplicated": lambda inner: Deduplicated(inner, lambda page: page),
    "flags taken": lambda inner: FlagsTaken(inner, lambda flags, page_size: flags),
    "reclaiming": Reclaiming,
    "pools survive": type("Never", (PoolsSurvive,), {"survives": lambda self, pool, known: False}),
}
BACKENDS: dict[str, Callable[[int], Backend]] = {
    "keep": lambda number: Adversary("keep"),
    "random": lambda number: Adversary("random", seed=number),
    "impl": lambda number: Store(budget=40_000),
}


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("wrapper", FAULTLESS)
def test_a_wrapper_without_its_fault_conforms(wrapper: str, backend: str) -> None:
    wrap, make = FAULTLESS[wrapper], BACKENDS[backend]
    assert not blamed(lambda number: wrap(make(number)), 400)


@pytest.mark.parametrize("known", kinds("claims"), ids=lambda known: known.name)
def test_every_false_claim_is_noticed(known: Fault) -> None:
    events: list[Event] = []
    backend = known.wrap(Adversary("keep"))
    ClaimChecks().run(Turn("test", lambda number: known.wrap(Adversary("keep")), 0, events.append))
    assert isinstance(backend, Claims)
    assert {event.finding.clause for event in events if isinstance(event, Found)} == set(known.clauses)
    assert not blamed(lambda number: known.wrap(Adversary("keep")), 200), "it keeps the clauses"


@pytest.mark.parametrize("known", kinds("races"), ids=lambda known: known.name)
def test_a_race_conforms_where_calls_do_not_overlap(known: Fault) -> None:
    assert not blamed(lambda number: known.wrap(Adversary("keep")), 300)


def test_every_clause_has_a_fault() -> None:
    implied = {id for id, clause in CLAUSES.items() if clause.implied}
    assert {known.clauses[0] for known in FAULTS.values()} == set(CLAUSES) - implied | set(CLAIMS)


def test_every_clause_has_a_fault_that_breaks_it_alone() -> None:
    alone = {known.clauses[0] for known in FAULTS.values() if len(known.clauses) == 1}
    races = {
        known.clauses[0] for known in kinds("races")
    }  # which no check but those of overlapping calls sees
    assert alone | races >= {id for id, clause in CLAUSES.items() if not clause.implied}


@pytest.mark.parametrize("known", FAULTS.values(), ids=lambda known: known.name)
def test_a_fault_has_a_sentence_and_clauses(known: Fault) -> None:
    assert known.sentence[0].isupper()
    assert known.sentence.endswith(".")
    assert len(known.sentence) < 130
    assert set(known.clauses) <= set(CLAUSES) | set(CLAIMS)
    assert set(known.needs) <= {
        *("private ephemeral", "private persistent", "shared ephemeral", "shared persistent", "shared"),
        *("reclaim", "pool_flags", *CHOICES),
    }


def test_every_bug_that_can_be_expressed_has_a_fault() -> None:
    used = {number for known in FAULTS.values() for number in known.history}
    assert used == set(PAST_BUGS) - set(NOT_TODAY)


def test_two_faults_with_one_name_are_refused() -> None:
    class HitNotExclusive(Wrapper):
        """A second one."""

    with pytest.raises(ValueError, match="two faults hit-not-exclusive"):
        fault("TMEM-GET-2")(HitNotExclusive)
    with pytest.raises(ValueError, match="two faults hit-not-exclusive"):
        register(HitNotExclusive, HitNotExclusive, ("TMEM-GET-2",))


def test_a_wrapper_offers_what_its_backend_offers() -> None:
    class Plain(Wrapper):
        def __getattr__(self, name: str) -> object:
            raise AttributeError(name)

    wrapped, plain = Shadow(Adversary("keep")), Misjoined(Plain(Adversary("keep")))
    assert isinstance(wrapped, Reclaims)
    assert isinstance(wrapped, TellsFlags)
    assert not isinstance(plain, Reclaims)
    assert not isinstance(plain, TellsFlags)
