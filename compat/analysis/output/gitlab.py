"""GitLab code quality report: a JSON list of issues with fingerprints."""

from __future__ import annotations

import json
import os
from typing import IO

from ..debt.baseline import fingerprints
from ..findings import HIGH, LOW, MEDIUM
from . import Report

_SEVERITIES = {HIGH: "major", MEDIUM: "minor", LOW: "info"}


def write(report: Report, stream: IO[str]) -> None:
    """Write every finding as an issue."""
    issues = [
        {
            "description": finding.message,
            "check_name": finding.rule,
            "fingerprint": fingerprint,
            "severity": _SEVERITIES[finding.confidence],
            "location": {
                "path": os.path.relpath(finding.path).replace(os.sep, "/"),
                "lines": {"begin": finding.line, "end": finding.end_line},
            },
        }
        for finding, fingerprint in zip(report.findings, fingerprints(report.findings))
    ]
    json.dump(issues, stream, indent=2, ensure_ascii=False)
    stream.write("\n")
