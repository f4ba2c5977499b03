"""Calls that take a module or member by name, in one table for the quick scan and the full analysis."""

from __future__ import annotations

from typing import Optional

from compat.ledger import KINDS

#: Functions that import what a string names.
IMPORTERS = ("import_module", "__import__", "resolve_name")
#: Functions that patch, set or look up what a string names, by the last word of what is called.
PATCHERS = ("patch", "setattr", "delattr", "object", "has", "hasattr", "getattr")
#: Those that take ``"module.member"``, or a module and the member's name.
SETTERS = PATCHERS[1:]
#: Further ones, by their last two words.
_PATCHERS_OF_PATCH = ("patch.multiple", "patch.dict")
#: Methods that take a key of ``sys.modules``.
KEYED = ("delitem", "setitem", "pop", "get")
#: What makes the rows of a ledger: the paths among its strings declare moves, and use nothing.
DECLARATIONS = frozenset((*(kind.__name__ for kind in KINDS.values()), "names", "removed"))
#: Functions that read, or may read, any name of the code around their call.
DYNAMIC = frozenset(("eval", "exec", "locals", "globals", "vars", "dir"))
#: A string longer than this is no path.
LONGEST_PATH = 400


def role(callee: str) -> Optional[str]:
    """How a call of a dotted name uses a path among its strings: ``import_module``, ``patch``; ``None`` for any other call."""
    last = callee.rpartition(".")[2]
    if last in IMPORTERS:
        return "import_module"
    if last in PATCHERS or any(callee == name or callee.endswith(f".{name}") for name in _PATCHERS_OF_PATCH):
        return "patch"
    return None
