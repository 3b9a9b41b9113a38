"""Reference pages: the command by its own help texts, the errnos and flags, the header for C."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

import click

from tmem.conformance.cli.main import main
from tmem.conformance.compiled.header import text as header
from tmem.spec.abi import errors, flags
from tmem.spec.abi.commands import Command

NUMBERS: Final = """# Numbers of the ABI

## Errnos

| name | number |
|---|---|
{errnos}
## Flags of new pool

| name | bits |
|---|---|
{bits}
Bits 4 to 7 hold n where a page has 4096 · 2^n bytes. Bits 24 to 31 hold the version of the specification,
0 or 1. All other bits are reserved, and a request that sets one is refused.

## UUIDs

A UUID has 128 bits, word 1 the most significant. All ones names none: a request for a shared pool with it
asks for a private one.

## Commands

| name | number |
|---|---|
{commands}"""


def pages() -> Iterator[tuple[str, str]]:
    """The names and the texts of all pages of reference."""
    yield "command", _command()
    about = "What `tmem header` prints: all that a store in C, C++ or Rust needs."
    yield "header", f"# tmem.h\n\n{about}\n\n```c\n{header()}\n```\n"
    yield "numbers", _numbers()


def _command() -> str:
    parts = ["# The command\n\n"]
    for name, command in sorted(main.commands.items()):
        context = click.Context(command, info_name=f"tmem {name}", terminal_width=100, max_content_width=100)
        parts.append(f"## tmem {name}\n\n```text\n{command.get_help(context)}\n```\n\n")
    return "".join(parts)


def _numbers() -> str:
    errnos = "".join(f"| {name} | {number} |\n" for number, name in errors.NAMES.items())
    bits = "".join(
        f"| {name} | {getattr(flags, name):#x} |\n" for name in ("PERSIST", "SHARED", "PRECOMPRESSED")
    )
    commands = "".join(f"| {each.name} | {each.value} |\n" for each in Command)
    return NUMBERS.format(errnos=errnos, bits=bits, commands=commands)
