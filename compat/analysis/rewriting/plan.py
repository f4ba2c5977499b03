"""The plan for one file: edits, skips with reasons, and the certainty rules every kind of use shares."""

from __future__ import annotations

import ast
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Optional

from ..debt import suppressions
from ..model.scopes import Chain, ImportedName
from .edits import Edit, replacing

if TYPE_CHECKING:
    from collections.abc import Iterable

    from ..model.references import Facts, Reference

_EXPECTING = ("raises", "warns", "deprecated_call", "assertRaises", "assertWarns", "assertRaisesRegex", "assertWarnsRegex")
_EXPECTING_MORE = ("catch_warnings", "assertNoLogs", "assertLogs")


@dataclass(frozen=True)
class Skip:
    """A use that is left as it is: where, which rule and row, and why."""

    path: str
    line: int
    column: int
    rule: str
    symbol: str
    reason: str


@dataclass(frozen=True)
class Placement:
    """Where one imported name comes from in the rewritten file: ``module`` empty means ``import name as local``."""

    module: str
    name: str
    local: str


@dataclass
class Plan:
    """What shall happen to one file. ``kept_locals`` are names that other files know this module by; ``rewritten`` are the spans
    of the import statements that change."""

    facts: Facts
    kept_locals: frozenset[str] = frozenset()
    edits: list[Edit] = field(default_factory=list)
    skips: list[Skip] = field(default_factory=list)
    placements: dict[ImportedName, list[Placement]] = field(default_factory=dict)
    renamed_locals: set[str] = field(default_factory=set)
    allowed_lines: set[int] = field(default_factory=set)
    done: set[int] = field(default_factory=set)
    rewritten: dict[ast.stmt, tuple[int, int]] = field(default_factory=dict)

    def edit(self, start: int, end: int, new: str) -> None:
        """Plan to replace a span."""
        edit = replacing(self.facts.source.data, start, end, new)
        if edit.expected != edit.new and edit not in self.edits:
            self.edits.append(edit)

    def skip(self, reference: Reference, reason: str) -> None:
        """Leave a reference alone, and say why."""
        self.skip_span(reference.start, reference.target.kind, reference.target.legacy, reason)

    def skip_span(self, start: int, rule: str, symbol: str, reason: str) -> None:
        """Leave what stands at an offset alone, and say why."""
        line, column = self.facts.source.position(start)
        made = Skip(self.facts.source.path, line, column, rule, symbol, reason)
        if line not in self.allowed_lines and made not in self.skips:
            self.skips.append(made)

    def is_allowed(self, start: int) -> bool:
        """Whether a comment allows what stands at an offset."""
        return self.facts.source.position(start)[0] in self.allowed_lines

    def uses_of(self, item: ImportedName) -> list[Chain]:
        """Every chain whose root is bound by one imported name."""
        model = self.facts.model
        binding = item.binding
        if binding is None:
            return []
        owner, local = self.owner_of(item), item.local
        return [chain for chain in self._chains[local] if model.owner(chain.scope, local) is owner]

    @cached_property
    def _chains(self) -> dict[str, list[Chain]]:
        """Chains by the local name of an import that they start with."""
        found: dict[str, list[Chain]] = {item.local: [] for item in self.facts.model.imports}
        for chain in self.facts.model.chains:
            if chain.root.id in found:
                found[chain.root.id].append(chain)
        return found

    def owner_of(self, item: ImportedName) -> object:
        """The scope an import binds its name in (another one after ``global``)."""
        for scope in self.facts.model.scopes:
            if item.binding in scope.bindings.get(item.local, ()):
                return scope
        return item.scope

    def is_sole_binding(self, item: ImportedName) -> bool:
        """Whether the local name means this import everywhere; imports of the same path beside it do no harm."""
        for scope in self.facts.model.scopes:
            bindings = scope.bindings.get(item.local, ())
            if item.binding in bindings:
                path = item.binding.path if item.binding is not None else ""
                return all(other.statement is not None and other.path == path for other in bindings)
        return False

    def bound_names(self) -> frozenset[str]:
        """Every identifier that is bound anywhere in the file."""
        return frozenset(name for scope in self.facts.model.scopes for name in scope.bindings)

    def names_in_use(self) -> frozenset[str]:
        """Every identifier that is bound or read anywhere in the file."""
        return self.bound_names() | {chain.root.id for chain in self.facts.model.chains}


def make_plan(facts: Facts, *, kept_locals: Iterable[str] = (), skip_all: str = "") -> Plan:
    """Decide about every reference of a file. ``skip_all`` is a reason to leave the whole file alone."""
    from . import arguments, classes, doctests, methods, modules, names, statements, strings

    plan = Plan(facts, frozenset(kept_locals))
    for allowance in suppressions.read(facts.source):
        plan.allowed_lines.update(allowance.lines)
    if skip_all:
        for reference in facts.references:
            plan.skip(reference, skip_all)
        return plan
    by_item: dict[ImportedName, Reference] = {}
    for reference in facts.references:
        if isinstance(reference.subject, ImportedName):
            by_item[reference.subject] = reference
    for item, reference in by_item.items():
        reason = _left_alone(plan, item, reference)
        if reason is not None:
            if reason:
                plan.skip(reference, reason)
                _skip_uses(plan, item, reason)
        elif reference.target.is_module:
            modules.decide(plan, item, reference)
        elif classes.is_built(facts, reference):
            classes.decide(plan, item, reference)
        else:
            names.decide(plan, item, reference)
    strings.decide(plan)
    methods.decide(plan)
    arguments.decide(plan)
    doctests.decide(plan)
    statements.rewrite(plan)
    plan.skips.sort(key=lambda skip: (skip.line, skip.column, skip.symbol))
    return plan


def _skip_uses(plan: Plan, item: ImportedName, reason: str) -> None:
    chains = set(plan.uses_of(item))
    for reference in plan.facts.references:
        if reference.subject in chains:
            plan.skip(reference, reason)


def _left_alone(plan: Plan, item: ImportedName, reference: Reference) -> Optional[str]:
    """A reason not to touch an import at all; empty for one that a comment allows, ``None`` where nothing speaks against."""
    facts = plan.facts
    if plan.is_allowed(reference.start):
        return ""
    if reference.how == "re-export":
        return "it is imported from a module that hands it on; that module is the one to change"
    if reference.target.kind == "removed":
        return f"it was removed: {facts.targets.words(reference.target, 'import')[1]}"
    if facts.targets.is_stopgap(reference.target):
        return f"what stands behind it only serves old code: {facts.targets.words(reference.target, 'import')[1]}"
    lacking = facts.targets.lacks(reference.target)
    if lacking:
        return lacking
    read = facts.statement(item.statement)
    if read is None or len(read.aliases) != len(item.statement.names):
        return "the statement is written in a way that is not rewritten"
    if facts.module and facts.module == reference.target.canonical.partition(":")[0]:
        return "this file is the canonical module itself"
    return _guard(plan, item)


def _guard(plan: Plan, item: ImportedName) -> Optional[str]:
    """Reasons that lie around a statement: tests of the legacy path itself, fallbacks of a guarded import."""
    inner: ast.AST = item.statement
    for node in plan.facts.model.ancestors(item.statement):
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
    if item.scope is not plan.facts.model.module:
        return False
    return item.local in plan.kept_locals or any(
        text.role == "all" and text.node.value == item.local for text in plan.facts.model.texts
    )
