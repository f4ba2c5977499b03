"""Examine one file: bytes in, findings out."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, NamedTuple, Optional

from ..findings import KIND_RULES, MEDIUM, POLICY, Finding, Use
from ..reading import gc_pause, notebooks, sources

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from ..hints import Hints
    from ..model.file_uses import FileUses
    from ..targets import Target, Targets
    from .fragmentation import SymbolImport

_STRINGS = frozenset(("string", "import_module", "patch", "sys.modules"))
_IMPORTS = frozenset(("import", "star"))
#: Selections that need no more than :mod:`compat.analysis.scanning.quick_scan` finds.
_FAST = frozenset(("imports", "strings"))


class Examined(NamedTuple):
    """The results of one file: findings, names it re-exports, and the paths by which it imports known symbols."""

    findings: Sequence[Finding] = ()
    re_exported: Mapping[str, Target] = {}
    symbols: Sequence[SymbolImport] = ()
    module: str = ""
    #: The names by which other files may come to instances of classes with legacy methods; ``None`` where that was not asked.
    carried: Optional[Sequence[str]] = ()


class Selection(NamedTuple):
    """The scope of a run: policy rules, and the selected constructs (empty: all)."""

    policy: bool = False
    select: frozenset[str] = frozenset()
    strict: bool = False

    @property
    def active_rules(self) -> frozenset[str]:
        """The rules whose findings this run can give."""
        if self.select:
            return frozenset()
        return frozenset((*KIND_RULES, "unparsable", *(POLICY if self.policy else ())))

    @property
    def is_fast(self) -> bool:
        """Whether files need not be parsed whole."""
        return bool(self.select) and self.select <= _FAST and not self.policy

    @property
    def is_plain(self) -> bool:
        """Whether all uses are looked for, and nothing else."""
        return not self.select and not self.policy and not self.strict

    def takes(self, finding: Finding) -> bool:
        """Whether a finding falls within the selection."""
        if not self.select or finding.rule == "unparsable":
            return True
        return kind_of(finding) in self.select


def kind_of(finding: Use) -> str:
    """Which ``--select`` value a finding falls under."""
    if finding.rule in POLICY:
        return "policy"
    if finding.rule == "argument":
        return "arguments"
    if finding.rule == "method":
        return "methods"
    if finding.how in _IMPORTS or finding.how == "text":
        return "imports"
    if finding.how in _STRINGS:
        return "strings"
    return {"config": "config", "doctest": "doctests", "re-export": "re-exports"}.get(finding.how, "attributes")


def examine(
    path: str,
    raw: bytes,
    targets: Targets,
    scope: Selection,
    *,
    module: str = "",
    is_package: bool = False,
    is_data: bool = False,
    hints: Optional[Hints] = None,
) -> Examined:
    """Find every use in one file. Never raises for what the file holds."""
    # Most runs examine few files in full, or none: what that takes is imported by the first.
    from .. import rules
    from ..model import file_uses
    from ..reading import dialects, suppressions
    from . import fragmentation, textual

    if path.endswith(notebooks.SUFFIX):
        return _in_notebook(notebooks.Notebook(path, raw), targets, scope)
    try:
        source = sources.decode(path, raw)
    except sources.Undecodable as error:
        source = sources.decode_anyway(path, raw)
        found = [*textual.search_python(source, targets, module, is_package=is_package)] if not is_data else []
        return Examined([textual.unparsable(source, 1, str(error)), *filter(scope.takes, found)], module=module)
    if is_data:
        return Examined([finding for finding in textual.search_data(source, targets) if scope.takes(finding)], module=module)
    gc_pause.between_files()
    try:
        uses = file_uses.read(
            source, targets, module=module, is_package=is_package, whole=scope.is_fast or hints is not None, hints=hints
        )
    except dialects.Unparsable as error:
        found = [*textual.search_python(source, targets, module, is_package=is_package)]
        unparsable = textual.unparsable(source, error.line, error.reason)
        kept = suppressions.apply(source, [unparsable, *filter(scope.takes, found)], scope.active_rules)
        return Examined(kept, module=module)
    findings = [finding for finding in rules.find(uses, members=not scope.is_fast, policy=scope.policy) if scope.takes(finding)]
    if not scope.select or "doctests" in scope.select:
        findings += in_doctests(uses)
    findings = without_repeats(findings)
    if hints is not None and hints.ran:
        from . import counted

        findings = [*filter(scope.takes, counted.add(uses, hints, findings))]
    if scope.active_rules:
        findings = suppressions.apply(source, findings, scope.active_rules)
    symbols = fragmentation.collect(uses.file, targets) if scope.policy else []
    given = uses.carried() if not scope.is_fast else ()
    examined = Examined(findings, re_exported(uses), symbols, module, given)
    uses.close()
    return examined


def _in_notebook(notebook: notebooks.Notebook, targets: Targets, scope: Selection) -> Examined:
    """The findings in the code of a notebook, at their places in its file. Raises ``NotebookError`` for one that is broken."""
    found = []
    for finding in examine("<cells>", notebook.program.encode(), targets, scope).findings:
        line, column, start, cell = notebook.place(finding.line, finding.column)
        end_line, end_column, end, _cell = notebook.place(finding.end_line, finding.end_column)
        place = {"line": line, "column": column, "end_line": end_line, "end_column": end_column, "span": (start, end)}
        found.append(finding._replace(path=notebook.path, message=f"{finding.message} ({cell})", **place))  # type: ignore[arg-type]
    return Examined(found)


def in_doctests(uses: FileUses) -> Iterator[Finding]:
    """The findings in the doctests of a file, at their places in the file, without those that a comment in an example allows."""
    from .. import finding_text, rules
    from ..model.doctests import DOCTEST
    from ..reading import suppressions

    for program, inner in uses.doctests:
        for finding in suppressions.apply(program.file.source, rules.find(inner), ()):
            if finding.rule != "unused-allowance":
                place = finding_text.place_of(uses.file.source, *program.span(*finding.span))
                yield finding._replace(how=DOCTEST, confidence=MEDIUM, **place)  # type: ignore[arg-type]


def without_repeats(findings: list[Finding]) -> list[Finding]:
    """Order findings by place; one construct at one span is reported once."""
    seen: set[tuple[tuple[int, int], str, str]] = set()
    kept: list[Finding] = []
    for finding in sorted(findings, key=Finding.sort_key):
        key = (finding.span, finding.rule, finding.symbol)
        if key not in seen:
            seen.add(key)
            kept.append(finding)
    return kept


def re_exported(uses: FileUses) -> dict[str, Target]:
    """Legacy names imported at module level: other modules of the tree may import them from here."""
    found: dict[str, Target] = {}
    file, targets = uses.file, uses.targets
    if not file.module:
        return found
    others: set[str] = set()
    for item in file.names.imports:
        if item.scope is file.names.module and item.name not in ("", "*") and item.binding is not None:
            target = targets.attribute(item.module, item.name) or targets.re_exported.get(item.module, {}).get(item.name)
            if target is None:
                others.add(item.local)
            elif not target.is_module:
                found[item.local] = target
    # What another import binds as well is legacy in one branch alone, and that is where it is mended.
    return {name: target for name, target in found.items() if name not in others}


def read(path: str) -> tuple[Optional[bytes], str]:
    """The bytes of a file, or ``None`` and why it could not be read."""
    try:
        with open(path, "rb") as file:
            return file.read(), ""
    except OSError as error:
        return None, error.strerror or str(error)


def unreadable(path: str, reason: str) -> Finding:
    """The finding of a file or directory that could not be read at all."""
    return Finding(
        rule="unparsable",
        move="unparsable",
        how="file",
        path=path,
        line=1,
        column=1,
        end_line=1,
        end_column=1,
        span=(0, 0),
        confidence="high",
        message=f"{os.path.basename(path) or path} could not be read: {reason}.",
        replacement="Make it readable, or exclude it.",
    )
