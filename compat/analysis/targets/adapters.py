"""Read adapter classes from their source, without importing them: factory, legacy methods, renamed methods."""

from __future__ import annotations

import ast
import os
import re
from functools import cached_property, lru_cache
from typing import TYPE_CHECKING

from compat.ledger import advice

from .module_files import find_module_file

IMPORT = re.compile(r"from ([\w.]+) import (\w+)")
_HOPS = 4
_BODIES = ("body", "handlers", "orelse", "finalbody", "cases")

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from compat.ledger import Ledger


class Members:
    """The legacy names that an adapter class and the mixins it is made of define themselves."""

    def __init__(self) -> None:
        self.has_own_build = False
        self.renamed: dict[str, str] = {}
        self.legacy: dict[str, str] = {}
        #: Legacy attributes that are read, and not called, and the canonical attributes whose values they convert.
        self.values: dict[str, str] = {}
        #: Where each legacy method is defined: ``"module:Class.method"``.
        self.homes: dict[str, str] = {}


class Adapter:
    """One adapter class: what builds its canonical instance, and its members, for which its mixins are read when asked for."""

    def __init__(self, module: str, tree: ast.Module, node: ast.ClassDef) -> None:
        self._home = module, tree, node
        told = {word.arg: word.value.value for word in node.keywords if isinstance(word.value, ast.Constant)}
        self.factory = str(told.get("built_by", ""))

    @cached_property
    def members(self) -> Members:
        made = Members()
        _collect(made, *self._home, 0)
        return made


class Adapters:
    """Factories and adapters of a ledger; adapters' source is read when it is first asked for."""

    def __init__(self, ledger: Ledger, factories: Mapping[str, str]) -> None:
        self._ledger = ledger
        self._configured = {key.replace(":", "."): value for key, value in factories.items()}
        self._adapters: dict[str, Adapter | None] = {}
        self._by_class: dict[str, str] | None = None
        self._built: dict[str, str] | None = None
        #: Canonical classes whose factory exists for old code only: nobody is sent to it.
        self.built_by_stopgaps: set[str] = set()

    def of(self, path: str) -> Adapter | None:
        """The adapter at ``"module:Class"``, ``None`` where its source is not found."""
        if path not in self._adapters:
            self._adapters[path] = _read_adapter(path)
        return self._adapters[path]

    @property
    def factories(self) -> dict[str, str]:
        """Canonical class -> the factory that builds it, both dotted with a colon kept in the factory."""
        if self._by_class is None:
            found: dict[str, str] = {}
            told: dict[str, str] = {}
            stopgaps = advice.stopgaps(self._ledger)
            for row in self._ledger:
                if row.adapter:
                    adapter = self.of(row.adapter)
                    factory = adapter.factory if adapter is not None else ""
                    if factory and advice.lies_in(factory, stopgaps):
                        self.built_by_stopgaps.add(row.canonical)
                        factory = ""
                    if not factory:
                        words = row.instead or ""
                        factory = told[words] = told[words] if words in told else _factory_in_words(words)
                    if factory:
                        found.setdefault(row.canonical.replace(":", "."), factory)
            self._by_class = {**found, **self._configured}
        return self._by_class

    def built_class(self, dotted: str) -> str:
        """The canonical class that a factory function builds, dotted; empty for any other function."""
        if self._built is None:
            self._built = {}
            for made, factory in self.factories.items():
                self._built.setdefault(factory.replace(":", "."), made)
        return self._built.get(dotted, "")


def _factory_in_words(instead: str) -> str:
    """The function that a row's words say to import instead of a class: ``from module import function``; empty for a class."""
    match = IMPORT.search(instead)
    if match is None or not match.group(2).islower():
        return ""
    path = f"{match.group(1)}:{match.group(2)}"
    return path if is_async_function(path) is not None else ""


def parse_module(module: str) -> ast.Module | None:
    """The syntax tree of a module found on ``sys.path``, ``None`` where it is not there or does not parse."""
    path = find_module_file(module)
    return parse_file(path) if path else None


def parse_file(path: str) -> ast.Module | None:
    """The syntax tree of a file, ``None`` where it is not there or does not parse."""
    try:
        stamp = os.stat(path)
    except OSError:
        return None
    return _parse_file(path, stamp.st_mtime_ns, stamp.st_size)


@lru_cache(maxsize=512)
def _parse_file(path: str, _changed: int, _size: int) -> ast.Module | None:
    try:
        with open(path, "rb") as file:
            return ast.parse(file.read(), path)
    except (OSError, SyntaxError, ValueError, RecursionError, MemoryError):
        return None


def is_async_function(path: str) -> bool | None:
    """Whether ``"module:function"`` is an ``async def``; ``None`` where its definition is not found."""
    module, _, name = path.partition(":")
    for _module, name, tree in _through_re_exports(module, name):  # noqa: B020
        for node in tree.body:
            if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)) and node.name == name:
                return isinstance(node, ast.AsyncFunctionDef)
    return None


