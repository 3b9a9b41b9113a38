"""The `tmem` command."""

from __future__ import annotations

import errno
import os
import sys
from contextlib import suppress
from typing import Any, NoReturn

import click

from tmem.conformance.calibration.command import calibrate
from tmem.conformance.cli import explain as explaining
from tmem.conformance.cli.build import cc, header, new_backend, show_flags
from tmem.conformance.cli.check import check
from tmem.conformance.cli.check_trace import command as check_trace
from tmem.conformance.cli.compare import command as compare
from tmem.conformance.cli.harness_check import command as harness_check
from tmem.conformance.cli.replay import replay
from tmem.conformance.cli.schema import command as schema
from tmem.conformance.cli.serve import command as serve
from tmem.conformance.report import terminal
from tmem.conformance.report.verdict import USAGE, Verdict


class _Commands(click.Group):
    """Ends with exit code 2 where the output cannot be written: 1 is the code of FAIL."""

    def invoke(self, ctx: click.Context) -> Any:
        try:
            result = super().invoke(ctx)
            sys.stdout.flush()
            return result
        except KeyboardInterrupt:
            click.echo("UNKNOWN  interrupted before there was an answer", err=True)
            sys.exit(Verdict.UNKNOWN.value)
        except SystemExit:
            try:
                sys.stdout.flush()
            except OSError as error:
                _no_output(error)
            raise
        except OSError as error:
            if error.errno not in (errno.EPIPE, errno.ENOSPC, errno.EIO):
                raise
            _no_output(error)


def _no_output(error: OSError) -> NoReturn:
    with suppress(OSError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # Python flushes stdout at exit
    with suppress(OSError):
        click.echo(f"Error: the output cannot be written: {error.strerror}", err=True)
    sys.exit(USAGE)


@click.group(cls=_Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="tmem")
def main() -> None:
    """Transcendent memory: check a page store against the contract, and read the contract."""
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="replace")  # a terminal that cannot show ⟨ or → shows ?


main.add_command(check)
main.add_command(replay)
main.add_command(calibrate)
main.add_command(check_trace)
main.add_command(schema)
main.add_command(header)
main.add_command(show_flags)
main.add_command(cc)
main.add_command(new_backend)
main.add_command(serve)
main.add_command(compare)
main.add_command(harness_check)


@main.command()
@click.argument("clause", required=False)
def explain(clause: str | None) -> None:
    """List clauses, freedoms and claims, or show one: sentence, sources, example, the code that decides it.

    CLAUSE is an id in any case; TMEM- may be left out, as in put-3. `definitions` and `table` show the
    words of the contract, and every operation in every situation.
    """
    try:
        shown = explaining.explain(clause) if clause else explaining.listing()
    except LookupError as error:
        raise click.UsageError(str(error)) from error
    terminal.show(terminal.console(), shown)
