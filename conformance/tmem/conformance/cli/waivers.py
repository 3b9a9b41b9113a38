"""Waivers: clauses that a backend is known to break, with a reason and a counterexample for each."""

from __future__ import annotations

import tomllib
from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from tmem.conformance.engines import ENGINES
from tmem.conformance.events import Found
from tmem.conformance.run import replay as replaying
from tmem.conformance.run.hang import HANG_AFTER
from tmem.conformance.turn import Engine
from tmem.spec.clauses import CLAIMS, CLAUSES

KEYS: Final = ("clause", "reason", "counterexample")


@dataclass(frozen=True, slots=True)
class Waiver:
    """A clause that is waived, why, and the replay file that shows how it is broken."""

    clause: str
    reason: str
    counterexample: Path


def load(path: Path) -> list[Waiver]:
    """Read a file of waivers: TOML, a table `[[waiver]]` each, with `clause`, `reason` and `counterexample`.

    A counterexample is the path of a replay file, relative to the file of waivers. Raises ValueError, with
    one line, foranything else, for an unknown clause, and for a counterexample of another clause.
    """
    try:
        content = tomllib.loads(path.read_text("utf-8"))
    except OSError as error:
        raise ValueError(f"{path} cannot be read: {error.strerror}") from error
    except ValueError as error:
        raise ValueError(f"{path} is not TOML: {error}") from error
    tables = content.get("waiver")
    if set(content) != {"waiver"} or not isinstance(tables, list) or not tables:
        raise ValueError(f"{path} is not a file of waivers, which holds only tables [[waiver]]")
    found: dict[str, Waiver] = {}
    for number, table in enumerate(tables, 1):
        try:
            waiver = _waiver(table, path.parent)
            if waiver.clause in found:
                raise ValueError(f"{waiver.clause} has two waivers: one is enough")
        except ValueError as error:
            raise ValueError(f"{path}, waiver {number}: {error}") from error
        found[waiver.clause] = waiver
    return list(found.values())


def _waiver(table: object, folder: Path) -> Waiver:
    if not isinstance(table, dict) or set(table) != set(KEYS):
        raise ValueError(f"it has the keys {', '.join(KEYS)}, and no others")
    clause, reason, name = (table[key] for key in KEYS)
    for key, value in zip(KEYS, (clause, reason, name), strict=True):
        if not isinstance(value, str) or not value.strip():
            raise ValueError(f"{key} is a text that is not empty")
    if clause not in CLAUSES and clause not in CLAIMS:
        raise ValueError(f"there is no clause {clause}: tmem explain lists them")
    recorded = replaying.load(folder / name)
    if recorded.clause != clause:
        raise ValueError(f"its counterexample {folder / name} breaks {recorded.clause}, not {clause}")
    return Waiver(clause, reason, folder / name)


def refuted(
    waiver: Waiver, target: str, hang_after: float = HANG_AFTER, engines: Sequence[Engine] = ENGINES
) -> str:
    """Run the counterexample again. Returns why the waiver does not hold for the target, or an empty string.

    Raises ValueError, RunError.
    """
    recorded = replaying.load(waiver.counterexample)
    with closing(replaying.again(recorded, target, hang_after, engines)) as events:
        broken = {event.finding.clause for event in events if isinstance(event, Found)}
    if waiver.clause in broken:
        return ""
    if broken:
        return f"its counterexample breaks {', '.join(sorted(broken))} now, not {waiver.clause}"
    return f"its counterexample {waiver.counterexample} does not fail on {target}"
