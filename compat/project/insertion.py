"""Adds to files of others: what stood there stays, byte for byte, and what they say changes by the addition only."""

from __future__ import annotations

import difflib
import os
import re
from typing import Any

from compat._writing import whole_file
from compat.errors import CompatError

from .survey import parsed


def with_tables(text: str, tables: dict[str, dict[str, Any]], lines: str, *, file: str) -> str:
    """A TOML document with ``lines`` appended, which must say nothing but ``tables``, by their dotted names.

    Raises :class:`compat.CompatError` with the lines to add by hand where an appended table would not be valid there (an
    inline table, a dotted key) or would change what stands.
    """
    wanted = parsed(text)
    for name, table in tables.items():
        at = wanted
        for part in _parts(name):
            at = at.setdefault(part, {}) if isinstance(at, dict) else {}
        if isinstance(at, dict):
            at.update(table)
    new = appended(text, lines)
    if not _says(new, wanted):
        raise CompatError(f"{file} has no place for more tables at its end; add by hand:\n\n{lines.strip()}")
    return new


def with_keys(text: str, name: str, keys: dict[str, Any], lines: str, *, file: str) -> str:
    """A TOML document with ``lines`` as the first of a table that stands in it; raises as :func:`with_tables` does."""
    header = re.search(rf"^[ \t]*\[{re.escape(name)}\][ \t]*(?:#[^\n]*)?\r?\n", text, flags=re.M)
    wanted = parsed(text)
    at = wanted
    for part in _parts(name):
        at = at[part]
    at.update(keys)
    end = "\r\n" if "\r\n" in text else "\n"
    new = text if header is None else f"{text[: header.end()]}{lines.strip().replace(chr(10), end)}{end}{text[header.end() :]}"
    if not _says(new, wanted):
        raise CompatError(f"{file} has no line [{name}] to put more below; add by hand:\n\n[{name}]\n{lines.strip()}")
    return new


def _says(text: str, wanted: dict[str, Any]) -> bool:
    try:
        return parsed(text) == wanted
    except ValueError:
        return False


def _parts(name: str) -> list[str]:
    """The parts of a dotted name in which a part with dots is quoted."""
    quoted = name.split('"')
    parts: list[str] = []
    for number, piece in enumerate(quoted):
        parts += [piece] if number % 2 else [part for part in piece.split(".") if part]
    return parts


def appended(text: str, lines: str, *, gap: bool = True) -> str:
    """Text with lines at its end, after an empty line unless without a gap, in the text's own line ends."""
    end = "\r\n" if "\r\n" in text else "\n"
    whole = text if not text.strip() or text.endswith("\n") else f"{text}{end}"
    between = end if gap and text.strip() else ""
    return f"{whole}{between}{lines.rstrip().replace(chr(10), end)}{end}"


def read(path: str) -> str:
    """A file as text with its own line ends; ``""`` where there is none."""
    try:
        with open(path, encoding="utf-8", newline="") as stream:
            return stream.read()
    except FileNotFoundError:
        return ""
    except UnicodeDecodeError as error:
        raise CompatError(f"{path} is not UTF-8: {error}") from None


def diff(root: str, name: str, new: str) -> str:
    """What writing would change, as a unified diff that ``git apply`` and ``patch -p1`` take; ``""`` where nothing would."""
    path = os.path.join(root, name)
    old = read(path)
    before = f"a/{name}" if os.path.exists(path) else "/dev/null"
    lines = list(difflib.unified_diff(_lines(old), _lines(new), before, f"b/{name}"))
    return "".join(line if line.endswith("\n") else f"{line}\n\\ No newline at end of file\n" for line in lines)


def _lines(text: str) -> list[str]:
    return [f"{line}\n" for line in text.split("\n")[:-1]] + (
        [text.rpartition("\n")[2]] if not text.endswith("\n") and text else []
    )


def write(root: str, texts: dict[str, str]) -> None:
    """Write files below a directory, each whole or not at all; directories are made as needed."""
    for name, text in texts.items():
        path = os.path.join(root, name)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with whole_file(path) as file:
            file.write(text.encode("utf-8"))
