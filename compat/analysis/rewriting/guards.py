"""What stands around an import or a use and makes it one to leave: tests of the legacy path itself, fallbacks."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING, Optional

if TYPE_CHECKING:
    from ..model.scopes import ImportedName
    from .plan import Plan

_EXPECTING = ("raises", "warns", "deprecated_call", "assertRaises", "assertWarns", "assertRaisesRegex", "assertWarnsRegex")
_EXPECTING_MORE = ("catch_warnings", "assertNoLogs", "assertLogs")
_FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef, ast.Lambda)
_TESTED = "the legacy path is what is tested here"


def around_import(plan: Plan, item: ImportedName) -> Optional[str]:
    """A reason to leave an import that lies around its statement."""
    inner: ast.AST = item.statement
    for node in plan.file.names.ancestors(item.statement):
        if isinstance(node, (ast.With, ast.AsyncWith)) and any(_is_expecting(entry.context_expr) for entry in node.items):
            return _TESTED
        if isinstance(node, ast.ExceptHandler) and _catches_import_error(node):
            return "it is the fallback of a guarded import"
        if isinstance(node, ast.Try) and inner in node.body and any(_catches_import_error(h) for h in node.handlers):
            if _binds_same(node, item):
                return "its handler imports the same name from elsewhere"
            if item.name != "*" and not plan.uses_of(item) and not is_exported(plan, item):
                return "only whether the import works is tested here"
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
            break
        inner = node
    return None


def around_use(plan: Plan, use: ast.AST, root: str) -> str:
    """A reason to leave what is read through the module ``root``; empty where there is none."""
    inner = use
    for node in plan.file.names.ancestors(use):
        within = isinstance(node, (ast.With, ast.AsyncWith)) and inner in node.body
        if within and any(_is_expecting(entry.context_expr) for entry in node.items):  # type: ignore[attr-defined]
            return _TESTED
        if isinstance(node, ast.ExceptHandler) and inner in node.body and _catches_import_error(node):
            return "it is the fallback of a guarded use"
        if isinstance(node, ast.Call) and _asks(node, root):
            return "whether the name is there is tested here"
        depends = isinstance(node, (ast.If, ast.IfExp)) and inner is not node.test
        if depends and any(_asks(part, root) for part in ast.walk(node.test)):  # type: ignore[attr-defined]
            return f"what {root} has is tested before it"
        if isinstance(node, _FUNCTIONS):
            break
        inner = node
    return ""


def is_exported(plan: Plan, item: ImportedName) -> bool:
    """Whether an unused import at module level may be there for others."""
    if item.scope is not plan.file.names.module:
        return False
    return item.local in plan.options.kept_locals or any(
        text.role == "all" and text.node.value == item.local for text in plan.file.names.texts
    )


def _asks(node: ast.AST, root: str) -> bool:
    """Whether a node is ``hasattr(root, ...)``, or a ``getattr`` with a default."""
    if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Name) or not node.args:
        return False
    if not (node.func.id == "hasattr" or (node.func.id == "getattr" and len(node.args) == 3)):
        return False
    at: ast.AST = node.args[0]
    while isinstance(at, ast.Attribute):
        at = at.value
    return isinstance(at, ast.Name) and at.id == root


def _is_expecting(node: ast.expr) -> bool:
    call = node.func if isinstance(node, ast.Call) else node
    word = call.attr if isinstance(call, ast.Attribute) else getattr(call, "id", "")
    return word in _EXPECTING or word in _EXPECTING_MORE


def _catches_import_error(node: ast.ExceptHandler) -> bool:
    if node.type is None:
        return True
    kinds = node.type.elts if isinstance(node.type, ast.Tuple) else [node.type]
    named = {getattr(kind, "id", getattr(kind, "attr", "")) for kind in kinds}
    return bool(named & {"ImportError", "ModuleNotFoundError", "Exception", "BaseException", "AttributeError"})


def _binds_same(node: ast.Try, item: ImportedName) -> bool:
    for handler in node.handlers:
        for inner in ast.walk(handler):
            if isinstance(inner, (ast.Import, ast.ImportFrom)):
                for alias in inner.names:
                    if (alias.asname or alias.name.partition(".")[0]) == item.local:
                        return True
    return False
