"""Handles what happens to a store from outside: it is dropped without `close`, or the process forks.

A token stands for the store and is dropped with it: a compiled store allows no weak reference to itself.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from itertools import count
from typing import NamedTuple
from weakref import finalize, ref

_numbers = count()
_tokens: dict[int, ref[Token]] = {}


class AtFork(NamedTuple):
    """What a store does at a fork: in the parent before it and after it, and in the child after it."""

    before: Callable[[], None]
    in_parent: Callable[[], None]
    in_child: Callable[[], None]


class Token:
    """Stands for a store; `dropped` is called when the store has been collected."""

    def __init__(self, at_fork: AtFork, dropped: Callable[[], None]) -> None:
        number = next(_numbers)
        self.at_fork = at_fork
        _tokens[number] = ref(self)
        finalize(self, _drop, number, dropped).atexit = False


def _drop(number: int, dropped: Callable[[], None]) -> None:
    del _tokens[number]
    dropped()


def _all() -> list[Token]:
    """Every token, always in the same order, so that two threads that fork do not wait for each other."""
    living = (reference() for reference in list(_tokens.values()))
    return [token for token in living if token is not None]


def _before() -> None:
    for token in _all():
        token.at_fork.before()


def _in_parent() -> None:
    for token in _all():
        token.at_fork.in_parent()


def _in_child() -> None:
    for token in _all():
        token.at_fork.in_child()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(before=_before, after_in_parent=_in_parent, after_in_child=_in_child)
