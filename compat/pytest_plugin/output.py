"""What CI reads: annotations of GitHub Actions, properties of JUnit's file, and the report as JSON."""

from __future__ import annotations

import json
import os
import sys
from collections import Counter

import pytest

from compat._writing import whole_file

from .state import Fault

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import Any

    from .state import State
    from .tally import Record

FORMAT_VERSION = 1
#: GitHub shows ten errors and ten warnings of a step.
ANNOTATIONS = 10


class Properties:
    """The properties of tests: one per move, with the number of uses in all phases of the test."""

    def __init__(self) -> None:
        self._counts: Counter[str] = Counter()

    def note(self, report: pytest.TestReport, records: Iterable[Record]) -> None:
        """Take what a phase used; JUnit's file takes properties from the report of a test's last phase."""
        for site, count, _, in_test, _ in records:
            self._counts[site.move] += count if in_test else 0
        if report.when == "teardown":
            report.user_properties.extend((f"compat.uses.{move}", str(count)) for move, count in sorted((+self._counts).items()))
            self._counts.clear()


def write(run: State, session: pytest.Session) -> None:
    """Write the report and the properties. A report that cannot be written fails the run."""
    _add_properties(run)
    if run.asked.report:
        try:
            with whole_file(run.asked.report) as stream:
                stream.write(f"{json.dumps(_report(run, session), indent=1, ensure_ascii=False)}\n".encode("utf-8", "replace"))
        except OSError as error:
            said = f"the report {run.asked.report} cannot be written: {error.strerror}; name a file in a directory that can be"
            run.verdict.faults.append(Fault(said, kind="report"))


def _report(run: State, session: pytest.Session) -> dict[str, Any]:
    verdict = run.verdict
    return {
        "format_version": FORMAT_VERSION,
        "as_of": run.version,
        "python": ".".join(map(str, sys.version_info[:3])),
        "tests": session.testscollected,
        "totals": verdict.totals,
        "uses": [row.as_json() for row in verdict.rows],
        "faults": [{"kind": fault.kind, "text": fault.text} for fault in verdict.faults],
    }


def _add_properties(run: State) -> None:
    try:
        from _pytest.junitxml import xml_key
    except ImportError:
        return
    xml = run.config.stash.get(xml_key, None)
    if xml is None:
        return
    for name, count in run.verdict.totals.items():
        xml.add_global_property(f"compat.{name}", count)
    for kind in ("new", "gone"):
        xml.add_global_property(f"compat.{kind}", run.verdict.counts(kind))
    if run.version:
        xml.add_global_property("compat.as-of", run.version)


def commands(run: State) -> list[str]:
    """The workflow commands of GitHub Actions: what fails the run, then the uses of your own code, the most used first."""
    if os.environ.get("GITHUB_ACTIONS", "").lower() != "true":
        return []
    from compat.analysis.output.github import escaped, escaped_property

    lines = []
    for fault in run.verdict.faults[:ANNOTATIONS]:
        place = (
            f"file={escaped_property(fault.row.file)},line={fault.row.line}," if fault.row is not None and fault.row.own else ""
        )
        lines.append(f"::error {place}title=legacy use::{escaped(fault.text)}")
    told = {id(fault.row) for fault in run.verdict.faults}
    rows = [row for row in run.verdict.rows if row.own and row.count and row.line and id(row) not in told]
    for row in sorted(rows, key=lambda row: (-row.count, row.file, row.line))[:ANNOTATIONS]:
        times = f"{row.move} is used {row.count} times" if row.count != 1 else f"{row.move} is used once"
        text = f"{times} ({row.category}). {row.advice}".rstrip()
        lines.append(f"::warning file={escaped_property(row.file)},line={row.line},title=legacy use::{escaped(text)}")
    return lines
