"""Rule ``deprecated``: what stays where it is, and is deprecated there, is imported, read, called, constructed or subclassed."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING, NamedTuple

from ..model.scopes import Chain, ImportedName
from . import report

if TYPE_CHECKING:
    from collections.abc import Iterator

    from compat.ledger import Move

    from ..findings import Finding
    from ..model.file_uses import FileUses
    from ..model.references import Reference
    from ..model.scopes import Names

RULE = "deprecated"
NEEDS_RECEIVERS = False


class Use(NamedTuple):
    """One use that a row means: the reference by which it is known, how it is used, and its span."""

    reference: Reference
    row: Move
    how: str
    start: int
    end: int


def find(uses: FileUses) -> Iterator[Finding]:
    """Report each use; of a class that is deprecated in one way, the uses in that way only."""
    for use in meant(uses):
        if use.how == use.reference.how:
            yield report.from_reference(uses.file.source, uses.targets, use.reference, RULE)
        else:
            span = use.start, use.end
            yield report.from_row(uses.file.source, uses.targets, use.row, span, RULE, use.how, use.reference.confidence)


def meant(uses: FileUses) -> Iterator[Use]:
    """Every use of what rows of this kind name."""
    for reference in uses.references:
        row = reference.target.move
        if row is None or reference.target.kind != RULE:
            continue
        subject = reference.subject
        ways = getattr(row, "on", ())
        if ways and isinstance(subject, ImportedName):
            for chain in uses.file.names.chains:
                if chain.root.id == subject.local and not chain.attributes and _means(uses.file.names, chain, subject):
                    how = _way(uses.file.names, chain, "call" if chain.call is not None else "")
                    if how in ways:
                        yield Use(reference, row, how, *uses.file.span(chain.root))
            continue
        how = _way(uses.file.names, subject, reference.how) if ways and isinstance(subject, Chain) else reference.how
        if not ways or how in ways:
            yield Use(reference, row, how, reference.start, reference.end)


def _means(names: Names, chain: Chain, item: ImportedName) -> bool:
    return any(binding is item.binding for binding in names.lookup(chain.scope, chain.root.id))


def _way(names: Names, chain: Chain, how: str) -> str:
    """``construct`` or ``subclass`` where a class is used in one of these ways; else how it is referred to."""
    parent = names.parents.get(chain.node)
    if isinstance(parent, ast.Subscript):
        parent = names.parents.get(parent)
    if isinstance(parent, ast.ClassDef):
        return "subclass" if any(chain.node in ast.walk(base) for base in parent.bases) else how
    return "construct" if how == "call" else how
