"""The engine for claims: properties that a backend promises beyond the clauses."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence

from tmem.conformance.events import Checked, Finding, Found, Progress
from tmem.conformance.programs import transcript
from tmem.conformance.programs.pages import Corpus, corpus
from tmem.conformance.programs.perform import close, perform
from tmem.conformance.turn import Ring, Turn
from tmem.spec.abi.flags import compose, kind_of
from tmem.spec.backend import Backend, Claims, Reclaims, TellsFlags
from tmem.spec.clauses import CLAIMS
from tmem.spec.clauses.claims import oldest_first, reclaim_bounded, retains, room_regained
from tmem.spec.handle import Handle
from tmem.spec.operations import (
    Answer,
    FlushObject,
    FlushPage,
    Get,
    NewPool,
    Operation,
    PoolFlags,
    Put,
    Reclaim,
)
from tmem.spec.slot import Kind

ROUNDS = 24
"""Repetitions of each claim's check at scale 1."""
AGAIN = 16
"""Slots that get a second put in a filled store."""
FILL = 200
"""Pages after which a store counts as one that never runs out of room."""
CLIENT = 1
UUID = 0xA


class Script:
    """Operations on one fresh backend, with their answers."""

    def __init__(self, backend: Backend, pages: Corpus, ring: Ring) -> None:
        self.backend = backend
        self.ring = ring
        self.pages = pages
        self.trace: list[tuple[Operation, Answer]] = []

    def do(self, operation: Operation) -> Answer:
        """Perform one operation and return its answer."""
        self.ring.step(len(self.trace))
        answer = perform(self.backend, operation)
        self.trace.append((operation, answer))
        return answer

    def pool(self, *, persistent: bool = False, shared: bool = False) -> int | None:
        """Make a pool of this kind. Returns None if it is refused."""
        flags = compose(persistent=persistent, shared=shared, page_size=self.backend.page_size)
        answer = self.do(NewPool(CLIENT, flags, UUID if shared else None))
        return answer if type(answer) is int else None

    def put(self, pool: int, number: int, page: int | None = None) -> bool:
        """Put a page of the corpus to the slot of this number. Returns whether it was stored."""
        pages = self.pages.pages
        content = pages[(number if page is None else page) % len(pages)]
        return self.do(Put(CLIENT, _handle(pool, number), content)) is True

    def get(self, pool: int, number: int) -> bytes | None:
        """Get the page of a slot. Returns None for anything but a hit."""
        answer = self.do(Get(CLIENT, _handle(pool, number)))
        return answer if isinstance(answer, bytes) else None


