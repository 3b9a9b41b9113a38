"""A race as a program that executes its schedule: it needs the runtime of schedules, and no engine."""

from __future__ import annotations

import json
from collections.abc import Mapping
from importlib.metadata import entry_points
from pathlib import Path
from typing import Final

from tmem.conformance.targets.resolve import BUDGETS, GROUP

_PROGRAM: Final = '''\
"""{head}

The target's threads are switched where they were when it was found, by the runtime of schedules: this
program needs tmem, of which it imports tmem.conformance.schedules and no engine. It prints each call with its
answer and the interleaving. It exits with 1 where the clause is broken, and with 0 where this schedule breaks
none.
"""

import json
import sys
from pathlib import Path

from tmem.conformance.schedules.explore import open_library, open_subject
from tmem.conformance.schedules.{module} import replay

SCHEDULE = json.loads("""
{data}
""")

sys.path.insert(0, "")
subject = {subject}
found = replay(subject, SCHEDULE{more})
if found is None:
    print("This schedule breaks no clause.")
    sys.exit(0)
for number, step in enumerate(found.steps, 1):
    print(f"#{{number}} {{step}}")
print(found.picture)
print(f"{{found.clause}} is broken.")
sys.exit(1)
'''


def text(head: str, target: str, data: Mapping[str, object]) -> str:
    """The program of a schedule of a target. ValueError for data that names no single schedule."""
    waits = "wait" in data
    if not waits and not isinstance(data.get("preemptions"), list):
        raise ValueError(
            "no single schedule is known that shows it; `tmem replay` tries those that there are"
        )
    quoted = head.replace("\\", "\\\\").replace('"""', "'''")
    module, more = ("waiting", ', "schedules"') if waits else ("explore", "")
    return _PROGRAM.format(
        module=module, more=more, head=quoted, subject=_subject(target), data=json.dumps(data, indent=1)
    )


def _subject(target: str) -> str:
    scheme, colon, rest = target.partition(":")
    if scheme == "so":
        return f"open_library(Path({str(Path(rest).resolve())!r}), {BUDGETS})"
    if scheme == "py" and colon:
        place, _, attribute = rest.rpartition(":")
        if place.endswith(".py"):
            place = str(Path(place).resolve())
        return f'open_subject({place!r}, {attribute!r}, own=tuple(SCHEDULE.get("own", ())))'
    if scheme == "model":
        seeds = tuple((rest or "random", seed) for seed in range(len(BUDGETS)))
        return f'open_subject("tmem.model.adversary", "backend", {seeds})'
    points = {point.name: point for point in entry_points(group=GROUP)}
    if target not in points:
        raise ValueError(f"{target} is nothing that a script can load")
    point = points[target]
    budgets = tuple((budget,) for budget in BUDGETS)
    return f'open_subject({point.module!r}, {point.attr!r}, {budgets}, own=tuple(SCHEDULE.get("own", ())))'
