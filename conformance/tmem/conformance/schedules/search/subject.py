"""A backend in Python, loaded so that its threads can be scheduled, and what it offers."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import product

from tmem.conformance.loader import Loaded, LoadError, Rewrite
from tmem.conformance.programs.perform import close, perform
from tmem.conformance.schedules.programs.program import (
    EPHEMERAL,
    INDEXES,
    OIDS,
    SETUPS,
    UUID,
    Program,
    number,
)
from tmem.conformance.schedules.runtime.instrument import LEVELS, Level, load
from tmem.conformance.schedules.runtime.virtual import NeverPreempt
from tmem.conformance.schedules.runtime.watchdog import watched
from tmem.conformance.schedules.search.executor import Backends, Executor
from tmem.conformance.schedules.search.room import REGAIN, fill
from tmem.spec.abi.flags import PAGE_SIZE_SHIFT, SHARED, kind_of, page_size_nibble
from tmem.spec.backend import Backend, Reclaims, TellsFlags
from tmem.spec.handle import Handle
from tmem.spec.operations import (
    DestroyPool,
    FlushObject,
    FlushPage,
    Get,
    NewPool,
    Operation,
    PoolFlags,
    Put,
    Reclaim,
)


@dataclass(frozen=True, slots=True)
class Subject:
    """A backend in Python, loaded once for each level at which its threads are scheduled.

    Its factory is called with one of `variants`, which take turns.
    """

    factories: Mapping[Level, Callable[..., Backend]]
    variants: Sequence[tuple[object, ...]]
    page_size: int
    reclaims: bool
    shared: bool
    claims: frozenset[str]
    notes: tuple[str, ...] = ()
    fills: tuple[tuple[bytes, ...], ...] = ()
    """For each variant the pages that a fresh backend has room for, if it claims to regain its room."""

    def backends(self, level: Level, variant: int) -> Backends:
        """The maker of the backends of one variant."""
        arguments = self.variants[variant % len(self.variants)]
        pages = self.fills[variant % len(self.variants)] if self.fills else ()
        return Backends(partial(self.factories[level], *arguments), level, pages)


def open_subject(
    target: str,
    attribute: str,
    variants: Sequence[tuple[object, ...]] = ((),),
    rewrite: Mapping[str, Rewrite] | None = None,
) -> Subject:
    """Load a target (see `instrument.load`) and look what it offers. Raises LoadError if that fails."""
    loaded = load(target, attribute, rewrite)
    # A store that hands its calls to a loop of its own would wait for ever: the loop runs in executions only.
    with watched(always=True) as watch:
        subject = _described(loaded, variants)
    if watch.stuck:
        raise LoadError(watch.stuck)
    for level, variant in product(LEVELS, range(len(variants))):
        _warm_up(subject.backends(level, variant), subject)
    return subject


def _described(loaded: Mapping[Level, Loaded], variants: Sequence[tuple[object, ...]]) -> Subject:
    backend = loaded["lock"].value(*variants[0])
    shared = _shares(backend)
    fills = _fills(loaded["lock"].value, variants) if REGAIN in getattr(backend, "claims", ()) else ()
    close(backend)
    return Subject(
        {level: each.value for level, each in loaded.items()},
        variants,
        backend.page_size,
        isinstance(backend, Reclaims),
        shared=shared,
        claims=frozenset(getattr(backend, "claims", ())),
        notes=loaded["lock"].notes,
        fills=fills,
    )


def _warm_up(backends: Backends, subject: Subject) -> None:
    # Late imports, and what else a target does at its first use, belong to no schedule.
    handle = Handle(0, OIDS[0], INDEXES[0])
    puts = [Put(1, handle, number(page)) for page in (1, 2, 3)]
    first: tuple[Operation, ...] = (SETUPS[0][0], puts[0], puts[1], Get(1, handle))
    rest: tuple[Operation, ...] = (puts[2], FlushPage(1, handle), FlushObject(1, 0, handle.oid))
    if subject.reclaims:
        rest += (Reclaim(1),)
    with watched():
        program = Program(first, ((*rest, DestroyPool(1, 0)),))
        Executor(backends, program, subject.page_size).execute(NeverPreempt())


def _fills(
    make: Callable[..., Backend], variants: Sequence[tuple[object, ...]]
) -> tuple[tuple[bytes, ...], ...]:
    backends = [make(*arguments) for arguments in variants]
    fills = tuple(map(fill, backends))
    for backend in backends:
        close(backend)
    return fills


def _shares(backend: Backend) -> bool:
    flags = EPHEMERAL | SHARED | page_size_nibble(backend.page_size) << PAGE_SIZE_SHIFT
    pool = perform(backend, NewPool(1, flags, UUID))
    if type(pool) is not int or not isinstance(backend, TellsFlags):
        return type(pool) is int
    granted = perform(backend, PoolFlags(1, pool))
    return isinstance(granted, int) and kind_of(granted, UUID) == kind_of(flags, UUID)
