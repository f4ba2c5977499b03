"""One rename in all its parts: a renamed method that classes of the tree override, with its calls, ``super()`` and patches.

A use by an instance of the class that a ledger speaks of reaches either name; an override and what calls it by its own class do
not. So these are renamed together, or none of them is.
"""

from __future__ import annotations

import ast
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Optional

from ..model import lineage
from ..model.embedded import literal_span
from ..model.inferring.definitions import FUNCTIONS, decorators
from ..reading import notebooks
from ..rules.method import RULE
from .options import CERTAIN, LIKELY, SHOWN, Verdict

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from compat.ledger import Move

    from ..model.file_uses import FileUses
    from ..model.inferring.definitions import Function
    from ..model.scopes import Scope
    from ..rules import method
    from ..targets import Targets
    from .plan import Plan

#: Decorators that do not go by the name of what they decorate.
_PLAIN = frozenset(("staticmethod", "classmethod", "abstractmethod", "override", "final", "property", "cached_property"))
ALONE = "other files may call it by its old name"


@dataclass
class Facts:
    """What one file knows of overridden methods, by the legacy path of the row: the spans to rename, what forbids the rename, and
    what is uncertain about it."""

    spans: dict[str, set[tuple[int, int]]] = field(default_factory=dict)
    bars: dict[str, str] = field(default_factory=dict)
    doubts: dict[str, str] = field(default_factory=dict)

    def add(self, other: Facts) -> None:
        """Take up what another file knows, but for its spans."""
        for mine, theirs in ((self.bars, other.bars), (self.doubts, other.doubts)):
            for legacy, reason in theirs.items():
                mine.setdefault(legacy, reason)

    def verdicts(self, rows: Iterable[str], *, is_alone: bool = False) -> dict[str, Verdict]:
        """How sure the rename of each row is; ``is_alone`` where other files may hold parts of it that were not looked at."""
        made = {}
        for legacy in rows:
            doubt = self.doubts.get(legacy) or (ALONE if is_alone else "")
            bar = self.bars.get(legacy, "")
            made[legacy] = Verdict(SHOWN, bar) if bar else Verdict(LIKELY, doubt) if doubt else Verdict(CERTAIN)
        return made


def is_plain(targets: Targets, row: Move) -> bool:
    """Whether a row renames a method of a class that stays, and does no more."""
    owner, _, old = row.legacy.replace(":", ".").rpartition(".")
    own = targets.members.methods_of(owner).get(old) is row and not (row.stays or row.differs or row.is_tombstone)
    return own and not row.replacement and targets.members.renamed_method(owner, old) != old


def renamed_in(uses: FileUses, members: Iterable[method.Use]) -> set[str]:
    """The rows whose old name is overridden in a file."""
    return {use.row.legacy for use in members if use.how == "override" and is_plain(uses.targets, use.row)}


def read(uses: FileUses, rows: Iterable[str], held: Iterable[str] = ()) -> Facts:
    """What a file, its doctests included, knows of some overridden methods; those that are ``held`` cannot be renamed."""
    facts = Facts()
    wanted = {*rows}
    for legacy in wanted & {*held}:
        facts.bars[legacy] = "a patch of it cannot be rewritten, so that it keeps its name"
    for owner, members in uses.targets.members.methods.items():
        for old, row in members.items():
            if row.legacy in wanted and is_plain(uses.targets, row):
                new = uses.targets.members.renamed_method(owner, old)
                _Reader(uses, row.legacy, owner, old, new, facts).read()
    for _program, inner in uses.doctests:
        told = read(inner, wanted)
        facts.add(told)
        for legacy in told.spans:
            facts.spans.setdefault(legacy, set())
    return facts


def settle(plan: Plan, uses: FileUses, known: Optional[Mapping[str, Verdict]]) -> dict[str, Verdict]:
    """The verdicts about the methods that a file overrides: those of the run, or what the file alone tells."""
    if known is not None:
        return {**known}
    rows = renamed_in(uses, plan.members)
    return gather(plan, uses, rows).verdicts(rows, is_alone=True) if rows else {}


def gather(plan: Plan, uses: FileUses, rows: Iterable[str]) -> Facts:
    """What a file knows of some overridden methods; one of which it must not change a part is not renamed anywhere."""
    facts = read(uses, rows, plan.held)
    for legacy, spans in facts.spans.items():
        why = plan.options.skip_all
        if not why and any(plan.is_allowed(start, RULE, legacy) for start, _end in spans):
            why = f"a part of its rename is to be left ({plan.file.source.path})"
        if why:
            facts.bars.setdefault(legacy, why)
    return facts


