"""`python -m bench.schedules`: how fast schedules are run and judged, beside frontrun.

Prints Markdown, or writes it. frontrun is installed for this bench alone. If it is absent, the page says so.
"""

from __future__ import annotations

import os
import random
import statistics
import sys
import time
from collections.abc import Callable, Iterator
from functools import partial
from importlib.metadata import version
from pathlib import Path
from typing import Any

import click
from rich.console import Console

from tmem.conformance.schedules.explore import Subject, open_subject
from tmem.conformance.schedules.runtime.load import Level
from tmem.conformance.schedules.runtime.strategies import Sticky
from tmem.conformance.schedules.runtime.watchdog import watched
from tmem.conformance.schedules.search.executor import Executor
from tmem.conformance.schedules.search.search import Exploration, Search
from tmem.conformance.schedules.threaded.program import Program, draw
from tmem.impl.target import factory

LEVELS: tuple[Level, ...] = ("lock", "statement")
PER_PROGRAM = 40
"""Schedules of each program, as many as in the default run."""
STAY = 8.0
"""The mean number of switch points that a thread passes before another one runs."""
PEER = "frontrun, random"
Row = tuple[object, ...]


@click.command()
@click.option(
    "--rounds", type=click.IntRange(1), default=5, show_default=True, help="Rounds; figures are medians."
)
@click.option(
    "--programs", type=click.IntRange(1), default=25, show_default=True, help="Programs in a round."
)
@click.option(
    "--bounded",
    type=click.IntRange(1),
    default=10,
    show_default=True,
    help="Programs searched through up to bound 2.",
)
@click.option(
    "--into", type=click.Path(path_type=Path, dir_okay=False), help="A file to write, else the terminal."
)
def main(rounds: int, programs: int, bounded: int, into: Path | None) -> None:
    """Measure the schedules of 2 threads x 3 operations on impl."""
    progress = Console(stderr=True)
    subject = open_subject("tmem.impl.target", "factory", ((None,),))
    parts = ["# Schedules", "", f"Written by `make schedules` on Python {sys.version.split()[0]}."]
    parts += [*section_speed(subject, rounds, programs, progress), *section_bound(subject, bounded, progress)]
    text = "\n".join(parts) + "\n"
    if into is None:
        print(text)
    else:
        into.write_text(text, encoding="utf-8")


# Speed


def section_speed(subject: Subject, rounds: int, programs: int, progress: Console) -> list[str]:
    """Schedules a second: ours at each level and frontrun's, in turns."""
    drawn = [draw(random.Random(n), 2, 3, subject.reclaims, subject.shared) for n in range(programs)]
    takers: dict[str, Callable[[], tuple[int, float, float]]] = {
        f"{level} points, judged": partial(ours, subject, level, drawn) for level in LEVELS
    }
    missing = ""
    os.environ["FRONTRUN_ACTIVE"] = "1"  # set by frontrun's own command, which it expects to be started by
    try:
        import frontrun
    except ImportError:
        missing = "frontrun is not installed here, so it was not measured (`make schedules` installs it)."
    else:
        takers[PEER] = lambda: theirs(frontrun, subject, drawn)
    ours(subject, "statement", drawn[:3])  # the corpus of pages is made at the first use
    rates: dict[str, list[tuple[float, float]]] = {name: [] for name in takers}
    for number in range(rounds):
        for name, take in takers.items():
            progress.print(f"speed: round {number + 1} of {rounds}, {name}")
            done, wall, cpu = take()
            rates[name].append((done / wall, done / cpu))
    rows: list[Row] = []
    for name, pairs in rates.items():
        wall, cpu = (statistics.median(column) for column in zip(*pairs, strict=True))
        peer = rates.get(PEER)
        ratio = (
            ""
            if peer is None
            else f"{statistics.median(a[0] / b[0] for a, b in zip(pairs, peer, strict=True)):.0f}x"
        )
        rows.append((name, f"{wall:,.0f}", f"{cpu:,.0f}", ratio))
    return [
        "",
        "## Speed",
        "",
        f"{programs} programs of 2 threads x 3 operations on `impl` without a budget,",
        f"{PER_PROGRAM} schedules of each; median of {rounds} rounds. The peer takes its turn in each, on",
        "the same programs and the same store.",
        "Each schedule makes a store, runs the setup and reads every slot at the end; ours are judged, the",
        "peer's are not. CPU time is that of the process: its rate is that of a core that does nothing else.",
        "",
        *table(("what", "schedules/s", "schedules/s of CPU time", "ratio to frontrun"), rows),
        "",
        missing or f"The peer is frontrun {version('frontrun')}, from PyPI.",
    ]


