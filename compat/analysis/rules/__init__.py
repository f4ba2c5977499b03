"""The rules: one file per kind of move, one per policy."""

from __future__ import annotations

from typing import TYPE_CHECKING

from . import argument, class_, factory_bypass, method, module, name, removed, singleton

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ..findings import Finding
    from ..model.references import Facts

PATH_FINDERS = (module.find, name.find, class_.find, removed.find)
MEMBER_FINDERS = (method.find, argument.find)
POLICY_FINDERS = (factory_bypass.find, singleton.find)


def find(facts: Facts, *, members: bool = True, policy: bool = False) -> Iterator[Finding]:
    """Apply the rules to one parsed file; rules that need the whole tree (fragmentation) are the scanner's.

    ``members`` adds methods and arguments, for which receivers' types are worked out; ``policy`` the policy rules.
    """
    for finder in (*PATH_FINDERS, *(MEMBER_FINDERS if members else ()), *(POLICY_FINDERS if policy else ())):
        yield from finder(facts)
