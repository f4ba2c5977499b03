"""What to do instead of each target that exists for old code only: in the core, in another library, or nothing.

Tables by subject, of ``<module below compat.netra>[:<name>]``: the name's own line counts, then its module's, then those of
the packages around that. Rows whose target lies here leave ``instead`` to these tables.

people     environment, logging, configuration, types, identifiers, contexts
traffic    messages, connections, events, readiness
serving    managers, agents, authentication
trials     test bases, mocks, test clients, containers
"""

from __future__ import annotations

from compat.ledger import Move
from compat.ledger.move import TARGET

from . import people, serving, traffic, trials

ROOT = "compat.netra"
_TABLE = {**people.TABLE, **traffic.TABLE, **serving.TABLE, **trials.TABLE}


def advise(row: Move) -> Move:
    """The row with the advice of its target; unchanged where it has words of its own, or a target to move to."""
    if row.instead is not None or not row.canonical.startswith(f"{ROOT}.") or row.place == TARGET:
        return row
    words = find(row.canonical)
    return row if words is None else row.replace(instead=words)


def find(target: str) -> str | None:
    """The advice of a target: its own, or that of the module or package around it."""
    path, _, name = target[len(ROOT) + 1 :].partition(":")
    if name and f"{path}:{name}" in _TABLE:
        return _TABLE[f"{path}:{name}"]
    while path:
        if path in _TABLE:
            return _TABLE[path]
        path = path.rpartition(".")[0]
    return None
