"""Find legacy uses in source code and rewrite them: scan, fix, and the documents derived from a ledger's rows.

Each folder imports only from those below it:

output              reports of findings: text, JSON, SARIF, GitHub, GitLab, JUnit
pruning             delete what is due from a library's own source
fixer               rewrite the files of whole trees
debt                baselines and the compliance score
documents           stubs, migration guide, explanation of one name, tables for other linters
scanning            prefilter, quick scan, full examination, cache, worker processes
rewriting           one rewriter per kind of use, import blocks, verification
rules               one rule per kind of move or policy
model               one file: scopes and bindings, references, receiver types, doctests
targets             the ledger's rows indexed by legacy path
reading             source files: encoding, lexing, older and newer syntax, import statements
findings, config    what a finding holds, what ``[tool.compat]`` holds
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
