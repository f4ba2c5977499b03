"""The settings of a project: the one table of the keys of ``[tool.compat]`` in pyproject.toml, and its one reader.

A key is one row of :data:`KEYS`. The check of a file, the sentence for what is wrong in it, the table in docs/settings.md and the
JSON Schema for editors (:func:`schema`) are made from the row.
"""

from __future__ import annotations

import os
import sys

from compat.errors import CompatError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Final, Optional

#: Where the schema has its place in SchemaStore, beside the other ``partial-*.json`` of pyproject.toml.
SCHEMA_ID: Final = "https://json.schemastore.org/partial-netra-compat.json"
DRAFT: Final = "http://json-schema.org/draft-07/schema#"


class ConfigError(CompatError):
    """``[tool.compat]`` holds something that cannot be used; the message says what and where."""


class Key:
    """One key of ``[tool.compat]``.

    Parameters
    ----------
    name:
        What stands in pyproject.toml.
    schema:
        What it may hold, as JSON Schema; of its words :func:`fault` knows ``type``, ``enum``, ``pattern``, ``items``,
        ``properties``, ``propertyNames``, ``additionalProperties`` and ``anyOf``.
    must:
        The same for people: "must be ...".
    text:
        What it does, in Markdown.
    default:
        What holds where the key is absent.
    """

    __slots__ = ("default", "must", "name", "schema", "text")

    def __init__(self, name: str, schema: dict[str, Any], must: str, text: str, default: Any) -> None:
        self.name, self.schema, self.must, self.text, self.default = name, schema, must, text, default


_REFERENCE = r"^[^:\s]+:[^:\s]+$"
_PATTERNS = {"type": "array", "items": {"type": "string"}}
_SOME_PATTERNS = 'a list of patterns such as ["vendor/**"]'

#: Every key, in the order of the documentation.
KEYS: Final = {
    key.name: key
    for key in (
        Key(
            "ledgers",
            {"type": "array", "items": {"type": "string", "pattern": _REFERENCE}, "uniqueItems": True},
            "a list of 'package.module:LEDGER'",
            'places of ledgers: `["shop.moves:LEDGER"]`; commands without `--ledger` then read these only, else those'
            " of what the project depends on",
            [],
        ),
        Key("exclude", _PATTERNS, _SOME_PATTERNS, "patterns of files that are not searched", []),
        Key("fix-skip", _PATTERNS, _SOME_PATTERNS, "patterns of files that are searched and not rewritten", []),
        Key(
            "per-file-ignores",
            {"type": "object", "additionalProperties": {"type": "array", "items": {"type": "string"}}},
            'a table of patterns and lists of rules, ids or legacy paths, "tests/" = ["method"]',
            "rules, ids of rows or legacy paths (with `*`) that `scan` and `fix` leave out in some files:"
            ' `{"tests/" = ["method", "shop.core:Cart.addItem"]}`',
            {},
        ),
        Key(
            "test-files",
            _PATTERNS,
            _SOME_PATTERNS,
            "patterns that tell tests from the real system",
            ["tests/", "test/", "testing/", "test_*.py", "*_test.py", "conftest.py", "*test_framework*/"],
        ),
        Key(
            "factories",
            {
                "type": "object",
                "propertyNames": {"pattern": _REFERENCE},
                "additionalProperties": {"type": "string", "pattern": _REFERENCE},
            },
            'a table of classes and factories, "pkg.mod:Class" = "pkg.mod:function"',
            'classes that only a factory may build: `{"shop.storage:Store" = "shop.storage:get_store"}`',
            {},
        ),
        Key("rules", {"type": "boolean"}, "true or false", "`true`: also find singletons and bypassed factories", False),
        Key(
            "baseline",
            {"type": "string", "pattern": "."},
            'the name of a file such as "compat-baseline.json"',
            "the file of the accepted debt",
            None,
        ),
        Key(
            "owners",
            {
                "type": "object",
                "additionalProperties": {"anyOf": [{"type": "string"}, {"type": "array", "items": {"type": "string"}}]},
            },
            'a table of patterns and owners, "src/shop/" = "@shop"',
            'whose files are, in the syntax of CODEOWNERS, the last that matches: `{"src/shop/" = "@shop"}`; without it, the'
            " project's CODEOWNERS file says so",
            {},
        ),
        Key(
            "pytest",
            {
                "anyOf": [
                    {"type": "boolean"},
                    {
                        "type": "object",
                        "additionalProperties": False,
                        "properties": {
                            "max": {"type": "string"},
                            "ratchet": {"type": "string"},
                            "expect": {"type": "string"},
                            "packages": {"anyOf": [{"type": "string"}, {"type": "array", "items": {"type": "string"}}]},
                        },
                    },
                ]
            },
            'true, false, or a table such as {max = "self=0 direct=10"}',
            "`true`: pytest summarizes legacy uses. A table also says how many may be (`max`), which files list those allowed"
            " (`ratchet`) and the tests that may fail in a rehearsal (`expect`), and which more packages are yours (`packages`)",
            False,
        ),
        Key(
            "telemetry",
            {"type": "boolean"},
            "true or false",
            "`true`: uses are kept on disk, those of ledgers of other distributions too, as `COMPAT_TELEMETRY=on` does",
            False,
        ),
        Key(
            "testing",
            {"type": "boolean"},
            "true or false",
            "`true`: pytest runs legacy code in testing mode, as `COMPAT_TESTING=1` does",
            False,
        ),
    )
}


