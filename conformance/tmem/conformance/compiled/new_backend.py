"""`tmem new-backend`: a folder with a naive store to begin with, and what builds and checks it."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Final

from tmem.conformance.compiled import header

FOLDER: Final = Path(__file__).with_name("starters")
LIBRARIES: Final = ("c", "cpp", "rust")
"""Languages of stores in a shared library, which `tmem.h` is for."""
PROGRAMS: Final = ("go", "node", "python-cmd", "rust-cmd")
"""Languages of stores in a program of their own, which answers frames on its standard streams."""
LANGUAGES: Final = (*LIBRARIES, "python", *PROGRAMS)


def write(language: str, folder: Path) -> list[Path]:
    """Write the starter into a new folder; the files. OSError where the folder is there or cannot be made."""
    shutil.copytree(FOLDER / language, folder)
    if language in LIBRARIES:
        (folder / "tmem.h").write_text(header.text())
    return sorted(path for path in folder.rglob("*") if path.is_file())
