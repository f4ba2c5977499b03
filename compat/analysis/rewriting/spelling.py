"""Spell a canonical path at one place of a file: by what stands there, by an import of the file, or by one to be added."""

from __future__ import annotations

import ast
import builtins
from typing import TYPE_CHECKING, Optional

from ..reading import constructs
from . import guards
from . import locals as local_names
from .plan import Placement

if TYPE_CHECKING:
    from collections.abc import Iterator, Set

    from ..model.scopes import Binding, Chain, ImportedName, Scope
    from .plan import Plan


class Speller:
    """Spells what is used through one import; ``item`` is ``None`` where several bind the same local name."""

    def __init__(self, plan: Plan, item: Optional[ImportedName]) -> None:
        self.plan, self.item = plan, item
        self.file, self.names = plan.file, plan.file.names
        #: Imports that uses rely on now, those that are there included.
        self.needed: list[Placement] = []

    def kept(self, chain: Chain, count: int, module: str) -> Optional[int]:
        """How many attributes of a chain spell ``module`` already, at most ``count``; ``None`` where its root is another."""
        paths = {binding.path for binding in self.names.lookup(chain.scope, chain.root.id) if binding.statement is not None}
        head = paths.pop() if len(paths) == 1 else ""
        for number in range(count, -1, -1):
            if head and ".".join([head, *chain.words[:number]]) == module:
                return number
        return None

    def spell(self, scope: Scope, root: ast.Name, module: str, name: str) -> tuple[str, str]:
        """``module.name`` (``module`` without a name) as it is to be written in place of a chain; or why it cannot."""
        if module == "builtins" and name and self._is_built_in(scope, name):
            return name, ""
        for item, spelt, is_whole in self._there(module, name):
            if self.reaches(item, scope, root):
                self.rely(item)
                return spelt if is_whole or not name else f"{spelt}.{name}", ""
        placement, reason = self._add(root, module)
        if placement is None:
            spelt = self._added(scope, root, module, name)
            return spelt, "" if spelt else reason
        spelt = placement.local or placement.name
        return f"{spelt}.{name}" if name else spelt, ""

    def _is_built_in(self, scope: Scope, name: str) -> bool:
        """Whether a name alone means the builtin of that name, on any Python that runs this."""
        planned = [*self.plan.placements.values(), *self.plan.additions.values()]
        is_taken = any((one.local or one.name.partition(".")[0]) == name for placements in planned for one in placements)
        is_taken = is_taken or bool(self.names.lookup(scope, name)) or any(item.name == "*" for item in self.names.imports)
        return hasattr(builtins, name) and not is_taken

    def replaces(self, freed: Set[Chain]) -> bool:
        """Put what is needed in place of the import, if none of its uses is left and nobody else may take it from here."""
        return bool(self.needed) and self.frees(freed)

    def frees(self, freed: Set[Chain]) -> bool:
        """Let the import go for what is needed, if none of its uses is left and nobody else may take it from here."""
        plan, item = self.plan, self.item
        if item is None or not self.is_for_reads():
            return False
        if not all(chain in freed or self._is_covered(chain) for chain in plan.uses_of(item)):
            return False
        if not self.needed and not _can_be_deleted(plan, item):
            return False
        if item in plan.relied:
            return False
        plan.placements[item] = self.needed
        plan.additions.pop(item, None)
        if item.scope is self.names.module:
            plan.renamed_locals.add(item.local)
        return True

    def is_for_reads(self) -> bool:
        """Whether nothing but the reads of its name in the file needs the import, as far as can be known."""
        plan, item = self.plan, self.item
        return not (
            item is None
            or item.scope.form == "class"
            or not plan.is_sole_binding(item)
            or item.local in plan.options.kept_locals
            or guards.is_exported(plan, item)
            or not local_names.is_private_enough(plan, item)
            or local_names.is_said(plan, item.local)
            or plan.file.statement(item.statement) is None
            or constructs.DYNAMIC & plan.names_in_use()
        )

    def _is_covered(self, chain: Chain) -> bool:
        """Whether another import than this ``import a.b`` binds what a chain spells."""
        item = self.item
        if item is None or item.name or item.alias.asname:
            return False
        dotted = ".".join([chain.root.id, *chain.words])
        others = (other for other in self.names.imports if other is not item and not other.name and other.alias.asname is None)
        return not f"{dotted}.".startswith(f"{item.module}.") and any(
            other not in self.plan.placements
            and f"{dotted}.".startswith(f"{other.module}.")
            and other.scope is item.scope
            and runs_before(self.plan, other, chain.root)
            for other in others
        )

    def _need(self, placement: Placement) -> None:
        if placement not in self.needed:
            self.needed.append(placement)

    def _there(self, module: str, name: str) -> Iterator[tuple[ImportedName, str, bool]]:
        """Imports that bind a module, or the name of it, with what spells it, and whether that spells the name, too."""
        for item in self.names.imports:
            if item.binding is None or item in self.plan.placements:
                continue
            path = item.binding.path
            if not item.name and item.alias.asname is None:
                if item.module == module:
                    yield item, module, False
            elif path == module:
                yield item, item.local, False
            elif name and item.module == module and item.name == name:
                yield item, item.local, True

    def rely(self, item: ImportedName) -> None:
        """Note that what is written now goes by an import of the file."""
        self._need(_placed(item))
        self.plan.relied.add(item)

    def reaches(self, item: ImportedName, scope: Scope, root: ast.Name) -> bool:
        """Whether an import has run for certain where a root stands, and its local name means nothing else there."""
        owner = self.names.owner(scope, item.local)
        if owner is None or item.binding is None or not self._binds_alone(owner.bindings[item.local], item.binding.path):
            return False
        if item.binding not in owner.bindings[item.local] or owner.form == "class":
            return False
        return runs_before(self.plan, item, root)

    @staticmethod
    def _binds_alone(bindings: list[Binding], path: str) -> bool:
        return all(other.statement is not None and other.path == path for other in bindings)

    def _add(self, root: ast.Name, module: str) -> tuple[Optional[Placement], str]:
        if self.item is None:
            return None, f"{root.id} is bound more than once"
        reason = self._refuses_all(module)
        if reason:
            return None, reason
        tried = ""
        for placement in self._forms(module):
            local = placement.local or placement.name.partition(".")[0]
            path = f"{placement.module}.{placement.name}" if placement.module else placement.name
            if not placement.local:
                path = local
            if self._is_free(local, path):
                self.add(placement)
                return placement, ""
            tried = tried or local
        return None, f"the name {tried} means something else here"

    def add(self, placement: Placement) -> None:
        """Plan to import something beside the import."""
        assert self.item is not None
        if placement not in self.plan.additions.setdefault(self.item, []):
            self.plan.additions[self.item].append(placement)
        self._need(placement)

    def refuses(self, module: str, local: str, path: str) -> str:
        """Why ``local`` cannot be imported beside the import, to mean ``path``; empty where it can."""
        if self.item is None:
            return "there is no import beside which what it needs could be imported"
        return self._refuses_all(module) or ("" if self._is_free(local, path) else f"the name {local} means something else here")

    def _refuses_all(self, module: str) -> str:
        plan, item = self.plan, self.item
        assert item is not None
        reason = guards.around_import(plan, item)
        if reason:
            return reason
        if self.file.module == module:
            return "this file is the canonical module itself"
        if plan.file.statement(item.statement) is None or plan.owner_of(item) is not item.scope:
            return "the import is written in a way that is not rewritten"
        return ""

    def _added(self, scope: Scope, root: ast.Name, module: str, name: str) -> str:
        """Spell it by an import that is written for other uses, and reaches this one, too; empty where there is none."""
        for item, placements in [*self.plan.additions.items(), *self.plan.placements.items()]:
            within: Optional[Scope] = scope
            while within is not None and within is not item.scope:
                within = within.parent
            if within is None or item.scope.form == "class" or not runs_before(self.plan, item, root):
                continue
            for placement in placements:
                path = f"{placement.module}.{placement.name}" if placement.module else placement.name
                spelt = placement.local or placement.name
                if name and (placement.module, placement.name) == (module, name):
                    return spelt
                if path == module:
                    return f"{spelt}.{name}" if name else spelt
        return ""

    def _forms(self, module: str) -> Iterator[Placement]:
        """How a module may be imported: in the form of the import that is used, then by a name that few would take."""
        assert self.item is not None
        parent, _, last = module.rpartition(".")
        is_from = bool(self.item.name) or (
            bool(self.item.alias.asname) and any(item.name and item.module != "__future__" for item in self.names.imports)
        )
        plain = Placement("", module, "")
        taken = Placement(parent, last, last) if parent else plain
        yield from (taken, plain) if is_from else (plain, taken)
        yield Placement(parent, last, module.replace(".", "_")) if parent else Placement("", module, f"{module}_")

    def _is_free(self, local: str, path: str) -> bool:
        """Whether a local name may be bound to a path in the scope of the import."""
        plan, item = self.plan, self.item
        assert item is not None
        planned = [*plan.placements.values(), *plan.additions.values()]
        for placement in (placement for placements in planned for placement in placements):
            bound = placement.local or placement.name.partition(".")[0]
            whole = f"{placement.module}.{placement.name}" if placement.module else placement.name
            if bound == local and (whole if placement.local else bound) != path:
                return False
        if local not in plan.names_in_use():
            return not hasattr(builtins, local) and not any(other.name == "*" for other in self.names.imports)
        bindings = [(scope, binding) for scope in self.names.scopes for binding in scope.bindings.get(local, ())]
        return bool(bindings) and all(
            scope is item.scope and binding.statement is not None and binding.path == path for scope, binding in bindings
        )


def runs_before(plan: Plan, item: ImportedName, use: ast.expr) -> bool:
    """Whether an import stands before a use and runs whenever its scope does."""
    around = next(iter(plan.file.names.ancestors(item.statement)), item.scope.node)
    return around is item.scope.node and item.statement.lineno < use.lineno


def _can_be_deleted(plan: Plan, item: ImportedName) -> bool:
    """Whether a name can be taken out of its statement, and the statement out of its body, with nothing put in its place."""
    if len(item.statement.names) > 1:
        return bool(item.name)
    parent = plan.file.names.parents.get(item.statement, plan.file.tree.module)
    return isinstance(parent, ast.Module) and plan.file.statement(item.statement) is not None


def _placed(item: ImportedName) -> Placement:
    if item.name:
        return Placement(item.module, item.name, item.local)
    return Placement("", item.module, item.alias.asname or "")
