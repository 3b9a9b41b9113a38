"""The twin in TLA+: it agrees with the small world, and each of its properties can be broken."""

from __future__ import annotations

import os

import pytest

from proofs.small_world.relation import Setting
from proofs.small_world.settings import BOTH, CACHE, SETTINGS
from proofs.tla import models
from proofs.tla.models import CLAUSES, INVARIANTS, JUDGE, TINY
from proofs.tla.tlc import Change, check, missing
from tmem.spec import clauses

pytestmark = pytest.mark.skipif(bool(missing()) and not os.environ.get("CI"), reason=missing())

SMALL = Setting(((1, 0), (2, 0)), ((7, 0),), (b"AAAA",), ((CACHE, None), (BOTH, 6)))
STORE, JUDGED = models.store("tiny", TINY), models.judge("tiny", TINY)
BROKEN: dict[str, tuple[str, str]] = {
    "TypeOK": (
        'CASE answer = "True" -> {With(w, n, p, page)}',
        'CASE answer = "True" -> {With(w, n, p, NoPool)}',
    ),
    "UnusedPoolsAreEmpty": (", !.holds[pool] = Empty] ELSE without", "] ELSE without"),
    "PrivatePoolsAreTheirMakers": ('ELSE <<"private", n>>\n', 'ELSE <<"private", <<1, 0>>>>\n'),
    "POOL_1": ("CASE Live(w, n) -> {}\n    [] Users(w, pool)", "CASE FALSE -> {}\n    [] Users(w, pool)"),
    "POOL_2": (
        "without == [w EXCEPT !.stands[n] = NoPool,",
        "without == [w EXCEPT !.stands = [m \\in Names |-> NoPool],",
    ),
    "POOL_3": (
        "[] answer \\in Found -> {Left(w, n)}",
        '[] answer = "True" -> {Left(w, n)} [] answer = "False" -> {w}',
    ),
    "POOL_4": ("[] OTHER -> {w}                      ", "[] OTHER -> {Start}                      "),
    "POOL_5": ("-> {[w EXCEPT !.asked[n] = Nothing]}", "-> {[w EXCEPT !.persists[w.stands[n]] = ~@]}"),
    "HANDLE_1": (
        "[] answer \\in PutFailed -> {With(w, n, p, Nothing)}",
        "[] answer \\in PutFailed -> {[w EXCEPT !.holds[w.stands[n]] = Empty]}",
    ),
    "PUT_1": ("[] answer \\in PutFailed -> {With(w, n, p, Nothing)}", "[] answer \\in PutFailed -> {w}"),
    "PUT_2": ('CASE answer = "True" -> {With(w, n, p, page)}', 'CASE answer = "True" -> {w}'),
    "PUT_3": (
        "[] answer \\in PutFailed -> {With(w, n, p, Nothing)}",
        "[] answer \\in PutFailed -> {With(w, n, p, page)}",
    ),
    "GET_1": ("IF At(w, n, p) = Nothing THEN {Used(w, n)} ELSE {}", "{Used(w, n)}"),
    "GET_2": ("[] Exclusive(w, n) -> {With(w, n, p, Nothing)}", "[] Exclusive(w, n) -> {w}"),
    "GET_3": ("[] Is(w, n).persistent -> {Used(w, n)}", "[] Is(w, n).persistent -> {With(w, n, p, Nothing)}"),
    "FLUSH_1": ("IF answer \\in Flushed THEN {With(w, n, p, Nothing)}", "IF answer \\in Flushed THEN {w}"),
    "FLUSH_2": ("IF p[1] = object THEN Nothing", "IF p = <<object, 0>> THEN Nothing"),
    "RECLAIM_1": ("~w.persists[pool] /\\ w.holds[pool][p] # Nothing}", "w.holds[pool][p] # Nothing}"),
    "RECLAIM_2": (
        "IF <<pool, p>> \\in gone THEN Nothing ELSE w.holds[pool][p]",
        "IF <<pool, p>> \\in gone THEN CHOOSE q \\in Pages : q # w.holds[pool][p] ELSE w.holds[pool][p]",
    ),
    "SHARE_1": (
        'IF KindOf(r).shared THEN <<"shared", r.uuid>>',
        'IF KindOf(r).shared THEN <<"shared", "5">>',
    ),
    "SHARE_2": ("IF Users(without, pool) = {} THEN", "IF TRUE THEN"),
    "ARG_1": (
        "IF answer \\in Refused \\/ ~Live(w, n) THEN {w} ELSE {}",
        "IF Live(w, n) THEN {Left(w, n)} ELSE {w}",
    ),
}
"""A property, and the change of Store.tla that it must find."""


def test_a_model_holds_and_has_the_counts_of_its_small_world() -> None:
    checked = models.store("small", SMALL).check()
    assert checked.violated == "", checked.output
    assert (checked.states, checked.transitions) == models.size(SMALL)


def test_every_setting_has_its_twin() -> None:
    assert [model.setting for model in models.MODELS if model.setting] == list(SETTINGS.values())
    assert {f"TMEM-{name.replace('_', '-')}" for name in CLAUSES} <= set(clauses.CLAUSES)


@pytest.mark.long
@pytest.mark.parametrize("name", BROKEN)
def test_a_broken_store_is_found_by_its_property(name: str) -> None:
    only = "INVARIANTS" if name in INVARIANTS else "PROPERTIES"
    config = STORE.config[: STORE.config.index("INVARIANTS")] + f"{only} {name}\n"
    checked = check(STORE.text, config, Change("Store", *BROKEN[name]))
    assert checked.violated == name, checked.output


def test_every_property_is_shown_to_bite() -> None:
    assert set(BROKEN) == {*CLAUSES, *INVARIANTS}


@pytest.mark.long
@pytest.mark.parametrize(
    ("old", "new", "found"),
    [
        ('{"put", "flush page"} -> Forgets(b, l.name, l.place)', '{"put", "flush page"} -> b', JUDGE),
        ('[] l.op = "get" -> ~May(b, l.name, l.place).sure', '[] l.op = "get" -> TRUE', JUDGE[:1]),
        ("l.page, b.persists[b.stands[l.name]])", "l.page, FALSE)", JUDGE),
        ('[] l.op = "malformed" -> l.answer # "ENODEV"', '[] l.op = "malformed" -> TRUE', JUDGE[:1]),
    ],
)
def test_a_judge_that_errs_is_found(old: str, new: str, found: tuple[str, ...]) -> None:
    assert JUDGED.check(Change("Judge", old, new)).violated in found


@pytest.mark.long
def test_a_reclaimer_that_waits_for_a_pool_is_a_deadlock() -> None:
    assert models.locks(waits=True).check().violated == "deadlock"
