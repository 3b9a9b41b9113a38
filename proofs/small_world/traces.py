"""Follows the judge along every trace: it must accept a letter exactly where the relation leads somewhere.

A node is the set of worlds in which its traces may have ended, beside what the judge knows after them.
At every node every letter is tried. Nodes that were met before are not tried again; so where no new one
is found, judge and relation agree on every trace, however long.
"""

from __future__ import annotations

import pickle
import time
from collections.abc import Hashable, Iterator
from dataclasses import dataclass
from typing import NamedTuple

from proofs.small_world.alphabet import Letter
from proofs.small_world.numbered import Relation
from proofs.small_world.relation import Setting
from tmem.model.judge import Judge
from tmem.spec.handle import Handle
from tmem.spec.history import Call, State
from tmem.spec.history import follow as follow_history


class Node(NamedTuple):
    """Where a trace led: the worlds it may have ended in, and by the definition of histories the states; the
    judge that saw it (pickled), and the trace."""

    worlds: frozenset[int]
    states: frozenset[State]
    judge: bytes
    trace: tuple[Letter, ...]


@dataclass(frozen=True, slots=True)
class Disagreement:
    """A trace at whose last letter the judge and the relation part, and no letter of which can be spared."""

    trace: tuple[Letter, ...]
    judged: str

    def __str__(self) -> str:
        lines = [f"  {operation} -> {answer!r}" for operation, answer in self.trace]
        return "\n".join([*lines, f"  {self.judged}; the relation does not"])


@dataclass(slots=True)
class Agreement:
    """How far the judge was followed; `complete` where no trace, however long, leads to a new node."""

    nodes: int = 1
    tried: int = 0
    accepted: int = 0
    depth: int = 0
    complete: bool = False
    disagreement: Disagreement | None = None

    def __str__(self) -> str:
        length = "of any length" if self.complete else f"of up to {self.depth} letters"
        counts = f"{self.nodes:,} nodes, {self.tried:,} letters tried, {self.accepted:,} accepted"
        return f"{counts}, traces {length}"


def known(setting: Setting, judge: Judge) -> Hashable:
    """All that decides what the judge will say: which pools it knows and what it believes of their slots."""
    numbers: dict[int, int] = {}
    standing: list[Hashable] = []
    for client, pool in setting.names:
        member = judge.record.member(client, pool)
        if member is None:
            standing.append(None)
            continue
        number = numbers.setdefault(member.pool.number, len(numbers))
        beliefs = tuple(judge.record.may_hold(client, Handle(pool, *place)) for place in setting.places)
        relied = (member.asked, member.fresh) if member.fresh else None
        standing.append((number, member.kind, relied, member.uuid, member.pool.users, beliefs))
    return tuple(standing)


def follow(relation: Relation, judge: Judge, depth: int | None, seconds: float) -> Agreement:
    """Follow a fresh judge to nodes `depth` letters away (None: all), for so much processor time."""
    result, deadline = Agreement(), time.process_time() + seconds
    seen: set[Hashable] = {(relation.start, frozenset((State(),)), known(relation.setting, judge))}
    fresh = pickle.dumps(judge)
    frontier = [Node(relation.start, frozenset((State(),)), fresh, ())]
    while frontier and (depth is None or result.depth < depth):
        found: list[Node] = []
        for node in frontier:
            if time.process_time() > deadline:
                return result
            for key, end in _tried(relation, node, result):
                if key not in seen:
                    seen.add(key)
                    found.append(end)
            if result.disagreement is not None and "`linearizable`" in result.disagreement.judged:
                return result
            if result.disagreement is not None:
                result.disagreement = _smallest(relation, fresh, result.disagreement)
                return result
        result.nodes = len(seen)
        result.depth += 1
        frontier = found
    result.complete = not frontier
    return result


def _tried(relation: Relation, node: Node, result: Agreement) -> Iterator[tuple[Hashable, Node]]:
    # One judge goes on as long as it knows what it knew at the node; `trace` is all that it has accepted.
    knew = known(relation.setting, pickle.loads(node.judge))
    judge: Judge | None = None
    trace = node.trace
    slots = [Handle(0, *place) for place in relation.setting.places]
    for letter, taken in zip(relation.letters, relation.steps, strict=True):
        if judge is None:
            judge, trace = pickle.loads(node.judge), node.trace
        trace = (*trace, letter)
        result.tried += 1
        ends = relation.reach(node.worlds, taken)
        violation = judge.observe(*letter)
        states = follow_history(node.states, Call(*letter, 0, 0), slots, relation.setting.page_size)
        if (violation is None) != bool(ends):
            result.disagreement = Disagreement(trace, _judged(violation))
            return
        if bool(states) != bool(ends):
            result.disagreement = Disagreement(trace, f"`linearizable` says {bool(states)} of this")
            return
        if violation is not None:
            trace = trace[:-1]
            if known(relation.setting, judge) != knew:
                judge = None
            continue
        result.accepted += 1
        key = (ends, states, known(relation.setting, judge))
        if key != (node.worlds, node.states, knew):
            yield key, Node(ends, states, _frozen(judge), trace)
            judge = None


def _frozen(judge: Judge) -> bytes:
    judge.record.transitions.clear()  # what is counted for coverage decides nothing
    judge.record.seen.clear()
    return pickle.dumps(judge, pickle.HIGHEST_PROTOCOL)


def _judged(violation: object) -> str:
    return "the judge accepts this" if violation is None else f"the judge refuses this ({violation})"


def _smallest(relation: Relation, fresh: bytes, found: Disagreement) -> Disagreement:
    *before, last = found.trace
    for position in reversed(range(len(before))):
        shorter = (*before[:position], *before[position + 1 :], last)
        if (judged := _replayed(relation, fresh, shorter)) is not None:
            found = Disagreement(shorter, judged)
            del before[position]
    return found


def _replayed(relation: Relation, fresh: bytes, trace: tuple[Letter, ...]) -> str | None:
    """What the judge says of the last letter, where it is the first on which the two disagree."""
    judge, worlds = pickle.loads(fresh), relation.start
    steps = dict(zip(map(repr, relation.letters), relation.steps, strict=True))
    for letter in trace:
        worlds = relation.reach(worlds, steps[repr(letter)])
        violation = judge.observe(*letter)
        if (violation is None) != bool(worlds):
            return _judged(violation) if letter is trace[-1] else None
        if violation is not None:
            return None
    return None
