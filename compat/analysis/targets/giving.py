"""The names by which users of a library come to instances of a class that they never name: ``from flask import current_app``."""

from __future__ import annotations

import os
import re
from functools import lru_cache
from typing import TYPE_CHECKING

from .module_files import find_module_file

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

#: A statement at the left margin, to the next one.
_STATEMENT = re.compile(rb"^[A-Za-z_@].*\n(?:(?![A-Za-z_@]).*\n)*", re.M)
_BINDS = re.compile(rb"(?:(?:async[ \t]+)?def|class)[ \t]+(\w+)|(\w+)[ \t]*[:=](?!=)")
_CLASS_HEAD = re.compile(rb"class[ \t][^:]*:")
_TEXT = re.compile(rb"(?s:\"\"\".*?\"\"\"|'''.*?''')|#[^\n]*")
_FROM = re.compile(rb"^[ \t]*from[ \t]+(\.*)([\w.]*)[ \t]+import\b", re.M)


def givers(classes: Iterable[str]) -> set[str]:
    """Names by which modules of the classes (dotted paths), and what they import from, may hand out instances or subclasses."""
    found: set[str] = set()
    wanted: dict[str, set[str]] = {}
    for path in classes:
        module, _, name = path.rpartition(".")
        if module:
            wanted.setdefault(module, set()).add(name)
    for module, names in wanted.items():
        word = re.compile(rb"\b(?:%s)\b" % b"|".join(re.escape(name.encode()) for name in sorted(names)))
        for data in _sources(module):
            if word.search(data):
                found.update(_binding(_TEXT.sub(b"", data), word))
    return found


def _binding(data: bytes, word: re.Pattern[bytes]) -> Iterator[str]:
    """What top-level statements bind that speak of a class; of a class statement, where its head does."""
    for statement in _STATEMENT.finditer(data + b"\n"):
        text = statement.group()
        bound = _BINDS.match(text)
        if bound is None:
            continue
        head = _CLASS_HEAD.match(text)
        if word.search(head.group() if head is not None else text, bound.end()):
            name = (bound.group(1) or bound.group(2)).decode("utf-8", "replace")
            if not name.startswith("_"):
                yield name


@lru_cache(maxsize=256)
def _sources(module: str) -> tuple[bytes, ...]:
    """The source of a module, and of those of its package that it imports from."""
    path = find_module_file(module)
    data = _read(path)
    if data is None:
        return ()
    package = module.split(".") if path.endswith("__init__.py") else module.split(".")[:-1]
    folder, found = os.path.dirname(path), {path: data}
    for dots, name in _FROM.findall(data):
        words = name.decode("ascii", "replace").split(".") if name else []
        if dots:
            base = os.path.join(folder, *[os.pardir] * (len(dots) - 1), *words)
        elif package and words[: len(package)] == package:
            base = os.path.join(folder, *words[len(package) :])
        else:
            continue
        for file in (f"{base}.py", os.path.join(base, "__init__.py")):
            file = os.path.normpath(file)
            read = _read(file) if file not in found else None
            if read is not None:
                found[file] = read
    return tuple(found.values())


def _read(path: str) -> bytes | None:
    try:
        with open(path, "rb") as file:
            return file.read()
    except OSError:
        return None
