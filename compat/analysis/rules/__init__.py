"""The rules: one module per kind of move, one per policy."""

from __future__ import annotations

from typing import TYPE_CHECKING

from . import argument, class_, factory_bypass, method, module, name, removed, singleton

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ..findings import Finding
    from ..model.file_uses import FileUses

PATH_FINDERS = (module.find, name.find, class_.find, removed.find)
POLICY_FINDERS = (factory_bypass.find, singleton.find)


def find(uses: FileUses, *, members: bool = True, policy: bool = False) -> Iterator[Finding]:
    """Apply the rules to one file; rules that need the whole tree (fragmentation) are the scanner's.

    ``members`` adds methods and arguments, for which receivers' types are worked out; ``policy`` the policy rules.
    """
    file, targets = uses.file, uses.targets
    for by_path in PATH_FINDERS:
        yield from by_path(file, targets, uses.references)
    if members:
        yield from method.find(file, targets, uses.receivers, uses.legacy_receivers)
        yield from argument.find(file, targets, uses.receivers)
    for by_policy in POLICY_FINDERS if policy else ():
        yield from by_policy(file, targets, uses.receivers)