def ours(subject: Subject, level: Level, programs: list[Program]) -> tuple[int, float, float]:
    """Return the number of schedules, and the wall and CPU seconds that they took."""
    done, begun, worked = 0, time.perf_counter(), time.process_time()
    with watched():
        for program in programs:
            search = Search(Executor(subject.backends(level, 0), program, subject.page_size))
            for seed in range(PER_PROGRAM):
                breach = search.breach(search.execute(Sticky(seed, STAY)))
                assert breach is None, breach
                done += 1
    return done, time.perf_counter() - begun, time.process_time() - worked


def theirs(frontrun: Any, subject: Subject, programs: list[Program]) -> tuple[int, float, float]:
    """The same programs under frontrun's random strategy; fewer schedules, since they take long."""
    done, begun, worked = 0, time.perf_counter(), time.process_time()
    for program in programs[:5]:
        executor = Executor(subject.backends("lock", 0), program, subject.page_size)
        result = frontrun.explore(
            setup=lambda executor=executor: State(executor),
            workers=[lambda state, n=n: state.run(n) for n in range(len(program.threads))],
            invariant=lambda state: state.last(),
            strategy="random",
            max_attempts=8,
            seed=1,
            detect_io=False,
            trace_packages=["tmem.impl.*"],
        )
        done += result.num_explored
    return done, time.perf_counter() - begun, time.process_time() - worked


class State:
    """A program on a store with real threads, for the peer."""

    def __init__(self, executor: Executor) -> None:
        self.store = factory()
        self.script = executor.script
        self.ids = [10_000] * max(executor.pools, 1)
        self.perform(self.script.setup)

    def run(self, number: int) -> None:
        """The operations of one thread."""
        self.perform(self.script.threads[number])

    def last(self) -> bool:
        """Perform the program's last steps after the threads have ended."""
        self.perform(self.script.last)
        self.store.close()
        return True

    def perform(self, steps: tuple[Any, ...]) -> None:
        """Take steps, as `Executor` does."""
        for step in steps:
            try:
                if step.pool is None:
                    getattr(self.store, step.method)(*step.rest)
                elif step.method == "new_pool":
                    self.ids[step.pool] = self.store.new_pool(step.client, *step.rest)
                else:
                    getattr(self.store, step.method)(step.client, self.ids[step.pool], *step.rest)
            except OSError:
                continue


# Search up to a bound


def section_bound(subject: Subject, programs: int, progress: Console) -> list[str]:
    """How many schedules with up to two preemptions there are, and how long they take."""
    rows: list[Row] = []
    for level in LEVELS:
        schedules, seconds, complete = [], [], 0
        for number in range(programs):
            progress.print(f"bound 2: {level} points, program {number + 1} of {programs}")
            program = draw(random.Random(f"bound {number}"), 2, 3, subject.reclaims, subject.shared)
            search = Search(Executor(subject.backends(level, 0), program, subject.page_size))
            begun = time.process_time()
            with watched():
                assert search.first(Exploration(bound=2, most=1_000_000), number) is None
            schedules.append(search.counts.schedules)
            seconds.append(time.process_time() - begun)
            complete += search.counts.complete
        figures = f"{statistics.median(schedules):,.0f} / {max(schedules):,}"
        times = f"{statistics.median(seconds):.2f} / {max(seconds):.2f}"
        rows.append((f"{level} points", f"{complete} of {programs}", figures, times))
    return [
        "",
        "## Preemption bound 2",
        "",
        f"{programs} programs of 2 threads x 3 operations on `impl`, searched through to the end.",
        "",
        *table(("level", "completed", "schedules, median / most", "CPU seconds, median / most"), rows),
    ]


def table(head: tuple[str, ...], rows: list[Row]) -> Iterator[str]:
    """A Markdown table."""
    yield f"| {' | '.join(head)} |"
    yield f"|{'---|' * len(head)}"
    for row in rows:
        yield f"| {' | '.join(map(str, row))} |"


if __name__ == "__main__":
    main()
