"""Builds the libraries of these tests. Without a compiler the tests are skipped; in CI they fail."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from tmem.conformance.compiled import header
from tmem.conformance.schedules.native.toolchain import flags

STORES = Path(__file__).with_name("stores")
Build = Callable[..., Path]


def tool(*names: str) -> str:
    """Return the first of these programs that is installed; skip the test, or fail it in CI, if none is."""
    for name in names:
        if shutil.which(name):
            return name
    message = f"none of {', '.join(names)} is installed: what it would compile goes unchecked"
    if os.environ.get("CI"):
        pytest.fail(message)
    pytest.skip(message)


@pytest.fixture(scope="session")
def headers(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with tmem.h."""
    folder = tmp_path_factory.mktemp("include")
    (folder / "tmem.h").write_text(header.text())
    return folder


@pytest.fixture
def build(headers: Path, tmp_path: Path) -> Build:
    """Compiles a store of this folder to a library, with macros, without any help of tmem."""

    def built(source: str, *macros: str) -> Path:
        library = tmp_path / f"lib{'-'.join((Path(source).stem, *macros))}.so"
        options = [f"-I{headers}", *(f"-D{macro}" for macro in macros)]
        command = [tool("cc", "gcc", "clang"), "-g", "-O1", "-shared", "-fPIC", *options]
        subprocess.run([*command, "-o", str(library), str(STORES / source)], check=True)
        return library

    return built


@pytest.fixture(scope="session")
def instrument(headers: Path, tmp_path_factory: pytest.TempPathFactory) -> Build:
    """Compiles a store of this folder, with macros, to a library whose threads can be scheduled."""
    folder = tmp_path_factory.mktemp("instrumented")

    def built(source: str, *macros: str) -> Path:
        library = folder / f"lib{'-'.join((Path(source).stem, *macros))}.so"
        if not library.exists():
            options = [f"-I{headers}", *(f"-D{macro}" for macro in macros)]
            language, *compilers = (
                ("cpp", "c++", "g++") if source.endswith("cpp") else ("c", "cc", "gcc", "clang")
            )
            command = [tool(*compilers), *options, str(STORES / source), "-o", str(library)]
            subprocess.run([*command, *flags(language)], check=True)
        return library

    return built
