"""How many uses are allowed: ``self=0 direct=10 indirect=*``."""

from __future__ import annotations

import pytest

from .owners import CATEGORIES

TOTAL = "total"


def parse(text: str) -> dict[str, int | None]:
    """The most uses by category, ``None`` for any number; raise ``pytest.UsageError`` for what is none."""
    found: dict[str, int | None] = {}
    for part in text.replace(",", " ").split():
        name, sign, value = part.partition("=")
        if name not in (*CATEGORIES, TOTAL) or not sign or not (value == "*" or value.isdecimal()):
            raise pytest.UsageError(
                f"compat_max: {part!r} is no limit; write {', '.join(CATEGORIES)} or {TOTAL}, each with a number or *, "
                "such as 'self=0 direct=10 indirect=*'"
            )
        found[name] = None if value == "*" else int(value)
    return found


def faults(limits: dict[str, int | None], counts: dict[str, int]) -> list[str]:
    """One sentence per limit that is passed."""
    counts = {**counts, TOTAL: sum(counts.values())}
    return [
        f"{counts[name]} {name} uses, and compat_max allows {most}"
        for name, most in limits.items()
        if most is not None and counts[name] > most
    ]
