"""Data of name resolution: scopes, bindings, imports, attribute chains, strings."""

from __future__ import annotations

import ast
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Optional, Union

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

ImportNode = Union[ast.Import, ast.ImportFrom]


@dataclass(eq=False)
class Binding:
    """One place that binds a name. ``path`` is the dotted path an import binds it to; a value binding has ``value`` or
    ``annotation`` where its type may be read off."""

    scope: Scope
    node: ast.AST
    path: str = ""
    statement: Optional[ImportNode] = None
    value: Optional[ast.expr] = None
    annotation: Optional[ast.expr] = None


@dataclass(eq=False)
class Scope:
    """A module, class, function, comprehension or type parameter scope; the last sees the names of a class around it."""

    form: str
    node: ast.AST
    parent: Optional[Scope]
    bindings: dict[str, list[Binding]] = field(default_factory=dict)
    declared_global: set[str] = field(default_factory=set)
    declared_nonlocal: set[str] = field(default_factory=set)
    members: dict[str, list[Binding]] = field(default_factory=dict)

    @property
    def is_async(self) -> bool:
        return isinstance(self.node, ast.AsyncFunctionDef)


@dataclass(eq=False)
class Chain:
    """A name with the attributes read off it: ``a.b.c`` has root ``a`` and attributes ``("b", "c")``.

    ``role`` says where it stands if not in code: in a string ``annotation``, or in a ``type comment``.
    """

    scope: Scope
    root: ast.Name
    attributes: tuple[ast.Attribute, ...]
    call: Optional[ast.Call] = None
    role: str = ""

    @property
    def node(self) -> ast.expr:
        return self.attributes[-1] if self.attributes else self.root

    @property
    def words(self) -> list[str]:
        return [node.attr for node in self.attributes]


@dataclass(eq=False)
class ImportedName:
    """One alias of an import statement, with the absolute path of its module; ``name`` is empty for ``import m``."""

    scope: Scope
    statement: ImportNode
    alias: ast.alias
    module: str
    name: str
    binding: Optional[Binding]

    @property
    def local(self) -> str:
        return self.alias.asname or (self.name or self.module.partition(".")[0])


@dataclass(eq=False)
class Text:
    """A string constant: ``role`` is ``annotation``, ``all``, ``docstring``, ``call`` (with ``call`` set) or empty."""

    scope: Scope
    node: ast.Constant
    role: str = ""
    call: Optional[ast.Call] = None


@dataclass(eq=False)
class Names:
    """Everything about the names of one file."""

    module: Scope
    scopes: list[Scope] = field(default_factory=list)
    imports: list[ImportedName] = field(default_factory=list)
    chains: list[Chain] = field(default_factory=list)
    calls: list[tuple[Scope, ast.Call, Optional[Chain]]] = field(default_factory=list)
    texts: list[Text] = field(default_factory=list)
    parents: dict[ast.AST, ast.AST] = field(default_factory=dict)
    #: Attributes read from anything but a name: ``f().attribute``.
    loose: list[tuple[Scope, ast.Attribute]] = field(default_factory=list)

    #: Functions that were left out, by the identity of their node, and what takes them up.
    later: dict[int, Callable[[], None]] = field(default_factory=dict)

    def complete(self, node: ast.AST) -> None:
        """Take up the body of a function, if it was left out."""
        take_up = self.later.pop(id(node), None)
        if take_up is not None:
            take_up()

    def close(self) -> None:
        """Untie scopes from their bindings: the tree is freed at once, and needs no search for cycles. Nothing can be asked
        of them any more."""
        self.later.clear()
        for scope in self.scopes:
            scope.bindings, scope.members = {}, {}

    def lookup(self, scope: Scope, name: str) -> list[Binding]:
        """The bindings that a name read in ``scope`` may have, by Python's scope rules; empty for builtins."""
        found = self.owner(scope, name)
        return found.bindings[name] if found is not None else []

    def owner(self, scope: Scope, name: str) -> Optional[Scope]:
        """The scope whose bindings a name read in ``scope`` refers to."""
        at: Optional[Scope] = scope
        first = True
        while at is not None:
            if name in at.declared_global:
                return self.module if name in self.module.bindings else None
            if name in at.bindings and name not in at.declared_nonlocal and (first or at.form != "class"):
                return at
            first = first and at.form == "parameters"
            at = at.parent
        return None

    def ancestors(self, node: ast.AST) -> Iterator[ast.AST]:
        """The nodes around a node, innermost first."""
        while node in self.parents:
            node = self.parents[node]
            yield node


@dataclass(eq=False)
class Part:
    """A function that was not looked at yet, or the body of one, and the scope to look at it in."""

    node: Union[ast.FunctionDef, ast.AsyncFunctionDef]
    scope: Scope
    lines: tuple[int, int]


def absolute(node: ast.ImportFrom, package: str, *, known: bool) -> Optional[str]:
    """The absolute module of a ``from`` statement in a package; ``None`` where it cannot be known."""
    if not node.level:
        return node.module or ""
    if not known:
        return None
    parts = package.split(".") if package else []
    if node.level - 1 > len(parts):
        return None
    base = parts[: len(parts) - (node.level - 1)]
    return ".".join([*base, node.module] if node.module else base)


def is_literal(node: ast.AST) -> bool:
    """Whether a node is ``Literal[...]``, whose strings are no annotations."""
    value = node.value if isinstance(node, ast.Subscript) else None
    return (isinstance(value, ast.Name) and value.id == "Literal") or (
        isinstance(value, ast.Attribute) and value.attr == "Literal"
    )
