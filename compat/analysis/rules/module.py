"""Module: the module object itself is imported, or named in a string."""

from __future__ import annotations

from typing import TYPE_CHECKING

from . import report

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ..findings import Finding
    from ..model.references import Facts

RULE = "module"


def find(facts: Facts) -> Iterator[Finding]:
    """Report every reference to a target of this kind."""
    for reference in facts.references:
        if reference.target.kind == RULE:
            yield report.from_reference(facts, reference, RULE)
