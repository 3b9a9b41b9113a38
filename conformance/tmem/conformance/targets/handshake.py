"""The handshake: whether a target is a backend, and what it offers beyond the Protocol."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Final

from tmem.conformance.events import NotOffered
from tmem.conformance.programs.perform import close, perform
from tmem.conformance.targets.suggest import nearest
from tmem.conformance.targets.target import Target, TargetError, raised
from tmem.spec.abi.flags import compose, describe, kind_of, page_size_nibble
from tmem.spec.backend import OPERATIONS, Backend, TellsFlags
from tmem.spec.clauses import CLAIMS
from tmem.spec.operations import SIGNATURES, NewPool, PoolFlags, Raised
from tmem.spec.slot import Kind

TRIES: Final = 8
"""How often a kind of pool is asked for before it counts as not offered: room may be short once."""
UUID: Final = 0x746D656D
ABILITIES: Final = ("reclaim", "pool_flags")
"""Methods that a backend may have beyond the Protocol."""
_HANGS_ON: Final[dict[str, tuple[str, ...]]] = {"reclaim": (), "pool_flags": ("TMEM-POOL-5",)}
"""The clauses that only a backend with the ability can break."""

KINDS: Final = tuple(Kind(persistent, shared) for shared in (False, True) for persistent in (False, True))
_ARGUMENTS: Final = {name: each.arguments for name, each in SIGNATURES.items()} | {"close": ()}


@dataclass(frozen=True, slots=True)
class Offer:
    """What a target offers."""

    page_size: int
    abilities: tuple[str, ...]
    claims: tuple[str, ...]
    missing: tuple[NotOffered, ...]


def shake_hands(target: Target, begun: Callable[[str], None]) -> Offer:
    """Find what a target offers. Raises TargetError, with one line, if it cannot be checked.

    `begun` is called with the text of each operation before the operation starts. Answers
    that break the contract are left for the engines to find.
    """
    text, backend, second = target.text, target.fresh(0), target.fresh(0)
    page_size = _shape(text, backend)
    if backend is second:
        raise TargetError(
            f"{text}: the factory returned one backend twice; each call must return a fresh one"
        )
    claims = _claims(text, backend)
    has = tuple(name for name in ABILITIES if callable(getattr(backend, name, None)))
    missing = [
        NotOffered(name, f"it has no method {name}", _HANGS_ON[name]) for name in ABILITIES if name not in has
    ]
    refused = {kind: why for kind in KINDS if (why := _refused(backend, kind, page_size, begun))}
    if all(kind in refused for kind in KINDS if not kind.shared):
        nibble = page_size_nibble(page_size)
        sized = (
            f", and take {nibble} in bits 4-7 of the flags, for pages of {page_size} bytes" if nibble else ""
        )
        raise TargetError(
            f"{text}: it makes no private pool ({refused[KINDS[0]]}; {refused[KINDS[1]]}); "
            f"it must make ephemeral or persistent ones{sized}"
        )
    missing += [NotOffered(str(kind), why, _clauses(kind, refused)) for kind, why in refused.items()]
    for each in (second, backend):
        begun("close()")
        close(each)
    return Offer(page_size, has, claims, tuple(missing))


def _shape(text: str, backend: Backend) -> int:
    try:
        found = {name: getattr(backend, name, None) for name in (*OPERATIONS, *ABILITIES)}
        page_size: object = getattr(backend, "page_size", None)
    except Exception as error:  # a property of the target
        raise TargetError(f"{text}: looking at the backend raised {raised(error)}") from error
    if lacking := [name for name in OPERATIONS if not callable(found[name])]:
        theirs = [name for name in dir(backend) if not name.startswith("_") and name not in found]
        meant = "" if len(lacking) == len(OPERATIONS) else nearest(lacking[0], theirs, few=0)
        raise TargetError(
            f"{text}: the factory's {type(backend).__name__} lacks {', '.join(lacking)}; "
            f"a backend has all methods of tmem.spec.Backend{meant}"
        )
    for name, method in found.items():
        if method is not None:
            _signature(text, name, method)
    if type(page_size) is not int or page_size <= 0:
        raise TargetError(
            f"{text}: page_size is {page_size!r:.60}; it must be the number of bytes in a page, such as 4096"
        )
    return page_size


def _signature(text: str, name: str, method: object) -> None:
    arguments = _ARGUMENTS[name]
    if not callable(method):
        raise TargetError(f"{text}: {name} is there and is not callable; make it a method, or leave it out")
    if inspect.iscoroutinefunction(method):
        raise TargetError(f"{text}: {name} is async; methods of a backend answer when they are called")
    try:
        signature = inspect.signature(method)
    except (TypeError, ValueError):  # written in C: only a call shows whether it fits
        return
    try:
        signature.bind(*range(len(arguments)))
    except TypeError as error:
        wanted = f"{name}({', '.join(arguments)})"
        raise TargetError(f"{text}: {name}{signature} cannot be called as {wanted}: {error}") from None


def _claims(text: str, backend: Backend) -> tuple[str, ...]:
    try:
        claims: object = getattr(backend, "claims", frozenset())
    except Exception as error:  # a property of the target
        raise TargetError(f"{text}: looking at claims raised {raised(error)}") from error
    if isinstance(claims, str) or not isinstance(claims, Iterable):
        raise TargetError(f"{text}: claims is {claims!r:.60}; it must be a frozenset of names of claims")
    names = [str(each) for each in claims]
    for name in names:
        if name not in CLAIMS:
            raise TargetError(
                f"{text}: it claims {name!r}, and there is no such claim{nearest(name, CLAIMS)}"
            )
    return tuple(sorted(names, key=list(CLAIMS).index))


def _refused(backend: Backend, kind: Kind, page_size: int, begun: Callable[[str], None]) -> str | None:
    """Why a kind of pool is not offered; None where one was made, or where the answer is for the engines."""
    flags = compose(persistent=kind.persistent, shared=kind.shared, page_size=page_size)
    request, why = f"new pool {describe(flags)}", ""
    for number in range(TRIES):
        uuid = UUID + number if kind.shared else None
        begun(f"client 1: {request}" + (f", uuid {uuid:#x}" if kind.shared else ""))
        answer = perform(backend, NewPool(1, flags, uuid))
        if isinstance(answer, Raised) and answer.errno is not None:
            why = f"{request} answers {answer}"
        elif type(answer) is int and (granted := _granted(backend, answer, kind, uuid)) != kind:
            why = f"{request} gives a {granted} pool"
        else:
            return None
    return why


def _granted(backend: Backend, pool: int, asked: Kind, uuid: int | None) -> Kind:
    if not isinstance(backend, TellsFlags):
        return asked
    tells = perform(backend, PoolFlags(1, pool))
    return kind_of(tells, uuid) if type(tells) is int else asked


def _clauses(kind: Kind, refused: Iterable[Kind]) -> tuple[str, ...]:
    """The clauses that hang on a kind of pool, given all that are refused."""
    gone = set(refused)
    clauses = {
        Kind(): ("TMEM-GET-2",),
        Kind(persistent=True): ("TMEM-GET-3", "TMEM-RECLAIM-1"),
        Kind(shared=True): ("TMEM-SHARE-1",),
        Kind(persistent=True, shared=True): ("TMEM-SHARE-1", "TMEM-SHARE-2"),
    }
    still = {clause for each in KINDS if each not in gone for clause in clauses[each]}
    if Kind(persistent=True, shared=True) not in gone:
        still |= {"TMEM-GET-3", "TMEM-RECLAIM-1"}
    return tuple(clause for clause in clauses[kind] if clause not in still)
