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
    """Notes each import that is left whatever stands around it; gives up at any other use."""

    def __init__(self, source: Source, targets: Targets, spans: tuple[list[int], list[int]]) -> None:
        super().__init__(source, targets, spans)
        self._left: list[tuple[int, Target, str]] = []

    @property
    def is_promising(self) -> bool:
        """Whether it was given up for an import that is rewritten in most files, or for another use."""
        target = self._left[-1][1] if not self._is_sure else None
        return target is None or beforehand.is_promising(self.targets, target)

    def skips(self, chosen: Optional[Chosen]) -> tuple[Skip, ...]:
        """Each use that was selected, and why it is left."""
        made = [
            Skip(self.source.path, *self.source.position(start), target.kind, target.legacy, reason)
            for start, target, reason in self._left
            if chosen is None or chosen(target.kind, target.legacy, start)
        ]
        return tuple(sorted(dict.fromkeys(made), key=lambda skip: (skip.line, skip.column, skip.symbol)))

    def alias(self, node: ast.AST, alias: ast.alias, start: int, end: int) -> bool:
        return super().alias(node, alias, start, end) and self._is_sure

    def string(self, start: int, end: int, places: list[int]) -> bool:
        return super().string(start, end, places) and self._is_sure

    @property
    def _is_sure(self) -> bool:
        return not self._left or bool(self._left[-1][2])

    def report(self, target: Target, how: str, start: int, end: int, confidence: str) -> None:
        known, key = self.targets.left, (target.legacy, target.canonical)
        if key not in known:
            known[key] = beforehand.why_left(self.targets, target)
        self._left.append((start, target, known[key] if how == "import" else ""))
