"""Decide from its source whether a canonical module defines a name; names it does not define are not rewritten."""

from __future__ import annotations

import ast
from functools import lru_cache
from typing import Optional

from .adapters import parse_module
from .module_files import find_module_file

#: What may bind names that the text of a module does not spell.
_DYNAMIC = frozenset(("globals", "vars", "locals", "setattr", "exec", "__getattr__", "__path__"))


def has_name(module: str, name: str) -> Optional[bool]:
    """Whether ``module`` binds ``name`` or has a submodule of that name; ``None`` where its source does not tell."""
    tree = parse_module(module)
    bound = _bound(tree) if tree is not None else None
    if bound is None:
        return None
    return name in bound or bool(find_module_file(f"{module}.{name}")) or (name.startswith("__") and name.endswith("__"))


@lru_cache(maxsize=512)
def _bound(tree: ast.Module) -> Optional[frozenset[str]]:
    """The names that a module's text binds at module level; ``None`` where it may bind others."""
    names: set[str] = set()
    pending: list[ast.AST] = list(tree.body)
    while pending:
        node = pending.pop()
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
            names.add(node.name)
            names.update(name for inner in ast.walk(node) if isinstance(inner, ast.Global) for name in inner.names)
            continue
        if isinstance(node, (ast.Import, ast.ImportFrom)):
            names.update(alias.asname or alias.name.partition(".")[0] for alias in node.names)
            continue
        word = node.id if isinstance(node, ast.Name) else getattr(node, "name", None) or getattr(node, "rest", None)
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load):
            if word in _DYNAMIC:
                return None
        elif isinstance(word, str):
            names.add(word)
        pending.extend(ast.iter_child_nodes(node))
    return None if "*" in names or names & _DYNAMIC else frozenset(names)
