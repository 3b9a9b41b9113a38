"""The experiments. Each is a generator of named pieces, so that what is measured outlives an interrupt.

A piece is plain data: figures by name of the contender, one a round.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from bench.experiments import batches, holds, kinds, layers, operations, pressure, scale, sizes, threads
from bench.plan import Plan

Piece = tuple[str, Any]

EXPERIMENTS: dict[str, Callable[[Plan], Iterator[Piece]]] = {
    "operations": operations.measure,
    "layers": layers.measure,
    "batches": batches.measure,
    "kinds": kinds.measure,
    "threads": threads.measure,
    "pressure": pressure.measure,
    "holds": holds.measure,
    "memory": sizes.measure,
    "scale": scale.measure,
}
