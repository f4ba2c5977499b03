"""The rules: one module per kind of move, one per policy."""

from __future__ import annotations

from typing import TYPE_CHECKING

from . import argument, behaviour, class_, deprecated, factory_bypass, method, module, name, removed, singleton

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ..findings import Finding
    from ..model.file_uses import FileUses

#: A new kind is one more module, and a place here. Each has ``RULE``, ``NEEDS_RECEIVERS`` and ``find(uses)``.
KINDS = (module, name, class_, removed, method, argument, deprecated, behaviour)
POLICIES = (factory_bypass, singleton)


def find(uses: FileUses, *, members: bool = True, policy: bool = False) -> Iterator[Finding]:
    """Apply the rules to one file; rules that need the whole tree (fragmentation) are the scanner's.

    ``members`` adds the kinds for which receivers' types are worked out; ``policy`` the policy rules.
    """
    for kind in KINDS:
        if members or not kind.NEEDS_RECEIVERS:
            yield from kind.find(uses)
    for rule in POLICIES if policy else ():
        yield from rule.find(uses.file, uses.targets, uses.receivers)
