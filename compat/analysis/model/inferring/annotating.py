"""What annotations say: the types that names, containers and aliases in them stand for."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING, Optional, Protocol

from . import types
from .definitions import is_none, last
from .types import AWAITED, CALLED, CLASS, INSTANCE, ITEMS, PARTS, VALUES, Type

if TYPE_CHECKING:
    from ..scopes import Names, Scope

_LOOKED_THROUGH = frozenset(("Optional", "Annotated", "Final", "ClassVar", "Required", "NotRequired", "ReadOnly"))
_ITERABLES = frozenset(
    ("list", "List", "set", "Set", "frozenset", "FrozenSet", "deque", "Deque", "Sequence", "MutableSequence", "Collection")
    + ("Iterable", "Iterator", "Generator", "AsyncIterable", "AsyncIterator", "AsyncGenerator", "AbstractSet", "MutableSet")
    + ("KeysView", "ValuesView")
)
_MAPPINGS = frozenset(("dict", "Dict", "Mapping", "MutableMapping", "defaultdict", "DefaultDict", "OrderedDict"))
_AWAITABLES = frozenset(("Awaitable", "Coroutine", "Task", "Future"))


class Values(Protocol):
    """What tells the types of expressions in one file."""

    names: Names

    def value(self, scope: Scope, node: Optional[ast.AST]) -> Optional[Type]:
        """The type of an expression."""


def annotated(inference: Values, scope: Scope, node: Optional[ast.AST], own: str = "") -> Optional[Type]:
    """The type that an annotation names; ``own`` is what ``Self`` is."""
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        try:
            node = ast.parse(node.value.strip(), mode="eval").body
        except (SyntaxError, ValueError, RecursionError, MemoryError):
            return None
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.BitOr):
        sides = [side for side in (node.left, node.right) if not is_none(side)]
        return types.agreed(annotated(inference, scope, side, own) for side in sides)
    if isinstance(node, ast.Subscript):
        return _subscripted(inference, scope, node, own)
    if not isinstance(node, (ast.Name, ast.Attribute)):
        return None
    if own and last(node) == "Self":
        return Type(INSTANCE, own)
    made = inference.value(scope, node)
    if made is not None and made.form == CLASS:
        return Type(INSTANCE, made.path, doubt=made.doubt)
    if isinstance(node, ast.Name):
        # An alias: Carts = list[Cart].
        values = [binding.value for binding in inference.names.lookup(scope, node.id)]
        if len(values) == 1 and isinstance(values[0], (ast.Subscript, ast.BinOp)):
            return annotated(inference, inference.names.module, values[0])
    return None


def _subscripted(inference: Values, scope: Scope, node: ast.Subscript, own: str) -> Optional[Type]:
    head = last(node.value)
    inner: ast.AST = node.slice
    parts = inner.elts if isinstance(inner, ast.Tuple) else [inner]
    if head in _LOOKED_THROUGH:
        return annotated(inference, scope, parts[0], own)
    if head == "Union":
        return types.agreed(annotated(inference, scope, part, own) for part in parts if not is_none(part))
    if head in _ITERABLES:
        return types.of(ITEMS, annotated(inference, scope, parts[0], own))
    if head in ("tuple", "Tuple"):
        if len(parts) == 2 and isinstance(parts[1], ast.Constant) and parts[1].value is ...:
            return types.of(ITEMS, annotated(inference, scope, parts[0], own))
        return Type(PARTS, inner=tuple(annotated(inference, scope, part, own) for part in parts))
    if head in _MAPPINGS:
        return types.of(VALUES, annotated(inference, scope, parts[-1], own)) if len(parts) == 2 else None
    if head in _AWAITABLES:
        return types.of(AWAITED, annotated(inference, scope, parts[-1], own))
    if head == "Callable":
        return types.of(CALLED, annotated(inference, scope, parts[-1], own)) if len(parts) == 2 else None
    if head in ("type", "Type"):
        made = annotated(inference, scope, parts[0], own)
        return Type(CLASS, made.path) if made is not None and made.form == INSTANCE else None
    made = inference.value(scope, node.value)  # a generic class
    return Type(INSTANCE, made.path, doubt=made.doubt) if made is not None and made.form == CLASS else None
