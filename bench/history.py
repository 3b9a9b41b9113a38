"""`python -m bench.history`: what deciding histories costs, beside a bare loop over the same events.

Each case runs in a process of its own, several times; it reports the median, and the most memory. Writes
docs/results/history.json and the figures in docs/histories.md. Ctrl-C keeps what was measured before.
"""

from __future__ import annotations

import gc
import json
import multiprocessing
import resource
import statistics
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import click
from rich.console import Console

from bench import history_agreement
from bench.histories_large import broken, large, overlapping, reused
from tmem.conformance.history.calls import Call
from tmem.conformance.history.checker import Result, check
from tmem.conformance.history.trace.format import line_of, read
from tmem.conformance.history.trace.recorder import Recorder
from tmem.conformance.history.trace.stream import check_stream
from tmem.model.adversary import backend
from tmem.spec.abi.flags import PERSIST

DOCS = Path(__file__).parents[1] / "docs"
RESULTS = DOCS / "results/history.json"
PAGE = DOCS / "histories.md"
BEGIN, END = "<!-- figures: written by python -m bench.history -->", "<!-- end of figures -->"


@dataclass(frozen=True, slots=True)
class Case:
    """One kind of history, and how it is decided: calls, threads, slots, flags of the pools."""

    group: str
    calls: int
    threads: int
    slots: int
    flags: int
    source: str = "large"
    claims: tuple[str, ...] = ()

    @property
    def kind(self) -> str:
        """The kind of its pools."""
        return "persistent" if self.flags & PERSIST else "ephemeral"


KINDS = (0, PERSIST)
SIZES = (10_000, 100_000, 1_000_000)
CASES = (
    *(Case("size", n, 16, 1000, flags) for n in SIZES for flags in KINDS),
    *(Case("contended", 100_000, *shape, flags) for shape in ((16, 1), (64, 4)) for flags in KINDS),
    *(Case("hostile", 100_000, 100_000, 1, flags, "overlapping") for flags in KINDS),
    *(Case("hostile", 100_000, threads, 8, PERSIST, "reused") for threads in (4, 8)),
    *(
        Case("illegal", *shape, flags, "broken")
        for shape in ((1_000_000, 16, 1000), (100_000, 16, 1))
        for flags in KINDS
    ),
    *(Case("atomic-flush", 100_000, 16, 1000, flags, claims=("atomic-flush",)) for flags in KINDS),
)
SOURCES: dict[str, Callable[[int, int, int, int], list[Call]]] = {
    "large": large,
    "overlapping": overlapping,
    "reused": reused,
    "broken": broken,
}


def bare_loop(calls: Sequence[Call]) -> int:
    """The least that looks at every event in the order of time: sorts begins and ends, and walks them."""
    events = [(call.begin, number, 1) for number, call in enumerate(calls)]
    events += [(call.end or 0, number, -1) for number, call in enumerate(calls)]
    events.sort()
    most = under_way = 0
    for _, _, change in events:
        under_way += change
        if under_way > most:
            most = under_way
    return most


