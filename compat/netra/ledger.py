"""The shipped ledger: every row of every family."""

from __future__ import annotations

import os

from compat import __version__
from compat.ledger import Ledger, Move, Name
from compat.ledger.move import MODULE

from .advice import ROOT, advise
from .rows import (
    auth,
    bridge,
    components,
    configuration,
    context,
    docker,
    environment,
    ids,
    managers,
    messages,
    otherwise,
    paths,
    replacements,
    testing,
    types,
)

#: In the order in which they are looked through; no two have a row for the same path.
FAMILIES = (
    environment,
    types,
    context,
    ids,
    testing,
    docker,
    configuration,
    components,
    auth,
    messages,
    managers,
    bridge,
    paths,
    otherwise,
)


def _owner(homes: dict[str, Move], home: str, name: str) -> Move | None:
    """The row of a name in its home module; where the whole module moved, one made from that."""
    owner = homes.get(f"{home}:{name}")
    whole = homes.get(home)
    if owner is not None or whole is None or whole.place != MODULE or whole.is_tombstone:
        return owner
    return Name(f"{home}:{name}", f"{whole.canonical}:{name}", since=whole.since, removal=whole.removal, instead=None)


def _all_rows() -> list[Move]:
    rows: list[Move] = [row for family in FAMILIES for row in family.ROWS]
    homes = {row.legacy: row for row in rows}
    for family in (managers, bridge, paths):
        for module, home, words in family.PASSED_ON:
            for word in words.split():
                new, _, old = word.partition("=")
                legacy = f"{module}:{new}"
                owner = _owner(homes, home, old or new)
                if legacy not in homes and owner is not None:
                    homes[legacy] = owner.replace(legacy=legacy, id=legacy)
                    rows.append(homes[legacy])
    return [replacements.coded(advise(row)) for row in rows]


LEDGER = Ledger(
    "netra",
    version=__version__,
    docs="MIGRATION.md",
    generic=("app", "dev_launcher", "shared", "test_framework", "tests"),
    intro=os.path.join(os.path.dirname(__file__), "intro"),
    stopgaps=(ROOT,),
    rows=_all_rows(),
)
