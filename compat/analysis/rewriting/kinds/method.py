"""Kind ``method``: renamed at attribute reads whose receiver's class is certain."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ...rules import method
from . import deprecated

if TYPE_CHECKING:
    from ...model.file_uses import FileUses
    from ..plan import Plan


def decide_members(plan: Plan, uses: FileUses) -> None:
    """Rename every certain use of a legacy method."""
    for use in method.reads(uses):
        if plan.is_allowed(use.start):
            continue
        old = use.row.legacy.rpartition(".")[2]
        owner, _, new = use.row.canonical.rpartition(".")
        new = plan.targets.members.renamed_method(owner.replace(":", "."), new)
        rule = method.rule_of(use.row)
        if use.row.stays:
            plan.skip_span(use.start, rule, use.row.legacy, deprecated.reason(use.row))
        elif use.row.is_tombstone or not new or new == old:
            plan.skip_span(use.start, rule, use.row.legacy, f"what replaces it differs: {use.row.instead or 'see its note'}")
        elif use.how == "override":
            plan.skip_span(use.start, rule, use.row.legacy, "a subclass defines it; callers of both names must be moved together")
        elif use.how == "patch":
            plan.skip_span(use.start, rule, use.row.legacy, "a patch must follow the name that the tested code calls")
        elif plan.file.source.data[use.start : use.end] != old.encode():
            plan.skip_span(use.start, rule, use.row.legacy, "the attribute is written in a way that is not rewritten")
        else:
            plan.edit(use.start, use.end, new)
