"""The source of a module that stays, as a stub (PEP 702): deprecated members are marked, and old ones stand beside new ones."""

from __future__ import annotations

import ast
import re
import sys
from textwrap import indent
from typing import TYPE_CHECKING

from ..targets.module_files import find_module_file
from . import legacy_forms

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence
    from typing import Any

    from compat.ledger import Move

    Defined = tuple[str, ast.stmt]


def is_package(module: str) -> bool:
    """Whether a module's source is that of a package."""
    return find_module_file(module).replace("\\", "/").endswith("/__init__.py")


def mark(
    module: str,
    rows: Sequence[Move],
    say: Callable[[Move, str], str],
    *,
    names: Sequence[str] = (),
    imports: Iterable[str] = (),
) -> str:
    """The text of a module with ``@deprecated`` on the functions and classes that rows name, and a comment on the rest.

    Members that are gone, and functions as they were called before, stand beside what replaces them; ``names`` are definitions
    of names that are gone from the module, with the ``imports`` that they need. Empty where there is no source to read, or
    none of the rows' members is found in it.
    """
    file = find_module_file(module)
    if not file.endswith(".py"):
        return ""
    try:
        with open(file, encoding="utf-8") as opened:
            text = opened.read()
        tree = ast.parse(text)
    except (OSError, SyntaxError, ValueError):
        return ""
    lines = _typed(tree, _absolute(tree, text.rstrip("\n").split("\n"), module))
    places: dict[str, list[ast.stmt]] = {}
    for path, node in _defined(tree.body, ""):
        places.setdefault(path, []).append(node)
    added = [*_members(rows, say, places), *_forms(rows, say, places)]
    for row in rows:
        if not row.stays:
            continue
        if not row.attribute:
            added.append((_first_line(tree), f"# {say(row, 'import')}"))
        for node in places.get(row.attribute, ()):
            marked = _marked(row, node, places)
            if marked is None:
                added.append((_start(node), f"{' ' * node.col_offset}# {say(row, _use(node, row))}"))
            else:
                # Innermost: a property or a class method of a deprecated function is what checkers report.
                added.append((marked.lineno, f"{' ' * marked.col_offset}@deprecated({say(row, _use(node, row))!r})"))
    if not added and not names:
        return ""
    whole = "\n".join([*lines, *names, *(line for _at, line in added)])
    heads = [f"import {name}" for name in sorted(imports)]
    words = [word for word in ("Any", "NoReturn", "overload") if re.search(rf"\b{word}\b", whole) and word not in places]
    if words:
        heads.append(f"from typing import {', '.join(words)}")
    if "@deprecated(" in whole:
        heads.append("from typing_extensions import deprecated")
    for at, line in sorted(added, reverse=True):
        lines.insert(at - 1, line)
    lines[_first_line(tree) - 1 : _first_line(tree) - 1] = heads
    return "\n".join([*lines, *(f"\n{name}" for name in names)]) + "\n"


def _absolute(tree: ast.Module, lines: list[str], module: str) -> list[str]:
    """The lines with relative imports spelt out: pyright looks for the others among the stubs alone, and most have none."""
    package = module.split(".") if is_package(module) else module.split(".")[:-1]
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and 0 < node.level <= len(package):
            path = ".".join([*package[: len(package) - node.level + 1], *([node.module] if node.module else [])])
            line = lines[node.lineno - 1]
            start = len(line.encode()[: node.col_offset].decode())
            lines[node.lineno - 1] = line[:start] + re.sub(
                r"from\s*\.[.\s]*(?!import\b)[\w.]*", f"from {path}", line[start:], count=1
            )
    return lines


def _typed(tree: ast.Module, lines: list[str]) -> list[str]:
    """The lines with ``Any`` for parameters without annotation: in a stub, checkers would take the default for the type."""
    places = []
    for node in ast.walk(tree):
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
            args = node.args
            positional = [*args.posonlyargs, *args.args][-len(args.defaults) or sys.maxsize :]
            words = [arg for arg, default in zip(args.kwonlyargs, args.kw_defaults) if default is not None]
            bare = [arg for arg in (*positional, *words) if arg.annotation is None]
            places += [(arg.end_lineno or 0, arg.end_col_offset or 0) for arg in bare]
    for line, column in sorted(places, reverse=True):
        raw = lines[line - 1].encode()
        lines[line - 1] = (raw[:column] + b": Any" + raw[column:]).decode()
    return lines


