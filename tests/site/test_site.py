"""The pages of the site say all of the contract, and their links lead somewhere."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path, PurePosixPath

import pytest

from proofs import index
from tmem.conformance.faults import FAULTS
from tmem.spec.clauses import CLAUSES
from tmem.spec.definitions import DEFINITIONS
from tmem.spec.freedoms import FREEDOMS
from tmem.spec.history import linearizable
from tmem.spec.slot import Does, Event, Kind
from tmem.spec.table import lines
from tools.site import counterexamples, specification
from tools.site.__main__ import linked, pages
from tools.site.clause_pages import WHY, anchor, page_of
from tools.site.drawings import outcomes, slot
from tools.site.timelines import TIMELINES, drawn

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


def test_the_table_of_situations_and_the_definitions_are_the_specification_s() -> None:
    page = PAGES["spec/answers"]
    assert all(f"| {line.answers} | {line.meaning} | {line.afterwards} |" in page for line in lines())
    assert all(f"{word}\n: {meaning}\n" in PAGES["spec/definitions"] for word, meaning in DEFINITIONS.items())


def test_links_to_clauses_lead_to_clauses() -> None:
    targets = set(re.findall(r"^\((tmem-\S+)\)=$", "\n".join(PAGES.values()), re.MULTILINE))
    linked_to = set(re.findall(r"\]\(#(tmem-\S+?)\)", "\n".join(PAGES.values())))
    assert linked_to <= targets
    assert {anchor(id_) for id_ in (*CLAUSES, *FREEDOMS)} <= targets


WITHOUT_COUNTEREXAMPLE = {"TMEM-RECLAIM-2", "TMEM-CONC-1", "TMEM-CONC-2", "TMEM-CONC-3"}
"""Implied, or about calls that overlap or never return."""


@pytest.mark.parametrize("clause", sorted(set(CLAUSES) - WITHOUT_COUNTEREXAMPLE))
def test_a_clause_has_a_counterexample_drawn(clause: str) -> None:
    part = PAGES[f"spec/{page_of(clause)}"].partition(f"({anchor(clause)})=\n")[2].partition("\n(tmem-")[0]
    assert "**A counterexample**" in part
    assert 'class="bar broken' in part


def test_a_fault_that_is_none_has_no_counterexample(monkeypatch: pytest.MonkeyPatch) -> None:
    harmless = {name: replace(fault, wrap=lambda backend: backend) for name, fault in FAULTS.items()}
    monkeypatch.setattr(counterexamples, "FAULTS", harmless)
    monkeypatch.setattr(counterexamples, "PROGRAMS", 20)
    assert counterexamples.of("TMEM-PUT-3") is None


@pytest.mark.parametrize("clause", TIMELINES)
def test_a_timeline_is_permitted_or_marked(clause: str) -> None:
    decided = {linearizable(each.calls) for each in TIMELINES[clause]}
    assert decided == {True, False}, "one of each kind shows where the border is"
    for each in TIMELINES[clause]:
        assert ("broken" in drawn(each.calls)) != linearizable(each.calls)
        assert CLAUSES[clause].decide(each.calls) == linearizable(each.calls)


def test_a_picture_shows_what_the_slot_may_hold() -> None:
    hit = Event(Does.HIT, "A")
    assert outcomes(Kind(), "A", hit) == [None]
    assert outcomes(Kind(shared=True), "A", hit) == [None, "A"]
    assert outcomes(Kind(persistent=True), "A", Event(Does.MISS)) == []
    assert "not permitted" in slot(Kind(persistent=True), (("A", "get misses", Event(Does.MISS)),))


def test_the_specification_alone_has_every_clause_once_and_no_link_out_of_it() -> None:
    found = specification.chapters(PAGES)
    text = "\n".join(found.values())
    assert all(text.count(f"({anchor(id_)})=") == 1 for id_ in (*CLAUSES, *FREEDOMS))
    names = {name.rpartition("/")[2] for name in found}
    targets = {PurePosixPath(target).stem for target in LINK.findall(text) if target.endswith(".md")}
    assert targets <= names
    assert "proofs says how it is tested" in text


def test_the_glossary_and_the_definitions_agree() -> None:
    text = (Path(__file__).parents[2] / "docs" / "glossary.md").read_text("utf-8")
    rows = re.findall(r"^\| ([^|]+) \| (.+) \|$", text.partition("\n## The page store")[0], re.MULTILINE)
    both = [(word, meaning) for word, meaning in rows if word in DEFINITIONS]
    assert len(both) > 5
    for word, meaning in both:
        assert f"{meaning[0].upper()}{meaning[1:]}." == DEFINITIONS[word]