def decide(plan: Plan, uses: FileUses, verdicts: Mapping[str, Verdict]) -> None:
    """Rename all parts of overridden methods in a file, or skip them with the reason."""
    facts = read(uses, [legacy for legacy, verdict in verdicts.items() if verdict.degree != SHOWN]) if verdicts else Facts()
    for use in plan.members:
        if not use.is_part or not is_plain(plan.targets, use.row) or plan.is_allowed(use.start, RULE, use.row.legacy):
            continue
        verdict = verdicts.get(use.row.legacy, Verdict(SHOWN, "its parts are not known"))
        if verdict.degree == SHOWN:
            plan.skip_span(use.start, RULE, use.row.legacy, verdict.reason)
        elif verdict.degree == LIKELY:
            plan.takes(use.start, RULE, use.row.legacy, verdict.reason)
    for legacy, spans in facts.spans.items():
        degree = verdicts[legacy].degree
        if degree == CERTAIN or (degree == LIKELY and plan.options.unsafe):
            module, _, attribute = legacy.partition(":")
            owner, _, old = attribute.rpartition(".")
            new = plan.targets.members.renamed_method(f"{module}.{owner}", old)
            for start, end in spans:
                plan.edit(start, end, new)


class _Reader:
    """Reads one file for one row."""

    def __init__(self, uses: FileUses, legacy: str, owner: str, old: str, new: str, facts: Facts) -> None:
        self.uses, self.file, self.inference = uses, uses.file, uses.inference
        self.legacy, self.owner, self.old, self.new, self.facts = legacy, owner, old, new, facts
        self._lines: dict[str, Optional[lineage.Lineage]] = {}

    def bar(self, node: ast.AST, reason: str) -> None:
        self.facts.bars.setdefault(self.legacy, f"{reason} ({self._place(node)})")

    def doubt(self, node: ast.AST, reason: str) -> None:
        self.facts.doubts.setdefault(self.legacy, f"{reason} ({self._place(node)})")

    def part(self, start: int, end: int) -> None:
        self.facts.spans.setdefault(self.legacy, set()).add((start, end))

    def _place(self, node: ast.AST) -> str:
        path = self.file.source.path
        if path.endswith(notebooks.SUFFIX):
            return path  # its lines are those of a file that nobody reads
        return f"{path}:{self.file.source.position(self.file.span(node)[0])[0]}"

    def read(self) -> None:
        """Find the parts of the rename in the file, and all that speaks against it."""
        if self.old.encode() not in self.file.source.data:
            return
        for scope in [*self.file.names.scopes]:
            if scope.form == "class":
                self._class(scope)
        for chain in [*self.file.names.chains]:
            for node in chain.attributes:
                if node.attr == self.old:
                    self._attribute(chain.scope, node)
            if chain.root.id == self.old and self.file.names.owner(chain.scope, self.old) in self._overriding:
                self.bar(chain.root, f"{self.old} is read by its name in the body of a class that overrides it")
        for scope, node in [*self.file.names.loose]:
            if node.attr == self.old:
                self._attribute(scope, node)
        for text in self.file.names.texts:
            words = str(text.node.value).replace(":", ".").rpartition(".")
            if words[2] == self.old and text.role not in ("docstring", "all"):
                self._text(text.scope, text.node, text.call, words[0])
        for unread in self.file.unread:
            if self.old in unread:
                self.facts.doubts.setdefault(self.legacy, f"a text that cannot be read mentions it ({self.file.source.path})")

    # -- classes

    @property
    def _overriding(self) -> list[Scope]:
        return [scope for scope in self.file.names.scopes if scope.form == "class" and self._overrides(scope)]

    def _overrides(self, scope: Scope) -> bool:
        return self.old in scope.bindings and self.owner in lineage.above(self.inference, scope).roots

    def _class(self, scope: Scope) -> None:
        node = scope.node
        assert isinstance(node, ast.ClassDef)
        if not self._overrides(scope):
            return
        found = scope.bindings[self.old]
        own = lineage.above(self.inference, scope)
        if len(found) != 1 or not isinstance(found[0].node, FUNCTIONS):
            self.bar(node, f"{node.name} defines {self.old} more than once, or not as a function")
            return
        function = found[0].node
        for path, other in (("", scope), *own.between):
            if self.new in other.bindings or self.new in other.members:
                self.bar(node, f"{path.rpartition('.')[2] or node.name} has {self.new} already")
            if self.old in other.members:
                self.bar(node, f"{path.rpartition('.')[2] or node.name} assigns {self.old} to its instances, too")
            if path and self.old in other.bindings and self.owner not in self._roots(path):
                self.bar(node, f"{path.rpartition('.')[2]}, which it derives from, defines {self.old} for other classes, too")
        if not own.is_known:
            self.doubt(node, f"a base class of {node.name} is not known")
        if len(own.roots) > 1:
            self.doubt(node, f"{node.name} derives from several classes of the ledger")
        if not decorators(function) <= _PLAIN:
            self.doubt(function, f"a decorator of {node.name}.{self.old} may go by its name")
        start = self.file.source.data.find(self.old.encode(), _after_decorators(self.uses, function))
        self.part(start, start + len(self.old.encode()))

    def _roots(self, path: str) -> frozenset[str]:
        found = self.inference.class_at(path)
        return lineage.above(*found).roots if found is not None else frozenset()

    def _kind(self, path: str) -> str:
        """What a class (dotted) has under the old name: an override (``part``), the ``base``'s, ``other``; empty if unknown."""
        if path in self.inference.receivers.classes:
            return "base" if path == self.owner else "other"
        found = self.inference.class_at(path) if path else None
        if found is None:
            return ""
        home, scope = found
        own = lineage.above(home, scope)
        if self.owner not in own.roots:
            return "other" if own.is_known or self.old in scope.bindings else ""
        defines = self.old in scope.bindings or any(self.old in other.bindings for _path, other in own.between)
        return "part" if defines else "base"

    # -- uses

    def _attribute(self, scope: Scope, node: ast.Attribute) -> None:
        end = self.file.span(node)[1]
        start = end - len(self.old.encode())
        around = lineage.class_around(self.inference, scope, node.value)
        if around is not None:
            own = lineage.above(self.inference, around)
            is_part = self.owner in own.roots and (
                self.old in around.bindings or any(self.old in other.bindings for _path, other in own.between)
            )
            if is_part:
                self._span(node, start, end)
            elif not own.is_known and self.owner not in own.roots:
                self.doubt(node, f"what super() is here is not known, of which {self.old} is read")
            return
        if self.uses.told(scope, node, self.uses.receivers) is not None:
            return  # a use of the class itself, of either name
        path, doubt = lineage.class_of(self.inference, scope, node.value)
        kind = self._kind(path)
        if kind == "part":
            self._span(node, start, end)
            if doubt:
                self.doubt(node, doubt)
        elif not kind and not self._is_module(scope, node.value):
            self.doubt(node, f"{self.old} is read of an object whose class is not known")

    def _span(self, node: ast.Attribute, start: int, end: int) -> None:
        if self.file.source.data[start:end] != self.old.encode():
            self.bar(node, "the attribute is written in a way that is not rewritten")
        self.part(start, end)

    def _is_module(self, scope: Scope, node: ast.AST) -> bool:
        """Whether a name means a module that an ``import`` statement imports."""
        bindings = self.file.names.lookup(scope, node.id) if isinstance(node, ast.Name) else []
        return bool(bindings) and all(isinstance(binding.statement, ast.Import) for binding in bindings)

    def _text(self, scope: Scope, node: ast.Constant, call: Optional[ast.Call], head: str) -> None:
        """A string that may name the method, alone or at the end of a path."""
        if head:
            kind = self._kind(head)
        elif call is not None and len(call.args) > 1 and call.args[1] is node:
            kind = self._kind(lineage.class_of(self.inference, scope, call.args[0])[0])
        else:
            kind = ""
        inner = literal_span(self.file, node)
        if kind == "part":
            if inner is None:
                self.bar(node, "a string names it in a way that is not rewritten")
            else:
                self.part(inner[1] - len(self.old.encode()), inner[1])
        elif not kind:
            self.doubt(node, f"a string may name {self.old}")


def _after_decorators(uses: FileUses, function: Function) -> int:
    """Where the ``def`` of a function stands."""
    return uses.file.source.offset(function.lineno, function.col_offset) + len("def")
