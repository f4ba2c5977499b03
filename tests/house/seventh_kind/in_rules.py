"""Rule ``constant``: a constant that became a function is read."""

from __future__ import annotations

from compat.analysis.rules import report

RULE = "constant"
NEEDS_RECEIVERS = False


def find(uses):
    """Report every reference to a target of this kind."""
    return report.by_path(uses, RULE)