def _handle(pool: int, number: int) -> Handle:
    return Handle(pool, number // 8, number % 8)


def retain(fresh: Callable[[], Script], draw: random.Random) -> tuple[bool, Script]:
    """Get a page of a shared ephemeral pool twice."""
    script = fresh()
    pool = _shared(script)
    number = draw.randrange(256)
    if pool is None or not script.put(pool, number):
        return True, script
    return retains(script.get(pool, number), script.get(pool, number)), script


def reclaim_bound(fresh: Callable[[], Script], draw: random.Random) -> tuple[bool, Script]:
    """Fill two stores with the same pages, let one reclaim, and count the pages in each."""
    asked, count = draw.randrange(6), draw.randrange(1, 16)
    left_alone, script = fresh(), fresh()
    before = _held(left_alone, _fill(left_alone, count))
    filled = _fill(script, count)
    script.do(Reclaim(asked))
    close(left_alone.backend)
    return reclaim_bounded(asked, before, _held(script, filled)), script


def regain(fresh: Callable[[], Script], draw: random.Random) -> tuple[bool, Script]:
    """Fill a persistent pool until a put fails, put to some slots again, flush it all, and fill it again."""
    script = fresh()
    pool = script.pool(persistent=True)
    if pool is None:
        return True, script
    stored = _stored(script, pool)
    for number in draw.sample(stored, min(AGAIN, len(stored))):
        script.put(pool, number, number + draw.randrange(3))
    whole_objects = draw.random() < 0.5
    for number in range(FILL):
        handle = _handle(pool, number)
        if not whole_objects:
            script.do(FlushPage(CLIENT, handle))
        elif handle.index == 0:
            script.do(FlushObject(CLIENT, pool, handle.oid))
    return room_regained(len(stored), len(_stored(script, pool))), script


def lru(fresh: Callable[[], Script], draw: random.Random) -> tuple[bool, Script]:
    """Fill ephemeral pools in a known order, use some pages, reclaim some, and see which are left."""
    script = fresh()
    stays = isinstance(script.backend, Claims) and "retain" in script.backend.claims
    shared = _shared(script) if stays and draw.random() < 0.5 else None
    filled = _fill(script, draw.randrange(2, 16), shared)
    used = [at for at in draw.sample(filled, len(filled)) if at[0] == shared and draw.random() < 0.5]
    hit = [at for at in used if script.get(*at) is not None]
    filled = [at for at in filled if at not in hit] + hit
    if isinstance(script.backend, Reclaims):
        script.do(Reclaim(draw.randrange(6)))
    survived = [script.get(pool, number) is not None for pool, number in filled]
    return oldest_first(survived), script


def _shared(script: Script) -> int | None:
    # Returns a shared ephemeral pool, or None if another kind is granted.
    pool = script.pool(shared=True)
    if pool is None or not isinstance(script.backend, TellsFlags):
        return pool
    flags = script.do(PoolFlags(CLIENT, pool))
    wanted = Kind(persistent=False, shared=True)
    return pool if isinstance(flags, int) and kind_of(flags, UUID) == wanted else None


def _fill(script: Script, count: int, shared: int | None = None) -> list[tuple[int, int]]:
    # Puts pages into two private ephemeral pools, and `shared`, in turn. Returns the slots stored, in order.
    pools = [pool for pool in (script.pool(), script.pool(), shared) if pool is not None]
    if not pools:
        return []
    turns = [(pools[number % len(pools)], number) for number in range(count)]
    return [(pool, number) for pool, number in turns if script.put(pool, number)]


def _held(script: Script, filled: Sequence[tuple[int, int]]) -> int:
    return sum(script.get(pool, number) is not None for pool, number in filled)


def _stored(script: Script, pool: int) -> list[int]:
    # Puts FILL pages. Returns the numbers of those that were stored.
    return [number for number in range(FILL) if script.put(pool, number)]


CHECKS = {"retain": retain, "reclaim-bound": reclaim_bound, "regain": regain, "lru": lru}
"""The check of each claim; schedules and stress check `atomic-flush`, which needs overlapping calls."""


class ClaimChecks:
    """Checks each claim of the backend many times, with different sizes."""

    name = "claims"
    detail = "what the backend claims beyond the clauses"
    share = 0.03

    def run(self, turn: Turn) -> None:
        """Check each claim ROUNDS x scale times, or until the deadline."""
        backend = turn.fresh(0)
        claimed = sorted(backend.claims & CHECKS.keys()) if isinstance(backend, Claims) else []
        close(backend)
        rounds = max(1, round(ROUNDS * turn.scale))
        for done, claim in enumerate(claimed):
            for number in range(rounds):
                if done + number / rounds < turn.done * len(claimed):  # an earlier turn did it
                    continue
                if turn.over():
                    return
                seed = f"{turn.seed} {claim} {number}"
                turn.ring.begin(self.name, seed.encode())
                found, operations = self._check(turn, claim, number, seed)
                turn.emit(Progress(operations, 1, done=(done + number / rounds) / len(claimed)))
                turn.emit(Checked({claim: 1}, {claim: 1}))
                if found is not None:
                    turn.emit(Found(found))
                    break

    def _check(self, turn: Turn, claim: str, variant: int, seed: str) -> tuple[Finding | None, int]:
        pages = corpus(turn.page_size)
        scripts: list[Script] = []

        def fresh() -> Script:
            scripts.append(Script(turn.fresh(variant), pages, turn.ring))
            return scripts[-1]

        kept, script = CHECKS[claim](fresh, random.Random(seed))
        for each in scripts:
            close(each.backend)
        operations = sum(len(each.trace) for each in scripts)
        if kept:
            return None, operations
        promise = CLAIMS[claim]
        replay: dict[str, object] = {"engine": self.name, "claim": claim, "variant": variant, "seed": seed}
        message = "The backend does not keep its claim."
        steps = tuple(transcript.lines(script.trace, pages))
        return Finding(claim, message, promise.sentence, steps, replay, engine=self.name), operations

    def steps(self, program: bytes, count: int) -> list[str]:
        """The claim that was being checked."""
        return [f"check of a claim, seed {program.decode()}"]

    def recall(self, program: bytes, variant: int) -> dict[str, object]:
        """The replay data of a check of a claim."""
        seed = program.decode()
        return {"engine": self.name, "claim": seed.split()[1], "variant": variant, "seed": seed}

    def replay(self, turn: Turn, data: dict[str, object]) -> None:
        """Check one claim again. Raises ValueError if the data is not from this engine."""
        claim, variant, seed = data.get("claim"), data.get("variant"), data.get("seed")
        if claim not in CHECKS or not isinstance(claim, str) or not isinstance(variant, int):
            raise ValueError(f"{claim!r} is not a claim that can be checked")
        found, operations = self._check(turn, claim, variant, str(seed))
        turn.emit(Progress(operations, 1, done=1.0))
        if found is not None:
            turn.emit(Found(found))
