"""Findings: their fields, their rules, and the order in which they are reported."""

from __future__ import annotations

from typing import NamedTuple, Protocol

from compat.ledger import KINDS

HIGH, MEDIUM, LOW = "high", "medium", "low"

#: Rules that are not a kind of move: what each one means, for legends and SARIF.
META_RULES = {
    "factory-bypass": "A factory-built class is constructed directly.",
    "singleton": "A factory-built class is kept as a process-wide single instance.",
    "fragmentation": "One symbol is imported through more than one path.",
    "unparsable": "The file could not be parsed, decoded or read; it was searched by text.",
    "unused-allowance": "A `# compat: allow[...]` comment allows nothing.",
}

#: The rules of the kinds of move.
KIND_RULES = {kind.kind: kind.meaning for kind in KINDS.values()}

RULES = {**KIND_RULES, **META_RULES}

#: By which constructs a scan selects, besides rules and rows.
CONSTRUCTS = ("imports", "strings", "attributes", "re-exports", "methods", "arguments", "policy", "config", "doctests")

#: Rules that look at how canonical and legacy objects are used rather than at a row; on with ``--rules``.
POLICY = ("factory-bypass", "singleton", "fragmentation")


class Use(Protocol):
    """What findings and entries of a baseline say of a use."""

    @property
    def rule(self) -> str: ...

    @property
    def how(self) -> str: ...

    @property
    def symbol(self) -> str: ...

    @property
    def path(self) -> str: ...


class Finding(NamedTuple):
    """One use at one place. Lines and columns count from 1, columns in characters; ``span`` is in bytes of UTF-8.

    ``how`` says by which construct: import, star, attribute, call, patch, string, export, doctest, text, config, ...
    """

    rule: str
    move: str
    how: str
    path: str
    line: int
    column: int
    end_line: int
    end_column: int
    span: tuple[int, int]
    confidence: str
    message: str
    replacement: str
    symbol: str = ""
    code: str = ""

    def sort_key(self) -> tuple[str, int, int, str, str]:
        """Order findings by place, then by rule."""
        return (self.path, self.line, self.column, self.rule, self.move)

    def as_dict(self) -> dict[str, object]:
        """Return plain data, as the JSON format holds it."""
        return self._asdict()
