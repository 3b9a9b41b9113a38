"""What a clause is, and the register of all of them."""

from __future__ import annotations

import inspect
import textwrap
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, ParamSpec

Arguments = ParamSpec("Arguments")

SOURCES: Final = {
    "T": "Linux, drivers/staging/zcache/tmem.c and tmem.h",
    "Z": "Linux, drivers/staging/zcache/zcache.c",
    "C": "Linux, Documentation/vm/cleancache.txt",
    "F": "Linux, Documentation/vm/frontswap.txt",
    "X": "Xen, xen/common/tmem.c and xen/include/public/tmem.h",
    "I": "Xen, docs/misc/tmem-internals.html",
    "P": "the patch «drivers/staging: zcache: in-kernel tmem code»",
    "ours": "this project",
}


@dataclass(frozen=True, slots=True)
class Clause:
    """A numbered promise: its sentence, its sources, and the function that decides it.

    `implied` clauses follow from others and are kept for their checks.
    """

    id: str
    sentence: str
    sources: tuple[str, ...]
    decide: Callable[..., bool]
    implied: bool = False

    @property
    def example(self) -> str:
        """The worked example, a doctest."""
        lines = (inspect.getdoc(self.decide) or "").splitlines()
        start = next((n for n, line in enumerate(lines) if line.startswith(">>>")), len(lines))
        return "\n".join(lines[start:]).strip()

    @property
    def definition(self) -> str:
        """The code that decides it, without decorator and docstring."""
        source = textwrap.dedent(inspect.getsource(self.decide))
        head, _, rest = source[source.index("def ") :].partition('"""')
        return head.rstrip(" ") + rest.partition('"""\n')[2].rstrip()

    @property
    def place(self) -> str:
        """The function that decides it, by its dotted name."""
        return f"{self.decide.__module__}.{self.decide.__qualname__}"


CLAUSES: Final[dict[str, Clause]] = {}
"""Every clause by its id, in the order of the specification."""
CLAIMS: Final[dict[str, Clause]] = {}
"""Every claim by its name: what a backend may promise beyond the clauses."""


def clause(
    id: str, sentence: str, sources: str, *, implied: bool = False
) -> Callable[[Callable[Arguments, bool]], Callable[Arguments, bool]]:
    """Register the decorated function as what decides a clause; `sources` are keys of SOURCES."""
    return _register(CLAUSES, id, sentence, sources, implied)


def claim(
    id: str, sentence: str, sources: str
) -> Callable[[Callable[Arguments, bool]], Callable[Arguments, bool]]:
    """Register the decorated function as what decides a claim."""
    return _register(CLAIMS, id, sentence, sources, False)


def _register(
    register: dict[str, Clause], id: str, sentence: str, sources: str, implied: bool
) -> Callable[[Callable[Arguments, bool]], Callable[Arguments, bool]]:
    def decorate(decide: Callable[Arguments, bool]) -> Callable[Arguments, bool]:
        register[id] = Clause(id, sentence, tuple(sources.split()), decide, implied)
        return decide

    return decorate
