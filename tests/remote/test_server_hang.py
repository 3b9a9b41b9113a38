"""A server that has no processor, or is stopped, does not hang."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable

from tests.remote.conftest import Served
from tmem.conformance.remote.server import listener
from tmem.conformance.run.hang import Watch, look


def test_the_listener_of_a_socket_is_known(serve: Callable[..., Served]) -> None:
    served = serve()
    assert listener(f"unix:{served.path}") == served.process.pid
    assert listener("unix:/no/such/socket") is None
    assert listener("impl") is None


def test_the_time_in_which_a_server_is_stopped_counts_for_nobody() -> None:
    sleeper = [sys.executable, "-c", "import time; time.sleep(3600)"]
    with subprocess.Popen(sleeper) as worker, subprocess.Popen(sleeper) as server:
        os.kill(server.pid, signal.SIGSTOP)
        while look(server.pid).states != {"T"} or look(worker.pid).states != {"S"}:
            time.sleep(0.01)
        alone, with_server = Watch(worker.pid, 5.0), Watch(worker.pid, 5.0, server.pid)
        quiet = 0.0
        while quiet < 0.2:
            quiet = alone.quiet((), reported=False)
            assert with_server.quiet((), reported=False) == 0.0
            time.sleep(0.05)
        worker.kill()
        server.kill()
