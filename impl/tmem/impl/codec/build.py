"""`python -m tmem.impl.codec.build`: compile the native codec, beside its source. It takes a C compiler."""

from __future__ import annotations

import shlex
import subprocess
import sys
import sysconfig
from pathlib import Path

SOURCE = Path(__file__).with_name("_native.c")


def build(folder: Path = SOURCE.parent) -> Path:
    """Compile the extension into the folder; RuntimeError with the output of a compiler that fails."""
    target = folder / f"_native{sysconfig.get_config_var('EXT_SUFFIX')}"
    fresh = target.with_suffix(".new")
    compiler = shlex.split(sysconfig.get_config_var("LDSHARED") or "cc -shared")
    include = sysconfig.get_paths()["include"]
    command = [*compiler, "-O3", "-fPIC", "-Wall", f"-I{include}", str(SOURCE), "-o", str(fresh)]
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=False)
    except OSError as error:
        raise RuntimeError(f"no C compiler, on Debian apt-get install gcc libc6-dev: {error}") from None
    if done.returncode:
        raise RuntimeError(f"{shlex.join(command)} failed:\n{done.stderr}")
    return fresh.replace(target)  # at once: others may be about to import it


if __name__ == "__main__":
    try:
        print(f"compiled {build()}")
    except RuntimeError as error:
        sys.exit(str(error))
