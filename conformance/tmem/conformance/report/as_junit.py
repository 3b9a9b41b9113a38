"""The report as JUnit XML: one test case per clause, for CI systems that show such."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final
from xml.etree import ElementTree

from tmem.conformance.events import Finding
from tmem.conformance.report.as_json import sentence
from tmem.conformance.report.summary import Summary
from tmem.conformance.report.verdict import Status, Verdict, statuses, unseen, verdict

_NO_XML: Final = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def text(summary: Summary) -> str:
    """The report as XML text. A verdict that is not about one clause is a test case of its own."""
    suite = ElementTree.Element("testsuite", name=f"tmem check {summary.target}")
    for clause, status in statuses(summary).items():
        _clause(suite, summary, clause, status)
    _verdict(suite, summary)
    for attribute, outcome in (("failures", "failure"), ("errors", "error"), ("skipped", "skipped")):
        suite.set(attribute, str(len(suite.findall(f"*/{outcome}"))))
    suite.set("tests", str(len(suite)))
    suite.set("time", f"{summary.seconds:.3f}")
    root = ElementTree.Element("testsuites")
    root.append(suite)
    ElementTree.indent(root)
    return ElementTree.tostring(root, encoding="unicode", xml_declaration=True) + "\n"


def _clause(suite: ElementTree.Element, summary: Summary, clause: str, status: Status) -> None:
    case = ElementTree.SubElement(suite, "testcase", classname="tmem", name=f"{clause}: {sentence(clause)}")
    if status is Status.FAILED:
        finding = summary.findings[clause]
        failure = ElementTree.SubElement(case, "failure", message=_clean(finding.message), type=clause)
        failure.text = _clean(_story(finding))
    elif status is Status.SEEN_ONCE:
        error = ElementTree.SubElement(case, "error", message="seen once; it did not come again", type=clause)
        error.text = _clean(_story(summary.findings[clause]))
    elif status not in (Status.PASSED, Status.IMPLIED):
        why = f"{status.value}: {summary.waived[clause]}" if status is Status.WAIVED else status.value
        ElementTree.SubElement(case, "skipped", message=_clean(why))


def _verdict(suite: ElementTree.Element, summary: Summary) -> None:
    reached = verdict(summary)
    case = ElementTree.SubElement(suite, "testcase", classname="tmem", name="verdict")
    match reached:
        case Verdict.UNKNOWN:
            ElementTree.SubElement(case, "error", message="UNKNOWN: the run ended before an answer")
        case Verdict.VACUOUS:
            never = "; ".join(unseen(summary).values())
            ElementTree.SubElement(case, "failure", message=f"VACUOUS: {never}", type="VACUOUS")
        case Verdict.INSENSITIVE:
            missed = ", ".join(canary.fault for canary in summary.canaries if not canary.caught)
            ElementTree.SubElement(case, "failure", message=f"INSENSITIVE: {missed}", type="INSENSITIVE")
    if summary.canaries:
        ElementTree.SubElement(case, "system-out").text = _clean("\n".join(_canaries(summary)))


def _canaries(summary: Summary) -> Iterator[str]:
    for caught, title in ((True, "would have noticed"), (False, "would not have")):
        names = [f"{each.fault} ({each.clause})" for each in summary.canaries if each.caught is caught]
        if names:
            yield f"This run {title}: {', '.join(names)}."


def _story(finding: Finding) -> str:
    steps = [f"{number:3}  {step}" for number, step in enumerate(finding.steps, 1)]
    parts = [*steps, "", finding.message, f"Allowed: {finding.allowed}."]
    return "\n".join(parts + (["", finding.picture] if finding.picture else []))


def _clean(text: str) -> str:
    """Text without what XML cannot hold."""
    return _NO_XML.sub("�", text)
