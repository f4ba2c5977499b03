"""Which classes of the tree derive from a class whose methods a ledger speaks of, and by what they do."""

from __future__ import annotations

import ast
import builtins
from typing import TYPE_CHECKING, NamedTuple, Optional

from .inferring.types import CLASS, INSTANCE

if TYPE_CHECKING:
    from .inferring.inference import Inference
    from .scopes import Scope

_DEPTH = 24


class Lineage(NamedTuple):
    """The classes above a class: ``roots`` are those that a ledger speaks of (dotted), ``between`` those of the tree, with their
    paths; ``is_known`` is false where a base class is not found."""

    roots: frozenset[str] = frozenset()
    between: tuple[tuple[str, Scope], ...] = ()
    is_known: bool = True


def above(inference: Inference, scope: Scope, depth: int = 0) -> Lineage:
    """What a class of a file derives from."""
    roots: set[str] = set()
    between: dict[str, Scope] = {}
    is_known = depth < _DEPTH
    spare = _built_in(inference, scope)
    for base in inference.bases(scope) if is_known else ():
        if not base and spare:
            spare -= 1
            continue
        if base in inference.receivers.classes:
            roots.add(base)
            continue
        found = inference.class_at(base) if base else None
        if found is None:
            is_known = False
            continue
        home, inner = found
        more = above(home, inner, depth + 1)
        roots |= more.roots
        between.update({base: inner, **dict(more.between)})
        is_known = is_known and more.is_known
    return Lineage(frozenset(roots), tuple(between.items()), is_known)


def _built_in(inference: Inference, scope: Scope) -> int:
    """How many bases of a class are classes that Python itself gives a name."""
    assert isinstance(scope.node, ast.ClassDef)
    names = [base.id for base in scope.node.bases if isinstance(base, ast.Name) and base.id != "object"]
    return sum(hasattr(builtins, name) and not inference.names.lookup(scope.parent or scope, name) for name in names)


def class_of(inference: Inference, scope: Scope, node: ast.AST) -> tuple[str, str]:
    """The class (dotted) that an expression is, or is an instance of, and what speaks against it; empty where unknown."""
    made = inference.value(scope, node)
    if made is None or made.form not in (INSTANCE, CLASS):
        return "", ""
    return made.path, made.doubt


def class_around(inference: Inference, scope: Scope, node: ast.AST) -> Optional[Scope]:
    """The class whose bases a ``super()`` asks: the one around it, or the one that it names; ``None`` for any other node."""
    if not (isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "super" and not node.keywords):
        return None
    if inference.names.lookup(scope, "super") or len(node.args) not in (0, 2):
        return None
    if node.args:
        found = inference.class_at(class_of(inference, scope, node.args[0])[0])
        return found[1] if found is not None and found[0] is inference else None
    at: Optional[Scope] = scope
    while at is not None and at.form != "class":
        at = at.parent
    return at
