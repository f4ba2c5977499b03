"""What the names of an expression are called in a file: as an import there binds them, or as one that is added does."""

from __future__ import annotations

from typing import TYPE_CHECKING, Optional, Union

from ..plan import Placement
from .values import Left

if TYPE_CHECKING:
    import ast
    from collections.abc import Iterable

    from compat.ledger.templates import Need

    from ...model.scopes import ImportedName, Scope
    from ..plan import Plan
    from ..spelling import Speller


def spell(
    plan: Plan, speller: Speller, scope: Scope, at: ast.Name, needs: Iterable[Need]
) -> tuple[dict[str, str], list[Union[ImportedName, Placement]]]:
    """Each name of an expression as it is to be written where ``at`` stands, and the imports that this relies on: those of
    the file, and those to be added. Raise :class:`Left` where one cannot be had.
    """
    spelt: dict[str, str] = {}
    through: list[Union[ImportedName, Placement]] = []
    for need in needs:
        if not need.module:
            raise Left(f"its replacement reads {need.local}, and the imports of its row do not say what that is")
        found = _there(plan, speller, scope, at, need)
        if found is not None:
            item, spelt[need.local] = found
            through.append(item)
            continue
        reason = speller.refuses(need.module, need.local, need.path)
        if reason:
            raise Left(reason)
        spelt[need.local] = need.local
        through.append(_placement(need))
    return spelt, through


def take(speller: Speller, through: Iterable[Union[ImportedName, Placement]]) -> None:
    """Rely on imports from now on, and plan those to be added."""
    for one in through:
        if isinstance(one, Placement):
            speller.add(one)
        else:
            speller.rely(one)


def anchor(plan: Plan, before: ast.expr) -> Optional[ImportedName]:
    """The import of the module beside which another may be added for a use: the last that stands by itself before it."""
    names = plan.file.names
    found = None
    for item in names.imports:
        parent = names.parents.get(item.statement, names.module.node)
        if item.scope is not names.module or parent is not names.module.node or item.module == "__future__":
            continue
        if item.statement.lineno < before.lineno and plan.file.statement(item.statement) is not None and item.binding is not None:
            found = item
    return found


def _there(plan: Plan, speller: Speller, scope: Scope, at: ast.Name, need: Need) -> Optional[tuple[ImportedName, str]]:
    """An import of the file that serves, and what it makes of the name: of the name itself, else of its module."""
    through_module = None
    for item in plan.file.names.imports:
        if item.binding is None or item in plan.placements or not speller.reaches(item, scope, at):
            continue
        is_dotted = not item.name and item.alias.asname is None and "." in item.module
        if need.is_plain and "." in need.module:
            if is_dotted and item.module == need.module:
                return item, item.local
        elif not is_dotted and item.binding.path == need.path:
            return item, item.local
        elif need.name and need.module in (item.binding.path, item.module if is_dotted else ""):
            spelt = item.local if item.binding.path == need.module else item.module
            through_module = through_module or (item, f"{spelt}.{need.name}")
    return through_module


def _placement(need: Need) -> Placement:
    if need.name:
        return Placement(need.module, need.name, need.local)
    return Placement("", need.module, "" if need.is_plain else need.local)
