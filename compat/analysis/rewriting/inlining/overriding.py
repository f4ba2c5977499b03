"""Which class of a library overrides a method: code that takes the place of a call would not ask it."""

from __future__ import annotations

import ast
import os
import re
from functools import lru_cache

from ...targets.adapters import parse_file
from ...targets.module_files import find_module_file


@lru_cache(maxsize=1024)
def find(path: str) -> str:
    """The dotted path of a class, in the package of ``"module:Class.method"``, that overrides the method; ``""`` for none."""
    module, _, attribute = path.partition(":")
    owner, _, name = attribute.rpartition(".")
    owner = owner.rpartition(".")[2]
    top = module.partition(".")[0]
    place = find_module_file(top)
    if not owner or not place:
        return ""
    mentions = re.compile(rb"\bclass\s+\w+\s*\([^)]*\b%s\b" % owner.encode())
    defines = re.compile(rb"\b%s\b" % name.encode())
    for file in _files(place):
        with open(file, "rb") as stream:
            raw = stream.read()
        if mentions.search(raw) and defines.search(raw):
            for node in ast.walk(parse_file(file) or ast.Module([], [])):
                if isinstance(node, ast.ClassDef) and _has_base(node, owner) and _binds(node, name):
                    return f"{_dotted(file, place, top)}.{node.name}"
    return ""


def _files(place: str) -> list[str]:
    if os.path.basename(place) != "__init__.py":
        return [place]
    walked = os.walk(os.path.dirname(place))
    return sorted(os.path.join(folder, name) for folder, _folders, names in walked for name in names if name.endswith(".py"))


def _dotted(file: str, place: str, top: str) -> str:
    words = os.path.splitext(os.path.relpath(file, os.path.dirname(place)))[0].split(os.sep)
    return top if file == place else ".".join([top, *words[: -1 if words[-1] == "__init__" else None]])


def _has_base(node: ast.ClassDef, name: str) -> bool:
    return any(name == getattr(base, "attr", getattr(base, "id", "")) for base in node.bases)


def _binds(node: ast.ClassDef, name: str) -> bool:
    for item in node.body:
        if isinstance(item, (ast.FunctionDef, ast.AsyncFunctionDef)) and item.name == name:
            return True
        if isinstance(item, ast.Assign) and any(isinstance(one, ast.Name) and one.id == name for one in item.targets):
            return True
    return False