def defined_at(dotted: str) -> str:
    """Where the name at ``"package.name"`` is defined, through re-exports; unchanged where that is not found."""
    module, _, name = dotted.rpartition(".")
    for module, name, _tree in _through_re_exports(module, name):  # noqa: B007, B020
        pass
    return f"{module}.{name}"


def _through_re_exports(module: str, name: str) -> Iterator[tuple[str, str, ast.Module]]:
    """Follow the re-exports of a name to the module that defines it: ``(module, name there, its tree)`` of each on the way."""
    for _hop in range(_HOPS):
        tree = parse_module(module)
        if tree is None:
            return
        yield module, name, tree
        onward = imported_from(tree, module, name) or _starred(tree, module, name)
        if onward is None:
            return
        module, name = onward


def _starred(tree: ast.Module, module: str, name: str) -> tuple[str, str] | None:
    """Where a module that does not bind a name itself has it from by ``from module import *``; the last such statement counts."""
    stars = [node for node in tree.body if isinstance(node, ast.ImportFrom) and node.names[0].name == "*"]
    if not stars or name.startswith("_") or name in _defined(tree):
        return None
    for node in reversed(stars):
        base = _absolute(node, module)
        inner = parse_module(base)
        if inner is not None and (name in _defined(inner) or name in _froms(inner)):
            return base, name
    return None


@lru_cache(maxsize=512)
def _defined(tree: ast.Module) -> frozenset[str]:
    """The names that the statements of a module define themselves."""
    found = {node.name for node in tree.body if isinstance(node, (ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef))}
    for node in tree.body:
        targets = node.targets if isinstance(node, ast.Assign) else [getattr(node, "target", None)]
        found.update(to.id for to in targets if isinstance(to, ast.Name))
    return frozenset(found)


def imported_from(tree: ast.Module, module: str, name: str) -> tuple[str, str] | None:
    """Where a module imports a name from: ``(module, name)``, ``None`` where it does not import it."""
    found = _froms(tree).get(name)
    if found is None:
        return None
    node, original = found
    return _absolute(node, module), original


def _absolute(node: ast.ImportFrom, module: str) -> str:
    """The absolute module of a ``from`` statement in a module."""
    base = node.module or ""
    if node.level:
        head = module.split(".")
        drop = node.level - (1 if find_module_file(module).endswith("__init__.py") else 0)
        head = head[: len(head) - drop] if drop else head
        base = ".".join([*head, base] if base else head)
    return base


@lru_cache(maxsize=512)
def _froms(tree: ast.Module) -> dict[str, tuple[ast.ImportFrom, str]]:
    """The first ``from`` statement that binds each name, outermost first, and the name there."""
    found: dict[str, tuple[ast.ImportFrom, str]] = {}
    pending: list[ast.AST] = [tree]
    for node in pending:
        if isinstance(node, ast.ImportFrom):
            for alias in node.names:
                found.setdefault(alias.asname or alias.name, (node, alias.name))
        for name in _BODIES:
            pending.extend(getattr(node, name, ()))
    return found


def _read_adapter(path: str) -> Adapter | None:
    module, _, name = path.partition(":")
    found = _class_at(module, name)
    return None if found is None else Adapter(*found)


def _class_at(module: str, name: str) -> tuple[str, ast.Module, ast.ClassDef] | None:
    """The definition of a class, through re-exports and ``Name = A if ... else B`` (the last name that is a class)."""
    for module, name, tree in _through_re_exports(module, name):  # noqa: B020
        classes = {node.name: node for node in tree.body if isinstance(node, ast.ClassDef)}
        if name in classes:
            return module, tree, classes[name]
        for node in tree.body:
            if isinstance(node, ast.Assign) and any(isinstance(to, ast.Name) and to.id == name for to in node.targets):
                named = [item.id for item in ast.walk(node.value) if isinstance(item, ast.Name) and item.id in classes]
                return (module, tree, classes[named[-1]]) if named else None
    return None


def _collect(made: Members, module: str, tree: ast.Module, node: ast.ClassDef, depth: int) -> None:
    """Take the legacy names of a class and of the mixins it is made of."""
    for base in node.bases:
        if isinstance(base, ast.Name) and base.id != "Adapter" and depth < _HOPS:
            found = _class_at(module, base.id)
            if found is not None:
                _collect(made, *found, depth + 1)
    _collect_parts(made, module, tree, node)
    for item in node.body:
        if isinstance(item, (ast.FunctionDef, ast.AsyncFunctionDef)):
            if item.name in ("__build__", "__init__", "__new__"):
                made.has_own_build = True
            elif not item.name.startswith("_"):
                made.legacy[item.name] = _instead(item)
                made.homes[item.name] = f"{module}:{node.name}.{item.name}"
        elif isinstance(item, ast.Assign) and isinstance(item.targets[0], ast.Name):
            target, value = item.targets[0].id, item.value
            if isinstance(value, ast.Call) and isinstance(value.func, ast.Name) and value.args:
                first = value.args[0]
                if value.func.id == "renamed" and isinstance(first, (ast.Constant, ast.Attribute)):
                    made.renamed[target] = str(first.value) if isinstance(first, ast.Constant) else first.attr
                    continue
            if not target.startswith("_"):
                made.legacy[target] = ""
                if isinstance(value, ast.Call) and isinstance(value.func, ast.Name) and value.func.id == "converted":
                    new = value.args[0] if value.args else None
                    made.values[target] = str(new.value) if isinstance(new, ast.Constant) else ""


