"""Annotations of GitHub Actions: ``::error file=...,line=...::sentence``."""

from __future__ import annotations

from typing import IO

from ..findings import HIGH, LOW, MEDIUM
from . import Report, text

_LEVELS = {HIGH: "error", MEDIUM: "warning", LOW: "notice"}


def write(report: Report, stream: IO[str]) -> None:
    """Write one workflow command per finding, and the summary as plain text."""
    for finding in report.findings:
        place = (
            f"file={_property(finding.path)},line={finding.line},endLine={finding.end_line},"
            f"col={finding.column},endColumn={finding.end_column},title={_property(finding.rule)}"
        )
        stream.write(f"::{_LEVELS[finding.confidence]} {place}::{_message(finding.message)}\n")
    stream.write(f"{text.summary(report)}\n")


def _message(value: str) -> str:
    return value.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(value: str) -> str:
    return _message(value).replace(":", "%3A").replace(",", "%2C")
