"""A ledger: rows, looked up by legacy path in constant time, and the version that is in force for them."""

import os

from .move import ANNOUNCED, DEPRECATED, EXPIRED, MODULE, NAME, Move, numbers

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Iterator
    from typing import Union

    from .move import Category
    from .patterns import Pattern

    Version = Union[str, Callable[[], str]]


class Origin:
    """Where a row comes from: the ledger's name, the version in force, and where to read on."""

    __slots__ = ("_version", "_version_of", "distribution", "docs", "name")

    def __init__(self, name: str, version: "Version | None", docs: str, distribution: str = "") -> None:
        self.name, self._version, self.docs, self.distribution = name, version, docs, distribution or name
        if version is None:
            from .metadata import version_of

            self._version_of = version_of

    @property
    def version(self):  # type: () -> str
        """The version in force: ``COMPAT_AS_OF`` if it speaks of this ledger, else the ledger's own."""
        if "COMPAT_AS_OF" in os.environ:
            from .versions import rehearsed

            return rehearsed(self.name) or self.own_version
        return self.own_version

    @property
    def own_version(self):  # type: () -> str
        """The version of the ledger itself, whatever is rehearsed; ``""`` where its distribution is not installed."""
        if self._version is None:
            return self._version_of(self.distribution)
        return self._version if isinstance(self._version, str) else self._version()


