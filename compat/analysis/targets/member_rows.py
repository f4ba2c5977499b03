"""Rows of methods and arguments by canonical class or function, and the legacy methods that adapters define."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING

from compat.ledger import Method

# What reads sources of modules is imported where it is asked for: a run whose results are all cached reads none.
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from typing import Optional

    from compat.ledger import Argument, Ledger, Move

    from .adapters import Adapters


class MemberRows:
    """Rows of methods and arguments by the canonical class or function (dotted) they speak of, and adapters' methods.

    ``factories`` maps canonical classes to the functions that build them, ``"module:Class" -> "module:function"``; those that
    adapters name in ``built_by`` are added by reading the adapters' source, without importing it.
    """

    def __init__(self, ledger: Ledger, factories: Mapping[str, str]) -> None:
        self._ledger, self._factories = ledger, factories
        self.methods: dict[str, dict[str, Move]] = {}
        self.arguments: dict[str, list[Argument]] = {}
        self._adapted: dict[str, dict[str, Move]] = {}
        self._homes: dict[str, tuple[str, frozenset[str]]] = {}

    def file(self, row: Move) -> bool:
        """Take up a row of a member or an argument; false for any other row."""
        if row.function:
            self.arguments.setdefault(row.function.replace(":", "."), []).append(row)  # type: ignore[arg-type]
        elif not row.is_importable and row.attribute:
            owner, _, name = row.attribute.rpartition(".")
            self.methods.setdefault(f"{row.module}.{owner}", {}).setdefault(name, row)
        else:
            return False
        return True

    def follow_descendants(self, roots: Iterable[str]) -> None:
        """Take up what classes of the libraries inherit of such members, but those whose files lie below ``roots``.

        A class that defines one of the members itself is left to what its own source says.
        """
        from . import descendants

        owners = {path.rpartition(".")[0] for path in self.arguments if path.rpartition(".")[0].rpartition(".")[2][:1].isupper()}
        stopgaps = tuple(f"{package}." for package in self._ledger.stopgaps)
        classes = {path for path in {*self.methods, *owners} if not path.startswith(stopgaps)}
        hidden: dict[str, frozenset[str]] = {}
        for path, bases, own in descendants.find(classes, roots) if classes else ():
            taken = own
            for base in bases:
                rows = self.methods.get(base, {})
                functions = {one.rpartition(".")[2]: one for one in self.arguments if one.rpartition(".")[0] == base}
                if path not in classes and not own.isdisjoint(rows):
                    break
                for name, row in rows.items():
                    if name not in taken:
                        self.methods.setdefault(path, {}).setdefault(name, row)
                for name in functions.keys() - taken:
                    self.arguments.setdefault(f"{path}.{name}", self.arguments[functions[name]])
                taken = taken.union(hidden.get(base, ()), rows, functions)
            hidden[path] = taken.difference(self.methods.get(path, ()))

    @cached_property
    def canonical_classes(self) -> frozenset[str]:
        """Canonical classes (dotted) whose instances some row speaks of."""
        found = {*self.methods, *self.adapters.factories, *(path.rpartition(".")[0] for path in self.arguments)}
        return frozenset(found | {row.canonical.replace(":", ".") for row in self._ledger if row.adapter})

    @cached_property
    def adapters(self) -> Adapters:
        """The adapters and factories of the ledger."""
        from .adapters import Adapters

        return Adapters(self._ledger, self._factories)

    @cached_property
    def own_methods(self) -> frozenset[str]:
        """Names of the methods that rows speak of."""
        return frozenset(word for members in self.methods.values() for word in members)

    @cached_property
    def adapted_names(self) -> frozenset[str]:
        """Names of the methods that adapters define."""
        found: set[str] = set()
        for path in {row.adapter for row in self._adapted_rows.values()}:
            adapter = self.adapters.of(path)
            if adapter is not None:
                found.update((*adapter.members.legacy, *adapter.members.renamed))
        return frozenset(found)

    @cached_property
    def adapted_classes(self) -> frozenset[str]:
        """Legacy classes (dotted) that adapters stand in for."""
        return frozenset(row.legacy.replace(":", ".") for row in self._ledger if row.adapter)

    @cached_property
    def _adapted_rows(self) -> dict[str, Move]:
        rows: dict[str, Move] = {}
        for row in self._ledger:
            if row.adapter:
                rows.setdefault(row.legacy.replace(":", "."), row)
        return rows

    def methods_of(self, dotted: str) -> dict[str, Move]:
        """The rows of renamed and removed methods of a canonical class (dotted), by name."""
        return self.methods.get(dotted, {})

    def adapted_methods(self, dotted: str) -> dict[str, Move]:
        """Legacy methods that the adapter of a legacy class (dotted) defines, as rows by name; made when asked for."""
        made = self._adapted.get(dotted)
        if made is None:
            made = self._adapted[dotted] = {}
            row = self._adapted_rows.get(dotted)
            adapter = self.adapters.of(row.adapter) if row is not None else None
            if row is not None and adapter is not None:
                for name, told in adapter.members.legacy.items():
                    value = adapter.members.values.get(name, "")
                    told = told or (f"{row.canonical.rpartition(':')[2]}.{value}" if value else "")
                    instead = told or row.instead or f"the methods of {row.canonical.replace(':', '.')}"
                    made[name] = self._method_row(row, name, name, instead)
                    own = frozenset((*adapter.members.legacy, *adapter.members.renamed))
                    self._homes[made[name].legacy] = adapter.members.homes.get(name, ""), own
                for name, new in adapter.members.renamed.items():
                    made[name] = self._method_row(row, name, new, None)
        return made

    def names_adapted(self, dotted: str) -> frozenset[str]:
        """The names of :meth:`adapted_methods`, whose rows need not be made."""
        row = self._adapted_rows.get(dotted)
        adapter = self.adapters.of(row.adapter) if row is not None else None
        return frozenset((*adapter.members.legacy, *adapter.members.renamed)) if adapter is not None else frozenset()

    def home(self, row: Move) -> str:
        """Where the adapter's source defines a legacy method: ``"module:Class.method"``; empty for every other row."""
        return self._homes.get(row.legacy, ("", frozenset()))[0]

    def values_of(self, row: Move) -> frozenset[str]:
        """The legacy attributes of a row's adapter that are read, and not called."""
        adapter = self.adapters.of(row.adapter) if row.adapter else None
        return frozenset(adapter.members.values if adapter is not None else ())

    def legacy_names_beside(self, row: Move) -> frozenset[str]:
        """The legacy names that the adapter of a legacy method defines."""
        return self._homes.get(row.legacy, ("", frozenset()))[1]

    @cached_property
    def _with_arguments(self) -> frozenset[str]:
        owners = (path.rpartition(".")[0] for path in self.arguments)
        return frozenset({*self.arguments, *owners})

    def has_arguments(self, dotted: str) -> bool:
        """Whether a function, or a class by its constructor or a method, has legacy arguments."""
        return dotted in self._with_arguments

    def telling_keywords(self, dotted: str) -> Optional[frozenset[str]]:
        """The keywords, one of which stands in every call in the legacy form of a function, or of a class and its methods.

        ``None`` where a call may have none of them.
        """
        found: set[str] = set()
        for path, rows in self.arguments.items() if self.has_arguments(dotted) else ():
            for row in rows if dotted in (path, path.rpartition(".")[0]) else ():
                if not row.telling:
                    return None
                found.update(row.telling)
        return frozenset(found)

    def speaks_of(self, dotted: str, name: str) -> bool:
        """Whether a row is about a member of a canonical or legacy class (dotted) by this name, be it an argument of it."""
        return name in self.methods_of(dotted) or f"{dotted}.{name}" in self.arguments or name in self.names_adapted(dotted)

    def renamed_method(self, dotted: str, name: str) -> str:
        """What a method of a canonical class (dotted) is called in the end, through all rows that rename it."""
        seen = {name}
        while True:
            row = self.methods_of(dotted).get(name)
            is_renamed = row is not None and not row.is_tombstone and not row.differs
            new = row.canonical.rpartition(".")[2] if row is not None and is_renamed else ""
            if not new or new in seen:
                return name
            name = new
            seen.add(name)

    def renamed_argument(self, row: Argument) -> Argument | None:
        """The last of the rows that rename an argument one after the other; ``None`` where one does more than rename."""
        seen = {row.argument}
        following = True
        while following and row.became and row.became not in seen:
            seen.add(row.became)
            following = False
            for other in self.arguments.get(row.function.replace(":", "."), ()):
                if other.argument == row.became:
                    if other.convert or other.default or not other.became:
                        return None
                    row, following = other, True
                    break
        return row

    def _method_row(self, row: Move, name: str, new: str, instead: str | None) -> Move:
        made = Method(
            f"{row.legacy}.{name}", f"{row.canonical}.{new}", since=row.since, removal=row.removal, instead=instead, id=row.id
        )
        return made.replace(ledger=row.ledger, category=row.category)
