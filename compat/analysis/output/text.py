"""Text for terminals: ``path:line:column: rule: sentence``, low confidence separately, a count at the end."""

from __future__ import annotations

from collections import Counter
from typing import IO

from ..findings import LOW, Finding
from . import Report


def write(report: Report, stream: IO[str]) -> None:
    """Write findings one per line, then what is less certain, then the count (or the statistics)."""
    sure = [finding for finding in report.findings if finding.confidence != LOW]
    unsure = [finding for finding in report.findings if finding.confidence == LOW]
    if not report.statistics:
        for finding in sure:
            stream.write(line(finding))
        if unsure:
            stream.write(f"\nLow confidence: paths that stand in text ({len(unsure)})\n")
            for finding in unsure:
                stream.write(line(finding))
    else:
        _statistics(report, stream)
    for entry in report.paid:
        stream.write(f"paid: {entry} is still in the baseline; strike it with --update-baseline\n")
    stream.write(f"{summary(report)}\n")


def line(finding: Finding) -> str:
    """One finding as one line that terminals and editors make clickable."""
    return f"{finding.path}:{finding.line}:{finding.column}: {finding.rule}: {finding.message}\n"


def summary(report: Report) -> str:
    """The last line: how many findings in how many files, and what the baseline knows."""
    count, places = len(report.findings), len({finding.path for finding in report.findings})
    head = (
        "No findings" if not count else f"{count} finding{'s' if count > 1 else ''} in {places} file{'s' if places > 1 else ''}"
    )
    known = f"; {len(report.known)} known in the baseline" if report.known else ""
    return f"{head}{known} ({report.files} file{'s' if report.files != 1 else ''}, {report.seconds:.2f} s)."


def _statistics(report: Report, stream: IO[str]) -> None:
    by_rule = Counter(finding.rule for finding in report.findings)
    by_move = Counter(finding.move for finding in report.findings)
    for title, counts in (("rule", by_rule), ("move", by_move)):
        stream.write(f"{'count':>7}  {title}\n")
        for name, count in sorted(counts.items(), key=lambda item: (-item[1], item[0])):
            stream.write(f"{count:>7}  {name}\n")
        stream.write("\n")