def find(start: str = ".") -> Optional[str]:
    """The nearest pyproject.toml at or above a file or directory that has a ``[tool.compat]`` table."""
    at = os.path.abspath(start if os.path.isdir(start) else os.path.dirname(start) or ".")
    while True:
        file = os.path.join(at, "pyproject.toml")
        if os.path.isfile(file) and _raw(file) is not None:
            return file
        above = os.path.dirname(at)
        if above == at:
            return None
        at = above


def load(start: str = ".") -> tuple[dict[str, Any], Optional[str]]:
    """The table that holds at a place, checked, and the file that it stands in; ``({}, None)`` where there is none."""
    file = find(start)
    return (read(file), file) if file is not None else ({}, None)


def read(file: str) -> dict[str, Any]:
    """The ``[tool.compat]`` table of a file, checked; empty where it has none. Raises :class:`ConfigError`."""
    table = _raw(file) or {}
    said = faults(table)
    if said:
        raise ConfigError(f"{file}: {said[0]}")
    return table


def value(table: dict[str, Any], name: str) -> Any:
    """What a table says of a key, or the key's default."""
    return table.get(name, KEYS[name].default)


def faults(table: dict[str, Any]) -> list[str]:
    """Everything in a table that cannot be used, each with what to write instead."""
    found = []
    for name, given in table.items():
        key = KEYS.get(name)
        if key is None:
            found.append(f"[tool.compat] has no {name!r}; {_nearest(name, list(KEYS))}")
            continue
        unknown = fault(given, key.schema)
        if isinstance(unknown, tuple):
            where = ".".join(("tool.compat", name, *unknown[0]))
            found.append(f"[{where}] has no {unknown[1]!r}; {_nearest(unknown[1], unknown[2])}")
        elif unknown:
            found.append(f"[tool.compat] {name} must be {key.must}, not {given!r}")
    return found


def _nearest(name: str, known: list[str]) -> str:
    import difflib

    (near,) = difflib.get_close_matches(name.replace("_", "-").lower(), known, 1, 0.6) or ("",)
    every = f"it takes {', '.join(known)}"
    return f"write {near!r} ({every})" if near else every


_TYPES = {"array": (list,), "boolean": (bool,), "integer": (int,), "object": (dict,), "string": (str,)}


