"""Rename a local name wherever it refers to one binding, or nowhere."""

from __future__ import annotations

import builtins
import re
from typing import TYPE_CHECKING, Optional

from .edits import Edit, replacing

if TYPE_CHECKING:
    from ..model.scopes import ImportedName
    from .plan import Plan

DYNAMIC = frozenset(("eval", "exec", "locals", "globals", "vars", "dir"))


def rename(plan: Plan, item: ImportedName, new: str) -> Optional[list[Edit]]:
    """Edits that rename the uses of an import to ``new``; ``None`` where that could change what the program does."""
    file = plan.file
    old = item.local
    if not new.isidentifier() or hasattr(builtins, new) or not plan.is_sole_binding(item):
        return None
    if item.scope.form == "class" or old in plan.kept_locals or not is_private_enough(plan, item):
        return None
    if new in plan.names_in_use() or DYNAMIC & plan.names_in_use() or any(other.name == "*" for other in file.names.imports):
        return None
    edits: list[Edit] = []
    for chain in plan.uses_of(item):
        start, end = file.span(chain.root)
        if file.source.data[start:end] != old.encode():
            return None
        edits.append(replacing(file.source.data, start, end, new))
    return None if is_said(plan, old) else edits


def is_private_enough(plan: Plan, item: ImportedName) -> bool:
    """A package's ``__init__`` is there to be imported from; so is a stub."""
    if item.scope is not plan.file.names.module:
        return True
    path = plan.file.source.path
    return not path.endswith(("__init__.py", ".pyi"))


def is_said(plan: Plan, old: str) -> bool:
    """Whether a text says the name that cannot be followed: an odd annotation or doctest, the name itself, ``f"{name=}"``."""
    word = re.compile(rf"\b{re.escape(old)}\b")
    if any(word.search(text) for text in plan.file.unread):
        return True
    for text in plan.file.names.texts:
        value = str(text.node.value)
        if word.search(value) and (text.role == "annotation" or value == old or re.search(rf"\b{re.escape(old)}\s*=\s*$", value)):
            return True
    return False
