"""The rules: one file per kind of move, one per policy."""

from __future__ import annotations

from typing import TYPE_CHECKING

from . import argument, class_, factory_bypass, method, module, name, removed, singleton

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ..findings import Finding
    from ..references import Facts

KIND_FINDERS = (module.find, name.find, class_.find, method.find, argument.find, removed.find)
POLICY_FINDERS = (factory_bypass.find, singleton.find)


def find(facts: Facts, *, policy: bool = False) -> Iterator[Finding]:
    """Apply every rule to one parsed file; rules that need the whole tree (fragmentation) are the scanner's."""
    for finder in KIND_FINDERS:
        yield from finder(facts)
    if policy:
        for finder in POLICY_FINDERS:
            yield from finder(facts)