def fault(given: Any, schema: dict[str, Any]) -> bool | tuple[tuple[str, ...], str, list[str]]:
    """Whether a value is none that the schema allows; for a key that a table has not: where, that key, and those it has."""
    if "anyOf" in schema:
        found = [fault(given, each) for each in schema["anyOf"]]
        return False if not all(found) else next((each for each in found if isinstance(each, tuple)), True)
    kind = schema.get("type")
    if kind is not None and (not isinstance(given, _TYPES[kind]) or (kind == "integer" and isinstance(given, bool))):
        return True
    if "enum" in schema and given not in schema["enum"]:
        return True
    if "pattern" in schema and isinstance(given, str):
        import re

        if re.search(schema["pattern"], given) is None:
            return True
    if isinstance(given, list) and "items" in schema:
        return any(fault(item, schema["items"]) for item in given)
    return _fault_of_table(given, schema) if isinstance(given, dict) else False


def _fault_of_table(given: dict[str, Any], schema: dict[str, Any]) -> bool | tuple[tuple[str, ...], str, list[str]]:
    known, others = schema.get("properties", {}), schema.get("additionalProperties", True)
    for name, item in given.items():
        if "propertyNames" in schema and fault(name, schema["propertyNames"]):
            return True
        if name not in known and others is False:
            return (), name, list(known)
        found = fault(item, known.get(name, others if isinstance(others, dict) else {}))
        if isinstance(found, tuple):
            return (name, *found[0]), found[1], found[2]
        if found:
            return True
    return False


def schema() -> dict[str, Any]:
    """The JSON Schema of the table, in the form that SchemaStore wants of a part of pyproject.toml."""
    properties = {}
    for key in KEYS.values():
        described = {"description": _plain(key.text), **key.schema}
        if key.default is not None:
            described["default"] = key.default
        properties[key.name] = described
    return {
        "$schema": DRAFT,
        "$id": SCHEMA_ID,
        "title": "netra-compat: settings of a project",
        "description": "The [tool.compat] table of pyproject.toml",
        "type": "object",
        "additionalProperties": False,
        "properties": properties,
    }


def schema_of_pyproject() -> dict[str, Any]:
    """A schema of the whole pyproject.toml that knows ``[tool.compat]`` and leaves the rest to others, for editors."""
    part = schema()
    del part["$schema"], part["$id"]
    return {
        "$schema": DRAFT,
        "title": "pyproject.toml with [tool.compat]",
        "type": "object",
        "properties": {"tool": {"type": "object", "properties": {"compat": part}}},
    }


def schema_text(*, whole: bool = False) -> str:
    """The schema of the table, or of the whole file, as JSON."""
    import json

    return f"{json.dumps(schema_of_pyproject() if whole else schema(), indent=2, ensure_ascii=False)}\n"


def validate_pyproject_schema(tool: str) -> dict[str, Any]:
    """The schema for ``validate-pyproject``, which asks for it by its entry-point group."""
    return schema()


def table() -> str:
    """The keys as a table in Markdown, for docs/settings.md."""
    lines = ["| key | what it holds |", "|---|---|"]
    lines += [f"| `{key.name}` | {key.text} |" for key in KEYS.values()]
    return "\n".join(lines)


def _plain(text: str) -> str:
    return text.replace("`", "").replace("\\|", "|")


def _raw(file: str) -> Optional[dict[str, Any]]:
    """The table as it stands, ``None`` where a file has none."""
    if sys.version_info >= (3, 11):
        import tomllib
    else:
        import tomli as tomllib
    try:
        with open(file, "rb") as stream:
            data = stream.read()
        if b"compat" not in data:
            return None
        document: dict[str, Any] = tomllib.loads(data.decode("utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise ConfigError(f"{file} cannot be read: {error}") from None
    return table_in(document, file)


def table_in(document: dict[str, Any], file: str) -> Optional[dict[str, Any]]:
    """The table of a parsed pyproject.toml, unchecked, ``None`` where it has none. Raises :class:`ConfigError`."""
    tool: object = document.get("tool", {})
    if not isinstance(tool, dict):
        raise ConfigError(f"{file}: [tool.compat] must be a table; tool is {tool!r}")
    found = tool.get("compat")
    if found is not None and not isinstance(found, dict):
        raise ConfigError(f"{file}: [tool.compat] must be a table; compat is {found!r}")
    return found
