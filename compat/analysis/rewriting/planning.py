"""Plan the rewrite of one file: pass each reference to the rewriter of its kind, or skip it with a reason."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Optional

from ..model.scopes import ImportedName
from ..reading import suppressions
from ..rules.method import reads as method_uses
from . import attributes, beforehand, doctests, guards, kinds, overrides, statements, strings
from .inlining import uses as inlining
from .kinds.method import hold, inline_members
from .options import PLAIN, Options
from .plan import Plan

if TYPE_CHECKING:
    from ..model.doctests import Program
    from ..model.file_uses import FileUses
    from ..model.references import Reference
    from .options import Chosen


def make_plan(uses: FileUses, options: Options = PLAIN) -> Plan:
    """Decide about every reference of a file."""
    plan = begin(uses, options)
    if options.skip_all:
        hold(plan, method_uses(uses), all_patches=True)
        inlining.hold(plan)
        for reference in plan.references:
            plan.skip(reference, options.skip_all)
        return plan
    plan.members.extend(method_uses(uses))
    hold(plan, plan.members)
    inlining.hold(plan)
    verdicts = overrides.settle(plan, uses, options.overrides)
    options = replace(options, overrides=verdicts)
    inline_members(plan, uses)
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
            if not inlining.decide_import(plan, item, reference):
                kinds.IMPORTS[reference.target.kind](plan, item, reference, uses)
    attributes.decide(plan)
    overrides.decide(plan, uses, verdicts)
    strings.decide(plan)
    for decide_members in kinds.MEMBERS:
        decide_members(plan, uses)
    for program, inner in uses.doctests:
        if program.is_docstring:
            inside = replace(options, kept_locals=frozenset(), chosen=_inside(program, options.chosen))
            doctests.take_over(plan, program, make_plan(inner, inside))
        else:
            doctests.leave(plan, program, inner.references)
    plan.settle()
    statements.rewrite(plan)
    plan.skips.sort(key=lambda skip: (skip.line, skip.column, skip.symbol))
    return plan


def begin(uses: FileUses, options: Options) -> Plan:
    """An empty plan, which knows what is not to be touched."""
    plan = Plan(uses.file, uses.targets, uses.references, options)
    for allowance in suppressions.read(uses.file.source):
        plan.allowed_lines.update(allowance.lines)
    return plan


def _inside(program: Program, chosen: Optional[Chosen]) -> Optional[Chosen]:
    """What was selected, asked of places in a doctest."""
    return None if chosen is None else lambda rule, symbol, start: chosen(rule, symbol, program.place(start))


def _has_code(reference: Reference) -> bool:
    row = reference.target.move
    return row is not None and bool(row.replacement) and row.legacy == reference.target.legacy


def _left_alone(plan: Plan, item: ImportedName, reference: Reference) -> Optional[str]:
    """A reason not to touch an import at all; empty for one that a comment allows, ``None`` where nothing speaks against."""
    file, targets = plan.file, plan.targets
    if plan.is_left(reference):
        return ""
    if reference.how == "re-export":
        return "it is imported from a module that hands it on; that module is the one to change"
    if reference.target.is_tombstone or reference.target.stays:
        return None if not _has_code(reference) else guards.around_import(plan, item)  # else its own rewriter says why it is left
    if _has_code(reference):
        return guards.around_import(plan, item)
    reason = beforehand.leads_nowhere(targets, reference.target)
    if reason:
        return reason
    read = file.statement(item.statement)
    if read is None or len(read.aliases) != len(item.statement.names):
        return "the statement is written in a way that is not rewritten"
    if file.module and file.module == reference.target.canonical.partition(":")[0]:
        return "this file is the canonical module itself"
    return guards.around_import(plan, item)
