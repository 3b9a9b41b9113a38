"""Looks for the first divergence of two targets, in a process of its own: either may hang or crash."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from dataclasses import asdict
from pathlib import Path
from typing import Final

from tmem.conformance.programs.divergence import Divergence, diverge
from tmem.conformance.programs.pages import corpus
from tmem.conformance.run.supervisor import RunError
from tmem.conformance.targets.handshake import shake_hands
from tmem.conformance.targets.resolve import resolve
from tmem.conformance.targets.target import TargetError

PROGRAMS: Final = 2_000
"""Programs after which two targets count as alike."""
_COMMAND: Final = (sys.executable, "-P", "-m", "tmem.conformance.run.compare")


def divergence(one: str, other: str, seed: int, seconds: float) -> Divergence | None:
    """The first divergence of two targets, or None. Raises RunError, in one line."""
    with tempfile.TemporaryDirectory(prefix="tmem-") as folder:
        found = Path(folder) / "found"
        command = [*_COMMAND, str(found), str(seed), one, other]
        try:
            ended = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, timeout=seconds)
        except subprocess.TimeoutExpired:
            raise RunError(f"the search for a divergence did not end within {seconds:.0f} s") from None
        if not found.exists():
            output = ended.stderr.decode(errors="replace")
            raise RunError(f"the search for a divergence ended with code {ended.returncode}", output)
        data = json.loads(found.read_text())
    if isinstance(data, str):
        raise RunError(data)
    if data is None:
        return None
    (one_says, other_says), (one_breaks, other_breaks) = data["answers"], data["breaks"]
    return Divergence(tuple(data["steps"]), data["asked"], (one_says, other_says), (one_breaks, other_breaks))


def _search(one: str, other: str, seed: int) -> Divergence | str | None:
    try:
        targets = (resolve(one), resolve(other))
        sizes = [shake_hands(target, lambda step: None).page_size for target in targets]
    except TargetError as error:
        return str(error)
    if sizes[0] != sizes[1]:
        return f"a page of {one} has {sizes[0]} bytes, one of {other} {sizes[1]}: no program suits both"
    return diverge((targets[0].fresh, targets[1].fresh), corpus(sizes[0], seed), seed, PROGRAMS)


if __name__ == "__main__":
    result = _search(sys.argv[3], sys.argv[4], int(sys.argv[2]))
    Path(sys.argv[1]).write_text(json.dumps(asdict(result) if isinstance(result, Divergence) else result))
