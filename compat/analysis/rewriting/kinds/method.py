"""Kind ``method``: renamed at attribute reads whose receiver's class is certain."""

from __future__ import annotations

import ast
import re
from typing import TYPE_CHECKING

from compat.ledger import replacement

from ...model.embedded import literal_span
from ...model.references import callee
from ...reading import constructs
from ...rules import method
from .. import overrides
from ..inlining import uses as inlining
from . import deprecated

if TYPE_CHECKING:
    from collections.abc import Iterable

    from compat.ledger import Move

    from ...model.file_uses import FileUses
    from ..plan import Plan


def inline_members(plan: Plan, uses: FileUses) -> None:
    """Inline what has code as its replacement: before classes are decided about, which go by the methods that are left."""
    for use in plan.members:
        if plan.is_allowed(use.start, use.row.kind, use.row.legacy) or use.end in plan.inlined:
            continue
        if use.doubt and inlining.has_code(plan, use.row) and not plan.takes(use.start, use.row.kind, use.row.legacy, use.doubt):
            continue
        left = inlining.on_object(plan, use, (uses.receivers, uses.legacy_receivers))
        if left:
            plan.skip_span(use.start, method.rule_of(use.row), use.row.legacy, left)


def decide_members(plan: Plan, uses: FileUses) -> None:
    """Rename every certain use of a legacy method."""
    for use in plan.members:
        if plan.is_allowed(use.start, use.row.kind, use.row.legacy) or inlining.has_code(plan, use.row):
            continue
        old = use.row.legacy.rpartition(".")[2]
        owner, _, new = use.row.canonical.rpartition(".")
        new = plan.targets.members.renamed_method(owner.replace(":", "."), new)
        rule = method.rule_of(use.row)
        if use.row.stays:
            plan.skip_span(use.start, rule, use.row.legacy, deprecated.reason(use.row))
        elif use.row.differs and use.doubt:
            plan.skip_span(use.start, rule, use.row.legacy, f"it {use.row.differs}, and {use.doubt}")
        elif use.row.differs:
            reason = _reshape(plan, use)
            if reason:
                plan.skip_span(use.start, rule, use.row.legacy, reason)
        elif use.row.is_tombstone or not new or new == old:
            plan.skip_span(use.start, rule, use.row.legacy, f"what replaces it differs: {use.row.instead or 'see its note'}")
        elif use.is_part and overrides.is_plain(plan.targets, use.row):
            continue  # renamed with all its parts
        elif use.how == "override":
            plan.skip_span(use.start, rule, use.row.legacy, _why_defined(plan, use))
        elif use.how == "patch" and _why_not(plan, use):
            plan.skip_span(use.start, rule, use.row.legacy, _why_not(plan, use))
        elif use.how == "patch" and not _is_patchable(plan, use):
            plan.skip_span(use.start, rule, use.row.legacy, "a patch must follow the name that the tested code calls")
        elif use.row.legacy in plan.held:
            plan.skip_span(use.start, rule, use.row.legacy, "a patch of it cannot be rewritten, so that it keeps its name")
        elif use.text is not None:
            end = (literal_span(plan.file, use.text) or (0, 0))[1]
            plan.edit(end - len(old.encode()), end, new)
            plan.moved.add(use.row.legacy)
        elif plan.file.source.data[use.start : use.end] != old.encode():
            plan.skip_span(use.start, rule, use.row.legacy, "the attribute is written in a way that is not rewritten")
        elif not use.doubt or plan.takes(use.start, rule, use.row.legacy, use.doubt):
            plan.edit(use.start, use.end, new)
            plan.moved.add(use.row.legacy)


def _reshape(plan: Plan, use: method.Use) -> str:
    """Add the brackets of a call, or take them off, where a member was the other thing; or say why not."""
    row = use.row
    by_hand = f"it {row.differs}; rewrite it by hand: {replacement(row)}"
    owner, _, new = row.canonical.rpartition(".")
    if use.text is not None or use.how not in ("call", "attribute") or owner.partition(":")[2] != _class_of(row):
        return by_hand
    data, name = plan.file.source.data, row.legacy.rpartition(".")[2].encode()
    if data[use.start : use.end] != name:
        return "the attribute is written in a way that is not rewritten"
    brackets = re.compile(rb"\s*\(\s*\)").match(data, use.end)
    if row.was_called and use.how == "call" and brackets is not None:
        plan.edit(use.start, brackets.end(), new)
        return ""
    if row.was_read and use.how == "attribute" and not _is_stored(plan, use):
        plan.edit(use.start, use.end, f"{new}()")
        return ""
    return by_hand


def _why_defined(plan: Plan, use: method.Use) -> str:
    """Why the method of a subclass keeps its name."""
    if _is_own(plan, use):
        return "a subclass defines it; callers of both names must be moved together"
    new, _, name = use.row.canonical.replace(":", ".").rpartition(".")
    return f"its class derives from an adapter, which has it under this name: derive from {new} instead, and call it {name}"


def _class_of(row: Move) -> str:
    return row.attribute.rpartition(".")[0]


def _is_stored(plan: Plan, use: method.Use) -> bool:
    place = plan.attributes.get(use.end)
    return place is not None and not isinstance(place[1].ctx, ast.Load)


def hold(plan: Plan, found: Iterable[method.Use], *, all_patches: bool = False) -> None:
    """Note the methods of which a patch stays as it is: with another name in the code, it would not be reached.

    A patch of the new name is reached by calls of both names: the old one forwards to it.
    """
    for use in found:
        if use.how == "override" and inlining.has_code(plan, use.row):
            plan.held.add(use.row.legacy)
        stays = (
            all_patches
            or plan.is_allowed(use.start, use.row.kind, use.row.legacy)
            or inlining.has_code(plan, use.row)
            or not _is_patchable(plan, use)
        )
        if use.how == "patch" and stays and _is_own(plan, use) and not _why_not(plan, use):
            plan.held.add(use.row.legacy)


def _why_not(plan: Plan, use: method.Use) -> str:
    """Why a string beside an object is no patch; empty where it is one."""
    call = plan.file.names.parents.get(use.text) if use.text is not None else None
    if not isinstance(call, ast.Call) or constructs.role(callee(call)) is None:
        return "a string whose use is not known"
    last = callee(call).rpartition(".")[2]
    if last in ("has", "hasattr") or (last == "getattr" and len(call.args) > 2):
        return "whether the name is there is tested here"
    return ""


def _is_own(plan: Plan, use: method.Use) -> bool:
    """Whether the method is renamed on its canonical class by a row, not by an adapter."""
    owner, _, name = use.row.legacy.replace(":", ".").rpartition(".")
    return plan.targets.members.methods_of(owner).get(name) is use.row


def _is_patchable(plan: Plan, use: method.Use) -> bool:
    return use.text is not None and _is_own(plan, use) and literal_span(plan.file, use.text) is not None
