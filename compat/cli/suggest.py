"""What was probably meant by a word that is not known, and examples for the help of every command."""

from __future__ import annotations

from collections.abc import Iterable

EXAMPLES = {
    "doctor": ("compat doctor", "COMPAT_DIR=/var/lib/netra-compat compat doctor"),
    "init": ("compat init", "compat init --write"),
    "ci": ("compat ci github", "compat ci pre-commit --write"),
    "check": ("compat check", "compat check --ledger shop.moves:LEDGER --format json"),
    "scan": (
        "compat scan src tests",
        "compat scan src --format sarif --output scan.sarif",
        "compat scan --baseline debt.json src",
    ),
    "fix": ("compat fix src", "compat fix --write src tests"),
    "compliance": ("compat compliance src", "compat compliance src --format json"),
    "prune": ("compat prune --as-of 3.0 src", "compat prune --as-of 3.0 --write src"),
    "explain": ("compat explain shop_util:Money", "compat explain --ledger shop shop_util:Money"),
    "guide": ("compat guide", "compat guide --write", "compat guide --check"),
    "stubs": ("compat stubs --out typings", "compat stubs --out typings --check"),
    "export": ("compat export ruff", "compat export alerts --output alerts.yml", "compat export grafana --output dashboard.json"),
}
"""Command lines by command, for those whose docstring has none."""


def examples_of(name: str) -> str:
    """Return the examples of a command as its help shows them; empty for none."""
    return "\n".join(["Examples:", *(f"  {line}" for line in EXAMPLES[name])]) if name in EXAMPLES else ""


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """Return `` Did you mean 'report'?`` with what is nearest to ``word``, or nothing."""
    from difflib import get_close_matches

    near = get_close_matches(word, list(known), n=2, cutoff=0.6)
    return f" Did you mean {' or '.join(map(repr, near))}?" if near else ""