def _members(
    rows: Sequence[Move], say: Callable[[Move, str], str], places: dict[str, list[ast.stmt]]
) -> Iterator[tuple[int, str]]:
    """What rows say is gone from classes, each after the last line of its class."""
    for row in rows:
        if row.stays or row.function or "." not in row.attribute:
            continue
        for owner in places.get(row.attribute.rpartition(".")[0], ()):
            if isinstance(owner, ast.ClassDef) and owner.body[0].lineno > owner.lineno:
                text = legacy_forms.member(row, owner, say)
                yield (owner.end_lineno or owner.lineno) + 1, indent(text, " " * owner.body[0].col_offset)


def _forms(rows: Sequence[Move], say: Callable[[Move, str], str], places: dict[str, list[ast.stmt]]) -> Iterator[tuple[int, str]]:
    """The overloads of functions whose arguments changed."""
    by_function: dict[str, list[tuple[Any, str]]] = {}
    for row in rows:
        if row.function and not row.stays:
            by_function.setdefault(row.function.partition(":")[2], []).append((row, say(row, "call")))
    for path, told in by_function.items():
        found = places.get(path, [])
        if len(found) == 1 and isinstance(found[0], ast.ClassDef):
            found = places.get(f"{path}.__init__", [])
        if len(found) != 1 or not isinstance(found[0], (ast.FunctionDef, ast.AsyncFunctionDef)):
            continue
        node = found[0]
        texts = legacy_forms.overloads(told, node)
        margin = " " * node.col_offset
        if texts:
            yield _start(node), f"{margin}@overload"
            yield (node.end_lineno or node.lineno) + 1, indent("\n".join(texts), margin)


def _marked(row: Move, node: ast.stmt, places: dict[str, list[ast.stmt]]) -> ast.stmt | None:
    """The definition to put the mark on; ``None`` where PEP 702 has no mark for what the row means."""
    if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
        return node
    if not isinstance(node, ast.ClassDef) or not row.covers("construct"):
        return None
    if row.covers("subclass"):
        return node
    makers = (places.get(f"{row.attribute}.{name}", [None])[0] for name in ("__init__", "__new__"))
    return next((maker for maker in makers if maker is not None), None)


def _use(node: ast.stmt, row: Move) -> str:
    if isinstance(node, ast.ClassDef):
        return "construct" if row.covers("construct") else "subclass"
    decorators: list[ast.expr] = getattr(node, "decorator_list", [])
    read = any(isinstance(item, ast.Name) and item.id.endswith("property") for item in decorators)
    return "call" if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)) and not read else "attribute"


def _start(node: ast.stmt) -> int:
    decorators: list[ast.expr] = getattr(node, "decorator_list", [])
    return min([node.lineno, *(item.lineno for item in decorators)])


def _defined(body: Sequence[ast.stmt], prefix: str) -> Iterator[Defined]:
    """Every definition and assignment of a module and its classes, by its path in the module."""
    for node in body:
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
            yield f"{prefix}{node.name}", node
            if isinstance(node, ast.ClassDef):
                yield from _defined(node.body, f"{prefix}{node.name}.")
        elif isinstance(node, (ast.Assign, ast.AnnAssign)):
            for target in node.targets if isinstance(node, ast.Assign) else [node.target]:
                if isinstance(target, ast.Name):
                    yield f"{prefix}{target.id}", node
        elif isinstance(node, (ast.If, ast.Try)):
            yield from _defined([*node.body, *node.orelse], prefix)


def _first_line(tree: ast.Module) -> int:
    """The line of the first statement that may have an import before it: after the docstring and ``__future__``."""
    for index, node in enumerate(tree.body):
        is_docstring = index == 0 and isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
        if not is_docstring and not (isinstance(node, ast.ImportFrom) and node.module == "__future__"):
            return _start(node)
    return 1
