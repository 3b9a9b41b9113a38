"""Mutants: they are the same every time, kinds of them are killed, and the tables are what was recorded."""

from __future__ import annotations

import ast
from itertools import chain
from pathlib import Path

import pytest

from tools.mutants import explained, locks, statements, tables
from tools.mutants.explained import Reason, wrong
from tools.mutants.mutant import Mutant, modules, source
from tools.mutants.run import Outcome, reaching, result

SECTION = """
class Store:
    def put(self, key, page):
        with self.lock:
            old = self.pages.get(key)
            with self.room.lock:
                self.room.used += 1
            self.pages[key] = page
            return old

    def take(self, key):
        self.lock.acquire()
        try:
            if key not in self.pages:
                return None
            return self.pages.pop(key)
        finally:
            self.lock.release()

    def evict(self):
        for pool in self.pools:
            if not pool.lock.acquire(blocking=False):
                continue
            try:
                pool.evict()
            finally:
                pool.lock.release()
"""


def of_module(text: str) -> list[Mutant]:
    return list(locks.of_module("impl", "store.py", text))


def named(package: str, path: str, *words: str) -> Mutant:
    text = dict(modules(package))[path]
    made = chain(locks.of_module(package, path, text), statements.of_module(package, path, text))
    return next(each for each in made if all(word in each.name for word in words))


def test_every_kind_of_lock_mutant_is_made() -> None:
    made = [(each.function, each.kind, each.new) for each in of_module(SECTION)]
    assert len(made) == 14
    assert len(set(made)) == 13  # the inner lock is dropped too
    assert ("Store.put", "drop the lock", "no lock") in made
    assert ("Store.put", "acquire late", "after old = self.pages.get(key)") in made
    assert ("Store.put", "split in two", "before self.pages[key] = page") in made
    assert ("Store.put", "swap two locks", "before self.lock") in made
    assert ("Store.take", "release early", "before return self.pages.pop(key)") in made
    assert ("Store.take", "keep the lock", "kept by whoever returns or raises") in made
    assert ("Store.evict", "wait for the lock", "waits") in made


def test_no_lock_mutant_is_the_original() -> None:
    original = ast.dump(ast.parse(SECTION))
    texts = [ast.dump(ast.parse(each.text)) for each in of_module(SECTION)]
    assert original not in texts
    assert len(set(texts)) == len(texts)


def test_a_local_result_may_be_returned_after_the_release() -> None:
    assert not any("before return old" in each.new for each in of_module(SECTION))


def test_the_same_mutants_are_made_every_time() -> None:
    text = dict(modules("impl"))["room.py"]
    first, again = ([*statements.of_module("impl", "room.py", text)] for _ in range(2))
    assert first == again
    assert all(ast.dump(ast.parse(each.text)) != ast.dump(ast.parse(text)) for each in first)
    assert {"impl/room.py Room.charge: statement: self.used += cost → self.used -= cost"} <= {
        each.name for each in first
    }


def test_no_mutant_is_of_a_script_or_of_what_only_the_type_checker_reads() -> None:
    assert "build.py" in {path.name for path in source("impl").rglob("*.py")}
    assert not any(path.endswith("build.py") for path, _ in modules("impl"))
    text = 'def f(page):\n    return cast("Page", page + 1)\n'
    assert [each.new for each in statements.of_module("impl", "a.py", text)] == [
        'return cast("Page", page - 1)',
        'return cast("Page", page + 2)',
    ]


@pytest.mark.long
@pytest.mark.parametrize(
    ("mutant", "clauses"),
    [
        (("impl", "store.py", "Store.get", "drop the lock"), {"TMEM-ERR-1", "TMEM-GET-2", "regain"}),
        (("impl", "reclaim.py", "strike", "wait for the lock"), {"TMEM-CONC-3"}),
        (
            ("impl", "pool.py", "Pool.flush", "pampd = self._take(oid, index) → pampd = None"),
            {"TMEM-FLUSH-1"},
        ),
        (("model", "adversary.py", "Adversary.get", "drop the lock"), {"TMEM-GET-2", "TMEM-ERR-1"}),
    ],
)
def test_tmem_check_kills(mutant: tuple[str, ...], clauses: set[str]) -> None:
    target = "impl" if mutant[0] == "impl" else "model:random"
    assert result(named(*mutant), [target]).clause in clauses


@pytest.mark.long
def test_the_tests_of_the_judge_kill() -> None:
    found = result(
        named("model", "judge.py", "Judge._get", "if learned is None: → if learned is not None:"), []
    )
    assert found.by == "test_judge.py"


def test_what_no_line_of_a_run_executes_is_not_reached() -> None:
    mutant = named("impl", "room.py", "Room.charge", "self.used += cost → self.used -= cost")
    assert reaching(mutant, {"impl": {"room.py": [mutant.line]}}) == ["impl"]
    assert reaching(mutant, {"impl": {"room.py": [mutant.line - 1]}}) == []


def test_explanations_are_of_survivors_and_of_all_of_them() -> None:
    outcomes = [
        Outcome("a", "impl/a.py", "f", "statement", "survived"),
        Outcome("b", "impl/a.py", "f", "statement", "killed", "volume"),
        Outcome("c", "impl/a.py", "g", "statement", "not reached"),
    ]
    assert list(wrong(outcomes, [Reason("equivalent", "so", ("a", "impl/a.py g"))])) == []
    assert list(wrong(outcomes, [Reason("equivalent", "so", ("a", "impl/a.py g", "b", "gone"))])) == [
        "explained, but killed: b",
        "explained, but there is no such survivor: gone",
    ]
    assert (
        list(
            wrong(
                [Outcome("f: x = 1 → x = 2", "a.py", "f", "statement", "survived")],
                [Reason("allowed", "so", ("f: x = 1 →",))],
            )
        )
        == []
    )
    assert list(wrong(outcomes, [])) == ["not explained (survived): a", "not explained (not reached): c"]


def test_an_explanation_is_of_a_known_kind(tmp_path: Path) -> None:
    file = tmp_path / "survivors.toml"
    file.write_text('[[reason]]\nkind = "whatever"\nwhy = "so"\nmutants = []\n', "utf-8")
    with pytest.raises(ValueError, match="no kind 'whatever'"):
        explained.read(file)


def test_what_was_recorded_is_explained_and_in_the_documentation() -> None:
    outcomes, reasons = tables.read(), explained.read()
    assert list(wrong(outcomes, reasons)) == []
    assert tables.PAGE.read_text("utf-8") == tables.page(outcomes, reasons)
