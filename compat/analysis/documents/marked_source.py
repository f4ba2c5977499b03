"""The source of a module that stays, as a stub in which its deprecated members are marked (PEP 702)."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from ..targets.module_files import find_module_file

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from compat.ledger import Move

    Defined = tuple[str, ast.stmt]


def is_package(module: str) -> bool:
    """Whether a module's source is that of a package."""
    return find_module_file(module).replace("\\", "/").endswith("/__init__.py")


def mark(module: str, rows: Sequence[Move], say: Callable[[Move, str], str]) -> str:
    """The text of a module with ``@deprecated`` on the functions and classes that rows name, and a comment on the rest.

    Empty where there is no source to read, or none of the rows' members is found in it.
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
    lines = text.splitlines()
    places: dict[str, list[ast.stmt]] = {}
    for path, node in _defined(tree.body, ""):
        places.setdefault(path, []).append(node)
    added: list[tuple[int, str]] = []
    for row in rows:
        if not row.attribute:
            added.append((_first_line(tree), f"# {say(row, 'import')}"))
        for node in places.get(row.attribute, ()):
            marked = _marked(row, node, places)
            if marked is None:
                added.append((_start(node), f"{' ' * node.col_offset}# {say(row, _use(node, row))}"))
            else:
                # Innermost: a property or a class method of a deprecated function is what checkers report.
                added.append((marked.lineno, f"{' ' * marked.col_offset}@deprecated({say(row, _use(node, row))!r})"))
    if not added:
        return ""
    if any("@deprecated(" in line for _at, line in added):
        added.append((_first_line(tree), "from typing_extensions import deprecated"))
    for at, line in sorted(added, reverse=True):
        lines.insert(at - 1, line)
    return "\n".join(lines) + "\n"


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
