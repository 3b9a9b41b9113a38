"""`python -m bench.wire`: operations over a socket, beside a bare echo; and a checked run over one.

A store in C that copies pages is given puts and gets of 4 KiB pages, pipelined over a Unix socket, and so is
an echo of the same requests; both servers are one program. The client sends frames that were encoded before,
and compares all bytes of the answers. Rounds of the two alternate. Then the engine `volume` checks `impl` in
process, and behind `tmem serve`. Times are wall time, since two processes share the work; ratios are of one
run.
"""

from __future__ import annotations

import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from tmem.conformance.engines import ENGINES
from tmem.conformance.remote.connection import Connection
from tmem.conformance.report.summary import Summary
from tmem.conformance.run.check import check
from tmem.conformance.run.request import Request
from tmem.conformance.schedules.native.toolchain import compiler
from tmem.spec.abi import wire
from tmem.spec.handle import Handle
from tmem.spec.operations import Get, Put

SOURCE: Final = Path(__file__).with_name("wire_server.c")
SERVE: Final = (sys.executable, "-c", "from tmem.conformance.cli.main import main; main()", "serve")
PAGES: Final = 512
PAIRS: Final = 16
"""Puts, and gets, in one batch; two batches are on their way."""
BATCHES: Final = 4_000
ROUNDS: Final = 5
SCALE: Final = 0.05
"""Of the counted work of `volume`."""


def main() -> None:
    """Measure, and print the figures."""
    with tempfile.TemporaryDirectory() as folder:
        program = str(built(Path(folder)))
        with (
            listening(program, "store", f"{folder}/store") as store,
            listening(program, "echo", f"{folder}/echo") as echo,
        ):
            _operations(store, echo)
        with listening(*SERVE, f"unix:{folder}/impl") as remote:
            _checked(remote)


def built(folder: Path) -> Path:
    """The program of both servers."""
    program = folder / "server"
    subprocess.run([compiler("c"), "-O2", "-w", str(SOURCE), "-o", str(program)], check=True)
    return program


@contextmanager
def listening(*command: str) -> Iterator[str]:
    """A server; its address, its last word, once it has said a line: then it takes connections."""
    process = subprocess.Popen(command, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    try:
        assert process.stdout is not None
        process.stdout.readline()
        yield command[-1]
    finally:
        process.kill()
        process.communicate()


def _operations(store: str, echo: str) -> None:
    batches = made()
    rates: dict[str, list[float]] = {"echo": [], "store": [], "client": []}
    for _ in range(ROUNDS):
        rates["echo"].append(pumped(echo, [(asked, asked) for asked, _ in batches]))
        rates["store"].append(pumped(store, batches))
        rates["client"].append(_called(store))
    ratio = statistics.median(b / a for a, b in zip(rates["echo"], rates["store"], strict=True))
    typical = {name: statistics.median(each) for name, each in rates.items()}
    print(f"echo of the same requests     {typical['echo']:>10,.0f} operations/s")
    print(f"store in C that copies        {typical['store']:>10,.0f} operations/s, {ratio:.2f} of the echo")
    print(f"the same, client in Python    {typical['client']:>10,.0f} operations/s")


def made() -> list[tuple[bytes, bytes]]:
    """Batches of puts and then gets of the same pages: the requests, and their answers."""
    pairs = [
        (wire.request(n, Put(1, Handle(0, 7, n), page)), wire.request(n, Get(1, Handle(0, 7, n))), page)
        for n, page in ((n, bytes([n & 0xFF]) * 4096) for n in range(PAGES))
    ]
    batches = []
    for at in range(0, PAGES, PAIRS):
        batch = pairs[at : at + PAIRS]
        asked = b"".join(put for put, _, _ in batch) + b"".join(get for _, get, _ in batch)
        told = b"".join(wire.answer(at + n, 1) for n in range(len(batch)))
        told += b"".join(wire.answer(at + n, 1, page) for n, (_, _, page) in enumerate(batch))
        batches.append((asked, told))
    return batches


def pumped(path: str, batches: list[tuple[bytes, bytes]], count: int = BATCHES) -> float:
    """Send so many batches, the next before the last is answered; operations/s."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as peer:
        peer.connect(path)
        room = bytearray(max(len(told) for _, told in batches))
        start = time.perf_counter()
        peer.sendall(batches[0][0])
        for n in range(count):
            if n + 1 < count:
                peer.sendall(batches[(n + 1) % len(batches)][0])
            told = batches[n % len(batches)][1]
            view, at = memoryview(room), 0
            while at < len(told):
                at += peer.recv_into(view[at : len(told)])
            if view[: len(told)] != told:
                raise AssertionError("an answer is not what it has to be")
        return 2 * PAIRS * count / (time.perf_counter() - start)


def _called(path: str) -> float:
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as peer:
        peer.connect(path)
        connection = Connection(peer.fileno(), peer.fileno(), lambda: "", lambda: None)
        connection.hello()
        page = bytes(4096)
        bodies: list[wire.Body] = [Put(1, Handle(0, 7, n), page) for n in range(PAIRS)]
        bodies += [Get(1, Handle(0, 7, n)) for n in range(PAIRS)]
        start = time.perf_counter()
        for _ in range(BATCHES // 10):
            connection.calls(bodies)
        return len(bodies) * (BATCHES // 10) / (time.perf_counter() - start)


def _checked(remote: str) -> None:
    times: dict[str, list[float]] = {"impl": [], remote: []}
    for _ in range(ROUNDS):
        for target, each in times.items():
            each.append(_microseconds(target))
    ratio = statistics.median(b / a for a, b in zip(*times.values(), strict=True))
    inside, over = (statistics.median(each) for each in times.values())
    print(f"checked in process            {inside:>10.1f} us an operation")
    print(f"checked over a socket         {over:>10.1f} us an operation, {ratio:.2f} times as long")


def _microseconds(target: str) -> float:
    """Wall time of an operation of `volume`, with all that the suite does for it."""
    summary = Summary(target, 0, "linearizable")
    engines = tuple(engine for engine in ENGINES if engine.name == "volume")
    start = time.perf_counter()
    for event in check(Request(target, hang_after=60.0, scale=SCALE, shrink=0.0), engines):
        summary.add(event)
    if summary.findings:
        raise AssertionError(f"{target} breaks {', '.join(summary.findings)}")
    return 1e6 * (time.perf_counter() - start) / summary.operations


if __name__ == "__main__":
    main()
