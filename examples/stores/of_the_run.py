"""A server, or a folder, that all processes of one run share: it is there once, and gone when the run is.

A run has several processes: workers, the ones that replace those that crashed, and replays. Each imports an
adapter, some more than once. `tmem check` names the run by the variable TMEM_RUN; without it, the run is this
process. The first to ask starts a guard, which starts the server, waits for the end of the run, then ends the
server and removes the folder. It does so however the run ends: by SIGKILL too.
"""

from __future__ import annotations

import fcntl
import os
import select
import shutil
import signal
import socket
import stat
import subprocess
import sys
import tempfile
import time
from contextlib import suppress
from pathlib import Path


class MissingError(RuntimeError):
    """The server is not on this machine, or does not start; the one line says what to do."""


def server(program: str, *options: str) -> str:
    """The path of the unix socket of the run's own `program`. SOCKET and FOLDER in its options are replaced.

    >>> server("no-such-server")
    Traceback (most recent call last):
    of_the_run.MissingError: no-such-server is not installed: on Debian, apt-get install no-such-server
    """
    if shutil.which(program) is None:
        raise MissingError(f"{program} is not installed: on Debian, apt-get install {program}")
    return str(folder("-".join((program, *options)), program, *options) / "socket")


def folder(name: str, *command: str) -> Path:
    """A folder of the run in memory, beside which a command runs, if there is one."""
    run = int(os.environ.get("TMEM_RUN", os.getpid()))
    base = Path("/dev/shm") if os.access("/dev/shm", os.W_OK) else Path(tempfile.gettempdir())
    short = f"{_digest(name):08x}"
    path = base / f"tmem-{os.getuid()}-{run}-{_started(run)}-{short}"
    path.mkdir(mode=0o700, exist_ok=True)
    about = path.lstat()
    if not stat.S_ISDIR(about.st_mode) or about.st_uid != os.getuid():
        raise MissingError(f"{path} is somebody else's")
    with open(path / "lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # one process of the run starts the guard, the others wait for it
        if not (path / "ready").exists():
            guard = [sys.executable, os.path.abspath(__file__), str(run), str(path), *command]
            started = subprocess.run(guard, stdin=subprocess.DEVNULL, capture_output=True, text=True)
            if started.returncode:
                raise MissingError(f"{command[0]} did not start: {started.stderr.strip()}")
    return path


def _digest(text: str) -> int:
    found = 0
    for byte in text.encode():
        found = (found * 31 + byte) & 0xFFFFFFFF
    return found


def _started(pid: int) -> str:
    """When a process began, in ticks since the machine did: a pid comes again, with another begin."""
    return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[19]


def _guard(run: int, path: Path, command: list[str]) -> int:
    """Start the server, answer whoever waits, and stay until the run is gone."""
    watched = os.pidfd_open(run)
    with open(path / "log", "wb") as log:
        process = _start(command, path, log.fileno()) if command else None
    if process is not None and not _listens(process, path / "socket"):
        sys.stderr.write((path / "log").read_text(errors="replace"))
        shutil.rmtree(path)
        return 1
    (path / "ready").touch()
    if os.fork():
        os._exit(0)  # whoever waits goes on
    os.setsid()
    null = os.open(os.devnull, os.O_RDWR)
    for each in range(3):
        os.dup2(null, each)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, lambda *_: None)  # poll is resumed: the guard ends with the run alone
    select.select([watched], [], [])
    if process is not None:
        os.kill(process.pid, signal.SIGKILL)
    with suppress(OSError):
        shutil.rmtree(path)
    return 0


def _start(command: list[str], path: Path, log: int) -> subprocess.Popen[bytes]:
    full = [each.replace("SOCKET", str(path / "socket")).replace("FOLDER", str(path)) for each in command]
    return subprocess.Popen(full, stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True)


def _listens(process: subprocess.Popen[bytes], path: Path) -> bool:
    while process.poll() is None:
        with suppress(OSError), socket.socket(socket.AF_UNIX) as probe:
            probe.connect(str(path))
            return True
        time.sleep(0.02)
    return False


if __name__ == "__main__":
    sys.exit(_guard(int(sys.argv[1]), Path(sys.argv[2]), sys.argv[3:]))
