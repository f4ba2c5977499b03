"""The ledger as analysis asks it: which dotted path is a use of which row, and what stands there instead."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, NamedTuple

from compat.ledger import Argument, Class, Method, Name, import_line, replacement, sentence

from ..reading.batch import Words

# What reads sources of modules is imported where it is asked for: a run whose results are all cached reads none.
if TYPE_CHECKING:
    from collections.abc import Container, Iterable, Mapping

    from compat.ledger import Ledger, Move

    from .adapters import Adapters


class Target(NamedTuple):
    """What a legacy path means: ``move`` is ``None`` for a legacy module that only single rows speak of."""

    move: Move | None
    legacy: str
    canonical: str

    @property
    def is_module(self) -> bool:
        return ":" not in self.legacy

    @property
    def kind(self) -> str:
        """The rule that a use of this target falls under."""
        if self.move is None or (self.is_module and self.move.kind != "removed"):
            return "module"
        return "name" if self.move.kind == "module" else self.move.kind

    @property
    def id(self) -> str:
        return self.move.id if self.move is not None else self.legacy


class Targets:
    """Rows of one ledger, indexed by the dotted paths that source code writes.

    ``factories`` maps canonical classes to the functions that build them, ``"module:Class" -> "module:function"``;
    those that adapters name in ``built_by`` are added by reading the adapters' source, without importing it.
    """

    def __init__(self, ledger: Ledger, factories: Mapping[str, str] | None = None) -> None:
        self.ledger = ledger
        self.names: dict[str, dict[str, Move]] = {}
        self.modules: dict[str, Move] = {}
        self.methods: dict[str, dict[str, Move]] = {}
        self.arguments: dict[str, list[Argument]] = {}
        self.shells: set[str] = set()
        for row in ledger:
            self._file(row)
        for module in [*self.names, *self.modules]:
            while "." in module:
                module = module.rpartition(".")[0]
                self.shells.add(module)
        self._factories = factories or {}
        self._said: dict[tuple[str, str, str], tuple[str, str]] = {}
        self._adapted: dict[str, dict[str, Move]] = {}
        self._spelt: dict[str, str] = {}
        #: Names that modules of the scanned tree hand on: module -> name -> what it is.
        self.handed_on: dict[str, Mapping[str, Target]] = {}

    def _file(self, row: Move) -> None:
        module, attribute = row.module, row.attribute
        if isinstance(row, Argument):
            self.arguments.setdefault(row.canonical.replace(":", "."), []).append(row)
        elif row.kind == "method" or "." in attribute:
            owner, _, name = attribute.rpartition(".")
            self.methods.setdefault(f"{module}.{owner}", {}).setdefault(name, row)
        elif attribute:
            self.names.setdefault(module, {}).setdefault(attribute, row)
        else:
            self.modules.setdefault(module, row)

    @property
    def legacy_modules(self) -> Iterable[str]:
        """Every legacy module that has a row of its own or rows in it."""
        return {**self.names, **self.modules}

    @cached_property
    def canonical_classes(self) -> frozenset[str]:
        """Canonical classes (dotted) whose instances some row speaks of."""
        found = {*self.methods, *self.adapters.factories, *(path.rpartition(".")[0] for path in self.arguments)}
        return frozenset(found | {row.canonical.replace(":", ".") for row in self.ledger if row.kind == "class"})

    @cached_property
    def canonical_symbols(self) -> frozenset[str]:
        """Canonical names and classes (dotted) that some row speaks of."""
        return frozenset(row.canonical.replace(":", ".") for row in self.ledger if row.kind in ("name", "class"))

    @cached_property
    def adapters(self) -> Adapters:
        """The adapters and factories of the ledger."""
        from .adapters import Adapters

        return Adapters(self.ledger, self._factories)

    @cached_property
    def told_paths(self) -> dict[str, str]:
        """Canonical names and classes (dotted) whose rows say to import them by another path, and that path."""
        from .adapters import IMPORT

        found: dict[str, str] = {}
        for row in self.ledger:
            match = IMPORT.match(row.instead or "") if row.kind in ("name", "class") else None
            if match is not None and match.group(2) == row.canonical.rpartition(":")[2]:
                found.setdefault(row.canonical.replace(":", "."), f"{match.group(1)}.{match.group(2)}")
        return found

    @cached_property
    def tops(self) -> frozenset[str]:
        """Top-level packages of all legacy and canonical paths."""
        legacy = {module.partition(".")[0] for module in self.legacy_modules}
        return frozenset(legacy | {row.canonical.partition(".")[0] for row in self.ledger if row.canonical})

    @cached_property
    def telling_words(self) -> frozenset[bytes]:
        """Names one of which stands wherever something of the ledger is used in the module that defines it."""
        built = self.adapters.factories
        found = {path.rpartition(".")[2] for path in built}
        found.update(path.partition(":")[2] for path in built.values())
        found.update(path.rpartition(".")[2] for path in self.methods)
        for path in self.arguments:
            owner, _, name = path.rpartition(".")
            found.add(owner.rpartition(".")[2] if name == "__init__" else name)
        return frozenset(word.encode() for word in found)

    @cached_property
    def told_by(self) -> Words:
        """What to look for in a file to know where in it something of the ledger may be named."""
        return Words({b"__package__", *self.telling_words, *self.top_words} - {b""})

    @cached_property
    def top_words(self) -> frozenset[bytes]:
        """The top-level packages, as bytes."""
        return frozenset(map(str.encode, self.tops))

    @cached_property
    def own_methods(self) -> frozenset[str]:
        """Names of the methods that rows speak of."""
        return frozenset(word for members in self.methods.values() for word in members)

    @cached_property
    def member_words(self) -> frozenset[bytes]:
        """Names of legacy methods, and of methods with legacy arguments: there, receivers' types matter."""
        found = {*self.own_methods}
        found.update(
            path.rpartition(".")[2] for path in self.arguments if path.rpartition(".")[0].rpartition(".")[2][:1].isupper()
        )
        return frozenset(word.encode() for word in found)

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
    def adapted_words(self) -> frozenset[bytes]:
        """The same, as bytes."""
        return frozenset(name.encode() for name in self.adapted_names)

    @cached_property
    def _adapter_packages(self) -> frozenset[str]:
        """The modules of adapters, and the packages that they fill: not one in which the canonical classes lie as well."""
        rows = [row for row in self.ledger if isinstance(row, Class)]
        modules = {row.adapter.partition(":")[0] for row in rows}
        canonical = {row.canonical.partition(":")[0] + "." for row in rows}
        packages = {module.rpartition(".")[0] for module in modules} - {""}
        return frozenset(modules.union(one for one in packages if not any(name.startswith(f"{one}.") for name in canonical)))

    def is_stopgap(self, target: Target) -> bool:
        """Whether what a row hands out lies among the adapters: it serves old code, and is nothing to move to."""
        module = target.canonical.partition(":")[0]
        return any(module == package or module.startswith(f"{package}.") for package in self._adapter_packages)

    def lacks(self, target: Target) -> str:
        """Why a name that only a module's row speaks for cannot be moved along: the canonical module does not have it."""
        from .module_names import has_name

        module, _, name = target.canonical.partition(":")
        if target.move is None or ":" in target.move.legacy or not name or has_name(module, name.partition(".")[0]) is not False:
            return ""
        return f"{module} has no {name}"

    @cached_property
    def adapted_classes(self) -> frozenset[str]:
        """Legacy classes (dotted) that adapters stand in for."""
        return frozenset(row.legacy.replace(":", ".") for row in self.ledger if row.kind == "class")

    @cached_property
    def _adapted_rows(self) -> dict[str, Class]:
        rows: dict[str, Class] = {}
        for row in self.ledger:
            if isinstance(row, Class):
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
                    instead = told or row.instead or f"the methods of {row.canonical.replace(':', '.')}"
                    made[name] = self._method_row(row, name, name, instead)
                for name, new in adapter.members.renamed.items():
                    made[name] = self._method_row(row, name, new, None)
        return made

    def _method_row(self, row: Move, name: str, new: str, instead: str | None) -> Move:
        made = Method(
            f"{row.legacy}.{name}", f"{row.canonical}.{new}", since=row.since, removal=row.removal, instead=instead, id=row.id
        )
        return made.replace(ledger=row.ledger)

    def covering(self, module: str) -> tuple[Move, str] | None:
        """The module row that speaks for a module, its own or a parent's, and the canonical module that follows."""
        rest = ""
        while module:
            row = self.modules.get(module)
            if row is not None:
                return row, f"{row.canonical}{rest}" if row.canonical else ""
            module, _, last = module.rpartition(".")
            rest = f".{last}{rest}" if last else rest
        return None

    def is_known(self, module: str) -> bool:
        """Whether a dotted path is a legacy module or the parent package of one."""
        return module in self.names or module in self.shells or self.covering(module) is not None

    def module(self, name: str) -> Target | None:
        """The target of a module, ``None`` where it is no legacy module."""
        cover = self.covering(name)
        if cover is not None:
            return Target(cover[0], name, cover[1])
        return Target(None, name, "") if name in self.names else None

    def attribute(self, module: str, name: str) -> Target | None:
        """The target of ``module:name``: its row, a legacy submodule, or what the module's row implies."""
        row = self.names.get(module, {}).get(name)
        if row is not None:
            return Target(row, f"{module}:{name}", row.canonical)
        inner = f"{module}.{name}"
        if inner in self.names or inner in self.modules:
            return self.module(inner)
        if inner in self.shells:
            return None
        cover = self.covering(module)
        if cover is None:
            return None
        return Target(cover[0], f"{module}:{name}", f"{cover[1]}:{name}" if cover[1] else "")

    def resolve(self, dotted: str, imported: Container[str] = ()) -> tuple[Target, int] | None:
        """The target of the longest legacy path at the head of ``dotted``, and how many of its parts that takes.

        ``imported`` names modules that are known to be modules though no row says so: submodules of moved ones.
        """
        parts = dotted.split(".")
        if parts[0] not in self.tops:
            return None
        known = 0
        prefix = ""
        for count, part in enumerate(parts, 1):
            prefix = f"{prefix}.{part}" if prefix else part
            if (
                prefix in self.names
                or prefix in self.modules
                or prefix in self.shells
                or (prefix in imported and self.covering(prefix) is not None)
            ):
                known = count
        if not known:
            return None
        module = ".".join(parts[:known])
        if known < len(parts):
            target = self.attribute(module, parts[known])
            return None if target is None else (target, known + 1)
        target = self.module(module)
        return None if target is None else (target, known)

    def resolve_handed_on(self, dotted: str) -> tuple[Target, int] | None:
        """Like :meth:`resolve`, for names that modules of the scanned tree hand on."""
        module, _, name = dotted.rpartition(".")
        while module:
            target = self.handed_on.get(module, {}).get(name)
            if target is not None:
                return target, module.count(".") + 2
            module, _, name = module.rpartition(".")
        return None

    def canonical_dotted(self, dotted: str) -> str:
        """A dotted path with its legacy head replaced by the canonical one; unchanged where it is none."""
        found = self.resolve(dotted)
        if found is None or not found[0].canonical:
            return dotted
        rest = dotted.split(".")[found[1] :]
        return ".".join([found[0].canonical.replace(":", "."), *rest])

    def spelt(self, dotted: str) -> str:
        """A canonical class or function as the rows spell its path, where a package of the canonical side hands it on."""
        if dotted.partition(".")[0] not in self.tops:
            return dotted
        if dotted in self._spelt:
            return self._spelt[dotted]
        head, _, last = dotted.rpartition(".")
        known = self._by_last_word.get(last, ())
        if dotted in known or not head:
            made = dotted
        else:
            from .adapters import defined_at

            home = defined_at(dotted) if known else ""
            made = next((path for path in known if defined_at(path) == home), "") or f"{self.spelt(head)}.{last}"
        self._spelt[dotted] = made
        return made

    @cached_property
    def _by_last_word(self) -> dict[str, list[str]]:
        factories = (path.replace(":", ".") for path in self.adapters.factories.values())
        found: dict[str, list[str]] = {}
        for path in sorted({*self.canonical_classes, *factories, *self.arguments}):
            found.setdefault(path.rpartition(".")[2], []).append(path)
        return found

    def row(self, target: Target) -> Move | None:
        """The row to word a sentence from; for what a module's row implies, a row made for that one name."""
        move = target.move
        if move is None or move.kind == "removed" or ":" not in target.legacy or ":" in move.legacy:
            return move if move is None or move.legacy == target.legacy or not target.canonical else self._derived(target)
        return self._derived(target)

    def _derived(self, target: Target) -> Move:
        move = target.move
        assert move is not None
        if ":" not in target.legacy:
            return move.replace(legacy=target.legacy, canonical=target.canonical)
        made = Name(
            target.legacy, target.canonical, since=move.since, removal=move.removal, instead=None, note=move.note, id=move.id
        )
        return made.replace(ledger=move.ledger)

    def words(self, target: Target, use: str) -> tuple[str, str]:
        """The sentence about one use of a target, and what to write instead."""
        key = (target.id, target.legacy, use)
        said = self._said.get(key)
        if said is None:
            said = self._said[key] = self._words(target, use)
        return said

    def _words(self, target: Target, use: str) -> tuple[str, str]:
        row = self.row(target)
        if row is None:
            new = sorted({move.canonical.partition(":")[0] for move in self.names[target.legacy].values() if move.canonical})
            instead = f"Import its names from {' or '.join(new)} instead." if new else "Nothing stands behind it any more."
            return f"Importing '{target.legacy}' is deprecated: its names moved. {instead}", instead
        return self.say(row, use), replacement(row)

    def say(self, move: Move, use: str) -> str:
        """The sentence of one row at the stage that is in force."""
        return sentence(move, use, self.ledger.stage(move), docs=self.ledger.origin(move).docs)

    def import_of(self, target: Target) -> str:
        """The statement that imports what stands instead; empty for what is removed."""
        return import_line(target.canonical) if target.canonical else ""
