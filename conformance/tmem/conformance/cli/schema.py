"""`tmem schema`: the JSON Schemas of what tmem writes and reads."""

from __future__ import annotations

import json

import click

from tmem.conformance import schemas


@click.command("schema")
@click.argument("name", type=click.Choice(schemas.NAMES))
def command(name: str) -> None:
    """Print the JSON Schema of a format: of the report, replay files, lines of --ndjson, or lines of traces.

    The number is the version of the format, which its "schema" field names too. Fields may be added within a
    version: read those that you know.
    """
    click.echo(json.dumps(schemas.schema(name), indent=1, ensure_ascii=False))
