"""Look up legacy paths: which row a dotted path uses, and which canonical path replaces it."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING

from compat.ledger import advice
from compat.ledger.move import CODE, NAME

from .member_rows import MemberRows
from .presence import Presence
from .search_words import SearchWords
from .target import Target
from .wording import Wording

# What reads sources of modules is imported where it is asked for: a run whose results are all cached reads none.
if TYPE_CHECKING:
    from collections.abc import Container, Iterable, Mapping
    from typing import Any, Optional

    from compat.ledger import Ledger, Move


class Targets:
    """Rows of one ledger by legacy path; ``members`` are those of methods and arguments, ``wording`` words what is found."""

    def __init__(self, ledger: Ledger, factories: Mapping[str, str] | None = None) -> None:
        self.ledger = ledger
        self.names: dict[str, dict[str, Move]] = {}
        self.modules: dict[str, Move] = {}
        self.members = MemberRows(ledger, factories or {})
        self.shells: set[str] = set()
        #: Strings that are uses wherever they stand, such as the old name of a setting.
        self.texts: dict[str, Move] = {}
        #: Legacy modules of which something moved, or is gone: others have rows of what stays only.
        self.moved: set[str] = set()
        for row in ledger:
            if row.place == CODE:
                if row.text:
                    self.texts.setdefault(row.text, row)
                continue
            if row.is_pattern or self.members.file(row):
                continue
            if row.attribute:
                self.names.setdefault(row.module, {}).setdefault(row.attribute, row)
            else:
                self.modules.setdefault(row.module, row)
            if not row.stays:
                self.moved.add(row.module)
        for module in self.moved:
            while "." in module:
                module = module.rpartition(".")[0]
                self.shells.add(module)
        #: Packages below which patterns of rows may match any module.
        self.open: frozenset[str] = frozenset(pattern.parent for pattern in ledger.patterns)
        for parent in self.open:
            while parent:
                self.shells.add(parent)
                parent = parent.rpartition(".")[0]
        self._matched: set[str] = set()
        self.wording = Wording(ledger, self.names)
        self._spelt: dict[str, str] = {}
        #: What the rewriters read of replacements that are code, by legacy path.
        self.templates: dict[str, object] = {}
        #: How members of targets are mentioned, see :mod:`compat.analysis.scanning.shortcut`; by names, and by path.
        self.mentions: dict[Any, Any] = {}
        self.mentioned: dict[tuple[str, str], Any] = {}
        #: Why imports of targets are left, see :mod:`compat.analysis.leaving`.
        self.left: dict[tuple[str, str], str] = {}
        #: Folders of the scanned trees, and around them, in which top-level packages may lie.
        self.bases: tuple[str, ...] = ()
        self.beside: tuple[str, ...] = ()
        #: What the files of a run know of each other, see :mod:`compat.analysis.model.inferring.neighbours`.
        self.neighbours: dict[bool, Any] = {}
        #: Names by which modules of the trees give instances of classes that matter; ``None`` where any module is looked into.
        self.carried: Optional[dict[str, set[str]]] = None
        #: Names that modules of the scanned tree re-export: module -> name -> what it is.
        self.re_exported: dict[str, Mapping[str, Target]] = {}

    def carried_by(self, module: str) -> set[str]:
        """The names by which a module is known to give instances of classes that matter."""
        return (self.carried or {}).get(module, set())

    @cached_property
    def search_words(self) -> SearchWords:
        """What to search a file for."""
        return SearchWords(self.members, self.tops, self.texts)

    @cached_property
    def _presence(self) -> Presence:
        led_to = {row.canonical.partition(":")[0] for row in self.ledger if row.canonical}
        return Presence(led_to | {path.rpartition(".")[0] for path in self.members.methods}, self.bases, self.beside)

    def match(self, module: str) -> None:
        """Take up the rows that patterns imply for a module, if any does."""
        if not self.open or module in self._matched:
            return
        self._matched.add(module)
        for attribute, row in self.ledger.module_rows(module).items():
            if attribute:
                self.names.setdefault(module, {}).setdefault(attribute, row)
            else:
                self.modules.setdefault(module, row)
            if not row.stays:
                self.moved.add(module)

    def stays(self, module: str) -> bool:
        """Whether a legacy module without a row of its own goes on being importable: then only its rows' names are legacy."""
        return self._presence.stays(module)

    @cached_property
    def texts_as_bytes(self) -> tuple[bytes, ...]:
        """Strings that are uses wherever they stand."""
        return tuple(text.encode() for text in self.texts)

    @property
    def staying_modules(self) -> list[str]:
        """The legacy modules that stay, of those that only single rows speak of."""
        return [module for module in sorted(self.names) if self.covering(module) is None and self.stays(module)]

    @property
    def legacy_modules(self) -> Iterable[str]:
        """Every legacy module that has a row of its own or rows in it."""
        return {**self.names, **self.modules}

    @cached_property
    def canonical_symbols(self) -> frozenset[str]:
        """Canonical names and classes (dotted) that some row speaks of."""
        return frozenset(row.canonical.replace(":", ".") for row in self.ledger if row.canonical and row.place == NAME)

    @cached_property
    def advised_paths(self) -> dict[str, str]:
        """Canonical names and classes (dotted) whose rows advise to import them by another path, and that path."""
        from .adapters import IMPORT

        found: dict[str, str] = {}
        for row in self.ledger:
            if advice.lies_in(row.canonical, self.stopgaps):
                continue  # what it says to import is another object
            match = IMPORT.match(row.instead or "") if row.place == NAME else None
            if match is not None and match.group(2) == row.canonical.rpartition(":")[2]:
                found.setdefault(row.canonical.replace(":", "."), f"{match.group(1)}.{match.group(2)}")
        return found

    @cached_property
    def tops(self) -> frozenset[str]:
        """Top-level packages of all legacy and canonical paths."""
        legacy = {module.partition(".")[0] for module in (*self.legacy_modules, *self.open)}
        return frozenset(legacy | {row.home.partition(".")[0] for row in self.ledger if row.home})

    @cached_property
    def stopgaps(self) -> frozenset[str]:
        """The packages and modules whose contents exist for old code only."""
        return advice.stopgaps(self.ledger)

    def is_stopgap(self, target: Target) -> bool:
        """Whether the target of a row exists for old code only, and is no place to move to."""
        return bool(target.canonical) and advice.lies_in(target.canonical, self.stopgaps)

    def lacks(self, target: Target) -> str:
        """Why a name that is covered only by a module's row stays where it is: the canonical module does not define it."""
        from .module_names import has_name

        module, _, name = target.canonical.partition(":")
        if target.move is None or ":" in target.move.legacy or not name or has_name(module, name.partition(".")[0]) is not False:
            return ""
        return f"{module} has no {name}"

    def covering(self, module: str) -> tuple[Move, str] | None:
        """The module row that speaks for a module, its own or a parent's, and the canonical module that follows."""
        rest = ""
        while module:
            self.match(module)
            row = self.modules.get(module)
            if row is not None:
                return row, f"{self._last(row)}{rest}" if row.canonical else ""
            module, _, last = module.rpartition(".")
            rest = f".{last}{rest}" if last else rest
        return None

    def _last(self, row: Move) -> str:
        """The canonical path of a row, through the rows that moved it on."""
        path, seen = row.canonical, {row.legacy}
        while path not in seen and not row.stays and not row.adapter:
            seen.add(path)
            module, _, name = path.partition(":")
            after = self.names.get(module, {}).get(name) if name else None
            whole = self.modules.get(module) if after is None else None
            after = after or whole
            if after is None or after.is_tombstone or after.adapter or after.stays or not after.canonical:
                break
            path = f"{whole.canonical}:{name}" if whole is not None and name else after.canonical
        return path

    def is_known(self, module: str) -> bool:
        """Whether a dotted path is a legacy module or the parent package of one."""
        self.match(module)
        return module in self.names or module in self.shells or self.covering(module) is not None

    def module(self, name: str) -> Target | None:
        """The target of a module, ``None`` where it is no legacy module."""
        self.match(name)
        cover = self.covering(name)
        if cover is not None:
            return Target(cover[0], name, cover[1])
        return Target(None, name, "") if name in self.names and name in self.moved else None

    def attribute(self, module: str, name: str) -> Target | None:
        """The target of ``module:name``: its row, a legacy submodule, or what the module's row implies."""
        self.match(module)
        row = self.names.get(module, {}).get(name)
        if row is not None:
            return Target(row, f"{module}:{name}", self._last(row))
        inner = f"{module}.{name}"
        self.match(inner)
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
            self.match(prefix)
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

    def resolve_re_exported(self, dotted: str) -> tuple[Target, int] | None:
        """Like :meth:`resolve`, for names that modules of the scanned tree re-export."""
        module, _, name = dotted.rpartition(".")
        while module:
            target = self.re_exported.get(module, {}).get(name)
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
        """The path by which the rows spell a canonical class or function, where a canonical package re-exports it."""
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
        factories = (path.replace(":", ".") for path in self.members.adapters.factories.values())
        found: dict[str, list[str]] = {}
        for path in sorted({*self.members.canonical_classes, *factories, *self.members.arguments}):
            found.setdefault(path.rpartition(".")[2], []).append(path)
        return found
