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
| PAGE SIZE | bits 4 to 7 hold n where a page has 4096 · 2^n bytes; 0 where no n fits |
| VERSION | bits 24 to 31 hold the version of the specification: 1, or 0, which counts as 1 |
| reserved | {reserved:#010x} |

These flags a backend must refuse, with EPERM and without making a pool (TMEM-POOL-4): a reserved bit,
PRECOMPRESSED, another version, another page size than its own, more than 32 bits. Bit 3 is unspecified: a
backend may take it or refuse it. Any other request may be refused too (TMEM-MAY-8).

## UUIDs

A UUID has 128 bits, word 1 the most significant.

| SHARED | UUID | is a request for |
|---|---|---|
| clear | any, or none | a private pool; the UUID is ignored |
| set | none, or all ones | a private pool |
| set | any other | the shared pool of this UUID: it is joined, or made where nobody is in it |
| set | out of range | nothing: it is refused (TMEM-ARG-1) |

A shared pool has the kind of its maker. Who asks to join it as another kind is refused, or is granted the
maker's kind and told so by pool flags (TMEM-SHARE-1). A backend that grants a private pool tells so, too
(TMEM-MAY-9).

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
    return NUMBERS.format(errnos=errnos, bits=bits, commands=commands, reserved=flags.RESERVED)