def measure(case: Case, rounds: int) -> dict[str, Any]:
    """Seconds of the checker and of the bare loop, in turns, and the memory of it all in MB."""
    calls = SOURCES[case.source](case.calls, case.threads, case.slots, case.flags)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    again = max(1, 100_000 // case.calls)
    ours, bare = [], []
    answer = ""
    for _ in range(rounds):
        result: Result | None = None
        start = time.process_time()
        for _ in range(again):
            result = check(calls, claims=case.claims)
        ours.append((time.process_time() - start) / again)
        answer = type(result).__name__
        del result
        gc.collect()
        memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        start = time.process_time()
        for _ in range(again):
            bare_loop(calls)
        bare.append((time.process_time() - start) / again)
    return {
        **asdict(case),
        "answer": answer,
        "seconds": statistics.median(ours),
        "bare": statistics.median(bare),
        "ratio": statistics.median(a / b for a, b in zip(ours, bare, strict=True)),
        "memory": memory / 1024,
        "history": before / 1024,
        "rounds": rounds,
    }


def measure_trace(rounds: int) -> dict[str, Any]:
    """Seconds for a trace of 200,000 lines, beside the JSON parser alone."""
    lines = [line_of(call) for call in large(200_000, 16, 1000, PERSIST)]
    ours, bare = [], []
    for _ in range(rounds):
        start = time.process_time()
        check_stream(read(lines))
        ours.append(time.process_time() - start)
        start = time.process_time()
        for line in lines:
            json.loads(line)
        bare.append(time.process_time() - start)
    return {"calls": len(lines), "seconds": statistics.median(ours), "bare": statistics.median(bare)}


def measure_recorder(rounds: int) -> dict[str, Any]:
    """Microseconds that a recorded get takes more than one that is not, on a model that keeps everything."""
    gets = 20_000
    times: dict[bool, list[float]] = {True: [], False: []}
    for number in range(2 * rounds):
        recorded = bool(number % 2)
        store = Recorder(backend("keep")) if recorded else backend("keep")
        pool = store.new_pool(1)
        start = time.process_time()
        for _ in range(gets):
            store.get(1, pool, 7, 3)
        times[recorded].append((time.process_time() - start) / gets * 1e6)
    bare = statistics.median(times[False])
    return {"calls": gets, "bare": bare, "microseconds": statistics.median(times[True]) - bare}


@click.command()
@click.option(
    "--rounds", type=click.IntRange(1), default=5, show_default=True, help="Rounds; the median is reported."
)
@click.option("--redraw", is_flag=True, help="Measure nothing: write the page from what is kept.")
def main(rounds: int, redraw: bool) -> None:
    """Measure how fast histories are decided, and write it into docs/histories.md."""
    kept: dict[str, Any] = json.loads(RESULTS.read_text()) if RESULTS.exists() else {"cases": []}
    try:
        for name, found in () if redraw else measured(rounds):
            kept[name] = found
            RESULTS.write_text(json.dumps(kept, indent=1) + "\n", encoding="utf-8")
    except KeyboardInterrupt:
        click.echo("interrupted: what was measured is kept", err=True)
    page = PAGE.read_text(encoding="utf-8")
    before, rest = page.split(BEGIN)
    figures = "\n".join(figures_of(kept))
    PAGE.write_text(f"{before}{BEGIN}\n{figures}\n{END}{rest.split(END)[1]}", encoding="utf-8")


def measured(rounds: int) -> Iterator[tuple[str, Any]]:
    """What is measured, piece by piece, each in a process of its own."""
    console = Console(stderr=True)
    spawn = multiprocessing.get_context("spawn")
    found: list[dict[str, Any]] = []
    with ProcessPoolExecutor(1, mp_context=spawn, max_tasks_per_child=1) as pool:
        for case in CASES:
            found.append(pool.submit(measure, case, rounds).result())
            console.print(f"{case.group}: {case.calls:,} calls, {case.kind}: {found[-1]['seconds']:.2f} s")
            yield "cases", list(found)
        yield "trace", pool.submit(measure_trace, rounds).result()
        yield "recorder", pool.submit(measure_recorder, rounds).result()
        yield "python", sys.version.split()[0]


def figures_of(kept: dict[str, Any]) -> Iterator[str]:
    """The figures as Markdown."""
    yield "| history | pools | seconds | µs a call | ratio to the bare loop | memory, MB (history) | answer |"
    yield "|---|---|---|---|---|---|---|"
    for case in kept["cases"]:
        what = f"{case['threads']} threads, {case['slots']:,} slot{'s' * (case['slots'] > 1)}"
        what = "all at once, one slot" if case["source"] == "overlapping" else what
        what += {"reused": ", pages put again and again", "broken": ", one stale page"}.get(
            case["source"], ""
        )
        what += ", `atomic-flush`" if case["claims"] else ""
        yield (
            f"| {case['calls']:,} calls, {what} | {'persistent' if case['flags'] & PERSIST else 'ephemeral'} "
            f"| {case['seconds']:.2f} | {case['seconds'] / case['calls'] * 1e6:.1f} | {case['ratio']:.1f} "
            f"| {case['memory']:,.0f} ({case['history']:,.0f}) | {case['answer'].lower()} |"
        )
    sizes = [case for case in kept["cases"] if case["group"] == "size"]
    for kind, flags in (("ephemeral", 0), ("persistent", PERSIST)):
        costs = [case["seconds"] / case["calls"] for case in sizes if case["flags"] == flags]
        if len(costs) == len(SIZES):
            yield ""
            yield (
                f"In {kind} pools the dearest call of {SIZES[0]:,} to {SIZES[-1]:,} costs "
                f"{max(costs) / min(costs):.1f} times what the cheapest does."
            )
    if "trace" in kept:
        trace, recorder = kept["trace"], kept["recorder"]
        yield ""
        yield (
            f"A trace is read and decided at {trace['calls'] / trace['seconds']:,.0f} calls a second, "
            f"{trace['seconds'] / trace['bare']:.1f} times what parsing its JSON takes. A recorded call "
            f"takes {recorder['microseconds']:.1f} µs more than one that is not."
        )
    if history_agreement.RESULTS.exists():
        agreed = json.loads(history_agreement.RESULTS.read_text(encoding="utf-8"))
        yield ""
        yield (
            f"Compared with the definition on {agreed['histories']:,} random small histories "
            f"(`make history-agreement`): {agreed['illegal']:,} illegal, {agreed['unknown']:,} not decided, "
            f"{agreed['disagreements']:,} disagreements."
        )
    if "python" in kept:
        yield ""
        rounds = kept["cases"][0]["rounds"]
        yield f"Measured on Python {kept['python']}; seconds of CPU time, medians of {rounds} rounds."


if __name__ == "__main__":
    main()
