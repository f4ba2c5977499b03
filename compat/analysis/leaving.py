"""Leave all uses of a file without parsing it, where its imports say enough: nothing that they name can be rewritten."""

from __future__ import annotations

from typing import TYPE_CHECKING, Optional

from .rewriting import beforehand
from .rewriting.plan import Skip
from .scanning import shortcut

if TYPE_CHECKING:
    import ast

    from .reading.sources import Source
    from .rewriting.options import Chosen
    from .targets import Target, Targets


class Leaver(shortcut.Finder):
    """Notes each import that is left whatever stands around it; gives up at a use that is likely to be rewritten."""

    def __init__(self, source: Source, targets: Targets, spans: tuple[list[int], list[int]]) -> None:
        super().__init__(source, targets, spans)
        self._left: list[tuple[int, Target, str]] = []
        self._promises = False
        #: Whether there is an import of which its uses in the file decide if it is rewritten.
        self.is_undecided = False
        #: What the imports bind.
        self.names: set[str] = set()

    @property
    def is_promising(self) -> bool:
        """Whether it was given up for an import that is rewritten in most files, or for another use."""
        return self._promises or not self.is_undecided

    def skips(self, chosen: Optional[Chosen]) -> tuple[Skip, ...]:
        """Each use that was selected, and why it is left."""
        made = [
            Skip(self.source.path, *self.source.position(start), target.kind, target.legacy, reason)
            for start, target, reason in self._left
            if chosen is None or chosen(target.kind, target.legacy, start)
        ]
        return tuple(sorted(dict.fromkeys(made), key=lambda skip: (skip.line, skip.column, skip.symbol)))

    def alias(self, node: ast.AST, alias: ast.alias, start: int, end: int) -> bool:
        known = len(self._left)
        is_enough = super().alias(node, alias, start, end) and not self._promises
        if len(self._left) > known:
            self.names.add(alias.asname or alias.name.partition(".")[0])
        return is_enough

    def string(self, start: int, end: int, places: list[int]) -> bool:
        known = len(self._left)
        return super().string(start, end, places) and len(self._left) == known

    def report(self, target: Target, how: str, start: int, end: int, confidence: str) -> None:
        known, key = self.targets.left, (target.legacy, target.canonical)
        if key not in known:
            known[key] = beforehand.why_left(self.targets, target)
        reason = known[key] if how == "import" else ""
        self._left.append((start, target, reason))
        if not reason and beforehand.is_promising(self.targets, target):
            self._promises = True
        elif not reason:
            self.is_undecided = True
