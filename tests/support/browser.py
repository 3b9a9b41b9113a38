"""Chromium without a window, driven over its pipe: pages are loaded, keys pressed, the mouse moved."""

from __future__ import annotations

import base64
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

SECONDS: Final = 60
"""How long Chromium may live: a test that hangs ends it."""
_PIPES: Final = """
import fcntl, os, sys
read, write = (fcntl.fcntl(int(each), fcntl.F_DUPFD, 10) for each in sys.argv[1:3])
os.dup2(read, 3)
os.dup2(write, 4)
os.execvp(sys.argv[3], sys.argv[3:])
"""
"""Chromium wants its pipes as descriptors 3 and 4."""
KEYS: Final = {"Tab": 9, "Enter": 13, " ": 32}


class Browser:
    """One page of a browser; `fetched` are the addresses that it asked for."""

    def __init__(self, send: int, receive: int) -> None:
        self._send, self._receive = send, receive
        self._unread = b""
        self._number = 0
        self._session = ""
        self.fetched: list[str] = []
        target = self.ask("Target.createTarget", url="about:blank")["targetId"]
        self._session = self.ask("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        for domain in ("Page", "Network"):
            self.ask(f"{domain}.enable")

    def ask(self, method: str, **parameters: Any) -> dict[str, Any]:
        """Send a command of the DevTools protocol and return its result."""
        self._number += 1
        message = {"id": self._number, "method": method, "params": parameters}
        if self._session:
            message["sessionId"] = self._session
        os.write(self._send, json.dumps(message).encode() + b"\0")
        while (came := self._next()).get("id") != self._number:
            if came.get("method") == "Network.requestWillBeSent":
                self.fetched.append(came["params"]["request"]["url"])
        assert "error" not in came, came["error"]
        result: dict[str, Any] = came["result"]
        return result

    def _next(self) -> dict[str, Any]:
        while b"\0" not in self._unread:
            data = os.read(self._receive, 1 << 16)
            assert data, "Chromium has ended"
            self._unread += data
        line, self._unread = self._unread.split(b"\0", 1)
        found: dict[str, Any] = json.loads(line)
        return found

    def open(self, path: Path, width: int = 1100, height: int = 900) -> None:
        """Load a file, in a window of this size."""
        self.ask(
            "Emulation.setDeviceMetricsOverride",
            width=width,
            height=height,
            deviceScaleFactor=1,
            mobile=False,
        )
        self.ask("Page.navigate", url=path.as_uri())
        while self.run("document.readyState") != "complete":
            pass

    def run(self, script: str) -> Any:
        """The value of an expression of JavaScript; of a promise, what it becomes."""
        found = self.ask(
            "Runtime.evaluate", expression=script, awaitPromise=True, returnByValue=True, userGesture=True
        )
        assert "exceptionDetails" not in found, found["exceptionDetails"]
        return found["result"].get("value")

    def press(self, key: str) -> None:
        """Press a key and let go."""
        text = {"Enter": "\r", " ": " "}.get(key, "")
        for kind in ("keyDown", "keyUp"):
            self.ask(
                "Input.dispatchKeyEvent",
                type=kind,
                key=key,
                code="Space" if key == " " else key,
                windowsVirtualKeyCode=KEYS[key],
                text=text if kind == "keyDown" else "",
            )

    def point(self, selector: str) -> None:
        """Move the mouse over the middle of an element, which is scrolled to."""
        at = self.run(
            f"(() => {{ const e = document.querySelector({selector!r});"
            "e.scrollIntoView({block: 'center'}); const r = e.getBoundingClientRect();"
            "return {x: r.x + r.width / 2, y: r.y + r.height / 2}; })()"
        )
        self.ask("Input.dispatchMouseEvent", type="mouseMoved", **at)

    def picture(self, path: Path) -> None:
        """Write what the window shows as PNG."""
        path.write_bytes(base64.b64decode(self.ask("Page.captureScreenshot")["data"]))


@contextmanager
def browser(program: str, profile: Path) -> Iterator[Browser]:
    """A browser that ends with the block, with a folder for its profile."""
    theirs, send = os.pipe()
    receive, ours = os.pipe()
    command = ["timeout", str(SECONDS), sys.executable, "-c", _PIPES, str(theirs), str(ours), program]
    options = ["--headless", "--no-sandbox", "--disable-gpu", "--remote-debugging-pipe", "--no-first-run"]
    process = subprocess.Popen(
        [*command, *options, f"--user-data-dir={profile}"],
        pass_fds=(theirs, ours),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    os.close(theirs)
    os.close(ours)
    try:
        yield Browser(send, receive)
    finally:
        os.close(send)
        process.terminate()
        process.wait()
        os.close(receive)
