"""Which rows and rules are meant: ``--select``, ``--ignore`` and ``per-file-ignores`` of ``[tool.compat]``.

A selector is a rule (``method``), the id of a row, its legacy path, or a pattern with ``*`` of these.
"""

from __future__ import annotations

import os
from difflib import get_close_matches
from fnmatch import fnmatchcase
from functools import cached_property
from typing import TYPE_CHECKING, Optional

from compat.errors import CompatError

from .findings import CONSTRUCTS, RULES, Use
from .reading.files import matches

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from compat.ledger import Ledger

    from .config import Settings
    from .rewriting.options import Chosen


class Choice:
    """The uses that a run is about, by rule, row and file."""

    def __init__(
        self,
        ledger: Ledger,
        settings: Settings,
        *,
        select: Iterable[str] = (),
        ignore: Iterable[str] = (),
    ) -> None:
        self._select, self._ignore = tuple(select), tuple(ignore)
        self._per_file: Mapping[str, tuple[str, ...]] = settings.per_file_ignores
        self._root = settings.root
        self._known: dict[str, tuple[str, ...]] = {}
        self._ids = {row.legacy.replace(":", "."): row.id for row in ledger}
        for option, words in (("--select", self._select), ("--ignore", self._ignore)):
            for word in words:
                self._must_mean(word, f"as {option} has it")

    def check_settings(self) -> None:
        """Raise :class:`compat.errors.CompatError` for a word of ``per-file-ignores`` that means nothing."""
        for pattern, words in self._per_file.items():
            for word in words:
                self._must_mean(word, f"as per-file-ignores of [tool.compat] has it for {pattern!r}")

    @cached_property
    def _every(self) -> frozenset[str]:
        return frozenset((*RULES, *self._ids.values(), *self._ids))

    def _must_mean(self, word: str, where: str) -> None:
        if any(_is_meant(word, known) for known in self._every):
            return
        near = get_close_matches(word.replace(":", "."), sorted(self._every), 1, 0.6)
        meant = f"the nearest is {near[0]!r}" if near else "write a rule, the id of a row or a legacy path, also with *"
        more = "; constructs are what compat scan selects by" if word in CONSTRUCTS else ""
        raise CompatError(f"no rule and no row is {word!r}, {where}; {meant}{more}")

    def keeps(self, found: Use) -> bool:
        """Whether a finding, or an entry of a baseline, is meant; that a file cannot be parsed is, unless it is ignored."""
        symbol = found.symbol or getattr(found, "move", "")
        if self._select and found.rule != "unparsable" and not self._is_any(self._select, found.rule, symbol):
            return False
        return not self._is_any(self._ignored_in(found.path), found.rule, symbol)

    def _ignored_in(self, path: str) -> tuple[str, ...]:
        if path not in self._known:
            self._known[path] = self.ignored(path)
        return self._known[path]

    def for_file(self, path: str, root: str = "") -> Optional[Chosen]:
        """Says of a use in a file by rule, legacy path and offset whether it is meant; ``None`` where all are."""
        ignored = self.ignored(path, root)
        if not self._select and not ignored:
            return None
        known: dict[tuple[str, str], bool] = {}

        def chosen(rule: str, symbol: str, _start: int) -> bool:
            verdict = known.get((rule, symbol))
            if verdict is None:
                verdict = not self._select or self._is_any(self._select, rule, symbol)
                verdict = known[rule, symbol] = verdict and not self._is_any(ignored, rule, symbol)
            return verdict

        return chosen

    def ignored(self, path: str, root: str = "") -> tuple[str, ...]:
        """The selectors of what is ignored in a file."""
        found = [*self._ignore]
        for pattern, words in self._per_file.items():
            if matches([pattern], os.path.relpath(path, self._root or root or ".")):
                found += words
        return tuple(found)

    def _is_any(self, words: Iterable[str], rule: str, symbol: str) -> bool:
        names = (rule, symbol, self._id_of(symbol))
        return any(_is_meant(word, name) for word in words for name in names)

    def _id_of(self, symbol: str) -> str:
        """The id of the row that a legacy path falls under: its own, or that of what it is below."""
        dotted = symbol.replace(":", ".")
        while dotted and dotted not in self._ids:
            dotted = dotted.rpartition(".")[0]
        return self._ids.get(dotted, symbol)


def _is_meant(word: str, name: str) -> bool:
    return fnmatchcase(name, word) or fnmatchcase(name.replace(":", "."), word.replace(":", "."))
