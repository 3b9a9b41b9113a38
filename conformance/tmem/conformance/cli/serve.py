"""`tmem serve`: a store for other processes."""

from __future__ import annotations

import ipaddress
import re
from typing import Any, Final

import click

from tmem.conformance.server.listen import AddressError, Allowed
from tmem.conformance.server.serve import Address, serve_streams
from tmem.conformance.server.serve import serve as answer
from tmem.conformance.server.sessions import Limits
from tmem.conformance.targets.resolve import resolve
from tmem.conformance.targets.target import TargetError
from tmem.spec.backend import Backend

STREAMS: Final = "-"
"""The address of standard input and output."""
_SIZE: Final = re.compile(r"(\d+)([KMGT]?)(?:i?B)?", re.IGNORECASE)


class _Address(click.ParamType[Any]):
    name = "address"

    def convert(
        self, value: object, param: click.Parameter | None, ctx: click.Context | None
    ) -> Address | None:
        if value == STREAMS and param is not None and param.name == "address":
            return None
        try:
            return Address.of(str(value))
        except ValueError as error:
            self.fail(f"{error}.", param, ctx)


class _Bytes(click.ParamType[Any]):
    name = "bytes"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> int:
        found = _SIZE.fullmatch(str(value))
        if found is None or not int(found[1]):
            self.fail(f"{value} is no number of bytes, such as 64M.", param, ctx)
        return int(found[1]) << 10 * " KMGT".index(found[2].upper() or " ")


class _Uuid(click.ParamType[Any]):
    name = "uuid"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> int:
        digits = str(value).replace("-", "")
        if not re.fullmatch("[0-9a-fA-F]{1,32}", digits):
            self.fail(f"{value} is no UUID of 128 bits in hexadecimal digits.", param, ctx)
        return int(digits, 16)


@click.command("serve")
@click.argument("address", type=_Address(), metavar="ADDRESS")
@click.option("--store", default="impl", metavar="TARGET", show_default=True, help="What is served.")
@click.option("--budget", type=_Bytes(), metavar="BYTES", help="Memory that the store may take, such as 64M.")
@click.option(
    "--connections",
    type=click.IntRange(min=1),
    default=Allowed().connections,
    show_default=True,
    metavar="N",
    help="Connections at the same time; one more is closed.",
)
@click.option(
    "--idle",
    type=click.FloatRange(min=0, min_open=True),
    metavar="SECONDS",
    help="Close a connection after this time without a request.",
)
@click.option(
    "--pools",
    type=click.IntRange(min=1),
    default=Limits().pools,
    show_default=True,
    metavar="N",
    help="Pools of one session at the same time.",
)
@click.option("--pages", type=click.IntRange(min=0), metavar="N", help="Persistent pages of one session.")
@click.option(
    "--share",
    type=_Uuid(),
    multiple=True,
    metavar="UUID",
    help="Allow only these shared pools; without it, all.",
)
@click.option(
    "--counters",
    type=_Address(),
    metavar="ADDRESS",
    help="Answer HTTP with counters: /metrics for Prometheus, / for people.",
)
def command(
    address: Address | None,
    store: str,
    budget: int | None,
    connections: int,
    idle: float | None,
    pools: int,
    pages: int | None,
    share: tuple[int, ...],
    counters: Address | None,
) -> None:
    """Serve a store to other processes until SIGTERM or Ctrl-C.

    \b
    ADDRESS is one of
      unix:PATH        a socket that only this user can reach
      tcp:PORT         this machine's own processes
      tcp:HOST:PORT    whoever can reach that address: nobody is asked who they are
      -                standard input and output, as in tmem check cmd:"tmem serve -"

    A client of one session never reaches a private pool of another. Shared pools meet by their UUID. The
    pools of a session end with its last connection.
    """
    limits = Limits(pools, pages, frozenset(share) if share else None)
    if address is None:
        if misread := serve_streams(_store(store, budget), limits, 0, 1):
            raise click.ClickException(misread)
        return
    if address.host and not _is_loopback(address.host):
        click.echo(f"Whoever reaches {address.host} can use the store: frames carry no password.", err=True)
    backend = _store(store, budget)
    try:
        listening = address.open()
        asked = None if counters is None else counters.open()
    except AddressError as error:
        backend.close()
        raise click.UsageError(f"cannot listen at {error}") from error
    allowed = Allowed(connections, idle)
    answer(backend, listening, limits, allowed, lambda line: click.echo(line, err=True), asked)


def _store(text: str, budget: int | None) -> Backend:
    try:
        return resolve(text, (budget,)).fresh()
    except TargetError as error:
        raise click.UsageError(str(error)) from error


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
