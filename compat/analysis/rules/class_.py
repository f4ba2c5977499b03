"""Class: a class that a factory builds now is imported, constructed or subclassed under its legacy path."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from ..model.references import Reference
from ..model.scopes import Chain
from . import report

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ..findings import Finding
    from ..model.references import Facts

RULE = "class"


def find(facts: Facts) -> Iterator[Finding]:
    """Report imports and attribute uses, told apart into construction and subclassing where the class is reached by attribute."""
    for reference in facts.references:
        if reference.target.kind == RULE:
            yield report.from_reference(facts, reference, RULE, use_of(facts, reference))


def use_of(facts: Facts, reference: Reference) -> str:
    """``construct`` or ``subclass`` where a reference by attribute is one; else how it refers."""
    subject = reference.subject
    if reference.how == "call":
        return "construct"
    if isinstance(subject, Chain):
        parent = facts.model.parents.get(subject.node)
        if isinstance(parent, ast.ClassDef) and subject.node in parent.bases:
            return "subclass"
    return reference.how
