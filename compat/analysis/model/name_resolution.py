"""Resolve the names of a file scope by scope; optionally only in the functions that matter."""

from __future__ import annotations

import ast
from functools import partial
from typing import TYPE_CHECKING, Optional

from .name_statements import Statements
from .scopes import Names, Part, Scope

if TYPE_CHECKING:
    from collections.abc import Iterable

    from .relevance import Relevance

#: Statements in which no other stands, and the fields of the others (handlers and cases among them) in which some do.
_SIMPLE = (ast.Expr, ast.Assign, ast.AugAssign, ast.AnnAssign, ast.Pass, ast.Raise, ast.Assert, ast.Delete, ast.Global)
_BLOCKS = ("body", "handlers", "orelse", "finalbody", "cases")


def resolve(
    tree: ast.Module,
    module: str = "",
    *,
    is_package: bool = False,
    declares: bool = True,
    relevance: Optional[Relevance] = None,
) -> Names:
    """Resolve the names of a file.

    Parameters
    ----------
    module:
        The file's own dotted name, for relative imports; empty when unknown.
    declares:
        Whether ``global`` or ``nonlocal`` may stand in the file at all.
    relevance:
        Says which parts matter; the others are left out. All of them matter by default.
    """
    package = module if is_package else module.rpartition(".")[0]

    def begin() -> Statements:
        scope = Scope("module", tree, None)
        return Statements(Names(scope, [scope]), package, known=bool(module), declares=declares, defers=relevance is not None)

    visitor = begin()
    if relevance is not None:
        _outline(visitor, tree, tree.body, visitor.names.module)
        chosen = relevance.parts(visitor.names, visitor.deferred)
        if chosen is not None:
            visitor.defers = False
            for part in visitor.deferred:
                if part in chosen:
                    visitor.visit(part.node, part.scope)
                else:
                    visitor.opaque(part.scope, part.node.name, part.node)
                    visitor.names.later[id(part.node)] = partial(visitor.visit, part.node, part.scope)
            return visitor.names
        visitor.names.close()
        visitor = begin()
    visitor.body(tree.body, visitor.names.module)
    while relevance is not None:
        count = len(visitor.names.module.bindings)
        relevance.learn(visitor.names, members=True)
        now = [part for part in visitor.deferred if relevance.matters(*part.lines)]
        later = [part for part in visitor.deferred if not relevance.matters(*part.lines)]
        visitor.deferred, visitor.defers = [], False
        for part in now:
            visitor.statements(part.node, part.scope)
        visitor.deferred = later
        if len(visitor.names.module.bindings) == count:
            # No body bound a new global name, by which another body might matter.
            break
    for part in visitor.deferred:
        visitor.names.later[id(part.node)] = partial(visitor.statements, part.node, part.scope)
    return visitor.names


def _outline(visitor: Statements, parent: ast.AST, nodes: Iterable[ast.AST], scope: Scope) -> None:
    """Take up imports, classes and (put off) functions alone; of other statements no more than that they bind a name."""
    for node in nodes:
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
            visitor.names.parents[node] = parent
            first = min([node.lineno, *(item.lineno for item in node.decorator_list)])
            visitor.deferred.append(Part(node, scope, (first, node.end_lineno or node.lineno)))
        elif isinstance(node, ast.ClassDef):
            visitor.names.parents[node] = parent
            visitor.opaque(scope, node.name, node)
            _outline(visitor, node, node.body, visitor.open("class", node, scope))
        elif isinstance(node, (ast.Import, ast.ImportFrom)):
            visitor.names.parents[node] = parent
            visitor.visit(node, scope)
        else:
            for target in getattr(node, "targets", (getattr(node, "target", None),)):
                visitor.opaque(scope, target.id if isinstance(target, ast.Name) else None, node)
            for name in _BLOCKS if not isinstance(node, _SIMPLE) else ():
                _outline(visitor, node, getattr(node, name, ()), scope)
