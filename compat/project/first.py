"""The first ledger of a package, drafted from the deprecations that its source already speaks of.

What warns whenever it is used becomes a row: a decorator ``deprecated``, or ``warnings.warn`` with a category of deprecation as
a statement of its own in the body of a function, of ``__init__`` or of a module. What warns under a condition is named in a
comment: only its author knows whether it is an argument, a value or a setting.
"""

from __future__ import annotations

import ast
import json
import os
import re
from collections.abc import Iterator
from typing import NamedTuple

from .survey import Survey

_CATEGORIES = {"DeprecationWarning", "PendingDeprecationWarning", "FutureWarning"}
_INSTEAD = re.compile(r"\b[Uu]se\s+(?::\w+(?::\w+)*:)?[`'\"]*([\w.()\[\]]+[\w)\]])[`'\"]*\s*(?:instead\b|[.,;!](?:\s|$)|$)")
_SINCE = re.compile(r"\b(?:since|as of|deprecated in)\s+(?:version\s+|\w+\s+)?v?(\d+(?:\.\d+)*)", flags=re.I)
_REMOVAL = re.compile(r"\bremoved\s+(?:in|with)\s+(?:version\s+|\w+\s+)?v?(\d+(?:\.\d+)*)", flags=re.I)


class Found(NamedTuple):
    """A deprecation in the source: what, with which words, and whether it holds for every use."""

    path: str
    message: str
    place: str
    is_certain: bool


def deprecations(survey: Survey) -> list[Found]:
    """Every deprecation in the sources of a survey's package."""
    top = os.path.join(survey.root, survey.place)
    files = [(survey.package, top)] if not survey.is_package else sorted(_modules(survey.package, top))
    found: list[Found] = []
    for module, file in files:
        try:
            with open(file, "rb") as stream:
                tree = ast.parse(stream.read())
        except (OSError, SyntaxError, ValueError):
            continue  # a scan names it
        place = os.path.relpath(file, survey.root).replace(os.sep, "/")
        found += _in_body(tree.body, module, "", place)
    return found


def _modules(package: str, top: str) -> Iterator[tuple[str, str]]:
    for folder, folders, files in os.walk(top):
        folders[:] = [each for each in folders if each.isidentifier() and each not in ("__pycache__", "tests", "test")]
        for file in files:
            if file.endswith(".py") and file[:-3].isidentifier():
                parts = [package, *os.path.relpath(os.path.join(folder, file[:-3]), top).split(os.sep)]
                parts = [part for part in parts if part != "."]
                yield ".".join(parts[:-1] if parts[-1] == "__init__" else parts), os.path.join(folder, file)


