"""Mutants that hold a lock for too short or too long, in another order, or not at all."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from tools.mutants.mutant import Mutant, modules, numbered, place

HELD: Final = {("impl", "pool.py"): "self.lock"}
"""The lock that callers of a module's functions already hold, so that one taken inside is the second."""

Statements = list[ast.stmt]
Change = tuple[str, str, Statements]
"""The kind of a mutant, its description, and the statements that replace the section."""


@dataclass(slots=True)
class Section:
    """A critical section: the statements `block[at:end]`, of which `body` is done under the lock.

    `outer` is the lock already held there, if any; `tries` says that a busy lock makes the section skipped.
    """

    block: Statements
    at: int
    end: int
    lock: ast.expr
    body: Statements
    outer: ast.expr | None
    tries: bool = False


def mutants(package: str) -> Iterator[Mutant]:
    """Yield every lock-scope mutant of a package, in order."""
    yield from numbered(each for path, text in modules(package) for each in of_module(package, path, text))


def of_module(package: str, path: str, text: str) -> Iterator[Mutant]:
    """Yield every lock-scope mutant of one module."""
    held = HELD.get((package, path))
    tree = ast.parse(text)
    for number, section in enumerate(sections(tree, held)):
        line = section.block[section.at].lineno
        function, digest = place(tree, line)
        for which in range(len(changes(section))):
            changed = ast.parse(text)
            mine = list(sections(changed, held))[number]
            kind, new, statements = changes(mine)[which]
            mine.block[mine.at : mine.end] = statements
            old = f"with {ast.unparse(section.lock)}"
            source = ast.unparse(ast.fix_missing_locations(changed)) + "\n"
            yield Mutant(package, path, function, kind, line, old, new, source, digest)


def sections(tree: ast.Module, held: str | None = None) -> Iterator[Section]:
    """Yield the critical sections of a module from top to bottom, outer ones before inner ones."""
    yield from _within(tree, ast.parse(held, mode="eval").body if held else None)


def _within(node: ast.AST, outer: ast.expr | None) -> Iterator[Section]:
    for block in _blocks(node):
        skip = 0
        for at, statement in enumerate(block):
            if at < skip:
                continue
            section = _section(block, at, outer)
            if section is None:
                yield from _within(statement, outer)
                continue
            skip = section.end
            yield section
            yield from _within(ast.Module(section.body, []), section.lock)


def _section(block: Statements, at: int, outer: ast.expr | None) -> Section | None:
    """Return the critical section that begins with this statement, if any.

    It is a `with`, a lock acquired before a `try`, or a lock released by a later statement of the block.
    """
    plain = _plain(block, at, outer)
    if plain is not None:
        return plain
    match block[at : at + 2]:
        case [ast.With(items=[ast.withitem(context_expr=lock)], body=body), *_] if _is_lock(lock):
            return Section(block, at, at + 1, lock, body, outer)
        case [ast.Expr(value=call), ast.Try() as tried] if (taken := _acquired(call)) is not None:
            return Section(block, at, at + 2, taken, tried.body, outer)
        case [ast.If(test=ast.UnaryOp(op=ast.Not(), operand=call), body=[other, *_]), ast.Try() as tried] if (
            taken := _acquired(call)
        ) is not None:
            tries = not ast.unparse(other).startswith("take(")
            return Section(block, at, at + 2, taken, tried.body, outer, tries)
    return None


def _plain(block: Statements, at: int, outer: ast.expr | None) -> Section | None:
    """Return the section between statements that acquire and release a lock, without a `try`."""
    match block[at]:
        case ast.Expr(value=call):
            lock, tries = _acquired(call), False
        case ast.If(test=ast.UnaryOp(op=ast.Not(), operand=call), body=[first, *_]):
            lock, tries = _acquired(call), not ast.unparse(first).startswith("take(")
        case _:
            return None
    if lock is None:
        return None
    release = ast.dump(_call(lock, "release"))
    for end in range(at + 1, len(block)):
        if ast.dump(block[end]) == release:
            return Section(block, at, end + 1, lock, block[at + 1 : end], outer, tries)
    return None


def _is_lock(node: ast.expr) -> bool:
    return isinstance(node, ast.Attribute) and node.attr.endswith("lock")


def _acquired(node: ast.expr) -> ast.expr | None:
    match node:
        case ast.Call(func=ast.Attribute(value=lock, attr="acquire")) if _is_lock(lock):
            return lock
    return None


def changes(section: Section) -> list[Change]:
    """Return all changes of a critical section."""
    lock, body = section.lock, section.body
    found: list[Change] = [("drop the lock", "no lock", body)]
    if section.tries:
        return [
            *found,
            (
                "wait for the lock",
                "waits",
                [_call(lock, "acquire"), *section.block[section.at + 1 : section.end]],
            ),
        ]
    if len(body) > 1:
        found.append(("acquire late", f"after {_first(body[0])}", [body[0], _held(lock, body[1:])]))
        if not _idle(body[-1]):
            found.append(("release early", f"before {_first(body[-1])}", [_held(lock, body[:-1]), body[-1]]))
    for at in range(1, len(body)):
        if all(map(_idle, body[at:])):
            break
        halves: Statements = [_held(lock, body[:at]), _held(lock, body[at:])]
        found.append(("split in two", f"before {_first(body[at])}", halves))
    if _leaves(body):
        kept = [_call(lock, "acquire"), *body, _call(lock, "release")]
        found.append(("keep the lock", "kept by whoever returns or raises", kept))
    if section.outer is not None:
        outer = section.outer
        swapped = _held(lock, [_call(outer, "acquire"), *body])
        found.append(("swap two locks", f"before {ast.unparse(outer)}", [_call(outer, "release"), swapped]))
    return found


def _held(lock: ast.expr, body: Statements) -> ast.stmt:
    return ast.With([ast.withitem(lock)], body)


def _call(lock: ast.expr, method: str) -> ast.stmt:
    return ast.Expr(ast.Call(ast.Attribute(lock, method, ast.Load()), [], []))


def _first(statement: ast.stmt) -> str:
    """Return the first line of a statement."""
    return ast.unparse(statement).splitlines()[0]


def _idle(statement: ast.stmt) -> bool:
    """Whether a statement only returns local variables, for which no lock matters."""
    if not isinstance(statement, ast.Return):
        return False
    kinds = ast.Return | ast.Name | ast.Constant | ast.Tuple | ast.expr_context
    return all(isinstance(node, kinds) for node in ast.walk(statement))


def _leaves(body: Statements, *, in_loop: bool = False) -> bool:
    """Whether the section can be left before its end."""
    for statement in body:
        if isinstance(statement, ast.Return | ast.Raise):
            return True
        if isinstance(statement, ast.Break | ast.Continue) and not in_loop:
            return True
        loops = in_loop or isinstance(statement, ast.For | ast.While)
        if any(_leaves(block, in_loop=loops) for block in _blocks(statement)):
            return True
    return False


def _blocks(node: ast.AST) -> Iterator[Statements]:
    """Yield the blocks of a statement, including those of its handlers and cases."""
    for name in ("body", "orelse", "finalbody"):
        yield getattr(node, name, [])
    for name in ("handlers", "cases"):
        for each in getattr(node, name, []):
            yield each.body
