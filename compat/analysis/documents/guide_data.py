"""What a ledger's guide says beside its rows: introductions, families of moves in their order, and how much each name is used.

All of it is optional, and lies in the ledger's ``intro`` directory:

``_head.md``            what stands first
``<key>.md``            what introduces a family, or a legacy module
``_families.toml``      the sections in order: ``[key]``, ``title``, and ``holds``, the packages, modules or paths of each
``_uses.tsv``           a legacy path and how many uses of it are known, tab-separated; the most used stand first
"""

from __future__ import annotations

import os
import sys
from collections.abc import Container, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from compat.errors import CompatError

if TYPE_CHECKING:
    from compat.ledger import Move

HEAD, FAMILIES, USES = "_head", "_families.toml", "_uses.tsv"


class GuideDataError(CompatError):
    """A file of a ledger's ``intro`` directory cannot be used; the message says which, and why."""


@dataclass(frozen=True)
class Family:
    """Moves that one section of the guide tells of: ``holds`` are packages, modules or paths, dotted, legacy or canonical."""

    key: str
    title: str
    holds: frozenset[str]


@dataclass(frozen=True)
class GuideData:
    """What stands in a guide beside the rows; empty for a ledger that provides none."""

    intros: Mapping[str, str] = field(default_factory=dict)
    families: tuple[Family, ...] = ()
    uses: Mapping[str, int] = field(default_factory=dict)

    def family_of(self, row: Move) -> Family | None:
        """The family with the longest path that holds a row's target; where none does, its legacy path."""
        for path in (row.canonical, row.legacy.partition("(")[0]):
            found = [(self._nearest(path, family), at) for at, family in enumerate(self.families) if path]
            longest, at = max(found, key=lambda one: (one[0], -one[1]), default=(0, 0))
            if longest:
                return self.families[at]
        return None

    @staticmethod
    def _nearest(path: str, family: Family) -> int:
        at = path.replace(":", ".")
        while at and at not in family.holds:
            at = at.rpartition(".")[0]
        return len(at)

    def uses_of(self, row: Move, others: Container[str] = ()) -> int:
        """How many uses of a row are known; of a module, those of its names, but for ``others`` with rows of their own."""
        if row.attribute:
            return self.uses.get(row.legacy, 0)
        return sum(self.uses[path] for path in self._paths_in(row.module, others))

    def names_in(self, module: str, others: Container[str] = ()) -> list[str]:
        """The names of a legacy module with known uses, the most used first, but for ``others``."""
        found = sorted(self._paths_in(module, others), key=lambda path: (-self.uses[path], path))
        return [path.partition(":")[2] for path in found]

    def _paths_in(self, module: str, others: Container[str]) -> list[str]:
        return [path for path in self.uses if path.startswith(f"{module}:") and path not in others]


def read(folder: str) -> GuideData:
    """Read the directory; missing files are empty, and so is no directory. Raises GuideDataError."""
    if not folder or not os.path.isdir(folder):
        return GuideData()
    intros = {}
    for name in sorted(os.listdir(folder)):
        if name.endswith(".md"):
            with open(os.path.join(folder, name), encoding="utf-8") as file:
                intros[name[:-3]] = file.read()
    return GuideData(intros, _read_families(os.path.join(folder, FAMILIES)), _read_uses(os.path.join(folder, USES)))


def _read_families(path: str) -> tuple[Family, ...]:
    if sys.version_info >= (3, 11):
        import tomllib
    else:
        import tomli as tomllib
    if not os.path.isfile(path):
        return ()
    try:
        with open(path, "rb") as file:
            tables = tomllib.load(file)
        return tuple(Family(key, str(table["title"]), frozenset(map(str, table["holds"]))) for key, table in tables.items())
    except (tomllib.TOMLDecodeError, KeyError, TypeError) as error:
        raise GuideDataError(f"{path}: {error}; write [key], title = '...' and holds = ['package.module']") from None


def _read_uses(path: str) -> dict[str, int]:
    if not os.path.isfile(path):
        return {}
    found: dict[str, int] = {}
    with open(path, encoding="utf-8") as file:
        for number, line in enumerate(file, 1):
            legacy, _, count = line.rstrip("\n").partition("\t")
            if not count.isdigit():
                raise GuideDataError(f"{path}:{number}: write a legacy path, a tab and a number of uses")
            found[legacy] = int(count)
    return found
