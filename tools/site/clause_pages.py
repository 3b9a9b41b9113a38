"""A page for each group of clauses, made of the clauses themselves and of what proves and breaks them."""

from __future__ import annotations

import tomllib
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Final

from proofs import THEOREMS, index
from tmem.conformance.cli.explain import calls
from tmem.conformance.faults import FAULTS
from tmem.conformance.report.diagram import diagram, moments
from tmem.spec.clauses import CLAIMS, CLAUSES, SOURCES, Clause
from tmem.spec.freedoms import FREEDOMS
from tmem.spec.history import linearizable
from tools.site import counterexamples
from tools.site.drawings import DRAWN, slot
from tools.site.timelines import TIMELINES, drawn

WHY: Final = tomllib.loads(Path(__file__).with_name("why.toml").read_text("utf-8"))
GROUPS: Final = {
    "handles": (
        "Handles and slots",
        ("HANDLE",),
        "A handle names a slot; the contract is that of one slot.",
    ),
    "puts": ("Put", ("PUT",), "A put copies a page in, and may always fail."),
    "gets": ("Get", ("GET",), "A get copies a page out, or misses."),
    "flushes": ("Flush", ("FLUSH",), "A flush makes sure that nothing is there."),
    "pools": ("Pools", ("POOL",), "A pool has a kind and a lifetime, and its id belongs to one client."),
    "sharing": ("Shared pools", ("SHARE",), "Clients that agree on a UUID share a pool."),
    "reclaim": ("Reclaim", ("RECLAIM",), "Ephemeral pages are given back from below, at any moment."),
    "concurrency": ("Concurrency", ("CONC",), "Callers and the reclaimer come at the same time."),
    "replies": ("Arguments and answers", ("ARG", "ERR"), "What is refused, and which answers there are."),
}
"""Each page: its title, the families of its clauses, and what it is about, in an order that teaches."""


def anchor(clause: str) -> str:
    """The address of a clause within its page, which stays: `tmem-put-3`."""
    return clause.lower()


def link(id_: str) -> str:
    """A link to a clause or freedom by its id, from any page."""
    return f"[{id_}](#{anchor(id_)})"


def page_of(clause: str) -> str:
    """The name of the page on which a clause stands."""
    family = clause.split("-")[1]
    return next(name for name, (_, families, _) in GROUPS.items() if family in families)


def pages() -> Iterator[tuple[str, str]]:
    """The names and the texts of all pages of clauses."""
    for name, (title, families, about) in GROUPS.items():
        members = [each for each in CLAUSES.values() if each.id.split("-")[1] in families]
        text = "".join(clause(each) for each in members)
        yield name, f"# {title}\n\n{about}\n\n{text}"
    yield "freedoms", _freedoms()
    yield "claims", _claims()


def clause(each: Clause) -> str:
    """One clause, with all that is known of it."""
    why = WHY[each.id]
    parts = [
        f"({anchor(each.id)})=\n## {each.id}\n\n",
        f":::{{admonition}} The clause\n:class: clause\n{each.sentence}\n:::\n\n",
        f"{why['why']}\n\n",
    ]
    if each.implied:
        parts.append("This clause follows from others, and is kept for its checks.\n\n")
    for kind, rows in DRAWN.get(each.id, ()):
        parts.append(_raw(slot(kind, rows)))
    for each_drawn in TIMELINES.get(each.id, ()):
        verdict = "Permitted" if linearizable(each_drawn.calls) else "Not permitted"
        parts.append(f"**{verdict}.** {each_drawn.words}\n\n{_timeline(drawn(each_drawn.calls))}")
    parts.append("**In the field.**\n\n" + "".join(f"- {fact}\n" for fact in why["field"]) + "\n")
    if why["differ"]:
        parts.append(f"**Linux and Xen.** {why['differ']}\n\n")
    parts.append(_sources(each.sources))
    parts.append(f"**Decided by** `{each.place}`:\n\n```python\n{each.definition}\n```\n\n")
    parts.append(f"An example, which each test run repeats:\n\n```pycon\n{each.example}\n```\n\n")
    parts.append(_proofs(each))
    parts.append(_faults(each.id))
    parts.append(_counterexample(each.id))
    return "".join(parts)


def _proofs(each: Clause) -> str:
    if not (proved := index().get(each.id, ())):
        return "**Proved.** No theorem uses its decision; [proofs](../proofs.md) says how it is tested.\n\n"
    lines = "".join(f"- {THEOREMS[name].statement} (`{name}`)\n" for name in proved)
    return f"**Proved** over all paths, by CrossHair:\n\n{lines}\n"


def _faults(clause: str) -> str:
    broken = [fault for fault in FAULTS.values() if fault.clauses[0] == clause]
    if not broken:
        return ""
    lines = "".join(f"| `{fault.name}` | {fault.sentence} |\n" for fault in broken)
    return (
        f":::{{dropdown}} {len(broken)} faults of the catalogue that break it, which the suite must notice\n"
        f"| fault | does |\n|---|---|\n{lines}:::\n\n"
    )


def _counterexample(clause: str) -> str:
    if (found := counterexamples.of(clause)) is None:
        return ""
    fault, finding = found
    lines = "\n".join(f"{n}. {step}" for n, step in enumerate(finding.steps, 1))
    return (
        f"**A counterexample**, which the suite found and made small when this page was built. The fault is "
        f"`{fault.name}`: {fault.sentence}\n\n{_timeline(diagram(moments(finding)))}{finding.message}\n\n"
        f":::{{dropdown}} The same as text\n{lines}\n:::\n\n"
    )


def _timeline(svg: str) -> str:
    return _raw(f'<div class="timeline" tabindex="0" role="region" aria-label="Diagram">{svg}</div>')


def _raw(html: str) -> str:
    return f"```{{raw}} html\n{html}\n```\n\n"


def _sources(keys: Iterable[str]) -> str:
    return "**Sources.** " + "; ".join(f"[{key}] {SOURCES[key]}" for key in keys) + ".\n\n"


def _freedoms() -> str:
    parts = ["# Freedoms\n\nWhat a backend may do, and a caller must expect.\n\n"]
    for each in FREEDOMS.values():
        parts.append(f"({anchor(each.id)})=\n## {each.id}\n\n{each.sentence}\n\nPermitted:\n\n")
        parts += ["```text\n" + "\n".join(calls(history)) + "\n```\n\n" for history in each.shown]
        parts.append(_sources(each.sources))
    return "".join(parts)


def _claims() -> str:
    parts = [
        "# Claims\n\nGood properties that the contract cannot demand. A backend states them in `claims`, "
        "and is then held to them.\n\n"
    ]
    for each in CLAIMS.values():
        parts.append(
            f"({anchor(each.id)})=\n## {each.id}\n\n{each.sentence}\n\n```python\n{each.definition}\n```\n\n"
            f"```pycon\n{each.example}\n```\n\n{_sources(each.sources)}"
        )
    return "".join(parts)
