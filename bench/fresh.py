"""Functions called in a fresh process, where memory and threads of the bench itself do not disturb."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable, Mapping
from importlib import import_module
from typing import Any


def call(
    function: Callable[..., Any], /, environment: Mapping[str, str] | None = None, **arguments: Any
) -> Any:
    """What the function answers there: plain data, as are its arguments. RuntimeError where it fails."""
    path = f"{function.__module__}:{function.__qualname__}"
    done = subprocess.run(
        [sys.executable, "-m", "bench.fresh", path, json.dumps(arguments)],
        env=os.environ | dict(environment or {}),
        stdout=subprocess.PIPE,
        check=False,
    )
    if done.returncode:
        raise RuntimeError(f"{path} failed in its process, with exit status {done.returncode}")
    return json.loads(done.stdout)


def _main(path: str, arguments: str) -> None:
    module, _, name = path.partition(":")
    print(json.dumps(getattr(import_module(module), name)(**json.loads(arguments))))


if __name__ == "__main__":
    try:
        _main(*sys.argv[1:])
    except KeyboardInterrupt:  # the bench, which was interrupted too, says so
        sys.exit(130)
