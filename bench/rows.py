"""The goals of the bench, as rows of a table: each has a target, and a figure from the measurements."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from bench import figures as f
from bench.experiments import batches, operations, pressure, scale, sizes
from bench.figures import Figures, Results
from bench.peers import LIMIT
from bench.rounds import Ratio
from bench.subjects import FLUSH, GET, PUT
from bench.variants import COMPILED, HELD, PURE

FAST = (PURE, COMPILED)
"""The fastest variants, without a compiler and with one."""
KEEPING = (HELD, COMPILED)
"""The variants for several threads: their codecs keep the interpreter."""
ANY = (PURE,)
"""One variant is enough where the codec makes no difference."""


@dataclass(frozen=True, slots=True)
class Goal:
    """A row of the table, before it is measured. The target holds for the distance from 0."""

    key: str
    what: str
    figures: Figures
    variants: tuple[str, ...]
    """The variants that must reach the target."""
    least: float | None = None
    most: float | None = None
    compiled: float | None = None
    """The target for a compiled variant, if it differs."""
    unit: str = "x"
    control: tuple[str, Figures] | None = None
    """The same measurement without the store, for comparison only."""

    def target(self, variant: str) -> float:
        """Return the target of a variant."""
        if self.compiled is not None and variant == COMPILED:
            return self.compiled
        target = self.most if self.least is None else self.least
        assert target is not None
        return target

    def reached(self, figure: float, variant: str) -> bool:
        """Whether a figure is good enough for a variant."""
        target = self.target(variant)
        return abs(figure) <= target if self.least is None else figure >= target


@dataclass(frozen=True, slots=True)
class Row:
    """A goal, measured for one variant. `measured` is None where there is nothing to measure yet."""

    goal: Goal
    variant: str
    measured: Ratio | None
    control: Ratio | None = None

    @property
    def reached(self) -> bool | None:
        """By the median; None where nothing was measured."""
        return None if self.measured is None else self.goal.reached(self.measured.median, self.variant)


def rows(results: Results, variants: Sequence[str]) -> Iterator[Row]:
    """Every goal for each of these variants that is to reach it, in the order of the goals."""
    for goal in GOALS:
        for variant in (name for name in goal.variants if name in variants):
            control = _measured(goal.control[1], results, variant) if goal.control else None
            yield Row(goal, variant, _measured(goal.figures, results, variant), control)


def _measured(figures: Figures, results: Results, variant: str) -> Ratio | None:
    try:
        return Ratio.over(figures(results, variant))
    except KeyError:
        return None


PEER = "dict + lz4 + lock"
CACHE_PUT = operations.CACHE_PUT


GOALS = (
    Goal(
        "put",
        f"{PUT}, one thread, against the {LIMIT}",
        f.against(LIMIT, PUT),
        FAST,
        least=0.85,
        compiled=0.90,
        control=(PEER, f.against(LIMIT, PUT, PEER)),
    ),
    Goal(
        "get",
        f"{GET}, random order, one thread, against the {LIMIT}",
        f.against(LIMIT, GET),
        FAST,
        least=0.72,
        compiled=0.80,
        control=(PEER, f.against(LIMIT, GET, PEER)),
    ),
    Goal(
        "put_many",
        f"put_many, {batches.SIZE} pages, against the {LIMIT}",
        f.batch(PUT),
        FAST,
        least=0.93,
        compiled=0.97,
    ),
    Goal(
        "get_many",
        f"get_many, {batches.SIZE} pages, against the {LIMIT}",
        f.batch(GET),
        FAST,
        least=0.93,
        compiled=0.97,
    ),
    Goal("zram put", f"{PUT} against kernel zram, O_DIRECT", f.against("zram", PUT), FAST, least=1.0),
    Goal("zram get", f"{GET} against kernel zram, O_DIRECT", f.against("zram", GET), FAST, least=1.0),
    Goal(
        "two put",
        f"{PUT}, two threads against one",
        f.two_threads(PUT),
        KEEPING,
        least=1.0,
        control=(LIMIT, f.two_threads(PUT, LIMIT)),
    ),
    Goal(
        "two get",
        f"{GET}, two threads against one",
        f.two_threads(GET),
        KEEPING,
        least=1.0,
        control=(LIMIT, f.two_threads(GET, LIMIT)),
    ),
    Goal(
        "two put_many",
        "put_many, gain by a second thread against that by a second C process",
        f.of_processes(PUT),
        FAST,
        least=0.9,
        control=("C processes gain", f.gain(PUT, batches.IN_C)),
    ),
    Goal(
        "two get_many",
        "get_many, gain by a second thread against that by a second C process",
        f.of_processes(GET),
        FAST,
        least=0.9,
        control=("C processes gain", f.gain(GET, batches.IN_C)),
    ),
    Goal(
        "busy put",
        f"{PUT} beside a busy Python thread against alone, µs a page",
        f.busy(PUT),
        KEEPING,
        most=3,
        control=(LIMIT, f.busy(PUT, LIMIT)),
    ),
    Goal(
        "busy get",
        f"{GET} beside a busy Python thread against alone, µs a page",
        f.busy(GET),
        KEEPING,
        most=3,
        control=(LIMIT, f.busy(GET, LIMIT)),
    ),
    *(
        Goal(
            f"full {operation}",
            f"{operation}, cost in the fullest store against that at 1,000 pages",
            f.full(operation),
            ANY,
            most=1.3,
            control=(LIMIT, f.full(operation, LIMIT)),
        )
        for operation in (PUT, CACHE_PUT, GET, FLUSH)
    ),
    Goal(
        "full get hit, loop",
        f"{GET}, the same, against what the {LIMIT} over as many pages takes more",
        f.full_of_loop(GET),
        ANY,
        most=1.3,
    ),
    Goal(
        "memory",
        "memory above the compressed payload, after fill",
        f.memory(sizes.FILL, f.above),
        ANY,
        most=6,
        unit="%",
        control=(PEER, f.memory(sizes.FILL, f.above, PEER)),
    ),
    Goal(
        "churn",
        "RSS growth over payload, after churn by 8 threads",
        f.memory(sizes.CHURN, f.grown),
        ANY,
        most=1.2,
        control=("with one malloc arena", f.memory(sizes.CHURN_ONE_ARENA, f.grown)),
    ),
    Goal(
        "account",
        "the store's account against the RSS growth, after fill",
        f.memory(sizes.FILL, f.account),
        ANY,
        most=5,
        unit="%",
    ),
    Goal(
        "hold", "longest hold of a lock by the reclaimer, thread CPU time", f.hold, ANY, most=100, unit="µs"
    ),
    Goal(
        "destroy",
        "p99.9 wait of other pools' operations while a pool is destroyed",
        f.wait(scale.WAIT),
        ANY,
        most=5,
        unit="ms",
        control=("at rest", f.wait(scale.AT_REST)),
    ),
    Goal(
        "late background",
        "put, p99.9 over median, background reclaim",
        f.late(pressure.IN_BACKGROUND),
        ANY,
        most=20,
        control=("no reclaim", f.late(pressure.NO_RECLAIM)),
    ),
    Goal(
        "late",
        "put, p99.9 over median, puts that reclaim",
        f.late(pressure.BY_PUTS),
        ANY,
        most=20,
        control=("no reclaim", f.late(pressure.NO_RECLAIM)),
    ),
)
