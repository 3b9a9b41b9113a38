"""What crosses between the supervisor and a worker: its job, and what it reports, as lines of JSON.

Lines, since a target may write anything anywhere: what is no event is dropped, and the next line is
whole again. JSON, since reading it runs nothing.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, fields, is_dataclass
from typing import Final, TypeAlias, get_args, get_origin, get_type_hints

from tmem.conformance import events
from tmem.conformance.events import Event


@dataclass(frozen=True, slots=True)
class Job:
    """One run of some engines against one target, in one worker.

    `engines` are names, in order; `until` is when they end, in `time.monotonic` seconds. With
    `replay`, a finding's data, the one engine runs that again and nothing else.
    """

    target: str
    seed: int
    engines: tuple[str, ...]
    level: str = "linearizable"
    scale: float = 1.0
    until: float | None = None
    replay: dict[str, object] | None = None
    tries: int = 1
    """How often a replay is run, each time on a fresh backend."""
    real_threads: bool = False
    own: tuple[str, ...] = ()
    """How schedules run, as in the request."""
    record: str = ""
    """The file into which the calls of a replay are written."""

    def to_json(self) -> str:
        """The job as one line."""
        return json.dumps(asdict(self))

    @classmethod
    def from_json(cls, text: str) -> Job:
        """The job that `to_json` wrote."""
        data = json.loads(text)
        return cls(**data | {"engines": tuple(data["engines"]), "own": tuple(data["own"])})


LONGEST: Final = 16 << 20
"""Bytes in the longest line that is read."""


@dataclass(frozen=True, slots=True)
class Unusable:
    """The target cannot be checked; one line says why, and what to do."""

    message: str


@dataclass(frozen=True, slots=True)
class Broke:
    """The suite itself failed: a defect of ours, with its traceback."""

    engine: str
    error: str
    traceback: str


@dataclass(frozen=True, slots=True)
class TurnEnded:
    """An engine's turn has ended; `done` is how much of its work is done, 0 to 1."""

    engine: str
    done: float


Message: TypeAlias = Event | Unusable | Broke | TurnEnded
"""The messages of a worker to its supervisor: events for everyone, and three for the supervisor alone."""

TYPES: Final[dict[str, type]] = {
    kind.__name__: kind
    for kind in (*get_args(events.Event), events.Finding, events.Moment, Unusable, Broke, TurnEnded)
}


def encode(message: Message) -> bytes:
    """A message as one line."""
    return json.dumps(_plain(message), separators=(",", ":")).encode() + b"\n"


def decode(line: bytes) -> Message:
    """Return the message of a line. Raises ValueError, and nothing else, for a line that is no message."""
    try:
        data = json.loads(line)
    except (ValueError, RecursionError) as error:
        raise ValueError("not JSON") from error
    found = _value(data, object)
    if not isinstance(found, get_args(Message)):
        raise ValueError("not an event")
    message: Message = found
    return message


def _plain(value: object) -> object:
    if is_dataclass(value) and not isinstance(value, type):
        return {"is": type(value).__name__} | {f.name: _plain(getattr(value, f.name)) for f in fields(value)}
    return list(map(_plain, value)) if isinstance(value, tuple) else value


def _value(data: object, wanted: object) -> object:
    """The value of a type hint that JSON data stands for; ValueError where it stands for none."""
    if isinstance(data, dict) and "is" in data and (wanted is object or is_dataclass(wanted)):
        return _instance(data)
    if get_origin(wanted) is tuple and isinstance(data, list):
        return tuple(_value(each, get_args(wanted)[0]) for each in data)
    if get_origin(wanted) is dict and isinstance(data, dict):
        values = get_args(wanted)[1]
        return {key: each if values is object else _value(each, values) for key, each in data.items()}
    if wanted is float and type(data) is int:
        return float(data)
    if type(data) is wanted:
        return data
    raise ValueError(f"{data!r:.80} is no {wanted}")


def _instance(data: dict[str, object]) -> object:
    kind = TYPES.get(data["is"]) if isinstance(data["is"], str) else None
    if kind is None:
        raise ValueError(f"no event is called {data['is']!r:.80}")
    hints = get_type_hints(kind)
    if set(data) != {"is", *hints}:
        raise ValueError(f"{data['is']} has other fields")
    return kind(**{name: _value(data[name], hint) for name, hint in hints.items()})
