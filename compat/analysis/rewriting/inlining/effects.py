"""Whether what a call computes is computed as before: each argument once, in order, and before what follows."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING, NamedTuple, Optional

if TYPE_CHECKING:
    from collections.abc import Iterator

    from compat.ledger.templates import Template

    from ...model.scopes import Names, Scope
    from .values import Value

#: What evaluating an argument may mean: nothing, however often; nothing, but once, for it makes a new object or is named by an
#: import; a look at something that others may change; anything.
FREE, FRESH, READ, ANYTHING = range(4)


def level(names: Names, scope: Scope, node: Optional[ast.expr]) -> int:
    """How much evaluating an expression at a place may mean."""
    if node is None or isinstance(node, ast.Constant):
        return FREE
    if isinstance(node, ast.Name):
        return _of_name(names, scope, node.id)
    if isinstance(node, ast.Tuple):
        return max([FREE, *(level(names, scope, item) for item in node.elts)])
    if isinstance(node, ast.UnaryOp) and isinstance(node.operand, ast.Constant):
        return FREE
    if isinstance(node, (ast.List, ast.Set)):
        return max([FRESH, *(level(names, scope, item) for item in node.elts)])
    if isinstance(node, ast.Dict):
        return max([FRESH, *(level(names, scope, item) for item in [*node.keys, *node.values])])
    if isinstance(node, ast.Lambda) and not node.args.defaults and not any(node.args.kw_defaults):
        return FRESH
    return ANYTHING


def _of_name(names: Names, scope: Scope, name: str) -> int:
    owner = names.owner(scope, name)
    if owner is None:
        return FREE
    bindings = owner.bindings[name]
    if all(binding.statement is not None for binding in bindings):
        return FRESH
    if owner.form == "module":
        return READ
    shared = any(name in other.declared_nonlocal for other in names.scopes)
    return READ if shared or owner is not scope else FREE


class _Event(NamedTuple):
    """A place that is filled in, or (``name`` empty) something that the expression itself does."""

    name: str = ""
    is_certain: bool = True


def problem(template: Template, given: dict[str, list[Value]]) -> str:
    """Why an expression does not compute arguments as the call did; ``""`` where it does."""
    events = list(_events(template, template.tree, True))
    order: list[Value] = []
    acted = False
    for event in events:
        if not event.name:
            acted = True
            continue
        for value in given.get(event.name, ()):
            if value.level > FREE and value in order:
                return f"{value.shown} would be computed more than once"
            if value.level > FREE and not event.is_certain:
                return f"{value.shown} would not be computed each time"
            if value.level >= READ and acted:
                return f"{value.shown} would be computed after a part of its replacement has run"
            order.append(value)
    values = [value for values in given.values() for value in values]
    for value in values:
        if value.level > FRESH and value not in order:
            return f"{value.shown} has no effect any more, but computing it may have one"
    acting = [value for value in order if value.level >= READ]
    for before, after in zip(acting, acting[1:]):
        if before.place > after.place and ANYTHING in (before.level, after.level):
            return f"{before.shown} and {after.shown} would be computed in another order"
    return ""


def _events(template: Template, node: ast.AST, is_certain: bool) -> Iterator[_Event]:
    """What happens when an expression is evaluated, in that order."""
    names = {id(piece.node): piece.name for piece in template.pieces}

    def walk(node: Optional[ast.AST], is_certain: bool) -> Iterator[_Event]:
        if node is None or isinstance(node, ast.Constant):
            return
        if isinstance(node, ast.Name):
            if id(node) in names:
                yield _Event(names[id(node)], is_certain)
        elif isinstance(node, (ast.Attribute, ast.Starred, ast.FormattedValue)):
            yield from walk(node.value, is_certain)
        elif isinstance(node, ast.IfExp):
            yield from walk(node.test, is_certain)
            yield from walk(node.body, False)
            yield from walk(node.orelse, False)
        elif isinstance(node, ast.BoolOp):
            yield from walk(node.values[0], is_certain)
            for value in node.values[1:]:
                yield from walk(value, False)
        elif isinstance(node, ast.Compare):
            yield from walk(node.left, is_certain)
            yield from walk(node.comparators[0], is_certain)
            yield _Event()
            for value in node.comparators[1:]:
                yield from walk(value, False)
        elif isinstance(node, ast.Dict):
            for key, value in zip(node.keys, node.values):
                yield from walk(key, is_certain)
                yield from walk(value, is_certain)
        elif isinstance(node, ast.Call):
            yield from walk(node.func, is_certain)
            parts = [*node.args, *(word.value for word in node.keywords)]
            for part in sorted(parts, key=lambda part: (part.lineno, part.col_offset)):
                yield from walk(part, is_certain)
            yield _Event()
        else:
            for child in ast.iter_child_nodes(node):
                yield from walk(child, is_certain)
            if isinstance(node, (ast.Await, ast.BinOp, ast.UnaryOp, ast.Subscript, ast.JoinedStr)):
                yield _Event()

    yield from walk(node, is_certain)
