"""Writes the schema of the events that `tmem check --ndjson` writes, from their classes."""

from __future__ import annotations

import json
from dataclasses import is_dataclass
from pathlib import Path
from typing import Any, get_args, get_origin, get_type_hints

from tmem.conformance import events, schemas

FILE = Path(schemas.__file__).with_name("events-1.json")
PLAIN = {str: "string", int: "integer", float: "number", bool: "boolean"}


def written() -> str:
    """The schema as text."""
    kinds = get_args(events.Event)
    schema = {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": "urn:tmem:events:1",
        "title": "A line of tmem check --ndjson, version 1",
        "description": "The first line names the version; each other line is an event of the run.",
        "oneOf": [_version(), *({"$ref": f"#/$defs/{kind.__name__}"} for kind in kinds)],
        "$defs": {
            kind.__name__: _event(kind)
            for kind in (*kinds, *(each for each in vars(events).values() if _inner(each, kinds)))
        },
    }
    return json.dumps(schema, indent=1, ensure_ascii=False) + "\n"


def _version() -> dict[str, Any]:
    fields = {"is": {"const": "Stream"}, "schema": {"const": "tmem-events/1"}}
    return {"type": "object", "properties": fields, "required": list(fields)}


def _inner(each: object, kinds: tuple[type, ...]) -> bool:
    return isinstance(each, type) and is_dataclass(each) and each not in kinds


def _event(kind: type) -> dict[str, Any]:
    fields = {"is": {"const": kind.__name__}} | {
        name: _value(hint) for name, hint in get_type_hints(kind).items()
    }
    says = " ".join((kind.__doc__ or "").split("\n\n")[0].split())
    return {"description": says, "type": "object", "properties": fields, "required": list(fields)}


def _value(hint: Any) -> dict[str, Any]:
    if hint in PLAIN:
        return {"type": PLAIN[hint]}
    if get_origin(hint) is tuple:
        return {"type": "array", "items": _value(get_args(hint)[0])}
    if get_origin(hint) is dict:
        values = get_args(hint)[1]
        return {"type": "object"} | ({} if values is object else {"additionalProperties": _value(values)})
    return {"$ref": f"#/$defs/{hint.__name__}"}


if __name__ == "__main__":
    FILE.write_text(written(), "utf-8")
