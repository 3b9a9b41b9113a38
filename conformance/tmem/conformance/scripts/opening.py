"""How a program of its own makes the backends of a target, without the suite."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from importlib.metadata import entry_points
from pathlib import Path

from tmem.conformance.remote.server import SCHEMES
from tmem.conformance.targets.resolve import BUDGETS, GROUP


@dataclass(frozen=True, slots=True)
class Opening:
    """Lines of Python that load the target, and the expression that makes its backend of a number."""

    lines: Sequence[str]
    make: Callable[[int], str]


def opening(target: str) -> Opening:
    """The opening of a target in Python. ValueError for one that is a library, or none."""
    scheme, colon, rest = target.partition(":")
    if scheme == "model":
        strategy = rest if colon else "random"
        return Opening(
            ["from tmem.model import adversary"],
            lambda number: f"adversary.backend({strategy!r}, seed={number})",
        )
    if scheme == "py" and colon:
        place, _, attribute = rest.rpartition(":")
        lines = _file(Path(place)) if place.endswith(".py") else _module(place)
        return Opening(lines, lambda number: f"target.{attribute}()")
    if scheme in SCHEMES and colon:
        lines = [
            "from tmem.conformance.remote.server import server",
            "from tmem.conformance.remote.store import RemoteStore",
        ]
        return Opening(lines, lambda number: f"RemoteStore(server({scheme!r}, {rest!r}))")
    points = {point.name: point for point in entry_points(group=GROUP)}
    if target not in points:
        raise ValueError(f"{target} is nothing that a script of Python can load")
    point = points[target]
    return Opening(_module(point.module), lambda number: f"target.{point.attr}({budget(number)})")


def _file(path: Path) -> list[str]:
    whole = path.resolve()
    return [
        "import importlib.util",
        "",
        f"sys.path.insert(0, {str(whole.parent)!r})",
        f'spec = importlib.util.spec_from_file_location("tmem_target_{_word(whole.stem)}", {str(whole)!r})',
        "target = importlib.util.module_from_spec(spec)",
        "sys.modules[spec.name] = target",
        "spec.loader.exec_module(target)",
    ]


def _module(name: str) -> list[str]:
    return ["import importlib", "", 'sys.path.insert(0, "")', f"target = importlib.import_module({name!r})"]


def _word(stem: str) -> str:
    return "".join(letter if letter.isalnum() else "_" for letter in stem)


def budget(number: int) -> int | None:
    """The budget in bytes of the store of this number, of a target that gets budgets in turn."""
    return BUDGETS[number % len(BUDGETS)]
