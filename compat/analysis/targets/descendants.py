"""The classes of a library that derive from one whose members rows speak of: what that class has lost, they have lost."""

from __future__ import annotations

import ast
import os
import re
from typing import TYPE_CHECKING, NamedTuple

from .adapters import defined_at, imported_from, parse_file
from .module_files import find_module_file

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator

_HEAD = re.compile(rb"^class[ \t]+(\w+)[ \t]*\(([^)]*)\)", re.M)
_WORD = re.compile(rb"\w+")


class Descendant(NamedTuple):
    """A class (dotted), its bases among those that matter (dotted, in order), and the names that its body binds."""

    path: str
    bases: tuple[str, ...]
    own: frozenset[str]


def find(classes: Collection[str], roots: Iterable[str]) -> list[Descendant]:
    """The classes below some classes (dotted) in the packages of their modules, bases first; none of files below ``roots``.

    What lies in the scanned trees is read with them. ``classes`` themselves are told where they derive from one another.
    """
    inside = tuple(os.path.join(os.path.realpath(root), "") for root in roots)
    heads: dict[bytes, list[tuple[str, str]]] = {}
    for module, file in _modules({path.rpartition(".")[0] for path in classes}):
        if not os.path.realpath(file).startswith(inside):
            for name, bases in _heads(file):
                for word in {*_WORD.findall(bases)}:
                    heads.setdefault(word, []).append((file, f"{module}.{name.decode()}"))
    words = [path.rpartition(".")[2] for path in sorted(classes)]
    if heads.keys().isdisjoint(map(str.encode, words)):
        return []
    known = {defined_at(path): path for path in sorted(classes)}
    files: dict[str, str] = {}
    for last in words:
        for file, path in heads.get(last.encode(), ()):
            if path not in files and _read(file, path, known) is not None:
                files[path] = file
                words.append(path.rpartition(".")[2])
                known.setdefault(path, path)
    read = {path: _read(file, path, known) for path, file in files.items()}
    pending = {made.path: made for made in read.values() if made is not None}
    found: list[Descendant] = []
    while pending:
        ready = [made for made in pending.values() if pending.keys().isdisjoint(made.bases)]
        for made in ready or [*pending.values()]:
            found.append(pending.pop(made.path))
    return found


def _read(file: str, path: str, known: dict[str, str]) -> Descendant | None:
    tree = parse_file(file)
    module, _, name = path.rpartition(".")
    if tree is None:
        return None
    for node in tree.body:
        if isinstance(node, ast.ClassDef) and node.name == name:
            bases = [_defined(tree, module, base) for base in node.bases]
            mine = tuple(known[base] for base in bases if base in known)
            return Descendant(known.get(path, path), mine, frozenset(_bound(node))) if mine else None
    return None


def _defined(tree: ast.Module, module: str, base: ast.expr) -> str:
    """Where a base class is defined: a name of the module, or an attribute of a module that is imported."""
    if isinstance(base, ast.Name):
        return defined_at(f"{module}.{base.id}")
    if not (isinstance(base, ast.Attribute) and isinstance(base.value, ast.Name)):
        return ""
    head = base.value.id
    given = imported_from(tree, module, head)
    for node in tree.body if given is None else ():
        for alias in node.names if isinstance(node, ast.Import) else ():
            if (alias.asname or alias.name) == head:
                given = alias.name, ""
    return defined_at(".".join([*filter(None, given), base.attr])) if given is not None else ""


def _bound(node: ast.ClassDef) -> Iterator[str]:
    for item in node.body:
        if isinstance(item, (ast.FunctionDef, ast.AsyncFunctionDef)):
            yield item.name
        for to in getattr(item, "targets", [getattr(item, "target", None)]):
            if isinstance(to, ast.Name):
                yield to.id


def _heads(file: str) -> list[tuple[bytes, bytes]]:
    try:
        with open(file, "rb") as stream:
            return _HEAD.findall(stream.read())
    except OSError:
        return []


def _modules(homes: Iterable[str]) -> Iterator[tuple[str, str]]:
    """The modules, with their files, of the packages that some modules lie in, and of what is below these."""
    seen: set[str] = set()
    for home in sorted(homes):
        file = find_module_file(home)
        package = home if os.path.basename(file) == "__init__.py" else home.rpartition(".")[0]
        if file and not package:
            yield home, file
        for folder, folders, names in os.walk(os.path.dirname(file)) if package else ():
            folders[:] = sorted(one for one in folders if one.isidentifier() and os.path.join(folder, one) not in seen)
            seen.add(folder)
            below = os.path.relpath(folder, os.path.dirname(file))
            dotted = package if below == os.curdir else f"{package}.{below.replace(os.sep, '.')}"
            for name in sorted(names):
                if name.endswith(".py"):
                    yield dotted if name == "__init__.py" else f"{dotted}.{name[:-3]}", os.path.join(folder, name)
