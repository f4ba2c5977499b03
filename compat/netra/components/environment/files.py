"""The text of environment files and values: parsed, cleaned, masked."""

from __future__ import annotations

import logging
import re

logger = logging.getLogger("compat.netra.components.environment")

NEEDED_BY_PROCESSES = ("PATH", "HOME", "USER", "LANG", "LC_ALL", "TMPDIR", "TEMP", "TMP", "SYSTEMROOT", "PYTHONPATH")
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")
_SENSITIVE = ("password", "secret", "key", "token", "auth", "credential", "private", "cert")


def parse(text: str) -> tuple[dict[str, str], list[str]]:
    """Return the variables of ``KEY=value`` lines, and a sentence for each line that is none.

    ``export`` in front, quotes around, and comments behind a value are left out.
    """
    variables: dict[str, str] = {}
    faults: list[str] = []
    for number, raw in enumerate(text.splitlines(), 1):
        line = raw.strip()
        if not line or line.startswith("#"):
            continue
        if line.startswith("export "):
            line = line[len("export ") :].lstrip()
        name, equals, value = line.partition("=")
        if not equals:
            faults.append(f"Line {number}: Invalid format (missing =)")
            continue
        if not name.strip():
            faults.append(f"Line {number}: Invalid format (empty key name)")
            continue
        variables[without_control_characters(name.strip())] = _unquoted(value.strip())
    return variables, faults


def _unquoted(value: str) -> str:
    if value[:1] in ("'", '"'):
        if len(value) > 1 and value[-1] == value[0]:
            return value[1:-1]
        end = value.find(value[0], 1)
        if end > 0:
            return value[1:end]
    return re.split(r"\s+#", value, maxsplit=1)[0]


def without_control_characters(value: str) -> str:
    """Return the text without control characters, tabs and line ends among them."""
    return _CONTROL.sub("", value)


def mask_sensitive_value(key: str, value: str, always: bool = False) -> str:
    """Return a value fit for a log: three characters and stars if its name sounds secret, else its first fifty."""
    if always or any(word in key.lower() for word in _SENSITIVE):
        return f"{value[:3]}***" if len(value) > 4 else "***"
    return value if len(value) <= 50 else f"{value[:50]}..."
