"""Rename methods at attribute reads whose receiver's class is certain."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..rules import method

if TYPE_CHECKING:
    from collections.abc import Iterable

    from .plan import Plan


def decide(plan: Plan, uses: Iterable[method.Use]) -> None:
    """Rename every certain use of a legacy method."""
    for use in uses:
        if plan.is_allowed(use.start):
            continue
        old = use.row.legacy.rpartition(".")[2]
        new = use.row.canonical.rpartition(".")[2]
        rule = "removed" if use.row.kind == "removed" else method.RULE
        if use.row.kind == "removed" or not new or new == old:
            plan.skip_span(use.start, rule, use.row.legacy, f"what replaces it differs: {use.row.instead or 'see its note'}")
        elif use.how == "override":
            plan.skip_span(use.start, rule, use.row.legacy, "a subclass defines it; callers of both names must be moved together")
        elif use.how == "patch":
            plan.skip_span(use.start, rule, use.row.legacy, "a patch must follow the name that the tested code calls")
        elif plan.file.source.data[use.start : use.end] != old.encode():
            plan.skip_span(use.start, rule, use.row.legacy, "the attribute is written in a way that is not rewritten")
        else:
            plan.edit(use.start, use.end, new)
