"""SARIF 2.1.0, for code scanning services."""

from __future__ import annotations

import json
import os
from typing import IO, TYPE_CHECKING, Any, Optional
from urllib.parse import quote

from ..debt.baseline import fingerprints
from ..findings import HIGH, LOW, MEDIUM, RULES, Finding
from . import Report

if TYPE_CHECKING:
    from ..suggesting import Suggestion

SCHEMA = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
_LEVELS = {HIGH: "error", MEDIUM: "warning", LOW: "note"}


def write(report: Report, stream: IO[str]) -> None:
    """Write one run with all rules and all findings."""
    names = list(RULES)
    prints = fingerprints(report.findings)
    run = {
        "tool": {
            "driver": {
                "name": "compat",
                "version": report.version,
                "rules": [
                    {
                        "id": name,
                        "shortDescription": {"text": RULES[name]},
                        "defaultConfiguration": {"level": "error"},
                    }
                    for name in names
                ],
            }
        },
        "columnKind": "unicodeCodePoints",
        "originalUriBaseIds": {"SRCROOT": {"uri": _folder_uri(os.getcwd())}},
        "results": [
            _result(finding, names, known, report.suggestions.get(finding)) for finding, known in zip(report.findings, prints)
        ],
    }
    json.dump({"$schema": SCHEMA, "version": "2.1.0", "runs": [run]}, stream, indent=2, ensure_ascii=False)
    stream.write("\n")


def _result(finding: Finding, names: list[str], fingerprint: str, made: Optional[Suggestion]) -> dict[str, Any]:
    region: dict[str, Any] = {
        "startLine": finding.line,
        "startColumn": finding.column,
        "endLine": finding.end_line,
        "endColumn": finding.end_column,
    }
    if finding.code:
        region["snippet"] = {"text": finding.code}
    result: dict[str, Any] = {
        "ruleId": finding.rule,
        "ruleIndex": names.index(finding.rule),
        "level": _LEVELS[finding.confidence],
        "message": {"text": finding.message},
        "locations": [{"physicalLocation": {"artifactLocation": _artifact(finding.path), "region": region}}],
        "partialFingerprints": {"compat/v1": fingerprint},
        "properties": {"move": finding.move, "how": finding.how, "confidence": finding.confidence},
    }
    if made is not None:
        result["properties"].update({"degree": made.degree, "reason": made.reason})
        if made.replacements:
            result["fixes"] = [_fix(finding, made)]
    return result


def _fix(finding: Finding, made: Suggestion) -> dict[str, Any]:
    about = f"{made.degree} edit" + (f": {made.reason}" if made.reason else "")
    replacements = [
        {
            "deletedRegion": {
                "startLine": edit.line,
                "startColumn": edit.column,
                "endLine": edit.end_line,
                "endColumn": edit.end_column,
            },
            "insertedContent": {"text": edit.text},
        }
        for edit in made.replacements
    ]
    change = {"artifactLocation": _artifact(finding.path), "replacements": replacements}
    return {"description": {"text": f"{finding.replacement} ({about})"}, "artifactChanges": [change]}


def _artifact(path: str) -> dict[str, str]:
    relative = os.path.relpath(path)
    if relative.startswith(".."):
        return {"uri": f"file://{quote(os.fsencode(os.path.abspath(path)))}"}
    return {"uri": quote(os.fsencode(relative.replace(os.sep, "/"))), "uriBaseId": "SRCROOT"}


def _folder_uri(path: str) -> str:
    return f"file://{quote(os.fsencode(path.replace(os.sep, '/')))}/"
