"""The JSON Schemas of what tmem writes and reads; the number in a name is the version of the format.

`report-1.json` and `replay-1.json` are of whole files, `events-1.json` and `trace-1.json` of one line each.
`events-1.json` is made from `events` by `python -m tools.schemas`.
"""

from __future__ import annotations

import json
from importlib import resources
from typing import Any, Final

NAMES: Final = ("report-1", "replay-1", "events-1", "trace-1")


def schema(name: str) -> dict[str, Any]:
    """The schema of a name in NAMES.

    >>> schema("report-1")["$id"]
    'urn:tmem:report:1'
    """
    text = resources.files(__name__).joinpath(f"{name}.json").read_text("utf-8")
    found: dict[str, Any] = json.loads(text)
    return found
