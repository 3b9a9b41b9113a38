"""`tmem header`, `tmem flags`, `tmem cc` and `tmem new-backend`: what builds backends in C, C++ and Rust."""

from __future__ import annotations

import os
import shlex
from pathlib import Path
from typing import Final

import click

from tmem.conformance.compiled import header as made
from tmem.conformance.compiled.new_backend import LANGUAGES, write
from tmem.conformance.schedules.native.toolchain import ToolchainError, compiler, flags

CPP: Final = frozenset({".cc", ".cpp", ".cxx", ".C"})


@click.command()
def header() -> None:
    """Print tmem.h, all that a store in C, C++ or Rust needs: flags, errnos, and each function's contract."""
    click.echo(made.text(), nl=False)


@click.command("flags")
@click.argument("language", type=click.Choice(["c", "cpp", "rust"]), default="c")
def show_flags(language: str) -> None:
    """Print the options that make a compiler instrument a library for controlled schedules.

    \b
    For gcc, clang and rustc, as in
      gcc store.c $(tmem flags) -o libstore.so
      RUSTC_BOOTSTRAP=1 rustc --crate-type cdylib $(tmem flags rust) store.rs
    """
    click.echo(shlex.join(_flags(language)))


@click.command(context_settings={"ignore_unknown_options": True})
@click.argument("arguments", nargs=-1, required=True, type=click.UNPROCESSED)
def cc(arguments: tuple[str, ...]) -> None:
    """Compile a library in C or C++ so that its threads can be scheduled: tmem cc store.c -o libstore.so

    ARGUMENTS are those of the compiler, which is that of CC or CXX, else the first that is installed.
    """
    language = "cpp" if any(Path(each).suffix in CPP for each in arguments) else "c"
    options = _flags(language)
    command = [compiler(language), *arguments, *options]
    os.execvp(command[0], command)


@click.command("new-backend")
@click.argument("language", metavar="LANG", type=click.Choice(LANGUAGES))
@click.argument("folder", metavar="DIR", type=click.Path(path_type=Path))
def new_backend(language: str, folder: Path) -> None:
    """Make DIR with a naive store in LANG. Then `make check` builds and checks it.

    \b
    LANG is one of
      c, cpp, rust                      a shared library, whose threads are scheduled
      python                            a class, whose threads are scheduled
      go, node, python-cmd, rust-cmd    a program that answers frames on its standard streams
    """
    try:
        files = write(language, folder)
    except FileExistsError as error:
        raise click.UsageError(f"{folder} is there already") from error
    except OSError as error:
        raise click.UsageError(f"{folder} cannot be made: {error.strerror}") from error
    for file in files:
        click.echo(file)
    click.echo(f"Next: cd {folder}; make check. `make fault` checks it with a fault in it.")


def _flags(language: str) -> list[str]:
    try:
        return flags(language)
    except ToolchainError as error:
        raise click.UsageError(str(error)) from error
