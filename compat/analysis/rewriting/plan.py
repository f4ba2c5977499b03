"""The plan for one file: edits, skips with their reasons, and the name look-ups that rewriters share."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Callable

from ..model.scopes import ImportedName
from ..reading import lexer
from .edits import Edit, replacing
from .options import LIKELY, SHOWN, Options

if TYPE_CHECKING:
    import ast
    from collections.abc import Iterable

    from ..model.file_model import FileModel
    from ..model.references import Reference
    from ..model.scopes import Chain, Scope
    from ..rules import method
    from ..targets import Targets


@dataclass(frozen=True)
class Skip:
    """A use that is left as it is: where, which rule and row, why, and whether ``--unsafe`` would rewrite it (``likely``).

    ``is_detail`` is one by a name that is imported: what counts, and is found by a scan, is the import.
    """

    path: str
    line: int
    column: int
    rule: str
    symbol: str
    reason: str
    degree: str = SHOWN
    is_detail: bool = False


@dataclass(frozen=True)
class Placement:
    """Where one imported name comes from in the rewritten file: ``module`` empty means ``import name as local``."""

    module: str
    name: str
    local: str


@dataclass
class Plan:
    """What shall happen to one file; ``rewritten`` are the spans of the import statements that change."""

    file: FileModel
    targets: Targets
    references: list[Reference]
    options: Options = field(default_factory=Options)
    edits: list[Edit] = field(default_factory=list)
    skips: list[Skip] = field(default_factory=list)
    placements: dict[ImportedName, list[Placement]] = field(default_factory=dict)
    renamed_locals: set[str] = field(default_factory=set)
    allowed_lines: set[int] = field(default_factory=set)
    #: Likely edits that are made, each with what is uncertain about it.
    taken: list[Skip] = field(default_factory=list)
    #: References that are decided about, by identity; imports that are left with all that is read through them.
    done: set[int] = field(default_factory=set)
    left: set[ImportedName] = field(default_factory=set)
    #: Methods that are renamed, and those that keep their names because a patch of them does.
    moved: set[str] = field(default_factory=set)
    held: set[str] = field(init=False)
    #: What to import beside an import that stays.
    additions: dict[ImportedName, list[Placement]] = field(default_factory=dict)
    #: Imports that rewritten uses rely on.
    relied: set[ImportedName] = field(default_factory=set)
    rewritten: dict[ast.stmt, tuple[int, int]] = field(default_factory=dict)
    #: Where the callees end whose calls became the code that replaces them.
    inlined: set[int] = field(default_factory=set)
    #: The code that was inlined, by identity, and whether it may use something legacy itself.
    codes: dict[int, bool] = field(default_factory=dict)
    #: The uses of legacy methods in the file.
    members: list[method.Use] = field(default_factory=list)
    _skipped: set[Skip] = field(default_factory=set)
    _alike: dict[tuple[int, str], bool] = field(default_factory=dict)
    _inserted: dict[int, list[tuple[int, str]]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.held = {*self.options.held}

    def insert(self, start: int, new: str, end: int) -> None:
        """Plan to put something before what stands from ``start`` to ``end``."""
        self._inserted.setdefault(start, []).append((-end, new))

    def attempt(self, steps: Iterable[Callable[[], str]]) -> str:
        """Take steps that say why they cannot be taken: all of them, or none and the first reason."""
        kept = [*self.edits], {start: [*found] for start, found in self._inserted.items()}, {*self.inlined}
        for step in steps:
            reason = step()
            if reason:
                self.edits[:], self._inserted, self.inlined = kept
                return reason
        return ""

    def settle(self) -> None:
        """Turn what is inserted into edits, the outermost first; an edit that two uses ask for is one."""
        for start, found in self._inserted.items():
            self.edit(start, start, "".join(new for _end, new in sorted(found, key=lambda one: one[0])))
        self._inserted.clear()
        self.edits[:] = dict.fromkeys(self.edits)

    def edit(self, start: int, end: int, new: str) -> None:
        """Plan to replace a span."""
        edit = replacing(self.file.source.data, start, end, new)
        if edit.expected != edit.new:
            self.edits.append(edit)

    def skip(self, reference: Reference, reason: str) -> None:
        """Leave a reference alone, and say why."""
        self.skip_span(reference.start, reference.target.kind, reference.target.legacy, reason)

    def skip_item(self, item: ImportedName, reference: Reference, reason: str) -> None:
        """Leave an import and everything that is read through it alone, and say why."""
        self.skip(reference, reason)
        self.left.add(item)
        for other in self.through(item):
            self.skip(other, reason)
            self.done.add(id(other))

    def through(self, item: ImportedName) -> list[Reference]:
        """The references by what is read through an import."""
        chains = set(self.uses_of(item))
        return [other for other in self.references if other.subject in chains]

    def skip_span(self, start: int, rule: str, symbol: str, reason: str, degree: str = SHOWN, *, is_detail: bool = False) -> None:
        """Leave what stands at an offset alone, and say why."""
        if self.is_allowed(start, rule, symbol):
            return
        made = self._noted(start, rule, symbol, reason, degree, is_detail=is_detail)
        if made not in self._skipped:
            self._skipped.add(made)
            self.skips.append(made)

    def takes(self, start: int, rule: str, symbol: str, doubt: str) -> bool:
        """Whether to make an edit about which there is a doubt; one that is not made is a likely one that is left."""
        if self.options.unsafe:
            self.taken.append(self._noted(start, rule, symbol, doubt, LIKELY))
        else:
            self.skip_span(start, rule, symbol, doubt, LIKELY)
        return self.options.unsafe

    def _noted(self, start: int, rule: str, symbol: str, reason: str, degree: str, *, is_detail: bool = False) -> Skip:
        source = self.file.source
        return Skip(source.path, *source.position(start), rule, symbol, reason, degree, is_detail)

    def is_allowed(self, start: int, rule: str, symbol: str) -> bool:
        """Whether the use of a legacy path at an offset is to be left: a comment allows it, or it was not selected."""
        chosen = self.options.chosen
        if chosen is not None and not chosen(rule, symbol, start):
            return True
        return self.file.source.position(start)[0] in self.allowed_lines

    def is_left(self, reference: Reference) -> bool:
        """Whether a reference is to be left: a comment allows it, or it was not selected."""
        return self.is_allowed(reference.start, reference.target.kind, reference.target.legacy)

    def uses_of(self, item: ImportedName) -> list[Chain]:
        """Every chain whose root is bound by one imported name."""
        model = self.file.names
        binding = item.binding
        if binding is None:
            return []
        owner, local = self.owner_of(item), item.local
        return [chain for chain in self._chains[local] if model.owner(chain.scope, local) is owner]

    @cached_property
    def _chains(self) -> dict[str, list[Chain]]:
        """Chains by the local name of an import that they start with."""
        found: dict[str, list[Chain]] = {item.local: [] for item in self.file.names.imports}
        for chain in self.file.names.chains:
            if chain.root.id in found:
                found[chain.root.id].append(chain)
        return found

    @cached_property
    def code(self) -> bytes | None:
        """The file with its strings and comments blanked, ``None`` where these cannot be told."""
        tokens = lexer.tokens(self.file.source.data)
        if tokens is None:
            return None
        made = bytearray(self.file.source.data)
        for token in tokens:
            made[token.start : token.end] = b" " * (token.end - token.start)
        return bytes(made)

    @cached_property
    def attributes(self) -> dict[int, tuple[Scope, ast.Attribute]]:
        """The attributes that the code reads, sets or deletes, and the scopes they stand in, by where they end."""
        names, span = self.file.names, self.file.span
        found = {span(node)[1]: (scope, node) for scope, node in names.loose}
        found.update({span(node)[1]: (chain.scope, node) for chain in names.chains for node in chain.attributes})
        return found

    def left_imports(self) -> dict[ImportedName, tuple[Reference, Skip]]:
        """The global imports of legacy names that stay, each with its reference and why."""
        said = {(skip.line, skip.column, skip.symbol): skip for skip in self.skips}
        found = {}
        for reference in self.references:
            item = reference.subject
            if isinstance(item, ImportedName) and item.name not in ("", "*") and item.scope is self.file.names.module:
                skip = said.get((*self.file.source.position(reference.start), reference.target.legacy))
                if skip is not None:
                    found[item] = reference, skip
        return found

    def owner_of(self, item: ImportedName) -> object:
        """The scope an import binds its name in (another one after ``global``)."""
        for scope in self.file.names.scopes:
            if item.binding in scope.bindings.get(item.local, ()):
                return scope
        return item.scope

    def is_sole_binding(self, item: ImportedName) -> bool:
        """Whether the local name means this import everywhere; imports of the same path beside it do no harm."""
        for scope in self.file.names.scopes:
            bindings = scope.bindings.get(item.local, ())
            if item.binding in bindings:
                key = id(scope), item.local
                if key not in self._alike:
                    # Of many imports of one name each is asked about.
                    paths = {other.path for other in bindings}
                    self._alike[key] = len(paths) == 1 and all(other.statement is not None for other in bindings)
                return self._alike[key]
        return False

    def bound_names(self) -> frozenset[str]:
        """Every identifier that is bound anywhere in the file."""
        return frozenset(name for scope in self.file.names.scopes for name in scope.bindings)

    def names_in_use(self) -> frozenset[str]:
        """Every identifier that is bound or read anywhere in the file."""
        return self.bound_names() | {chain.root.id for chain in self.file.names.chains}
