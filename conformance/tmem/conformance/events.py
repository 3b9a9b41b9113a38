"""What a run reports while it goes on: one stream that feeds the terminal, JSON, JUnit and HTML.

Events cross from the worker to the supervisor as lines of JSON (`run.messages`); they hold plain data only.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final, TypeAlias


@dataclass(frozen=True, slots=True)
class Started:
    """The target was loaded and shook hands; `abilities` names what it offers beyond the Protocol."""

    target: str
    seed: int
    level: str
    page_size: int
    abilities: tuple[str, ...]
    claims: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class TurnBegan:
    """An engine begins a turn; `detail` says what it does, `share` what part of the run it is (0 to 1)."""

    engine: str
    detail: str
    share: float


@dataclass(frozen=True, slots=True)
class Progress:
    """What an engine has done since its last Progress: increments, not totals."""

    operations: int = 0
    programs: int = 0
    schedules: int = 0
    histories: int = 0
    done: float = 0.0
    """How much of the engine's work is done, 0 to 1 (not an increment)."""
    engine: str = ""


BROKEN: Final = "✗"
"""The mark of the answer that breaks the contract, in a timeline and in a picture."""

BEFORE, AFTER, CALLS = "before", "after", "calls"
"""Lanes of whole operations: before the threads began, after they had ended, and without threads."""


@dataclass(frozen=True, slots=True)
class Moment:
    """A moment of a timeline: what happens in one lane.

    `edge` is ┌ where an operation begins, └ where it ends, and │ between. The lanes BEFORE, AFTER and CALLS
    hold whole operations. The answer that breaks the contract ends with BROKEN.
    """

    lane: str
    edge: str
    text: str
    holds: str = ""
    """What the slot of the operation may hold then, and why, where that is known."""


@dataclass(frozen=True, slots=True)
class Finding:
    """A violation with its smallest counterexample, as a person reads it and a machine replays it."""

    clause: str
    message: str
    """One sentence: what came, and why it may not."""
    allowed: str
    steps: tuple[str, ...]
    """The operations with their answers, one a line."""
    replay: dict[str, object] = field(default_factory=dict)
    """What `tmem replay` needs: `engine`, and the engine's own JSON data."""
    picture: str = ""
    """The interleaving as columns, where threads were at work."""
    engine: str = ""
    output: str = ""
    """The end of what the target had printed by then."""
    timeline: tuple[Moment, ...] = ()
    """The operations as data, in the order of time, with what threads did between."""
    places: tuple[str, ...] = ()
    """Places in the source, as file:line: where threads were switched, or where the target died."""


@dataclass(frozen=True, slots=True)
class Seen:
    """A violation was seen; the engine makes it smaller now, and then emits Found."""

    finding: Finding


@dataclass(frozen=True, slots=True)
class Found:
    """A violation was found and shrunk."""

    finding: Finding


@dataclass(frozen=True, slots=True)
class Replayed:
    """Replay data was run once: the clause that was broken, or nothing.

    `after_others`: after other programs on other backends of the process.
    """

    clause: str
    after_others: bool = False


@dataclass(frozen=True, slots=True)
class Confirmed:
    """The finding of a clause was replayed in a fresh process, and failed so often.

    `left_behind`: it fails only after other backends of the process, which left something behind.
    """

    clause: str
    failed: int
    tries: int
    left_behind: bool = False


@dataclass(frozen=True, slots=True)
class Kept:
    """A failure that an earlier run kept in a replay file was replayed first, and failed again or did not."""

    file: str
    clause: str
    failed: bool


@dataclass(frozen=True, slots=True)
class Checked:
    """How often clauses were checked, and exercised (the clause could have been broken there): increments."""

    checks: dict[str, int]
    exercised: dict[str, int]


@dataclass(frozen=True, slots=True)
class Covered:
    """How often coverpoints were reached: increments by name (see `coverage`)."""

    counts: dict[str, int]


@dataclass(frozen=True, slots=True)
class NotOffered:
    """What the target does not offer, and how that was seen; what hangs on it is not applicable."""

    what: str
    why: str
    clauses: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class NotDone:
    """An engine did a part of its work, 0 to 1, and could not do the rest on this target."""

    engine: str
    done: float
    why: str


@dataclass(frozen=True, slots=True)
class Canary:
    """A fault that was seeded around the user's own backend in this run, and whether it was noticed."""

    fault: str
    clause: str
    caught: bool
    operations: int
    seconds: float


@dataclass(frozen=True, slots=True)
class World:
    """How many of everything there were on one store: the report shows the most of a run, by name."""

    most: dict[str, int]


@dataclass(frozen=True, slots=True)
class Note:
    """Something the reader should know: a fallback, a limit."""

    text: str


@dataclass(frozen=True, slots=True)
class DataRace:
    """Two accesses of one address, of which at least one writes, that nothing orders; each as a place."""

    first: str
    second: str


@dataclass(frozen=True, slots=True)
class Worked:
    """The counted round has ended: how much of its work each engine has done, 0 to 1."""

    done: dict[str, float]


@dataclass(frozen=True, slots=True)
class Finished:
    """The run, or a worker, has ended by itself; `complete` is False where time cut it short."""

    complete: bool
    seconds: float


Event: TypeAlias = (
    Started
    | TurnBegan
    | Progress
    | Seen
    | Found
    | Replayed
    | Confirmed
    | Kept
    | Checked
    | Covered
    | NotOffered
    | NotDone
    | Canary
    | World
    | Note
    | DataRace
    | Worked
    | Finished
)
