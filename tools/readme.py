"""The backend in the README and its output; `python -m tools.readme` runs it and replaces the output."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path

README = Path(__file__).parents[1] / "README.md"
COMMAND = "tmem check py:mybackend.py:factory"
BACKEND = re.compile(r"```python\n(# mybackend\.py\n.*?)```", re.DOTALL)
OUTPUT = re.compile(rf"(```console\n\$ \.venv/bin/{re.escape(COMMAND)}\n)(.*?)(```)", re.DOTALL)
ROW = re.compile(r"^(TMEM-\S+) .*?  (\S.*?) +[\d,]+ +[\d,]+$", re.MULTILINE)


def part(pattern: re.Pattern[str], group: int) -> str:
    """Return the part of the README that matches the pattern."""
    found = pattern.search(README.read_text(encoding="utf-8"))
    assert found is not None, f"README.md has nothing like {pattern.pattern}"
    return found[group]


def backend() -> str:
    """Return the source of the backend in the README."""
    return part(BACKEND, 1)


def printed() -> str:
    """Return the output of the command as the README shows it."""
    return part(OUTPUT, 2)


def statuses(output: str) -> dict[str, str]:
    """Return the status of each clause in the table that the command prints."""
    return dict(ROW.findall(output))


def run(source: str, folder: Path) -> subprocess.CompletedProcess[str]:
    """Run the command of the README on this source, in this folder."""
    (folder / "mybackend.py").write_text(source, encoding="utf-8")
    program, *arguments = COMMAND.split()
    return subprocess.run(
        [Path(sys.executable).with_name(program), *arguments],
        cwd=folder,
        env=os.environ | {"COLUMNS": "100"},
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )


def main() -> None:
    """Run the command and write its output into the README."""
    with tempfile.TemporaryDirectory() as folder:
        output = run(backend(), Path(folder)).stdout
    lines = "".join(line.rstrip() + "\n" for line in output.strip().splitlines())
    readme = README.read_text(encoding="utf-8")
    README.write_text(OUTPUT.sub(lambda found: found[1] + lines + found[3], readme), encoding="utf-8")


if __name__ == "__main__":
    main()
