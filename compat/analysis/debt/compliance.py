"""The compliance score of a tree by class of file, and the counts reported with it, each with its definition."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterable
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Optional

from ..config import Settings
from ..findings import KIND_RULES, LOW
from ..reading.files import DATA, matches
from ..scanning.scanner import scan

if TYPE_CHECKING:
    from compat.ledger import Ledger

    from ..findings import Finding

LEGEND = {
    "compliant": "A Python file is compliant when no rule finds anything in it (low-confidence findings aside).",
    "score": "The share of compliant files among all Python files, in per cent.",
    "real system": "Every Python file that is no test file.",
    "test files": "Files that match the patterns of tool.compat.test-files.",
    "deprecated imports": "Names and modules imported by a path that a row of the ledger declares legacy; one per name.",
    "import paths": "For each canonical symbol that rows speak of: the distinct dotted paths it is imported by in the tree.",
    "non-factory creations": "Calls that construct a factory-built class outside the modules of class and factory.",
}
_IMPORTS = ("import", "star", "re-export")


@dataclass
class Part:
    """One class of file."""

    files: int = 0
    compliant: int = 0

    @property
    def score(self) -> float:
        """Per cent; an empty class has nothing to reproach."""
        return 100.0 * self.compliant / self.files if self.files else 100.0


@dataclass
class Compliance:
    """The result; ``import_paths`` maps each symbol that has more than one path to its paths."""

    real: Part = field(default_factory=Part)
    tests: Part = field(default_factory=Part)
    deprecated_imports: int = 0
    non_factory_creations: int = 0
    import_paths: dict[str, list[str]] = field(default_factory=dict)
    by_rule: dict[str, int] = field(default_factory=dict)
    test_patterns: tuple[str, ...] = ()

    @property
    def legend(self) -> dict[str, str]:
        """The definitions, with the patterns in force."""
        return {**LEGEND, "test files": f"{LEGEND['test files'][:-1]}: {', '.join(self.test_patterns)}."}

    @property
    def whole(self) -> Part:
        return Part(self.real.files + self.tests.files, self.real.compliant + self.tests.compliant)

    def as_dict(self) -> dict[str, object]:
        """Plain data for JSON, with the definitions."""
        parts = {"whole": self.whole, "real_system": self.real, "test_files": self.tests}
        return {
            "format_version": 1,
            **{name: {**asdict(part), "score": round(part.score, 1)} for name, part in parts.items()},
            "deprecated_imports": self.deprecated_imports,
            "non_factory_creations": self.non_factory_creations,
            "import_paths": self.import_paths,
            "by_rule": self.by_rule,
            "legend": self.legend,
        }

    def text(self) -> str:
        """The report for people, in the shape the system's own reports have."""
        lines = [
            f"Compliance Score: {_percent(self.whole)}%",
            f"Real System: {_percent(self.real)}% compliant ({self.real.files} files)",
            f"Test Files: {_percent(self.tests)}% compliant ({self.tests.files} files)",
            "",
            f"Deprecated imports: {self.deprecated_imports}",
            f"Import paths: {sum(map(len, self.import_paths.values()))} for {len(self.import_paths)} symbols with more than one",
            f"Non-factory creations: {self.non_factory_creations}",
        ]
        if self.import_paths:
            lines.append("")
            for symbol, paths in sorted(self.import_paths.items(), key=lambda item: (-len(item[1]), item[0]))[:10]:
                lines.append(f"  {len(paths):>3}  {symbol}")
        lines += ["", "Definitions:", *(f"  {name}: {words}" for name, words in self.legend.items())]
        return "\n".join(lines) + "\n"


def measure(
    paths: Iterable[str], ledger: Ledger, *, settings: Optional[Settings] = None, gitignore: bool = True, jobs: int = 1
) -> Compliance:
    """Scan with the policy rules and score the result."""
    settings = settings or Settings()
    roots = [os.fspath(path) for path in paths]
    result = scan(roots, ledger, policy=True, settings=settings, gitignore=gitignore, config=False, jobs=jobs)
    made = Compliance(test_patterns=tuple(settings.test_files))
    guilty = {finding.path for finding in result.findings if finding.confidence != LOW}
    for path in result.paths:
        if path.endswith(DATA):
            continue
        part = made.tests if is_test(path, roots, settings) else made.real
        part.files += 1
        part.compliant += path not in guilty
    made.deprecated_imports = sum(_is_deprecated_import(finding) for finding in result.findings)
    made.non_factory_creations = sum(finding.rule == "factory-bypass" for finding in result.findings)
    written: dict[str, set[str]] = {}
    for symbol in result.symbols:
        written.setdefault(symbol.symbol, set()).add(symbol.written)
    made.import_paths = {symbol: sorted(paths) for symbol, paths in sorted(written.items()) if len(paths) > 1}
    made.by_rule = dict(sorted(Counter(finding.rule for finding in result.findings).items()))
    return made


def is_test(path: str, roots: Iterable[str], settings: Settings) -> bool:
    """Whether a file is a test file by the patterns of the settings, relative to the root it was found under."""
    for root in roots:
        relative = os.path.relpath(path, root)
        if not relative.startswith(".."):
            return matches(settings.test_files, relative if relative != "." else os.path.basename(path))
    return matches(settings.test_files, path)


def _is_deprecated_import(finding: Finding) -> bool:
    return finding.rule in KIND_RULES and finding.how in _IMPORTS


def _percent(part: Part) -> str:
    # 99.96 % is not 100.0 %: a score says 100.0 only when nothing is left.
    shown = f"{part.score:.1f}"
    return "99.9" if shown == "100.0" and part.compliant < part.files else shown
