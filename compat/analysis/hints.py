"""What is known of a file from outside its text: which uses ran at which lines, and the classes that a type checker gives."""

from __future__ import annotations

import ast
from functools import cached_property
from typing import TYPE_CHECKING, NamedTuple, Optional

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping


class Ran(NamedTuple):
    """Uses of one move that were counted at one line; ``file`` is absolute, or relative to an entry of ``sys.path``."""

    move: str
    file: str
    line: int
    uses: int


class Told(NamedTuple):
    """The class (dotted) of an object whose attribute is read, and what speaks against it; empty where nothing does."""

    path: str
    doubt: str = ""


class Hints:
    """What is known of one file: ``types`` maps where an attribute ends (line, column in UTF-8 bytes) to the object's class."""

    def __init__(self, ran: Iterable[Ran] = (), types: Optional[Mapping[tuple[int, int], str]] = None) -> None:
        self.ran = tuple(ran)
        self.types = types or {}
        self._spans: dict[int, Optional[tuple[int, int]]] = {}

    def of(self, tree: ast.AST, node: ast.Attribute) -> Optional[Told]:
        """What is known of the object whose attribute a node reads."""
        path = self.types.get((node.end_lineno or 0, node.end_col_offset or 0))
        if path:
            return Told(path)
        for ran in self._by_word.get(node.attr, ()):
            span = self.statement(tree, ran.line)
            if span is not None and span[0] <= (node.end_lineno or 0) <= span[1]:
                return Told(ran.move.replace(":", ".").rpartition(".")[0], f"only that it ran says so ({times(ran.uses)})")
        return None

    @cached_property
    def _by_word(self) -> dict[str, list[Ran]]:
        found: dict[str, list[Ran]] = {}
        for ran in self.ran:
            found.setdefault(word_of(ran.move), []).append(ran)
        return found

    def statement(self, tree: ast.AST, line: int) -> Optional[tuple[int, int]]:
        """The first and last line of the innermost statement at a line; of a block only its head."""
        if line not in self._spans:
            nodes = [node for node in ast.walk(tree) if isinstance(node, ast.stmt)]
            spans = [(node.lineno, _end(node)) for node in nodes if node.lineno <= line <= _end(node)]
            self._spans[line] = min(spans, key=lambda span: span[1] - span[0], default=None)
        return self._spans[line]


def _end(node: ast.stmt) -> int:
    body = getattr(node, "body", None)
    return max(node.lineno, body[0].lineno - 1) if body else node.end_lineno or node.lineno


def word_of(move: str) -> str:
    """The word by which the source spells a use of a move: the last of its path, or the name of an argument."""
    path, _, argument = move.partition("(")
    return argument.rstrip(")").partition("=")[0] or path.replace(":", ".").rpartition(".")[2]


def times(count: int) -> str:
    """A count in words."""
    return "1 use was counted" if count == 1 else f"{count:,} uses were counted"


def gather(paths: Iterable[str], ran: Iterable[Ran], types: Mapping[str, Mapping[tuple[int, int], str]]) -> dict[str, Hints]:
    """The hints about each file of which something is known."""
    counted = by_file(paths, ran)
    return {path: Hints(counted.get(path, ()), types.get(path)) for path in {**counted, **types}}


def by_file(paths: Iterable[str], ran: Iterable[Ran]) -> dict[str, list[Ran]]:
    """Counted uses by the files that they are of; where a relative path fits several, they are nobody's."""
    import os

    ends: dict[str, list[str]] = {}
    for path in paths:
        ends.setdefault(os.path.basename(path), []).append(path)
    places = {path: os.path.abspath(path).replace(os.sep, "/") for group in ends.values() for path in group}
    found: dict[str, list[Ran]] = {}
    for one in ran:
        file = one.file.replace("\\", "/")
        alike = ends.get(file.rpartition("/")[2], ())
        fits = [path for path in alike if places[path] == file or places[path].endswith(f"/{file}")]
        if len(fits) == 1:
            found.setdefault(fits[0], []).append(one)
    return found
