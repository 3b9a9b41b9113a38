"""How a library is built so that its threads can be scheduled, and the runtime that it is linked to.

The runtime is compiled where it is used, once for each version of its source, into the user's cache.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import tempfile
from functools import cache
from pathlib import Path
from typing import Final

from tmem.conformance.compiled.library import RUNTIME

SOURCE: Final = Path(__file__).with_name("runtime")
OPTIONS: Final = (
    "-O2",
    "-g",
    "-fPIC",
    "-shared",
    "-fno-builtin",
    "-U_FORTIFY_SOURCE",
    "-w",
    "-Wl,-Bsymbolic",
)
COMPILERS: Final = {"c": ("cc", "gcc", "clang"), "cpp": ("c++", "g++", "clang++")}
SPLIT: Final = ("memcpy", "memmove", "memset", "memcmp")
"""Functions that a compiler must call, and not write out, so that their accesses are seen."""


NEWER: Final = ("-Zexternal-clangrt", "-Cunsafe-allow-abi-mismatch=sanitizer")
"""Options that newer versions of rustc need, and older ones do not have."""


class ToolchainError(Exception):
    """There is no compiler, or it failed; the one line says what to do."""


def compiler(language: str) -> str:
    """The compiler for "c" or "cpp": the environment's CC or CXX, or the first that is installed."""
    wanted = os.environ.get("CC" if language == "c" else "CXX")
    found = next((each for each in (wanted, *COMPILERS[language]) if each and shutil.which(each)), None)
    if found is None:
        raise ToolchainError(
            f"no compiler is installed ({', '.join(COMPILERS[language])}); Debian: apt-get install "
            + ("gcc libc6-dev" if language == "c" else "g++")
        )
    return found


@cache
def runtime() -> Path:
    """The runtime, compiled if it is not yet there. ToolchainError if that cannot be."""
    folder = _cache() / f"runtime-{_version()}"
    library = folder / RUNTIME
    if library.exists():
        return library
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder) as scratch:
        made = Path(scratch) / RUNTIME
        sources = sorted(map(str, SOURCE.glob("*.c")))
        command = [
            compiler("c"),
            *OPTIONS,
            f"-Wl,-soname,{RUNTIME}",
            "-o",
            str(made),
            *sources,
            "-ldl",
            "-lpthread",
        ]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode:
            raise ToolchainError(f"{command[0]} does not compile the runtime: {_first(done.stderr)}")
        made.replace(library)
    # -fsanitize=thread makes the compiler link a library of this name: it finds ours first.
    link = folder / "libtsan.so"
    if not link.is_symlink():
        link.symlink_to(RUNTIME)
    return library


def flags(language: str) -> list[str]:
    """The options that make a compiler of "c", "cpp" or "rust" instrument a library and link the runtime."""
    folder = runtime().parent
    if language == "rust":
        instrument = ["-Zsanitizer=thread", *filter(_rustc_takes, NEWER)]
        return [
            *instrument,
            "-g",
            f"-Lnative={folder}",
            "-ldylib=tmem_runtime",
            f"-Clink-arg=-Wl,-rpath,{folder}",
        ]
    called = [f"-fno-builtin-{name}" for name in SPLIT]
    link = [f"-L{folder}", f"-Wl,-rpath,{folder}", "-Wl,--no-as-needed", "-ltmem_runtime", "-Wl,--as-needed"]
    static = ["-static-libstdc++"] if language == "cpp" else []
    return ["-g", "-O1", "-fPIC", "-shared", "-fsanitize=thread", *called, *static, *link]


def _rustc_takes(option: str) -> bool:
    rustc = shutil.which("rustc")
    if rustc is None:
        return True
    command = [rustc, option, "--print", "sysroot"]
    environment = os.environ | {"RUSTC_BOOTSTRAP": "1"}
    return subprocess.run(command, capture_output=True, env=environment, check=False).returncode == 0


def _cache() -> Path:
    base = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(base) / "tmem"


def _version() -> str:
    digest = hashlib.sha256()
    for each in sorted(SOURCE.iterdir()):
        digest.update(each.read_bytes())
    return digest.hexdigest()[:12]


def _first(text: str) -> str:
    lines = [line for line in text.splitlines() if "error" in line] or text.splitlines()
    return lines[0] if lines else "no message"
