"""The part of the OASIS schema of SARIF 2.1.0 that speaks of the objects this package writes: names, types, limits, required."""

from __future__ import annotations

from typing import Any


def _object(properties: dict[str, Any], *required: str) -> dict[str, Any]:
    return {"type": "object", "additionalProperties": False, "properties": properties, "required": list(required)}


def _reference(name: str) -> dict[str, str]:
    return {"$ref": f"#/definitions/{name}"}


_COUNT = {"type": "integer", "minimum": 1}
_TEXT = {"type": "string"}
_BAG = {"type": "object", "additionalProperties": True}
_LEVEL = {"enum": ["none", "note", "warning", "error"]}

SCHEMA: dict[str, Any] = {
    "$schema": "http://json-schema.org/draft-07/schema#",
    **_object(
        {
            "$schema": {"type": "string", "format": "uri"},
            "version": {"enum": ["2.1.0"]},
            "runs": {"type": ["array", "null"], "minItems": 0, "items": _reference("run")},
        },
        "version",
        "runs",
    ),
    "definitions": {
        "run": _object(
            {
                "tool": _reference("tool"),
                "columnKind": {"enum": ["utf16CodeUnits", "unicodeCodePoints"]},
                "originalUriBaseIds": {"type": "object", "additionalProperties": _reference("artifactLocation")},
                "results": {"type": ["array", "null"], "items": _reference("result")},
            },
            "tool",
        ),
        "tool": _object({"driver": _reference("toolComponent")}, "driver"),
        "toolComponent": _object(
            {
                "name": _TEXT,
                "version": _TEXT,
                "rules": {"type": "array", "uniqueItems": True, "items": _reference("reportingDescriptor")},
            },
            "name",
        ),
        "reportingDescriptor": _object(
            {
                "id": _TEXT,
                "shortDescription": _object({"text": _TEXT}, "text"),
                "defaultConfiguration": _object({"level": _LEVEL}),
            },
            "id",
        ),
        "result": _object(
            {
                "ruleId": _TEXT,
                "ruleIndex": {"type": "integer", "minimum": -1},
                "level": _LEVEL,
                "message": _object({"text": _TEXT}, "text"),
                "locations": {"type": "array", "items": _object({"physicalLocation": _reference("physicalLocation")})},
                "partialFingerprints": {"type": "object", "additionalProperties": _TEXT},
                "properties": _BAG,
            },
            "message",
        ),
        "physicalLocation": _object(
            {"artifactLocation": _reference("artifactLocation"), "region": _reference("region")}, "artifactLocation"
        ),
        "artifactLocation": _object({"uri": {"type": "string", "format": "uri-reference"}, "uriBaseId": _TEXT}),
        "region": _object(
            {
                "startLine": _COUNT,
                "startColumn": _COUNT,
                "endLine": _COUNT,
                "endColumn": _COUNT,
                "snippet": _object({"text": _TEXT}),
            }
        ),
    },
}
