"""Kind ``constant``: the function is imported instead, and called where the constant was read."""

from __future__ import annotations

from compat.analysis.rewriting import locals as local_names
from compat.analysis.rewriting.plan import Placement


def decide(plan, item, reference, uses):
    """Place the function, and add the call to each read; leave what cannot be renamed."""
    module, _, function = reference.target.canonical.partition(":")
    if item.alias.asname is not None or local_names.rename(plan, item, function) is None:
        plan.skip_item(item, reference, f"it is a function now: call {function}()")
        return
    for chain in plan.uses_of(item):
        plan.edit(*plan.file.span(chain.root), f"{function}()")
    plan.placements[item] = [Placement(module, function, function)]
