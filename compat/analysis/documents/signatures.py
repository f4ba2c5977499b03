"""Signatures of canonical objects, read from their source, with annotations that can be copied to another module."""

from __future__ import annotations

import ast
import builtins
import copy
from dataclasses import dataclass, field
from functools import lru_cache
from typing import TYPE_CHECKING

from ..targets.adapters import imported_from, parse_module
from ..targets.module_files import find_module_file
from . import legacy_forms

if TYPE_CHECKING:
    from collections.abc import Iterator

_ENUMS = frozenset(("Enum", "IntEnum", "StrEnum", "Flag", "IntFlag"))
_HOPS = 6


@dataclass
class Shape:
    """What stands behind a path: ``form`` is class, function or other; ``module`` and ``name`` are where it is defined."""

    form: str = "other"
    module: str = ""
    name: str = ""
    parameters: str = "*args: Any, **kwargs: Any"
    returns: str = "Any"
    is_async: bool = False
    #: Of a method: ``property``, ``classmethod`` or ``staticmethod``.
    decorator: str = ""
    imports: set[str] = field(default_factory=set)


@lru_cache(maxsize=4096)
def shape_of(path: str) -> Shape:
    """Find the definition behind ``"module:name"``, through re-exports."""
    module, _, name = path.partition(":")
    for _hop in range(_HOPS):
        tree = parse_module(module)
        if tree is None:
            return Shape()
        for node in _statements(tree):
            if isinstance(node, ast.ClassDef) and node.name == name:
                return Shape("other" if _is_enum(tree, node) or _is_final(node) else "class", module, name)
            if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)) and node.name == name:
                return _Function(module, tree, node).shape()
        onward = imported_from(tree, module, name)
        if onward is None:
            return Shape()
        module, name = onward
    return Shape()


_KINDS = {"property": "property", "cached_property": "property", "legacy_property": "property"}
_KINDS.update({"classmethod": "classmethod", "staticmethod": "staticmethod"})
_HARMLESS = frozenset((*_KINDS, "legacy_method", "deprecated", "override"))


def method_at(path: str) -> Shape:
    """The kind and the signature, without the object, of the method at ``"module:Class.method"``; a shape of the form ``other``
    where no source defines it there."""
    module, _, attribute = path.partition(":")
    owner, _, name = attribute.rpartition(".")
    found = shape_of(f"{module}:{owner}") if owner and "." not in owner else Shape()
    tree = parse_module(found.module) if found.form == "class" else None
    for node in _statements(tree) if tree is not None else ():
        if isinstance(node, ast.ClassDef) and node.name == found.name:
            for item in node.body:
                if isinstance(item, (ast.FunctionDef, ast.AsyncFunctionDef)) and item.name == name:
                    assert tree is not None
                    return _Function(found.module, tree, item).method_shape()
    return Shape()


def modules_below(module: str) -> list[str]:
    """The public modules below a package, at any depth, by their paths within it."""
    import os

    file = find_module_file(module)
    if os.path.basename(file) != "__init__.py":
        return []
    found = []
    for name in sorted(os.listdir(os.path.dirname(file))):
        stem = name.partition(".")[0]
        if stem.isidentifier() and not stem.startswith("_") and find_module_file(f"{module}.{stem}"):
            found += [stem, *(f"{stem}.{inner}" for inner in modules_below(f"{module}.{stem}"))]
    return found


def submodules(canonical: str) -> list[str]:
    """The modules in the package in which a canonical path's module lies, by name; none where it is not found."""
    import os

    package = find_module_file(canonical.partition(":")[0].rpartition(".")[0])
    if os.path.basename(package) != "__init__.py":
        return []
    found = {name.partition(".")[0] for name in os.listdir(os.path.dirname(package))}
    return sorted(name for name in found if name.isidentifier() and not name.startswith("_"))


def public_names(module: str) -> list[str]:
    """The public names that a module defines or lists in ``__all__``; empty where its source is not found."""
    tree = parse_module(module)
    if tree is None:
        return []
    found: list[str] = []
    for node in _statements(tree):
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
            found.append(node.name)
        elif isinstance(node, (ast.Assign, ast.AnnAssign)):
            targets = node.targets if isinstance(node, ast.Assign) else [node.target]
            for target in targets:
                if isinstance(target, ast.Name) and target.id == "__all__" and node.value is not None:
                    found += [str(item.value) for item in ast.walk(node.value) if isinstance(item, ast.Constant)]
                elif isinstance(target, ast.Name):
                    found.append(target.id)
    return sorted({name for name in found if not name.startswith("_")})


def _statements(tree: ast.Module) -> Iterator[ast.stmt]:
    for node in tree.body:
        yield node
        if isinstance(node, (ast.If, ast.Try)):
            yield from node.body
            yield from node.orelse


def _is_enum(tree: ast.Module, node: ast.ClassDef, depth: int = 0) -> bool:
    for base in node.bases:
        name = base.attr if isinstance(base, ast.Attribute) else getattr(base, "id", "")
        if name in _ENUMS:
            return True
        for other in tree.body:
            if isinstance(other, ast.ClassDef) and other.name == name and depth < _HOPS and _is_enum(tree, other, depth + 1):
                return True
    return False


