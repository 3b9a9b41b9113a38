"""What a worker is told to do."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass


@dataclass(frozen=True, slots=True)
class Job:
    """One run of some engines against one target, in one worker.

    `engines` are names, in order; `seconds` is the time left, None for as long as it takes. With
    `replay`, a finding's data, the one engine runs that again and nothing else.
    """

    target: str
    seed: int
    engines: tuple[str, ...]
    level: str = "linearizable"
    scale: float = 1.0
    seconds: float | None = None
    replay: dict[str, object] | None = None

    def to_json(self) -> str:
        """The job as one line."""
        return json.dumps(asdict(self))

    @classmethod
    def from_json(cls, text: str) -> Job:
        """The job that `to_json` wrote."""
        data = json.loads(text)
        return cls(**data | {"engines": tuple(data["engines"])})
