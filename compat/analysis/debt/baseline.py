"""Baselines: findings that a project has accepted; their number may only fall.

FORMAT_VERSION 1: ``entries`` maps a path to a list of ``[rule, symbol, how, code, count]``. Lines are not stored: an entry
survives when code moves, and a second use of the same kind on an equal line raises the count. What counts is the number per
file and symbol: a use whose line was edited is the same debt as long as there are no more of them.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

from compat._writing import whole_file
from compat.errors import CompatError

if TYPE_CHECKING:
    from collections.abc import Iterable

    from ..findings import Finding

FORMAT_VERSION = 1


class BaselineError(CompatError):
    """A baseline cannot be used; the message says which and why."""


class Key(NamedTuple):
    """What makes two findings the same debt, wherever their line has moved to."""

    path: str
    rule: str
    symbol: str
    how: str
    code: str

    @property
    def label(self) -> str:
        return f"{self.path}: {self.rule} {self.symbol}"


@dataclass
class Comparison:
    """New findings, known ones, and debt of the baseline that is no longer there (paid, but not struck)."""

    new: list[Finding] = field(default_factory=list)
    known: list[Finding] = field(default_factory=list)
    paid: Counter[Key] = field(default_factory=Counter)
    #: Known findings whose line was edited: how they stand in the baseline, and how they stand now.
    edited: list[tuple[Key, Key]] = field(default_factory=list)


def key_of(finding: Finding, root: str) -> Key:
    """The key of a finding, its path relative to the baseline's directory."""
    path = os.path.relpath(finding.path, root).replace(os.sep, "/")
    return Key(path, finding.rule, finding.symbol, finding.how, finding.code)


def fingerprints(findings: Iterable[Finding]) -> list[str]:
    """One stable fingerprint per finding; equal findings of one file are told apart by their order."""
    seen: Counter[Key] = Counter()
    found: list[str] = []
    for finding in findings:
        key = key_of(finding, os.getcwd())
        seen[key] += 1
        found.append(hashlib.sha256("\0".join([*key, str(seen[key])]).encode("utf-8", "surrogatepass")).hexdigest()[:32])
    return found


class Baseline:
    """The debt in one file."""

    def __init__(self, path: str, entries: Counter[Key] | None = None) -> None:
        self.path = path
        self.entries: Counter[Key] = entries if entries is not None else Counter()

    @property
    def root(self) -> str:
        return os.path.dirname(os.path.abspath(self.path))

    @classmethod
    def load(cls, path: str) -> Baseline:
        """Read a baseline; raise :class:`BaselineError` for one that is missing or is none."""
        try:
            with open(path, encoding="utf-8", errors="surrogateescape") as file:
                data = json.load(file)
        except FileNotFoundError:
            raise BaselineError(f"baseline {path!r} does not exist; make it with --update-baseline --accept-new") from None
        except (OSError, ValueError) as error:
            raise BaselineError(f"baseline {path!r} cannot be read: {error}") from None
        if not isinstance(data, dict) or data.get("format_version") != FORMAT_VERSION:
            raise BaselineError(
                f"baseline {path!r} is not of format {FORMAT_VERSION}; make it anew with --update-baseline --accept-new"
            )
        entries: Counter[Key] = Counter()
        try:
            for name, items in data["entries"].items():
                for rule, symbol, how, code, count in items:
                    entries[Key(name, rule, symbol, how, code)] += int(count)
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise BaselineError(f"baseline {path!r} is damaged: {error!r}") from None
        return cls(path, entries)

    def compare(self, findings: Iterable[Finding], scanned: Iterable[str] | None = None) -> Comparison:
        """Split findings into new and known; ``scanned`` (paths) limits what counts as paid to files that were looked at."""
        left = Counter(self.entries)
        result = Comparison()
        found = [(finding, key_of(finding, self.root)) for finding in findings]
        is_exact: list[bool] = []
        for _finding, key in found:
            is_exact.append(left[key] > 0)
            left[key] -= is_exact[-1]
        pools: dict[tuple[str, str, str], list[Key]] = {}
        for key in sorted(left.elements()):
            pools.setdefault(key[:3], []).append(key)
        for (finding, key), exact in zip(found, is_exact):
            pool = pools.get(key[:3])
            if exact or pool:
                result.known.append(finding)
            else:
                result.new.append(finding)
            if not exact and pool:
                before = pool.pop(0)
                left[before] -= 1
                result.edited.append((before, key))
        looked_at = None if scanned is None else {os.path.relpath(path, self.root).replace(os.sep, "/") for path in scanned}
        for key, count in left.items():
            gone = looked_at is None or key.path in looked_at or not os.path.exists(os.path.join(self.root, key.path))
            if count > 0 and gone:
                result.paid[key] = count
        return result

    def known(self, uses: Iterable[tuple[str, str]]) -> int:
        """How many of some uses, each a path and a symbol, are accepted debt; what counts is their number per file and symbol."""
        left: Counter[tuple[str, str]] = Counter()
        for key, count in self.entries.items():
            left[key.path, key.symbol] += count
        found = Counter((os.path.relpath(path, self.root).replace(os.sep, "/"), symbol) for path, symbol in uses)
        return sum((found & left).values())

    def update(self, comparison: Comparison, *, accept_new: bool = False) -> None:
        """Strike paid debt; add new debt only with ``accept_new``."""
        self.entries -= comparison.paid
        for before, now in comparison.edited:
            self.entries[before] -= 1
            self.entries[now] += 1
        if accept_new:
            self.entries.update(key_of(finding, self.root) for finding in comparison.new)

    def save(self) -> None:
        """Write the file whole or not at all, sorted, so that its history reads well."""
        files: dict[str, list[list[object]]] = {}
        for key, count in sorted((+self.entries).items()):
            files.setdefault(key.path, []).append([key.rule, key.symbol, key.how, key.code, count])
        text = json.dumps({"format_version": FORMAT_VERSION, "entries": files}, indent=1, ensure_ascii=False)
        with whole_file(self.path) as file:
            file.write(f"{text}\n".encode(errors="surrogateescape"))
