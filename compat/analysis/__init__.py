"""Where legacy use is written: scan, fix, stubs, guide, compliance; everything derived from the ledger's rows.

findings, sources, files, config     what is told, what is read
lexer, dialects, scopes, receivers   Python source of any version, its names and types
targets, references, rules           rows as source code writes them
scanner, baseline, formats           a tree's findings, known debt, reports
edits, fixer                         rewriting, span by span
stubs, guide, explain, export        what else a row says
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from .config import Settings
    from .debt.compliance import Compliance, measure
    from .documents.explain import Explanation, explain
    from .findings import Finding
    from .fixer import Fix, fix
    from .rewriting import Outcome, Skip, fix_text
    from .scanning.scanner import Scan, scan

_HOMES = {
    "Compliance": "debt.compliance",
    "Explanation": "documents.explain",
    "Finding": "findings",
    "Fix": "fixer",
    "Outcome": "rewriting",
    "Scan": "scanning.scanner",
    "Settings": "config",
    "Skip": "rewriting",
    "explain": "documents.explain",
    "fix": "fixer",
    "fix_text": "rewriting",
    "measure": "debt.compliance",
    "scan": "scanning.scanner",
}

__all__ = [
    "Compliance",
    "Explanation",
    "Finding",
    "Fix",
    "Outcome",
    "Scan",
    "Settings",
    "Skip",
    "explain",
    "fix",
    "fix_text",
    "measure",
    "scan",
]


def __getattr__(name: str) -> object:
    home = _HOMES.get(name)
    if home is None:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    value = getattr(import_module(f".{home}", __name__), name)
    globals()[name] = value
    return value
