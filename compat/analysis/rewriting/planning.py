"""Plan the rewrite of one file: pass each reference to the rewriter of its kind, or skip it with a reason."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING, Optional

from ..model.scopes import ImportedName
from ..reading import suppressions
from . import doctests, kinds, statements, strings
from .plan import Plan

if TYPE_CHECKING:
    from collections.abc import Iterable

    from ..model.file_uses import FileUses
    from ..model.references import Reference

_EXPECTING = ("raises", "warns", "deprecated_call", "assertRaises", "assertWarns", "assertRaisesRegex", "assertWarnsRegex")
_EXPECTING_MORE = ("catch_warnings", "assertNoLogs", "assertLogs")


def make_plan(uses: FileUses, *, kept_locals: Iterable[str] = (), skip_all: str = "") -> Plan:
    """Decide about every reference of a file. ``skip_all`` is a reason to leave the whole file alone."""
    file, targets = uses.file, uses.targets
    plan = Plan(file, targets, uses.references, frozenset(kept_locals))
    for allowance in suppressions.read(file.source):
        plan.allowed_lines.update(allowance.lines)
    if skip_all:
        for reference in plan.references:
            plan.skip(reference, skip_all)
        return plan
    by_item: dict[ImportedName, Reference] = {}
    for reference in plan.references:
        if isinstance(reference.subject, ImportedName):
            by_item[reference.subject] = reference
    for item, reference in by_item.items():
        reason = _left_alone(plan, item, reference)
        if reason is not None:
            if reason:
                plan.skip_item(item, reference, reason)
        else:
            kinds.IMPORTS[reference.target.kind](plan, item, reference, uses)
    strings.decide(plan)
    for decide_members in kinds.MEMBERS:
        decide_members(plan, uses)
    for program, inner in uses.doctests:
        if program.is_docstring:
            doctests.take_over(plan, program, make_plan(inner))
        else:
            doctests.leave(plan, program, inner.references)
    statements.rewrite(plan)
    plan.skips.sort(key=lambda skip: (skip.line, skip.column, skip.symbol))
    return plan


def _left_alone(plan: Plan, item: ImportedName, reference: Reference) -> Optional[str]:
    """A reason not to touch an import at all; empty for one that a comment allows, ``None`` where nothing speaks against."""
    file, targets = plan.file, plan.targets
    if plan.is_allowed(reference.start):
        return ""
    if reference.how == "re-export":
        return "it is imported from a module that hands it on; that module is the one to change"
    if reference.target.is_tombstone or reference.target.stays:
        return None  # its own rewriter says why it is left
    if targets.is_stopgap(reference.target):
        return targets.wording.by_hand(reference.target, "import")
    lacking = targets.lacks(reference.target)
    if lacking:
        return lacking
    read = file.statement(item.statement)
    if read is None or len(read.aliases) != len(item.statement.names):
        return "the statement is written in a way that is not rewritten"
    if file.module and file.module == reference.target.canonical.partition(":")[0]:
        return "this file is the canonical module itself"
    return _guard(plan, item)


def _guard(plan: Plan, item: ImportedName) -> Optional[str]:
    """Reasons that lie around a statement: tests of the legacy path itself, fallbacks of a guarded import."""
    inner: ast.AST = item.statement
    for node in plan.file.names.ancestors(item.statement):
        if isinstance(node, (ast.With, ast.AsyncWith)) and any(_is_expecting(entry.context_expr) for entry in node.items):
            return "the legacy path is what is tested here"
        if isinstance(node, ast.ExceptHandler) and _catches_import_error(node):
            return "it is the fallback of a guarded import"
        if isinstance(node, ast.Try) and inner in node.body and any(_catches_import_error(h) for h in node.handlers):
            if _binds_same(node, item):
                return "its handler imports the same name from elsewhere"
            if item.name != "*" and not plan.uses_of(item) and not _is_exported(plan, item):
                return "only whether the import works is tested here"
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
            break
        inner = node
    return None


def _is_expecting(node: ast.expr) -> bool:
    call = node.func if isinstance(node, ast.Call) else node
    name = call.attr if isinstance(call, ast.Attribute) else getattr(call, "id", "")
    return name in _EXPECTING or name in _EXPECTING_MORE


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


def _is_exported(plan: Plan, item: ImportedName) -> bool:
    """Whether an unused import at module level may be there for others."""
    if item.scope is not plan.file.names.module:
        return False
    return item.local in plan.kept_locals or any(
        text.role == "all" and text.node.value == item.local for text in plan.file.names.texts
    )
