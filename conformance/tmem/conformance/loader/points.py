"""Puts switch points into code: `__point__()` between statements, and around calls inside expressions.

A point stands before each statement that touches more than local names. Inside a statement, a point stands
between a call and what is touched before or after it. What no other thread can see has no point.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import replace
from typing import Final

from tmem.conformance.loader.expressions import POINT, PURE, Scan, Scope, after_point
from tmem.conformance.loader.names import EVERYTHING, Names, keeps_to_itself, modules, own_names

LEAVES: Final = (
    ast.Return,
    ast.Delete,
    ast.Assign,
    ast.AugAssign,
    ast.AnnAssign,
    ast.Raise,
    ast.Assert,
    ast.Expr,
)


def with_points(tree: ast.Module, names: Names = EVERYTHING) -> ast.Module:
    """Put switch points into the functions of a module, in place. Returns the module."""
    nodes = list(ast.walk(tree))
    shared = {name for node in nodes if isinstance(node, ast.Global | ast.Nonlocal) for name in node.names}
    defined = {node.name for node in nodes if isinstance(node, ast.FunctionDef | ast.ClassDef)}
    assigned = {n.id for n in nodes if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Store)}
    scope = Scope(frozenset(shared), PURE - defined - assigned, own_names(tree, names), modules(tree), names)
    for node in functions(tree):
        if isinstance(node, ast.Lambda):
            scan = Scan(scope)
            node.body = scan.visit(node.body)
            if scan.touched:
                node.body = after_point(node.body)
        else:
            node.body = Statements(replace(scope, fresh=keeps_to_itself(node))).block(node.body)
    return ast.fix_missing_locations(tree)


def functions(tree: ast.Module) -> list[ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda]:
    """Return all functions, inner ones first, so that each statement is processed once."""
    found = [n for n in ast.walk(tree) if isinstance(n, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda)]
    return found[::-1]


def point_before(node: ast.stmt) -> ast.stmt:
    """Return a statement that is a switch point."""
    call = ast.Call(ast.Name(POINT, ast.Load()), [], [])
    return ast.fix_missing_locations(ast.copy_location(ast.Expr(ast.copy_location(call, node)), node))


def is_point(node: ast.stmt) -> bool:
    """Whether a statement is a switch point."""
    return (
        isinstance(node, ast.Expr)
        and isinstance(node.value, ast.Call)
        and isinstance(node.value.func, ast.Name)
        and node.value.func.id == POINT
    )


class Statements:
    """Puts points between the statements of one function."""

    def __init__(self, scope: Scope) -> None:
        self.scope = scope

    def block(self, body: list[ast.stmt], always: bool = False) -> list[ast.stmt]:
        """Return the statements with points. With `always`, as loops need, one stands before the first."""
        with_points = [each for node in body for each in self.statement(node)]
        if always and not is_point(with_points[0]):
            with_points.insert(0, point_before(body[0]))
        return with_points

    def statement(self, node: ast.stmt) -> Iterator[ast.stmt]:
        """Yield the statement, after a point if it touches anything."""
        scan = Scan(self.scope)
        match node:
            case ast.FunctionDef() | ast.AsyncFunctionDef() | ast.ClassDef():
                pass
            case ast.Expr(value=ast.Constant()):
                pass
            case ast.While():
                node.test = after_point(scan.test(node.test))
                scan.touched = False
                self.inside(node)
            case ast.If():
                node.test = scan.test(node.test)
                self.inside(node)
            case ast.For() | ast.AsyncFor():
                node.iter = scan.visit(node.iter)
                node.body = self.block(node.body, always=True)
                node.orelse = self.block(node.orelse)
            case ast.With() | ast.AsyncWith():
                self.with_items(node, scan)
                node.body = self.block(node.body)
            case ast.Match():
                node.subject = scan.visit(node.subject)
                for case in node.cases:
                    self.case(case)
            case ast.Try() | ast.TryStar():
                self.inside(node)
                node.finalbody = self.block(node.finalbody)
                for handler in node.handlers:
                    handler.body = self.block(handler.body)
            case _ if isinstance(node, LEAVES):
                scan.statement(node)
        if scan.touched:
            yield point_before(node)
        yield node

    def inside(self, node: ast.While | ast.If | ast.Try | ast.TryStar) -> None:
        """Process the blocks of a statement."""
        node.body = self.block(node.body)
        node.orelse = self.block(node.orelse)

    def case(self, case: ast.match_case) -> None:
        """Process one case of a match."""
        if case.guard is not None:
            scan = Scan(self.scope)
            guard = scan.visit(case.guard)
            case.guard = after_point(guard) if scan.touched else guard
        case.body = self.block(case.body)

    def with_items(self, node: ast.With | ast.AsyncWith, scan: Scan) -> None:
        """Process the expressions of `with`. A chain of names is a lock, and taking a lock is a point."""
        if all(is_chain(item.context_expr) for item in node.items):
            return
        for item in node.items:
            item.context_expr = scan.visit(item.context_expr)
        scan.touched = True


def is_chain(node: ast.expr) -> bool:
    """Whether the expression is a name, or attributes of a name."""
    return isinstance(node, ast.Name) or (isinstance(node, ast.Attribute) and is_chain(node.value))
