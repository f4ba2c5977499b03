"""The model of one file: source, syntax tree, resolved names, and the spans of its parts."""

from __future__ import annotations

from typing import TYPE_CHECKING, Optional

from ..reading import import_statements

if TYPE_CHECKING:
    import ast

    from ..reading.dialects import Tree
    from ..reading.sources import Source
    from .scopes import ImportedName, ImportNode, Names


class FileModel:
    """One parsed file; ``module`` is its dotted name, empty where that is unknown."""

    def __init__(self, source: Source, tree: Tree, names: Names, module: str = "") -> None:
        self.source, self.tree, self.names, self.module = source, tree, names, module
        #: Texts that may mention names but cannot be read as code: type comments and doctests that do not parse.
        self.unread: list[str] = []
        self._statements: dict[int, Optional[import_statements.Statement]] = {}

    def close(self) -> None:
        """Break the reference cycles, so that the tree is freed at once. The model cannot be used afterwards."""
        self.names.close()

    def span(self, node: ast.AST) -> tuple[int, int]:
        """The byte span of an expression or statement."""
        source = self.source
        start = source.offset(node.lineno, node.col_offset)  # type: ignore[attr-defined]
        end = source.offset(node.end_lineno, node.end_col_offset)  # type: ignore[attr-defined]
        return start, end

    def statement(self, node: ImportNode) -> Optional[import_statements.Statement]:
        """The written parts of an import statement."""
        start = self.source.offset(node.lineno, node.col_offset)
        if start not in self._statements:
            self._statements[start] = import_statements.read(self.source.data, start)
        return self._statements[start]

    def alias_span(self, item: ImportedName) -> tuple[int, int]:
        """The byte span of one ``name as local`` of a statement."""
        read = self.statement(item.statement)
        index = item.statement.names.index(item.alias)
        if read is None or index >= len(read.aliases):
            return self.span(item.statement)
        return read.aliases[index].start, read.aliases[index].whole_end
