"""The report on a terminal: the clause table, what was never seen, each violation as a story, the verdict."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Final

from rich.console import Console, ConsoleOptions, Group, RenderableType, RenderResult
from rich.table import Table
from rich.text import Text

from tmem.conformance.coverage import CHOICES
from tmem.conformance.events import Confirmed, Finding
from tmem.conformance.report import words
from tmem.conformance.report.as_json import sentence
from tmem.conformance.report.causes import Cause, causes
from tmem.conformance.report.summary import Summary
from tmem.conformance.report.verdict import Status, Verdict, statuses, unseen, verdict
from tmem.conformance.report.world import NEVER_FULL, described, never_full

WIDEST: Final = 100
TABLE: Final = 72
"""Columns that the table of the clauses needs."""
SHOWN: Final = 12
"""Operations of a story that are shown; of a longer one the first few are left out."""
STATUS_STYLE: Final = {
    Status.PASSED: "green",
    Status.FAILED: "bold red",
    Status.WAIVED: "yellow",
    Status.IN_PART: "yellow",
    Status.NOT_EXERCISED: "yellow",
}
VERDICT_STYLE: Final = {Verdict.PASS: "bold green", Verdict.FAIL: "bold red"}
GONE: Final = "no longer fails, and can be deleted"
"""What is said of a failure that was kept and did not come again."""
_WORDS: Final = {"answered": "red", "again": "bold"}
MEANS: Final = {
    Verdict.INSENSITIVE: "a fault that was seeded around the target went unnoticed",
    Verdict.UNKNOWN: "the run ended before it was complete",
    Verdict.VACUOUS: "nothing was broken, but too little happened to say more",
    Verdict.PASS: "no clause was broken",
}


def report(
    summary: Summary, replays: Mapping[str, Path], scripts: Mapping[str, Path] = MappingProxyType({})
) -> RenderableType:
    """The whole report. `replays` and `scripts` are the files that were written, by clause."""
    rest = short_report(summary, replays, scripts)
    return Group("", *_spaced([_Clauses(summary), *_lists(summary)]), rest)


def short_report(
    summary: Summary, replays: Mapping[str, Path], scripts: Mapping[str, Path] = MappingProxyType({})
) -> RenderableType:
    """The violations and the verdict."""
    parts = [_cause(cause, summary, replays, scripts) for cause in causes(summary.violations.values())]
    parts += [
        story(finding, replays.get(clause), summary.confirmed.get(clause), scripts.get(clause))
        for clause, finding in summary.seen_once.items()
    ]
    return Group(*_spaced(parts), verdict_line(summary))


def _spaced(parts: Iterable[RenderableType]) -> Iterable[RenderableType]:
    return (each for part in parts for each in (part, ""))


class _Console(Console):
    """A console that raises BrokenPipeError where nobody reads any more, in the place of SystemExit(1)."""

    def on_broken_pipe(self) -> None:
        raise  # rich calls it while it handles the BrokenPipeError


def console(stderr: bool = False) -> Console:
    """Return a console as wide as the terminal, up to a width that is easy to read."""
    found = _Console(stderr=stderr, highlight=False)
    found.width = min(found.width, WIDEST)
    return found


def show(console: Console, shown: RenderableType) -> None:
    """Print it; into a file without the blanks that fill a line on a terminal. Nothing is cut at its edge."""
    if console.is_terminal:
        console.print(shown, crop=False)
        return
    with console.capture() as capture:
        console.print(shown, crop=False)
    for line in capture.get().splitlines():
        console.out(line.rstrip(), highlight=False)


def means(summary: Summary) -> str:
    """What the verdict says, in words."""
    text = MEANS.get(verdict(summary)) or f"{_clauses_were(len(summary.violations))} broken"
    if summary.seen_once and verdict(summary) is Verdict.UNKNOWN:
        text = "a violation was seen once, and did not come again"
    if summary.races and summary.races_fail:
        text += f", and there are {len(summary.races)} data races"
    if summary.waived:
        text += f", and {_clauses_were(len(summary.waived))} waived"
    idle = [clause for clause, status in statuses(summary).items() if status is Status.NOT_EXERCISED]
    if idle and verdict(summary) is Verdict.PASS:
        text += f" ({', '.join(idle)} {'was' if len(idle) == 1 else 'were'} not exercised)"
    text += "".join(f"; {engine} were {each.done:.0%} done" for engine, each in summary.not_done.items())
    if summary.complete or verdict(summary) is Verdict.UNKNOWN:
        return text
    return f"{text}, in a run that is not complete"


def _clauses_were(count: int) -> str:
    return "1 clause was" if count == 1 else f"{count} clauses were"


def verdict_line(summary: Summary) -> RenderableType:
    """The verdict, what it means, and how much was done; before it what else the reader should know."""
    reached = verdict(summary)
    line = Text.assemble(
        (reached.name, VERDICT_STYLE.get(reached, "bold yellow")),
        f"  {summary.target}: {means(summary)}. ",
        (f"{summary.totals}, seed {summary.seed}, {summary.seconds:.1f} s.", "dim"),
    )
    seen = [f"World: {world}."] if (world := described(summary.world)) else []
    if reached is Verdict.PASS and never_full(summary.world):
        seen.append(NEVER_FULL)
    races = [f"Data race: nothing orders {first} and {second}." for first, second in summary.races]
    return Group(*(Text(note, style="dim") for note in (*seen, *summary.notes, *races)), line)


def interrupted(summary: Summary, folder: Path) -> RenderableType:
    """One line for a run that was interrupted: what was found until then, and where it is kept."""
    reached = verdict(summary)
    found = "no clause was broken so far"
    if summary.violations:
        found = f"broken so far: {', '.join(summary.violations)}, kept in {folder}"
    return Text.assemble(
        (reached.name, VERDICT_STYLE.get(reached, "bold yellow")),
        f"  {summary.target}: The run was interrupted after {summary.seconds:.1f} s; {found}. ",
        (f"{summary.totals}, seed {summary.seed}.", "dim"),
    )


class _Clauses:
    """The table of the clauses; on a narrow terminal two lines for each, so that no id or number is cut."""

    def __init__(self, summary: Summary) -> None:
        self._summary = summary

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        if options.max_width >= TABLE:
            yield _table(self._summary)
            return
        for clause, status in statuses(self._summary).items():
            yield Text.assemble(clause, "  ", (status.value, STATUS_STYLE.get(status, "dim")))
            checks, exercised = self._summary.checks[clause], self._summary.exercised[clause]
            yield Text(f"  {checks:,} checks, {exercised:,} exercised", style="dim")


def _table(summary: Summary) -> Table:
    table = Table(box=None, pad_edge=False, header_style="dim", expand=True)
    table.add_column("clause", no_wrap=True)
    table.add_column("says", no_wrap=True, overflow="ellipsis", ratio=1)
    table.add_column("status", no_wrap=True)
    table.add_column("checks", justify="right", no_wrap=True)
    table.add_column("exercised", justify="right", no_wrap=True)
    for clause, status in statuses(summary).items():
        table.add_row(
            clause,
            Text(sentence(clause)),
            Text(status.value, style=STATUS_STYLE.get(status, "dim")),
            f"{summary.checks[clause]:,}",
            f"{summary.exercised[clause]:,}",
        )
    return table


def _lists(summary: Summary) -> Iterable[RenderableType]:
    broken = bool(summary.violations)  # then what was not seen is beside the point
    missing = [f"{each.what}: {each.why}" for each in summary.not_offered.values()]
    choices = [text for point, text in CHOICES.items() if not (broken or summary.points[point])]
    missed = [f"{each.fault}, which breaks {each.clause}" for each in summary.canaries if not each.caught]
    caught = [f"{each.fault}, which breaks {each.clause}" for each in summary.canaries if each.caught]
    waived = [f"{clause}: {reason}" for clause, reason in summary.waived.items()]
    kept = [f"{each.clause} {'fails again' if each.failed else GONE}: {each.file}" for each in summary.kept]
    for title, lines, style in (
        ("kept", kept, "yellow"),
        ("waived", waived, "yellow"),
        ("not offered", missing, "dim"),
        ("never seen", [] if broken else list(unseen(summary).values()), "yellow"),
        ("never chosen", choices, "dim"),
        ("would have noticed", caught, "dim"),
        ("would not have", missed, "bold yellow"),
    ):
        if lines:
            grid = Table.grid(padding=(0, 2))
            grid.add_column(no_wrap=True, style=style)
            grid.add_column(overflow="fold")
            for number, line in enumerate(lines):
                grid.add_row("" if number else title, Text(line))
            yield grid


def _cause(
    cause: Cause, summary: Summary, replays: Mapping[str, Path], scripts: Mapping[str, Path]
) -> RenderableType:
    """The story of a cause, and a line for each other clause that it may break."""
    clause = cause.finding.clause
    head = story(cause.finding, replays.get(clause), summary.confirmed.get(clause), scripts.get(clause))
    if not cause.others:
        return head
    grid = Table.grid(padding=(0, 2))
    grid.add_column(no_wrap=True, style="bold red")
    grid.add_column()
    for other in cause.others:
        again = f" tmem replay {replays[other.clause]}" if other.clause in replays else ""
        grid.add_row(f"✗ {other.clause}", Text(f"{other.message}{again}"))
    why = "These too show with a shared pool only, and may have the same cause:"
    return Group(head, "", Text(why, style="dim"), grid)


def rate(confirmed: Confirmed) -> str:
    """How often a finding failed when it was replayed, in a sentence.

    >>> rate(Confirmed("TMEM-GET-1", 3, 3)), rate(Confirmed("TMEM-GET-1", 0, 3))
    ('It failed in 3 of 3 replays.', 'It failed in 0 of 3 replays: it was seen once, and proves nothing.')
    """
    line = f"It failed in {confirmed.failed} of {confirmed.tries} replays"
    if confirmed.left_behind:
        return (
            f"{line}, each after other backends of the same process: an earlier backend leaves something"
            " behind, such as a table of the module or a file. A factory must return a fresh backend."
        )
    return f"{line}." if confirmed.failed else f"{line}: it was seen once, and proves nothing."


def story(
    finding: Finding,
    replay: Path | None = None,
    confirmed: Confirmed | None = None,
    script: Path | None = None,
) -> RenderableType:
    """A violation that a person can follow: the clause, what is wrong in five lines, and the operations."""
    said = sentence(finding.clause)
    parts: list[RenderableType] = [
        Text.assemble((f"✗ {finding.clause}", "bold red"), f"  {said}" if said else ""),
        _words(finding, replay, confirmed, script),
        "",
        _steps(finding),
    ]
    if finding.picture:
        parts += ["", Text(finding.picture, style="dim", no_wrap=True, overflow="fold")]
    return Group(*parts)


def _words(finding: Finding, replay: Path | None, confirmed: Confirmed | None, script: Path | None) -> Table:
    grid = _grid()
    for about, says in words.lines(finding, replay):
        grid.add_row(about, Text(says, style=_WORDS.get(about, "")))
    if script is not None:
        grid.add_row("", Text.assemble("without the suite: ", (alone(script), "bold")))
    if confirmed is not None:
        grid.add_row("", Text(rate(confirmed)))
    if finding.output:
        grid.add_row("printed", Text(finding.output, style="dim"))
    return grid


def alone(script: Path) -> str:
    """How the program of a violation is run.

    >>> alone(Path("a.py")), alone(Path("a.c"))
    ('python a.py', 'as a.c says in its first lines')
    """
    return f"python {script}" if script.suffix == ".py" else f"as {script} says in its first lines"


def _steps(finding: Finding) -> Table:
    grid = _grid()
    left_out = max(len(finding.steps) - SHOWN, 0)
    if left_out:
        grid.add_row("…", Text(f"{left_out} operations before", style="dim"))
    for number, step in enumerate(finding.steps[left_out:], left_out + 1):
        last = number == len(finding.steps) and not finding.picture  # a picture has its own mark
        grid.add_row(str(number), Text(step, style="red" if last else ""))
    return grid


def _grid() -> Table:
    grid = Table.grid(padding=(0, 2))
    grid.add_column(justify="right", no_wrap=True, style="dim")
    grid.add_column(overflow="fold")
    return grid
