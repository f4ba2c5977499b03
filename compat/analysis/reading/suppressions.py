"""Suppression comments: ``# compat: allow[rule] reason``, the findings they suppress, and unused ones."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from ..findings import HIGH, RULES, Finding
from . import lexer

if TYPE_CHECKING:
    from collections.abc import Iterable

    from .sources import Source

_COMMENT = re.compile(rb"#[^\r\n]*?\bcompat:[ \t]*allow(?:\[([^\]\r\n]*)\])?")


@dataclass
class Allowance:
    """One comment; ``lines`` are those it speaks for: its own, and the next code line where it stands alone."""

    rules: tuple[str, ...]
    start: int
    end: int
    lines: tuple[int, ...]
    used: set[str] = field(default_factory=set)


def read(source: Source) -> list[Allowance]:
    """Find the allowances of a file, in comments only."""
    if b"compat:" not in source.data:
        return []
    tokens = lexer.tokens(source.data)
    comments = None if tokens is None else {token.start for token in tokens if token.is_comment}
    found: list[Allowance] = []
    for match in _COMMENT.finditer(source.data):
        if comments is not None and match.start() not in comments:
            continue
        names = (match.group(1) or b"*").decode("utf-8", "replace")
        rules = tuple(name.strip() for name in names.split(",") if name.strip())
        line = source.position(match.start())[0]
        lines = [line]
        if source.line(line).lstrip().startswith("#"):
            following = line + 1
            while following <= len(source.starts) and source.line(following).lstrip().startswith("#"):
                following += 1
            lines.append(following)
        found.append(Allowance(rules, match.start(), match.end(), tuple(lines)))
    return found


def apply(source: Source, findings: Iterable[Finding], active: Iterable[str]) -> list[Finding]:
    """Drop allowed findings, and add one for each rule that a comment allows in vain."""
    allowances = read(source)
    if not allowances:
        return list(findings)
    kept = [finding for finding in findings if not _allowed(finding, allowances)]
    known = set(active)
    for allowance in allowances:
        for rule in allowance.rules:
            if rule in allowance.used or (rule in RULES and rule not in known) or (rule == "*" and allowance.used):
                continue
            kept.append(_unused(source, allowance, rule))
    return kept


def _allowed(finding: Finding, allowances: list[Allowance]) -> bool:
    hit = False
    for allowance in allowances:
        if any(finding.line <= line <= finding.end_line for line in allowance.lines):
            for rule in allowance.rules:
                if rule in ("*", finding.rule):
                    allowance.used.add(rule)
                    hit = True
    return hit


def _unused(source: Source, allowance: Allowance, rule: str) -> Finding:
    line, column = source.position(allowance.start)
    end_line, end_column = source.position(allowance.end)
    if rule in RULES or rule == "*":
        message = f"The comment allows {'anything' if rule == '*' else rule} where there is no such finding."
    else:
        message = f"The comment allows {rule!r}, which is no rule; there are {', '.join(RULES)}."
    return Finding(
        rule="unused-allowance",
        move="unused-allowance",
        how="comment",
        path=source.path,
        line=line,
        column=column,
        end_line=end_line,
        end_column=end_column,
        span=(allowance.start, allowance.end),
        confidence=HIGH,
        message=message,
        replacement="Remove the comment.",
        symbol=rule,
        code=source.line(line).strip()[:200],
    )
