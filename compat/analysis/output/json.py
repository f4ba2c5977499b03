"""For programs: every field of every finding.

FORMAT_VERSION 1: ``findings`` and ``known`` (lists of findings), ``paid`` (baseline entries), ``files``, ``seconds``, ``counts``.
Of ``compat fix`` each finding also has ``degree``, ``reason`` and ``edits``, which hold if no other finding's are made (in a
notebook they are of the file, and ``cells`` has the same with the number of the cell, from 1, and places in its source);
``degrees`` are counts, ``failed`` lists files that could not be rewritten.
"""

from __future__ import annotations

import json
from collections import Counter
from typing import IO, TYPE_CHECKING

from . import Report

if TYPE_CHECKING:
    from ..findings import Finding

FORMAT_VERSION = 1


def write(report: Report, stream: IO[str]) -> None:
    """Write one JSON object."""
    data = {
        "format_version": FORMAT_VERSION,
        "version": report.version,
        "files": report.files,
        "seconds": round(report.seconds, 3),
        "counts": dict(sorted(Counter(finding.rule for finding in report.findings).items())),
        "findings": [_finding(report, finding) for finding in report.findings],
        "known": [_finding(report, finding) for finding in report.known],
        "paid": report.paid,
    }
    if report.suggestions or report.failed:
        data["degrees"] = dict(sorted(Counter(made.degree for made in report.suggestions.values()).items()))
        data["failed"] = [{"path": path, "reason": reason} for path, reason in report.failed]
    json.dump(data, stream, indent=2, ensure_ascii=False)
    stream.write("\n")


def _finding(report: Report, finding: Finding) -> dict[str, object]:
    made = report.suggestions.get(finding)
    if made is None:
        return finding.as_dict()
    edits = [replacement._asdict() for replacement in made.replacements]
    found = {**finding.as_dict(), "degree": made.degree, "reason": made.reason, "edits": edits}
    if made.cells:
        found["cells"] = [{"cell": number, **edit._asdict()} for number, edit in made.cells]
    return found
