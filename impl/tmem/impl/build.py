"""`python -m tmem.impl.build`: compile the store and the native codec.

It takes a C compiler and, for the store, mypy and setuptools.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path
from tempfile import TemporaryDirectory

from tmem import spec
from tmem.impl.codec import build as codec

SOURCES = Path(__file__).parent
CORE = (
    "background",
    "counters",
    "drain",
    "many",
    "mend",
    "order",
    "pool",
    "reclaim",
    "registry",
    "room",
    "store",
)
"""The modules that are compiled: those that use a pool or the room. The others are taken from `tmem.impl`."""
PACKAGE = "tmem.impl.compiled"
SETUP = """
import sys
from mypyc.build import mypycify
from setuptools import setup

modules = mypycify(sys.argv[3:], debug_level="0", group_name="{package}._core")
setup(name="core", packages=[], ext_modules=modules, script_args=sys.argv[1:3])
"""


def build(folder: Path = SOURCES / "compiled") -> list[Path]:
    """Compile the extensions into the folder. Raises RuntimeError with the compiler's output if it fails."""
    for needed in ("mypyc", "setuptools"):
        if find_spec(needed) is None:
            raise RuntimeError(f"{needed} is not installed: pip install 'tmem[compiled]'")
    with TemporaryDirectory(prefix="tmem-build-") as place:
        copies = _copy(Path(place))
        command = [sys.executable, "setup.py", "build_ext", "--inplace", "--explicit-package-bases", *copies]
        environment = os.environ | {"MYPYPATH": place, "PYTHONPATH": ""}
        done = subprocess.run(
            command, cwd=place, env=environment, capture_output=True, text=True, check=False
        )
        if done.returncode:
            raise RuntimeError(f"{PACKAGE} does not compile:\n{done.stdout}{done.stderr}")
        made = sorted(Path(place, *PACKAGE.split(".")).glob("*.so"))
        return [_install(extension, folder) for extension in made]


def _copy(place: Path) -> list[str]:
    """Copy the modules to compile into the package, with imports of each other changed to the copies."""
    leave = shutil.ignore_patterns("*.so", "__pycache__")
    shutil.copytree(Path(spec.__file__).parent, place / "tmem" / "spec", ignore=leave)
    shutil.copytree(SOURCES, place / "tmem" / "impl", ignore=leave)
    core = re.compile(rf"\btmem\.impl\.({'|'.join(CORE)})\b")
    copies = []
    for name in CORE:
        copy = Path(*PACKAGE.split("."), f"{name}.py")
        text = (SOURCES / f"{name}.py").read_text()
        (place / copy).write_text(core.sub(rf"{PACKAGE}.\1", text))
        copies.append(str(copy))
    (place / "tmem" / "impl" / "compiled" / "store.pyi").unlink()
    (place / "setup.py").write_text(SETUP.format(package=PACKAGE))
    return copies


def _install(extension: Path, folder: Path) -> Path:
    """Put the extension into the folder in one step: others may be about to import it."""
    fresh = folder / f"{extension.name}.new"
    shutil.copy(extension, fresh)
    return fresh.replace(folder / extension.name)


if __name__ == "__main__":
    try:
        for path in [codec.build(), *build()]:
            print(f"compiled {path}")
    except RuntimeError as error:
        sys.exit(str(error))
