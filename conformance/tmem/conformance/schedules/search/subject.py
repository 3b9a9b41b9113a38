"""A backend, loaded so that its threads can be scheduled, and what it offers."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from itertools import product
from pathlib import Path

from tmem.conformance.compiled.store import open_store
from tmem.conformance.loader import LoadError, Rewrite
from tmem.conformance.programs.perform import close, perform
from tmem.conformance.schedules.native.machine import Machine
from tmem.conformance.schedules.runtime.load import LEVELS, Level, load, that_may_block
from tmem.conformance.schedules.runtime.outside import AVAILABLE
from tmem.conformance.schedules.runtime.scheduler import scheduler
from tmem.conformance.schedules.runtime.virtual import FOREVER, NeverPreempt, Stuck
from tmem.conformance.schedules.runtime.watchdog import watched
from tmem.conformance.schedules.search.executor import Backends, Executor
from tmem.conformance.schedules.search.regain import REGAIN, fill
from tmem.conformance.schedules.search.search import StandsStillError
from tmem.conformance.schedules.threaded.pairs import pairs
from tmem.conformance.schedules.threaded.program import (
    EPHEMERAL,
    INDEXES,
    OIDS,
    SETUPS,
    UUID,
    Program,
    number,
)
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
    """A backend whose threads can be scheduled, with a factory for each level of switch points.

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
    races: Callable[[], Sequence[tuple[str, str]]] = tuple
    """The places of the data races that were seen so far, where they can be seen."""
    own: tuple[str, ...] = ()
    """The installed packages in which its threads are switched too."""
    compiled: bool = False
    """Whether it is a library, whose threads have fibers of their own."""
    real_threads: bool = False
    """Whether threads of the system carry its virtual threads, because something that it uses may lock, or
    know its thread, outside Python."""

    def backends(self, level: Level, variant: int) -> Backends:
        """The maker of the backends of one variant."""
        arguments = self.variants[variant % len(self.variants)]
        pages = self.fills[variant % len(self.variants)] if self.fills else ()
        make = partial(self.factories[level], *arguments)
        return Backends(make, level, pages, self.real_threads)


def open_subject(
    target: str,
    attribute: str,
    variants: Sequence[tuple[object, ...]] = ((),),
    rewrite: Mapping[str, Rewrite] | None = None,
    real_threads: bool = False,
    own: tuple[str, ...] = (),
) -> Subject:
    """Load a target (see `runtime.load`) and look what it offers. Raises LoadError if that fails.

    With `real_threads` threads of the system carry its threads in any case.
    """
    loaded = load(target, attribute, rewrite, own)
    factories: dict[Level, Callable[..., Backend]] = {level: each.value for level, each in loaded.items()}
    foreign = loaded["lock"].foreign
    real_threads = AVAILABLE and (real_threads or bool(that_may_block(foreign)))
    try:
        subject = _offered(factories, variants, real_threads)
    except StandsStillError as error:
        if not AVAILABLE:
            raise LoadError(str(error)) from error
        subject = _offered(factories, variants, real_threads=True)
    subject = replace(subject, notes=loaded["lock"].notes, own=own)
    _warm_up(subject)
    if not AVAILABLE or not (blocking := that_may_block(foreign)):  # late imports too
        return subject
    note = f"Its schedules run on real threads, for these may block outside Python: {', '.join(blocking)}."
    return replace(subject, real_threads=True, notes=(*subject.notes, note))


def open_library(path: Path, budgets: Sequence[int | None]) -> Subject:
    """Load a library that is instrumented. Raises LibraryError, ToolchainError or LoadError if that fails."""
    machine = Machine(path)

    def opens(accesses: bool) -> Callable[..., Backend]:
        def opened(budget: int | None) -> Backend:
            machine.begin(accesses)
            return open_store(machine.calls, budget)

        return opened

    factories: dict[Level, Callable[..., Backend]] = {"lock": opens(False), "statement": opens(True)}
    try:
        subject = _offered(factories, [(budget,) for budget in budgets], real_threads=False)
    except StandsStillError as error:
        raise LoadError(str(error)) from error
    _warm_up(subject)
    with watched():
        for count, program in enumerate(pairs(0, subject.reclaims, subject.shared)):
            backends = subject.backends("statement", count)
            machine.learn(Executor(backends, program, subject.page_size).execute)
    return replace(subject, races=machine.races, compiled=True)


def _offered(
    factories: Mapping[Level, Callable[..., Backend]],
    variants: Sequence[tuple[object, ...]],
    real_threads: bool,
) -> Subject:
    # In an execution, for a store may hand its calls to a thread of its own.
    with watched(real_threads, always=True) as watch:
        scheduler.begin(NeverPreempt(), FOREVER - 1, real_threads=real_threads)
        try:
            subject = _described(factories, variants, real_threads)
        except Stuck as stuck:
            raise StandsStillError(stuck.text) from stuck
        finally:
            scheduler.end()
    if watch.stuck:
        raise StandsStillError(watch.stuck)
    return subject


def _described(
    factories: Mapping[Level, Callable[..., Backend]],
    variants: Sequence[tuple[object, ...]],
    real_threads: bool,
) -> Subject:
    make = factories["lock"]
    backend = make(*variants[0])
    shared, claims = _shares(backend), frozenset(getattr(backend, "claims", ()))
    page_size, reclaims = backend.page_size, isinstance(backend, Reclaims)
    close(backend)
    fills = _fills(make, variants) if REGAIN in claims else ()
    return Subject(
        factories, variants, page_size, reclaims, shared, claims, fills=fills, real_threads=real_threads
    )


def _warm_up(subject: Subject) -> None:
    # Late imports, and what else a target does at its first use, belong to no schedule.
    handle = Handle(0, OIDS[0], INDEXES[0])
    puts = [Put(1, handle, number(page)) for page in (1, 2, 3)]
    first: tuple[Operation, ...] = (SETUPS[0][0], puts[0], puts[1], Get(1, handle))
    rest: tuple[Operation, ...] = (puts[2], FlushPage(1, handle), FlushObject(1, 0, handle.oid))
    if subject.reclaims:
        rest += (Reclaim(1),)
    with watched(subject.real_threads):
        program = Program(first, ((*rest, DestroyPool(1, 0)),))
        for level, variant in product(LEVELS, range(len(subject.variants))):
            Executor(subject.backends(level, variant), program, subject.page_size).execute(NeverPreempt())


def _fills(
    make: Callable[..., Backend], variants: Sequence[tuple[object, ...]]
) -> tuple[tuple[bytes, ...], ...]:
    fills = []
    for arguments in variants:  # one after the other: of a library there is one store at a time
        backend = make(*arguments)
        fills.append(fill(backend))
        close(backend)
    return tuple(fills)


def _shares(backend: Backend) -> bool:
    flags = EPHEMERAL | SHARED | page_size_nibble(backend.page_size) << PAGE_SIZE_SHIFT
    pool = perform(backend, NewPool(1, flags, UUID))
    if type(pool) is not int or not isinstance(backend, TellsFlags):
        return type(pool) is int
    granted = perform(backend, PoolFlags(1, pool))
    return isinstance(granted, int) and kind_of(granted, UUID) == kind_of(flags, UUID)