def _collect_parts(made: Members, module: str, tree: ast.Module, node: ast.ClassDef) -> None:
    """Take the legacy methods of the parts that answer for an adapter: ``parts={"_stock": Stock}``, written there or by name."""
    for word in node.keywords:
        if word.arg == "parts":
            home, home_tree, value = _value_of(module, tree, word.value)
            for item in value.values if isinstance(value, ast.Dict) else ():
                found = _class_at(home, item.id) if isinstance(item, ast.Name) and home_tree is not None else None
                if found is not None:
                    _collect_part(made, *found, 0)


def _collect_part(made: Members, module: str, tree: ast.Module, node: ast.ClassDef, depth: int) -> None:
    for base in node.bases:
        found = _class_at(module, base.id) if isinstance(base, ast.Name) and depth < _HOPS else None
        if found is not None:
            _collect_part(made, *found, depth + 1)
    for item in node.body:
        # The other methods of a part are its own.
        if isinstance(item, (ast.FunctionDef, ast.AsyncFunctionDef)) and _is_legacy(item):
            made.legacy[item.name] = _instead(item)


def _is_legacy(function: ast.FunctionDef | ast.AsyncFunctionDef) -> bool:
    nodes = [node.func if isinstance(node, ast.Call) else node for node in function.decorator_list]
    return any(getattr(node, "attr", getattr(node, "id", "")) in ("legacy_method", "legacy_property") for node in nodes)


def _value_of(module: str, tree: ast.Module, node: ast.expr) -> tuple[str, ast.Module | None, ast.expr]:
    """What a name of a module is assigned, through imports, with the module in which it is."""
    if not isinstance(node, ast.Name):
        return module, tree, node
    for at, name, inner in _through_re_exports(module, node.id):
        for item in inner.body:
            targets = item.targets if isinstance(item, ast.Assign) else [getattr(item, "target", None)]
            value = getattr(item, "value", None)
            if value is not None and any(isinstance(to, ast.Name) and to.id == name for to in targets):
                return at, inner, value
    return module, None, node


def _instead(function: ast.FunctionDef | ast.AsyncFunctionDef) -> str:
    for decorator in function.decorator_list:
        if isinstance(decorator, ast.Call):
            for word in decorator.keywords:
                if word.arg == "instead" and isinstance(word.value, ast.Constant):
                    return str(word.value.value)
    return ""


def find_signature(path: str) -> list[str] | None:
    """Positional parameter names of ``"module:function"`` or ``"module:Class.method"`` (without ``self``), from its source.

    Of ``"module:Class"`` those of its constructor, which may be made of the fields of a dataclass or a named tuple.
    """
    module, _, attribute = path.partition(":")
    tree = parse_module(module)
    if tree is None:
        return None
    node: ast.stmt | None = None
    body: list[ast.stmt] = tree.body
    owner: ast.ClassDef | None = None
    for word in attribute.split("."):
        owner = node if isinstance(node, ast.ClassDef) else None
        node = _definition(body, word)
        body = node.body if isinstance(node, ast.ClassDef) else []
    if isinstance(node, ast.ClassDef):
        owner, made = node, _definition(body, "__init__") or _definition(body, "__new__")
        if made is None:
            return _fields(node)
        node = made
    if not isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
        return None
    names = [arg.arg for arg in [*node.args.posonlyargs, *node.args.args]]
    is_static = any(isinstance(item, ast.Name) and item.id == "staticmethod" for item in node.decorator_list)
    return names[1:] if owner is not None and not is_static else names


def _definition(body: list[ast.stmt], name: str) -> ast.stmt | None:
    kinds = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)
    return next((node for node in body if isinstance(node, kinds) and node.name == name), None)


def _fields(node: ast.ClassDef) -> list[str] | None:
    """The fields that make the constructor of a dataclass or a named tuple; ``None`` for another class."""
    marks = [ast.dump(mark) for mark in (*node.decorator_list, *node.bases)]
    if not any("dataclass" in mark or "NamedTuple" in mark for mark in marks):
        return None
    fields = [item for item in node.body if isinstance(item, ast.AnnAssign) and isinstance(item.target, ast.Name)]
    return [
        item.target.id for item in fields if "ClassVar" not in ast.dump(item.annotation) and isinstance(item.target, ast.Name)
    ]
