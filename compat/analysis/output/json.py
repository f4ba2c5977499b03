"""For programs: every field of every finding.

FORMAT_VERSION 1: ``findings`` and ``known`` (lists of findings), ``paid`` (baseline entries), ``files``, ``seconds``, ``counts``.
"""

from __future__ import annotations

import json
from collections import Counter
from typing import IO

from . import Report

FORMAT_VERSION = 1


def write(report: Report, stream: IO[str]) -> None:
    """Write one JSON object."""
    data = {
        "format_version": FORMAT_VERSION,
        "version": report.version,
        "files": report.files,
        "seconds": round(report.seconds, 3),
        "counts": dict(sorted(Counter(finding.rule for finding in report.findings).items())),
        "findings": [finding.as_dict() for finding in report.findings],
        "known": [finding.as_dict() for finding in report.known],
        "paid": report.paid,
    }
    json.dump(data, stream, indent=2, ensure_ascii=False)
    stream.write("\n")
