"""Infer the class of an expression from constructors, factories, annotations and ``self`` within one file."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING, Optional, Protocol

from ..hints import Told
from .inferring.types import INSTANCE, Type

if TYPE_CHECKING:
    from collections.abc import Iterable

    from ..targets import Targets
    from .scopes import Binding, Chain, Names, Scope

_DEPTH = 12


class Follows(Protocol):
    """What follows a class through more than a name."""

    def value(self, scope: Scope, node: ast.AST) -> Optional[Type]:
        """The type of an expression."""

    def home(self, scope: Scope, node: ast.Attribute) -> Optional[Told]:
        """The class that matters, of which a node reads an attribute."""


class Receivers:
    """Types of receivers in one file; a name that may be two things has no type.

    Paths are canonical ones unless ``as_written``: then ``classes`` are legacy paths, and only those count.
    """

    def __init__(self, names: Names, targets: Targets, module: str, *, as_written: bool = False) -> None:
        #: What follows a class through more than a name.
        self.follows: Optional[Follows] = None
        self.names, self.targets, self.own, self.as_written = names, targets, module, as_written

    @property
    def classes(self) -> frozenset[str]:
        """The classes (dotted) whose instances matter."""
        return self.targets.members.adapted_classes if self.as_written else self.targets.members.canonical_classes

    def path(self, scope: Scope, node: ast.AST) -> str:
        """The canonical dotted path that a name or attribute chain means, from imports; empty where unknown."""
        words: list[str] = []
        while isinstance(node, ast.Attribute):
            words.append(node.attr)
            node = node.value
        if not isinstance(node, ast.Name):
            return ""
        bindings = self.names.lookup(scope, node.id)
        head = self._root(bindings, node.id) or self._canonical_root(bindings)
        if not head:
            return ""
        dotted = ".".join([head, *reversed(words)])
        if self.as_written or head.partition(".")[0] not in self.targets.tops:
            return dotted
        return self.targets.spelt(self.targets.canonical_dotted(dotted))

    def root_path(self, scope: Scope, name: str) -> str:
        """The dotted path all bindings of a name agree on; empty where they do not, or none is an import."""
        return self._root(self.names.lookup(scope, name), name)

    def _root(self, bindings: list[Binding], name: str) -> str:
        if not bindings:
            return ""
        first = bindings[0]
        if first.statement is not None:
            return first.path if all(binding.path == first.path for binding in bindings) else ""
        if len(bindings) == 1 and isinstance(first.node, ast.ClassDef) and first.scope.form == "module" and self.own:
            return f"{self.own}.{name}"
        return ""

    def _canonical_root(self, bindings: list[Binding]) -> str:
        """The canonical path of a name that is imported more than once, by legacy and canonical paths to one thing."""
        if (
            len(bindings) < 2
            or self.as_written
            or not all(binding.statement is not None and binding.path for binding in bindings)
        ):
            return ""
        paths = {self.targets.canonical_dotted(binding.path) for binding in bindings}
        return paths.pop() if len(paths) == 1 else ""

    def of(self, scope: Scope, node: Optional[ast.AST]) -> str:
        """The class (dotted) of an expression; empty where it is not certain, or not among those that matter."""
        made = self.plain(scope, node)
        if made or node is None:
            return made
        known = self.follows.value(scope, node) if self.follows is not None else None
        is_certain = known is not None and known.form == INSTANCE and not known.doubt
        return known.path if known is not None and is_certain and known.path in self.classes else ""

    def home(self, scope: Scope, node: ast.Attribute) -> Optional[Told]:
        """The class that matters, of which a node reads an attribute, and what speaks against it."""
        made = self.plain(scope, node.value) or self.path(scope, node.value)
        is_known = made in self.classes
        if is_known and (self.follows is None or self.targets.members.speaks_of(made, node.attr)):
            return Told(made)
        told = self.follows.home(scope, node) if self.follows is not None else None
        return Told(made) if is_known and told is None else told

    def plain(self, scope: Scope, node: Optional[ast.AST], depth: int = 0) -> str:
        """The class of an expression as constructors, factories, annotations and ``self`` say it themselves."""
        if node is None or depth > _DEPTH:
            return ""
        if isinstance(node, ast.Await):
            return self.plain(scope, node.value, depth + 1)
        if isinstance(node, ast.NamedExpr):
            return self.plain(scope, node.value, depth + 1)
        if isinstance(node, ast.Call):
            return self.built(self.path(scope, node.func))
        if isinstance(node, ast.Name):
            return self._agreed(self.names.lookup(scope, node.id), depth)
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
            return self._member(scope, node, depth)
        return ""

    def built(self, path: str) -> str:
        """The class whose instance a call of ``path`` returns: a constructor or a known factory."""
        if not path:
            return ""
        if path in self.classes:
            return path
        return "" if self.as_written else self.targets.members.adapters.built_class(path)

    def class_named(self, scope: Scope, node: Optional[ast.AST]) -> str:
        """The canonical class that an annotation names, ``Optional`` and ``| None`` looked through."""
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            try:
                node = ast.parse(node.value.strip(), mode="eval").body
            except (SyntaxError, ValueError, RecursionError, MemoryError):
                return ""
        if isinstance(node, ast.BinOp) and isinstance(node.op, ast.BitOr):
            sides = [side for side in (node.left, node.right) if not _is_none(side)]
            return self.class_named(scope, sides[0]) if len(sides) == 1 else ""
        if isinstance(node, ast.Subscript):
            head = self.path(scope, node.value) or (node.value.id if isinstance(node.value, ast.Name) else "")
            inner = getattr(node.slice, "value", node.slice) if type(node.slice).__name__ == "Index" else node.slice
            if head.rpartition(".")[2] in ("Optional", "Annotated", "Final", "ClassVar"):
                return self.class_named(scope, inner.elts[0] if isinstance(inner, ast.Tuple) else inner)
            return ""
        path = self.path(scope, node) if node is not None else ""
        return path if path in self.classes else ""

    def of_chain(self, chain: Chain) -> str:
        """The class of the object whose last attribute a chain reads."""
        return self.of(chain.scope, chain.attributes[-1].value) if chain.attributes else ""

    def _agreed(self, bindings: Iterable[Binding], depth: int) -> str:
        found = {self._of_binding(binding, depth) for binding in bindings if not _is_none(binding.value)}
        return found.pop() if len(found) == 1 else ""

    def _of_binding(self, binding: Binding, depth: int) -> str:
        if binding.path == "<self>":
            return self._of_self(binding)
        if binding.annotation is not None:
            return self.class_named(binding.scope, binding.annotation)
        if binding.value is not None:
            return self.plain(binding.scope, binding.value, depth + 1)
        return ""

    def _of_self(self, binding: Binding) -> str:
        holder = binding.scope.parent
        node = holder.node if holder is not None else None
        if holder is None or not isinstance(node, ast.ClassDef):
            return ""
        own = f"{self.own}.{node.name}" if self.own else ""
        return own if own in self.classes else ""

    def _member(self, scope: Scope, node: ast.Attribute, depth: int) -> str:
        assert isinstance(node.value, ast.Name)
        for binding in self.names.lookup(scope, node.value.id):
            holder = binding.scope.parent if binding.path == "<self>" else None
            if holder is not None:
                members = [*holder.members.get(node.attr, ()), *holder.bindings.get(node.attr, ())]
                return self._agreed(members, depth)
        return ""


def _is_none(node: Optional[ast.AST]) -> bool:
    return isinstance(node, ast.Constant) and node.value is None