def _is_final(node: ast.ClassDef) -> bool:
    return any(getattr(item, "id", getattr(item, "attr", "")) == "final" for item in node.decorator_list)


class _Function:
    def __init__(self, module: str, tree: ast.Module, node: ast.FunctionDef | ast.AsyncFunctionDef) -> None:
        self.module, self.tree, self.node = module, tree, node
        self.imports: set[str] = set()
        self.origins = dict(self._origins())

    def shape(self) -> Shape:
        is_async = isinstance(self.node, ast.AsyncFunctionDef)
        if self.node.decorator_list:
            # A decorator may change the signature: nothing is promised about it.
            return Shape("function", self.module, self.node.name, is_async=is_async)
        parameters = self.parameters(self.node.args)
        returns = self.annotation(self.node.returns)
        if any(isinstance(item, (ast.Yield, ast.YieldFrom)) for item in ast.walk(self.node)):
            is_async = False
        return Shape("function", self.module, self.node.name, parameters, returns, is_async, imports=self.imports)

    def method_shape(self) -> Shape:
        words = legacy_forms.names_of(self.node)
        decorator = next((_KINDS[word] for word in words if word in _KINDS), "")
        if not _HARMLESS.issuperset(words):
            return Shape("function", self.module, self.node.name, decorator=decorator)
        args = copy.deepcopy(self.node.args)
        if decorator != "staticmethod":
            del (args.posonlyargs or args.args)[:1]
        is_async = isinstance(self.node, ast.AsyncFunctionDef)
        if any(isinstance(item, (ast.Yield, ast.YieldFrom)) for item in ast.walk(self.node)):
            is_async = False
        parameters, returns = self.parameters(args), self.annotation(self.node.returns)
        return Shape("function", self.module, self.node.name, parameters, returns, is_async, decorator, self.imports)

    def parameters(self, args: ast.arguments) -> str:
        parts: list[str] = []
        positional = [*args.posonlyargs, *args.args]
        plain = len(positional) - len(args.defaults)
        for index, arg in enumerate(positional):
            parts.append(self.parameter(arg, index >= plain))
            if args.posonlyargs and index == len(args.posonlyargs) - 1:
                parts.append("/")
        if args.vararg is not None:
            parts.append(f"*{self.parameter(args.vararg, False)}")
        elif args.kwonlyargs:
            parts.append("*")
        for arg, default in zip(args.kwonlyargs, args.kw_defaults):
            parts.append(self.parameter(arg, default is not None))
        if args.kwarg is not None:
            parts.append(f"**{self.parameter(args.kwarg, False)}")
        return ", ".join(parts)

    def parameter(self, arg: ast.arg, has_default: bool) -> str:
        return f"{arg.arg}: {self.annotation(arg.annotation)}{' = ...' if has_default else ''}"

    def annotation(self, node: ast.expr | None) -> str:
        """An annotation with every name spelt by its full path; ``Any`` where one is not known."""
        if node is None:
            return "Any"
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            try:
                node = ast.parse(node.value, mode="eval").body
            except SyntaxError:
                return "Any"
        needed: set[str] = set()
        spelt = _Spell(self.origins, needed)
        text = ast.unparse(spelt.visit(ast.parse(ast.unparse(node), mode="eval").body))
        if not spelt.complete:
            return "Any"
        self.imports |= needed
        return text

    def _origins(self) -> Iterator[tuple[str, str]]:
        """Top-level names of the module -> ``"module:name"`` or ``"module"``."""
        for node in _statements(self.tree):
            if isinstance(node, (ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)):
                yield node.name, f"{self.module}:{node.name}"
            elif isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name):
                if not isinstance(node.value, ast.Call) or getattr(node.value.func, "id", "") == "NewType":
                    yield node.targets[0].id, f"{self.module}:{node.targets[0].id}"
            elif isinstance(node, ast.Import):
                for alias in node.names:
                    yield alias.asname or alias.name, alias.name
            elif isinstance(node, ast.ImportFrom):
                for alias in node.names:
                    local = alias.asname or alias.name
                    origin = imported_from(self.tree, self.module, local)
                    if origin is not None and origin[0]:
                        yield local, f"{origin[0]}:{origin[1]}"


class _Spell(ast.NodeTransformer):
    def __init__(self, origins: dict[str, str], needed: set[str]) -> None:
        self.origins, self.needed, self.complete = origins, needed, True

    def visit_Name(self, node: ast.Name) -> ast.expr:
        if node.id == "Any":
            return node
        origin = self.origins.get(node.id)
        if origin is None:
            self.complete = self.complete and hasattr(builtins, node.id)
            return node
        module, _, name = origin.partition(":")
        self.needed.add(module)
        return ast.Name(id=f"{module}.{name}" if name else module, ctx=ast.Load())

    def visit_Constant(self, node: ast.Constant) -> ast.expr:
        if isinstance(node.value, str):
            try:
                inner = ast.parse(node.value, mode="eval").body
            except SyntaxError:
                return node
            visited = self.visit(inner)
            assert isinstance(visited, ast.expr)
            return visited
        return node

    def visit_Subscript(self, node: ast.Subscript) -> ast.expr:
        if getattr(node.value, "id", getattr(node.value, "attr", "")) == "Literal":
            node.value = self.visit(node.value)
            return node
        self.generic_visit(node)
        return node
