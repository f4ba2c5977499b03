"""Which expression serves a target: that of its row, or the body of the thin wrapper that stands behind it."""

from __future__ import annotations

import ast
from dataclasses import replace
from typing import TYPE_CHECKING, Optional, Union

from compat.ledger import Name, advice, templates
from compat.ledger.move import NAME, TARGET
from compat.ledger.templates import NotCode, Template

from . import bodies, overriding

if TYPE_CHECKING:
    from compat.ledger import Move

    from ...targets import Targets

#: What is known of a row: its template, why it has none, or (``None``) that it does not say to inline anything.
Known = Union[Template, str, None]


def of_row(targets: Targets, row: Optional[Move]) -> Known:
    """The template of a row that is used under its own legacy path."""
    if row is None:
        return None
    known = targets.templates
    if row.legacy not in known:
        known[row.legacy] = _of_row(targets, row)
    return known[row.legacy]  # type: ignore[return-value]


def _of_row(targets: Targets, row: Move) -> Known:
    try:
        if row.replacement:
            made = _completed(row, templates.read(row))
            return replace(made, is_property=True) if row.was_read else made
    except NotCode as error:
        return f"its replacement cannot be inlined: {error}"
    if _became_member(targets, row):
        return templates.path_of(row)
    adapted = targets.members.home(row)
    home = adapted or (row.canonical if row.stays else "")
    if not home:
        return None
    try:
        made = bodies.read(home, of_adapter=bool(adapted))
    except NotCode:
        return None  # nobody said that it is a replacement
    legacy = targets.members.legacy_names_beside(row)
    if any(
        isinstance(node, ast.Attribute) and _is_self(made, node.value) and node.attr in legacy for node in ast.walk(made.tree)
    ):
        return None
    if any(not need.module or advice.lies_in(need.path, targets.stopgaps) for need in made.needs.values()):
        return None
    subclass = "" if adapted else overriding.find(home)
    return f"{subclass} overrides it" if subclass else made


def _became_member(targets: Targets, row: Move) -> bool:
    """Whether a name of a module is an attribute of a class or object now, and nothing else."""
    leads = not (row.is_tombstone or row.stays or row.adapter or row.differs or row.depends or row.function)
    is_own = leads and row.place == NAME and row.is_importable and "." not in row.attribute
    return is_own and "." in row.canonical.partition(":")[2] and not advice.lies_in(row.canonical, targets.stopgaps)


def _is_self(made: Template, node: ast.expr) -> bool:
    return any(piece.node is node and piece.name == "self" for piece in made.pieces)


def _completed(row: Move, made: Template) -> Template:
    """The template of a row with what the source of the callee says of its parameters."""
    found = bodies.find(row.legacy) or (None if row.is_tombstone else bodies.find(row.canonical))
    if found is None:
        is_plain = made.parameters is None and {*made.names} <= {"self"} and not isinstance(made.tree, (ast.Call, ast.Await))
        is_member_read = is_plain and row.place == TARGET and row.kind == Name.kind
        return replace(made, is_property=is_member_read, may_be_value=is_plain and not row.was_called)
    _module, _tree, function, is_method = found
    own = bodies.parameters(function, is_method=is_method)
    names = {*templates.named(own), "self"}
    if made.parameters is None and names.issuperset(made.names):
        made = replace(made, parameters=own)
    if bodies.find(row.legacy) is not None:
        kinds = bodies.decorators(function)
        made = replace(
            made,
            is_async=isinstance(function, ast.AsyncFunctionDef),
            is_property="property" in kinds or "cached_property" in kinds,
        )
    return made


def names_legacy(targets: Targets, template: Template) -> bool:
    """Whether the code of a template may itself use what a row of the ledger speaks of."""
    words = targets.members.own_methods | targets.members.adapted_names
    for node in ast.walk(template.tree):
        path, at = "", node
        while isinstance(at, ast.Attribute):
            if at.attr in words:
                return True
            path, at = f".{at.attr}{path}", at.value
        need = template.needs.get(at.id) if isinstance(at, ast.Name) else None
        found = targets.resolve(f"{need.path}{path}") if need is not None else None
        if found is not None and (not found[0].is_module or found[0].move is not None):
            return True
    return False
