"""The uses of a ledger in one file, computed on demand: references, receiver types, and the same for each doctest."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, Optional

from ..reading import dialects
from . import building, doctests, references
from .receivers import Receivers

if TYPE_CHECKING:
    import ast

    from ..hints import Hints, Told
    from ..reading.sources import Source
    from ..targets import Targets
    from .file_model import FileModel
    from .references import Reference


class FileUses:
    """Everything rules and rewriters read of one file, worked out when first read; each of them is given what it uses."""

    def __init__(
        self, file: FileModel, targets: Targets, programs: list[doctests.Program], hints: Optional[Hints] = None
    ) -> None:
        self.file, self.targets, self.hints = file, targets, hints
        #: The file's doctests, each with its own uses.
        self.doctests = [(program, FileUses(program.file, targets, program.programs)) for program in programs]

    @cached_property
    def references(self) -> list[Reference]:
        """All references of the file, in order of their place."""
        return references.find(self.file, self.targets, self.receivers)

    @cached_property
    def receivers(self) -> Receivers:
        """The canonical classes that expressions are instances of."""
        return Receivers(self.file.names, self.targets, self.file.module)

    @cached_property
    def legacy_receivers(self) -> Optional[Receivers]:
        """The legacy classes that expressions are instances of; ``None`` where the file refers to none."""
        if self.hints is None and not any(reference.target.adapter for reference in self.references):
            # The sources of adapters need not be read.
            return None
        return Receivers(self.file.names, self.targets, self.file.module, as_written=True)

    def told(self, node: ast.Attribute) -> Optional[Told]:
        """What is known from outside the file of the object whose attribute a node reads."""
        return self.hints.of(self.file.tree.module, node) if self.hints is not None else None

    def close(self) -> None:
        """Break the reference cycles, so that the trees are freed at once. Nothing can be read afterwards."""
        for _program, uses in self.doctests:
            uses.close()
        self.doctests = []
        self.file.close()


def read(
    source: Source,
    targets: Targets,
    *,
    module: str = "",
    is_package: bool = False,
    whole: bool = True,
    hints: Optional[Hints] = None,
) -> FileUses:
    """Parse a file and find its references.

    Raises :class:`compat.analysis.reading.dialects.Unparsable` where no reading of it parses. With ``whole`` false, function
    bodies in which nothing legacy can stand are parsed, but not looked at.
    """
    try:
        tree = dialects.parse(source)
        file = building.build(source, tree, targets, module=module, is_package=is_package, whole=whole)
        uses = FileUses(file, targets, doctests.add(file, targets), hints)
        assert uses.references is not None
        return uses
    except (RecursionError, MemoryError):
        raise dialects.Unparsable(1, "nested too deeply to be analysed") from None