class Ledger:
    """An immutable collection of moves. ``ledger + rows`` and ``ledger + ledger`` make a larger one.

    Parameters
    ----------
    name:
        Stands before versions in sentences and in telemetry's ``ledger`` label.
    version:
        The version in force, or a callable that returns it (read when first needed); unless given, that of the installed
        distribution ``distribution``, whose name is ``name`` unless given.
    docs:
        Where a warned user reads on: a file name or a URL.
    generic:
        Top-level names that other projects use too: of these only the declared modules are served, never the name alone.
    intro:
        The directory of what the guide says beside the rows: introductions, families, numbers of uses.
    stopgaps:
        Packages that exist for old code only and go with it: a row may have its target in one, and says what to do instead.
    category:
        The category of warnings about rows that give none, beside :class:`compat.LegacyUseWarning`: ``FutureWarning`` for what
        end users are to see.
    rows:
        The moves; later rows of the same legacy path are kept too, for :func:`compat.check` to report, but the first wins.
    """

    __slots__ = (
        "_by_id",
        "_by_legacy",
        "_matched",
        "_modules",
        "_origins",
        "_patterns",
        "_rows",
        "_shells",
        "category",
        "docs",
        "generic",
        "intro",
        "name",
        "stopgaps",
    )

    def __init__(
        self,
        name: str,
        *,
        version: "Version | None" = None,
        distribution: str = "",
        docs: str = "",
        generic: "Iterable[str]" = (),
        intro: str = "",
        stopgaps: "Iterable[str]" = (),
        category: "Category" = None,
        rows: "Iterable[Move]" = (),
    ) -> None:
        if isinstance(stopgaps, str):
            raise TypeError(f"ledger {name!r}: stopgaps takes a list of packages; write stopgaps=({stopgaps!r},)")
        self.name = name
        self.docs = docs
        self.generic = frozenset(generic)
        self.intro = intro
        self.stopgaps = frozenset(stopgaps)
        self.category = category
        self._origins: dict[str, Origin] = {name: Origin(name, version, docs, distribution)}
        self._rows: tuple[Move, ...] = ()
        self._index(rows)

    def _index(self, rows):  # type: (Iterable[Move]) -> None
        kept = list(self._rows)
        for row in rows:
            if not isinstance(row, Move):
                raise TypeError(f"ledger {self.name!r} takes rows such as Name(...), not {row!r}")
            kept.append(row if row.ledger else row.owned_by(self.name, self.category))
        self._rows = tuple(kept)
        self._matched: set[str] = set()
        # Of these two the library that comes with a ledger needs none.
        self._by_legacy: dict[str, Move] = {}
        self._by_id: dict[str, Move] = {}
        self._modules: dict[str, dict[str, Move]] = {}
        self._shells: set[str] | None = None
        self._patterns: tuple[Pattern, ...] = ()  # noqa: F823
        modules = self._modules
        for row in kept:
            legacy = row.legacy
            if "{" in legacy and row.is_pattern:
                from .patterns import Pattern

                self._patterns += (Pattern(row),)
            elif row.place in (MODULE, NAME):  # for others no legacy module is served
                module, _, attribute = legacy.partition(":")
                modules.setdefault(module, {}).setdefault(attribute, row)

    def _paths(self):  # type: () -> dict[str, Move]
        if not self._by_legacy:
            # The first row of a path is kept. At once, for another thread may ask meanwhile.
            self._by_legacy = {row.legacy: row for row in reversed(self._rows)}
        return self._by_legacy

    def __add__(self, other: "Ledger | Iterable[Move]") -> "Ledger":
        made = self._copied()
        if isinstance(other, Ledger):
            made._origins.update(other._origins)
            made.generic |= other.generic
            made.stopgaps |= other.stopgaps
        made._index(other)
        return made

    def _copied(self):  # type: () -> Ledger
        made = Ledger.__new__(Ledger)
        made.name, made.docs, made.generic, made.intro = self.name, self.docs, self.generic, self.intro
        made.stopgaps, made.category = self.stopgaps, self.category
        made._rows, made._origins = self._rows, dict(self._origins)
        return made

    def narrowed(self, roots: "Collection[str]") -> "Ledger":
        """This ledger without the legacy modules that lie below other roots; empty where none is left."""
        if self.roots.issubset(roots):
            return self
        made = self._copied()
        made._rows = ()
        kept = {module for module in self._modules if module.partition(".")[0] in roots}
        there = {one.row.legacy for one in self._patterns if one.parent.partition(".")[0] in roots}
        gone = {one.row.legacy for one in self._patterns} - there
        stay = (row for row in self._rows if row.module in kept or row.module not in self._modules)
        made._index(row for row in stay if (kept or there) and row.legacy not in gone)
        return made

    def __iter__(self):  # type: () -> Iterator[Move]
        return iter(self._rows)

    def __len__(self):  # type: () -> int
        return len(self._rows)

    def __bool__(self):  # type: () -> bool
        return True

    def __contains__(self, legacy):  # type: (object) -> bool
        return legacy in self._paths()

    def __getitem__(self, legacy):  # type: (str) -> Move
        try:
            return self._paths()[legacy]
        except KeyError:
            raise KeyError(f"ledger {self.name!r} has no row for {legacy!r}") from None

    def __repr__(self):  # type: () -> str
        return f"<Ledger {self.name!r}: {len(self)} rows>"

    def get(self, legacy: str) -> "Move | None":
        """The row of a legacy path, or ``None``."""
        return self._paths().get(legacy)

    def by_id(self, id: str) -> "Move | None":
        """The row with a stable id, or ``None``."""
        if not self._by_id:
            self._by_id = {row.id: row for row in reversed(self._rows)}
        return self._by_id.get(id)

    def module_rows(self, module: str) -> "dict[str, Move]":
        """The rows of one legacy module by attribute; ``""`` is the row of the module itself. Do not change it."""
        if self._patterns and module not in self._matched:
            self._match(module)
        return self._modules.get(module, {})

    def _match(self, module):  # type: (str) -> None
        """Add the rows that patterns imply for a module to those that are written out."""
        for pattern in self._patterns:
            row = pattern.implied(module) if module.startswith(f"{pattern.parent}.") else None
            if row is not None and row.legacy not in self._paths():
                self._matched.add(module)
                self._paths()[row.legacy] = row
                self._modules.setdefault(module, {}).setdefault(row.attribute, row)

    def is_implied(self, row: "Move") -> bool:
        """Whether a pattern implies a row: what it leads to need not be there."""
        return row.module in self._matched

    @property
    def patterns(self):  # type: () -> tuple[Pattern, ...]
        """The rows that speak of many modules."""
        return self._patterns

    @property
    def modules(self):  # type: () -> frozenset[str]
        """Every legacy module that a row names."""
        return frozenset(self._modules)

    @property
    def roots(self):  # type: () -> frozenset[str]
        """The top-level names of all legacy modules."""
        parents = (pattern.parent for pattern in self._patterns)
        return frozenset(module.partition(".")[0] for module in (*self._modules, *parents))

    def is_declared(self, module: str) -> bool:
        """Whether a legacy module, or the parent package of one, is in this ledger."""
        return bool(self.module_rows(module)) or self.has_children(module)

    def has_children(self, module: str) -> bool:
        """Whether a legacy module is the parent package of another one in this ledger."""
        if self._shells is None:
            self._shells = {name[:at] for name in self._modules for at in _dots(name)}
            for pattern in self._patterns:
                self._shells.update([pattern.parent, *(pattern.parent[:at] for at in _dots(pattern.parent))])
        return module in self._shells

    @property
    def origins(self):  # type: () -> tuple[Origin, ...]
        """Where rows come from: the ledger itself, then those that were added to it."""
        return tuple(self._origins.values())

    def origin(self, move: "Move") -> "Origin":
        """Where a row of this ledger comes from."""
        return self._origins.get(move.ledger) or self._origins[self.name]

    def stage(self, move: "Move") -> str:
        """``announced``, ``deprecated`` or ``expired``, by the version in force."""
        version = self.origin(move).version
        if not version:
            return DEPRECATED
        now, since, removal = map(numbers, (version, move.since, move.removal or "0"))
        if now is None or since is None or removal is None:
            from .versions import stage

            return stage(move.since, move.removal, version)
        return ANNOUNCED if now < since else EXPIRED if move.removal and now >= removal else DEPRECATED


def _dots(name):  # type: (str) -> Iterator[int]
    at = name.find(".")
    while at >= 0:
        yield at
        at = name.find(".", at + 1)
