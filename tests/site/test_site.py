"""The pages of the site say all of the contract, and their links lead somewhere."""

from __future__ import annotations

import re
from pathlib import PurePosixPath

import pytest

from proofs import index
from tmem.conformance.faults import FAULTS
from tmem.spec.clauses import CLAUSES
from tmem.spec.freedoms import FREEDOMS
from tmem.spec.slot import Does, Event, Kind
from tools.site import answers
from tools.site.__main__ import linked, pages
from tools.site.clause_pages import WHY, anchor, page_of
from tools.site.drawings import outcomes, slot

PAGES = dict(pages())
LINK = re.compile(r"\]\(([^)#:\s]+)(?:#[^)\s]*)?\)")


@pytest.mark.parametrize("clause", CLAUSES)
def test_a_clause_has_its_place_with_all_that_is_known_of_it(clause: str) -> None:
    page = PAGES[f"spec/{page_of(clause)}"]
    part = page.partition(f"({anchor(clause)})=\n")[2].partition("\n(tmem-")[0]
    assert CLAUSES[clause].sentence in part
    assert WHY[clause]["why"] in part
    assert CLAUSES[clause].example in part
    assert CLAUSES[clause].place in part
    assert all(f"`{name}`" in part for name in index().get(clause, ()))
    assert all(f"`{name}`" in part for name, fault in FAULTS.items() if fault.clauses[0] == clause)


def test_every_freedom_has_an_address() -> None:
    assert all(f"({anchor(freedom)})=" in PAGES["spec/freedoms"] for freedom in FREEDOMS)


def test_there_is_a_reason_for_each_clause_and_for_nothing_else() -> None:
    assert set(WHY) == set(CLAUSES)


@pytest.mark.parametrize("name", PAGES)
def test_links_lead_to_pages(name: str) -> None:
    for target in LINK.findall(PAGES[name]):
        if target.endswith(".md"):
            parts: list[str] = []
            for part in (PurePosixPath(name).parent / target).parts:
                parts = parts[:-1] if part == ".." else [*parts, part]
            assert "/".join(parts).removesuffix(".md") in PAGES, target


def test_every_page_is_in_the_table_of_contents() -> None:
    missing = [name for name in PAGES if name != "index" and f"\n{name}\n" not in PAGES["index"]]
    assert not missing


def test_links_out_of_the_docs_become_names() -> None:
    assert linked("[the room](../spec/x.py), [c](c.md#a)", "docs/") == "the room (`spec/x.py`), [c](c.md#a)"


def test_the_tables_know_what_the_contract_forbids() -> None:
    (persistent,) = [each for each in answers.SITUATIONS if each.name == "private persistent pool, A was put"]
    (hit,) = answers.rows(answers.OPERATIONS["get"], [persistent])
    assert (hit.answers, hit.then) == (("the page A",), "A")
    put = {row.then: row.answers for row in answers.rows(answers.OPERATIONS["put of B"], [persistent])}
    assert put == {"B": ("True",), "nothing": ("False", "ENOMEM", "ENOSPC", "EFROZEN")}


def test_a_picture_shows_what_the_slot_may_hold() -> None:
    hit = Event(Does.HIT, "A")
    assert outcomes(Kind(), "A", hit) == [None]
    assert outcomes(Kind(shared=True), "A", hit) == [None, "A"]
    assert outcomes(Kind(persistent=True), "A", Event(Does.MISS)) == []
    assert "not permitted" in slot(Kind(persistent=True), (("A", "get misses", Event(Does.MISS)),))
