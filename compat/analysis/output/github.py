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
            f"file={escaped_property(finding.path)},line={finding.line},endLine={finding.end_line},"
            f"col={finding.column},endColumn={finding.end_column},title={escaped_property(finding.rule)}"
        )
        stream.write(f"::{_LEVELS[finding.confidence]} {place}::{escaped(finding.message)}\n")
    stream.write(f"{text.summary(report)}\n")


def escaped(value: str) -> str:
    """A message as a workflow command takes it."""
    return value.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def escaped_property(value: str) -> str:
    """The value of a property of a workflow command, a path for instance."""
    return escaped(value).replace(":", "%3A").replace(",", "%2C")
