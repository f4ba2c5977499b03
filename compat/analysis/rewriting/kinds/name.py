"""Kind ``name``: imports of moved names; the local name is kept, or renamed with all its uses."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from ...targets.adapters import is_async_function
from .. import locals as local_names
from ..plan import Placement
from . import class_

if TYPE_CHECKING:
    from ...model.file_uses import FileUses
    from ...model.references import Reference
    from ...model.scopes import ImportedName
    from ..plan import Plan


def decide(plan: Plan, item: ImportedName, reference: Reference, uses: FileUses) -> None:
    """Place one imported name; a class that a factory builds is rewritten with its constructions."""
    canonical = reference.target.canonical
    if class_.is_built_path(plan.targets, canonical):
        class_.decide(plan, item, reference, uses)
        return
    module, _, name = canonical.partition(":")
    if not name or "." in name:
        plan.skip(reference, f"it became {canonical.replace(':', '.')}, which cannot be imported by a from statement")
        return
    calls = [chain.call for chain in plan.uses_of(item) if chain.call is not None and not chain.attributes]
    mismatch = history(plan, calls, canonical)
    if mismatch:
        plan.skip(reference, mismatch)
        return
    place(plan, item, module, name)


def place(plan: Plan, item: ImportedName, module: str, name: str) -> None:
    """Import ``name`` from ``module`` instead, renaming the uses of the local name where that is safe."""
    local = item.local
    if item.alias.asname is None and name != local:
        edits = local_names.rename(plan, item, name)
        if edits is not None:
            plan.edits.extend(edits)
            if item.scope is plan.file.names.module:
                plan.renamed_locals.add(local)
            local = name
    plan.placements[item] = [Placement(module, name, local)]


def history(plan: Plan, calls: list[ast.Call], canonical: str) -> str:
    """A reason not to rewrite a function that is called one way and defined the other (awaited or not)."""
    if not calls:
        return ""
    is_async = is_async_function(canonical)
    if is_async is None:
        return ""
    parents = plan.file.names.parents
    for call in calls:
        awaited = isinstance(parents.get(call), ast.Await)
        if awaited and not is_async:
            return f"{canonical.replace(':', '.')} is a plain function, and its result is awaited here"
        if is_async and not awaited and not isinstance(parents.get(call), (ast.Call, ast.Starred, ast.List, ast.Return)):
            return f"{canonical.replace(':', '.')} is async, and its result is not awaited here"
    return ""
