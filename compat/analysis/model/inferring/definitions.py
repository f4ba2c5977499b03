"""What definitions and expressions are by their form alone, for :mod:`compat.analysis.model.inferring.inference`."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING, Optional, Union

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ..scopes import Scope

    Function = Union[ast.FunctionDef, ast.AsyncFunctionDef]

FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef)


def is_open(node: ast.expr) -> bool:
    """Whether a container is written out, so that nothing says what else may be put into it."""
    return isinstance(node, (ast.List, ast.Set, ast.Dict, ast.ListComp, ast.SetComp, ast.DictComp))


def is_none(node: Optional[ast.AST]) -> bool:
    return isinstance(node, ast.Constant) and node.value is None


def is_object(node: ast.AST) -> bool:
    return isinstance(node, ast.Name) and node.id in ("object", "Generic", "Protocol", "ABC")


def last(node: Optional[ast.AST]) -> str:
    return node.attr if isinstance(node, ast.Attribute) else node.id if isinstance(node, ast.Name) else ""


def decorators(function: Optional[ast.AST]) -> frozenset[str]:
    """The last words of a function's decorators; one that is not a name is a word nobody knows."""
    found = getattr(function, "decorator_list", ())
    return frozenset(last(item.func if isinstance(item, ast.Call) else item) or "?" for item in found)


def is_self(scope: Scope, node: ast.expr) -> bool:
    bindings = scope.bindings.get(node.id, ()) if isinstance(node, ast.Name) else ()
    return bool(bindings) and all(binding.path == "<self>" for binding in bindings)


def own_nodes(function: Function) -> Iterator[ast.AST]:
    """The nodes of a function's body, not those of functions and classes inside of it."""
    pending: list[ast.AST] = [*function.body]
    while pending:
        node = pending.pop()
        yield node
        if not isinstance(node, (*FUNCTIONS, ast.ClassDef, ast.Lambda)):
            pending.extend(ast.iter_child_nodes(node))


def yields(function: Function) -> bool:
    return any(isinstance(node, (ast.Yield, ast.YieldFrom)) for node in own_nodes(function))
