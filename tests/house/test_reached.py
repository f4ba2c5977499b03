"""The case keeps no class and no function that neither a row nor other code reaches."""

from __future__ import annotations

import ast
import pathlib
import re
from collections.abc import Iterable, Iterator
from typing import Any

import compat
from compat.netra.ledger import LEDGER

HOME = pathlib.Path(compat.__file__).parent
FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef)
DEFINITIONS = (ast.ClassDef, *FUNCTIONS)

#: Reached from outside of the case: what documentation tells people to call.
DOCUMENTED = {("compat.netra.components.auth.process", "reset_authentication")}


class Module:
    """One file: what it defines and passes on, and which names each of its parts mentions."""

    def __init__(self, path: pathlib.Path) -> None:
        parts = path.relative_to(HOME.parent).with_suffix("").parts
        self.name = ".".join(parts[:-1] if parts[-1] == "__init__" else parts)
        package = parts[:-1]
        tree = ast.parse(path.read_text(encoding="utf-8"))
        self.imported: dict[str, tuple[str, str]] = {}
        for node in ast.walk(tree):
            if isinstance(node, ast.ImportFrom):
                start = package[: len(package) - node.level + 1] if node.level else ()
                base = ".".join([*start, *([node.module] if node.module else [])])
                self.imported.update({alias.asname or alias.name: (base, alias.name) for alias in node.names})
        self.defined = {node.name: set(self.mentioned(node)) for node in tree.body if isinstance(node, DEFINITIONS)}
        rest = [node for node in tree.body if not isinstance(node, (*DEFINITIONS, ast.Import, ast.ImportFrom))]
        self.body = {mention for node in rest for mention in self.mentioned(node)}
        self.texts = {node.value for node in ast.walk(tree) if isinstance(node, ast.Constant) and isinstance(node.value, str)}

    def mentioned(self, node: ast.AST) -> Iterator[tuple[str, str]]:
        """The names in a part, with the module that they are looked up in."""
        for one in ast.walk(node):
            if isinstance(one, ast.Name):
                yield self.name, one.id
            elif isinstance(one, ast.Attribute) and isinstance(one.value, ast.Name) and one.value.id in self.imported:
                yield ".".join(self.imported[one.value.id]), one.attr
            elif isinstance(one, ast.Constant) and isinstance(one.value, str) and one.value.isidentifier():
                yield self.name, one.value  # __getattr__ and __all__ name things in text


def unreached(modules: dict[str, Module], roots: Iterable[tuple[str, str]]) -> list[str]:
    """The definitions that the roots do not lead to."""
    found: set[tuple[str, str]] = set()
    todo = [*roots, *(mention for module in modules.values() for mention in module.body)]
    seen: set[tuple[str, str]] = set()
    while todo:
        place = todo.pop()
        module = modules.get(place[0])
        if place in seen or module is None:
            continue
        seen.add(place)
        if place[1] in module.defined:
            found.add(place)
            todo += module.defined[place[1]]
        elif place[1] in module.imported:
            todo.append(module.imported[place[1]])
    return sorted(f"{name}:{one}" for name, module in modules.items() for one in module.defined if (name, one) not in found)


def rows_and_texts(modules: dict[str, Module]) -> Iterator[tuple[str, str]]:
    """What rows lead to, what is named as ``module:name`` or ``package.module``, and what pytest calls."""
    named: set[Any] = {target for row in LEDGER for target in (row.canonical, row.adapter) if target}
    named |= {text for module in modules.values() for text in module.texts if text.startswith("compat.netra")}
    named |= set(
        re.findall(
            r'"(compat\.netra[\w.]*:\w+)', (pathlib.Path(__file__).parents[2] / "pyproject.toml").read_text(encoding="utf-8")
        )
    )
    for path in map(str, named):
        home, _, name = path.partition(":")
        if name:
            yield home, name.split(".")[0]
        elif home in modules:
            yield from ((home, one) for one in (*modules[home].defined, *modules[home].imported))
    # Rows are written in tables: a word of one may be the converter of an argument.
    words = {word for name, module in modules.items() if ".rows." in name for text in module.texts for word in text.split()}
    for name, module in modules.items():
        yield from ((name, one) for one in module.defined if one.startswith(("pytest_", "__")) or one in words)


def test_every_definition_of_the_case_is_reached() -> None:
    modules = {module.name: module for module in map(Module, (HOME / "netra").rglob("*.py"))}
    assert unreached(modules, [*rows_and_texts(modules), *DOCUMENTED]) == []


def test_what_nothing_leads_to_is_found(tmp_path: pathlib.Path, monkeypatch: Any) -> None:
    monkeypatch.setattr(f"{__name__}.HOME", tmp_path / "compat")
    (tmp_path / "compat" / "netra").mkdir(parents=True)
    (tmp_path / "compat" / "netra" / "a.py").write_text("from .b import Used as Again\nclass Old(Again): ...\nclass Left: ...\n")
    (tmp_path / "compat" / "netra" / "b.py").write_text(
        "def helper(): ...\nclass Used:\n    x = helper()\ndef idle():\n    idle()\n"
    )
    modules = {module.name: module for module in map(Module, (tmp_path / "compat" / "netra").rglob("*.py"))}
    assert unreached(modules, [("compat.netra.a", "Old")]) == ["compat.netra.a:Left", "compat.netra.b:idle"]