def _in_body(body: list[ast.stmt], module: str, holder: str, place: str) -> Iterator[Found]:
    if not holder:
        yield from _warns(body, module, place)
    for statement in body:
        if not isinstance(statement, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
            continue
        name = statement.name
        is_method = isinstance(statement, (ast.FunctionDef, ast.AsyncFunctionDef)) and bool(holder)
        path = f"{module}:{holder}{name}"
        if is_method and name in ("__init__", "__new__"):
            path = f"{module}:{holder[:-1]}"
        elif name.startswith("_"):
            continue
        line = f"{place}:{statement.lineno}"
        marked = next(filter(None, map(_decorated, statement.decorator_list)), None)
        if marked is not None:
            yield Found(path, marked, line, True)
        elif isinstance(statement, ast.ClassDef):
            yield from _in_body(statement.body, module, f"{holder}{name}.", place)
        else:
            yield from _warns(statement.body, path, place)


def _warns(body: list[ast.stmt], path: str, place: str) -> Iterator[Found]:
    """What a body warns of itself; one of each kind, for one row says it."""
    for statement in body:
        warned = _warned(statement.value) if isinstance(statement, ast.Expr) else None
        if warned is not None:
            yield Found(path, warned, f"{place}:{statement.lineno}", True)
            return
    for statement in body:
        if isinstance(statement, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
            continue
        for node in ast.walk(statement):
            warned = _warned(node)
            if warned is not None:
                yield Found(path, warned, f"{place}:{node.lineno}", False)  # type: ignore[attr-defined]
                return


def _warned(node: ast.AST) -> str | None:
    if not isinstance(node, ast.Call) or _last(node.func) not in ("warn", "warn_deprecated"):
        return None
    given = [*node.args, *(keyword.value for keyword in node.keywords)]
    if not any(_last(argument) in _CATEGORIES for argument in given):
        return None
    return _text(node.args[0]) if node.args else ""


def _decorated(node: ast.expr) -> str | None:
    if _last(node.func if isinstance(node, ast.Call) else node) != "deprecated":
        return None
    if not isinstance(node, ast.Call):
        return ""
    named = {keyword.arg: _text(keyword.value) for keyword in node.keywords}
    if "category" in named and any(k.arg == "category" and isinstance(k.value, ast.Constant) for k in node.keywords):
        return None  # category=None of warnings.deprecated: for type checkers only
    words = [_text(argument) for argument in node.args[:1]] + [named.get("reason", "")]
    words += [f"since {named['version']}"] if named.get("version") else []
    return " ".join(word for word in words if word)


def _last(node: ast.AST) -> str:
    return node.attr if isinstance(node, ast.Attribute) else node.id if isinstance(node, ast.Name) else ""


def _text(node: ast.expr) -> str:
    """The constant text of an expression, with an ellipsis for what is computed."""
    if isinstance(node, ast.Constant):
        return node.value if isinstance(node.value, str) else ""
    if isinstance(node, ast.JoinedStr):
        return "".join(str(value.value) if isinstance(value, ast.Constant) else "..." for value in node.values)
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add):
        return _text(node.left) + _text(node.right)
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Mod):
        return re.sub(r"%\(?\w*\)?[srd]", "...", _text(node.left))
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "format":
        return re.sub(r"\{[^}]*\}", "...", _text(node.func.value))
    return ""


def next_major(version: str) -> str:
    """The version at which what is deprecated now may go, unless its author says another."""
    found = re.match(r"(?:\d+!)?(\d+)", version)
    return f"{int(found[1]) + 1 if found else 1}.0"


def ledger_text(survey: Survey, found: list[Found]) -> str:
    """The module that holds the first ledger."""
    name = survey.package or survey.name
    version = survey.version or "0"
    certain = [each for each in found if each.is_certain]
    rows: dict[str, str] = {}
    for each in certain:
        rows.setdefault(each.path, _row(each, version))
    doubtful = [each for each in found if not each.is_certain and each.path not in rows]
    example = (
        f'    # Name("{name}.util:Old", "{name}.core:New", since="{version}", removal="{next_major(version)}", instead=None),'
    )
    lines = [
        f'"""What moved in {name}, and what will go: a row a move. `compat scan` finds its uses, `compat fix` rewrites them."""',
        "",
        f"from compat import {'Deprecated, Ledger' if rows else 'Ledger'}",
        "",
        f"LEDGER = Ledger({json.dumps(name)}{_version(survey)}) + [",
        *(rows.values() or [example]),
        "]",
    ]
    if rows:
        lines[3:3] = [
            "",
            "# Drafted from what the source warns of. A row warns and counts by itself once the ledger is served: the call of",
            "# warnings.warn() that it stands for, or the decorator, can then go.",
        ]
    if doubtful:
        lines += ["", "# Warns under a condition; write an Argument, a Method or a Behaviour row for it:"]
        lines += [f"#   {each.place}: {each.path}: {' '.join(each.message.split())[:80]}".rstrip(": ") for each in doubtful]
    return "\n".join(lines) + "\n"


def _version(survey: Survey) -> str:
    """No version where the installed distribution knows it: one place less to raise at a release."""
    project = survey.project()
    if "name" not in project:
        return f', version="{survey.version or "0"}"'
    return "" if survey.name == survey.package else f', distribution="{survey.name}"'


def _row(found: Found, version: str) -> str:
    message = " ".join(found.message.split())
    since, removal = _SINCE.search(message), _REMOVAL.search(message)
    use = _INSTEAD.search(message)
    words = {"since": since[1] if since else version}
    words["removal"] = removal[1] if removal else next_major(version)
    instead = json.dumps(use[1], ensure_ascii=False) if use and "..." not in use[1] else "None"
    given = ", ".join(f"{name}={json.dumps(value)}" for name, value in words.items())
    return f"    Deprecated({json.dumps(found.path)}, {given}, instead={instead}),  # {found.place}"
