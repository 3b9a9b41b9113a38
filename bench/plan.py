"""How much is measured: the full run, the quick one, and who takes part."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory

from bench import stores
from bench.pages import mixed
from bench.peers import PEERS, open_peer
from bench.subjects import Contender, Missing, prove
from bench.variants import VARIANTS

SHARED_MEMORY = Path("/dev/shm")
"""Where peers keep their files where that is there, so that no disk is measured."""


@dataclass(frozen=True, slots=True)
class Plan:
    """Sizes and rounds; the figures are those of the full run, some twelve minutes on two cores."""

    variants: tuple[str, ...] = tuple(VARIANTS)
    """The first of them stands for all where the codec makes no difference: memory, waits, full stores."""
    peers: tuple[str, ...] = tuple(PEERS)
    missing: dict[str, str] = field(default_factory=dict)
    """Filled as peers turn out to be missing: the reasons, by name."""
    rounds: int = 24
    visits: int = 7
    """Visits to each contender in one round, of which the median counts."""
    chunk: int = 128
    """Pages of one visit: about a millisecond, so that most run through on a machine that others use too."""
    resident: int = 8192
    """Pages that a store holds all the while, of which the gets draw at random."""
    threads: tuple[int, ...] = (1, 2, 4, 8)
    thread_rounds: int = 5
    thread_seconds: float = 0.25
    levels: tuple[int, ...] = (1_000, 10_000, 100_000, 1_000_000, 2_000_000)
    """Pages that a store is filled with, one after the other."""
    memory_pages: int = 200_000
    memory_rounds: int = 2
    churn: int = 60_000
    """Operations of each of the eight threads."""
    latencies: int = 20_000
    """Operations whose time is taken one by one, in one round."""
    latency_rounds: int = 7

    @property
    def pages(self) -> list[bytes]:
        """The mixed corpus."""
        return mixed(2048)


QUICK = Plan(
    rounds=3,
    visits=3,
    resident=2048,
    threads=(1, 2, 8),
    thread_rounds=3,
    thread_seconds=0.03,
    levels=(1_000, 10_000, 100_000),
    memory_pages=50_000,
    memory_rounds=1,
    churn=8_000,
    latencies=5_000,
    latency_rounds=3,
)
"""About a minute: every experiment runs, and none is to be trusted."""


@contextmanager
def contenders(plan: Plan) -> Iterator[list[Contender]]:
    """All variants and peers, proved and ready, one beside the other; ends them and their servers."""
    place = str(SHARED_MEMORY) if SHARED_MEMORY.is_dir() else None
    with TemporaryDirectory(prefix="tmem-bench-", dir=place) as folder, ExitStack() as stack:
        ready = []
        for name in (*plan.variants, *plan.peers):
            try:
                contender = open_contender(name, Path(folder))
            except Missing as missing:
                plan.missing[name] = str(missing)
                continue
            stack.callback(contender.close)
            prove(contender, plan.pages[:64])
            ready.append(contender)
        yield ready


def open_contender(name: str, folder: Path) -> Contender:
    """A variant or a peer, by its name."""
    if name in VARIANTS:
        return stores.contender(name, VARIANTS[name])
    return open_peer(name, folder)
