"""Every conforming backend as a target: `tmem check py:tmem.conformance.conforming.seeds:seed_17`."""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import partial

from tmem.conformance.conforming.compose import compose
from tmem.spec.backend import Backend


def __getattr__(name: str) -> Callable[[], Backend]:
    found = re.fullmatch(r"seed_(\d+)", name)
    if found is None:
        raise AttributeError(f"{name} is not a seed; write, for example, seed_17")
    return partial(compose, int(found[1]))
