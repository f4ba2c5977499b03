"""The uses of a ledger in one file, computed on demand: references, receiver types, and the same for each doctest."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, Optional

from ..reading import dialects, skimming
from . import building, doctests, references
from .inferring import inference, neighbours
from .inferring.carrying import Carrying
from .receivers import Receivers
from .relevance import Relevance

if TYPE_CHECKING:
    import ast
    from collections.abc import Collection

    from ..hints import Hints, Told
    from ..reading.sources import Source
    from ..targets import Targets
    from .file_model import FileModel
    from .references import Reference
    from .scopes import Scope


class FileUses:
    """Everything rules and rewriters read of one file, worked out when first read; each of them is given what it uses."""

    def __init__(
        self, file: FileModel, targets: Targets, programs: list[doctests.Program], hints: Optional[Hints] = None
    ) -> None:
        self.file, self.targets, self.hints = file, targets, hints
        self._inference: dict[bool, inference.Inference] = {}
        #: The file's doctests, each with its own uses.
        self.doctests = [(program, FileUses(program.file, targets, program.programs)) for program in programs]

    @cached_property
    def references(self) -> list[Reference]:
        """All references of the file, in order of their place."""
        return references.find(self.file, self.targets, self.receivers)

    @cached_property
    def receivers(self) -> Receivers:
        """The canonical classes that expressions are instances of."""
        return self._receivers(as_written=False)

    @cached_property
    def legacy_receivers(self) -> Optional[Receivers]:
        """The legacy classes that expressions are instances of; ``None`` where the file refers to none."""
        if self.hints is None and not any(reference.target.adapter for reference in self.references):
            # The sources of adapters need not be read.
            return None
        return self._receivers(as_written=True)

    @property
    def inference(self) -> inference.Inference:
        """What follows the canonical classes."""
        assert self.receivers is not None
        return self._inference[False]

    def _receivers(self, *, as_written: bool) -> Receivers:
        made = Receivers(self.file.names, self.targets, self.file.module, as_written=as_written)
        self._inference[as_written] = inference.Inference(made, neighbours.of(self.targets, as_written=as_written))
        made.follows = self._inference[as_written]
        return made

    def told(self, scope: Scope, node: ast.Attribute, receivers: Receivers) -> Optional[Told]:
        """The class of which a node reads an attribute, from the source or from outside of it, and what speaks against it."""
        told = receivers.home(scope, node)
        if self.hints is not None and (told is None or told.doubt):
            told = self.hints.of(self.file.tree.module, node) or told
        return told

    def carried(self) -> tuple[str, ...]:
        """The global names by which other files of the trees may come to instances of the classes that matter."""
        if not self.file.module:
            return ()
        found: dict[str, None] = {}
        for receivers in (self.receivers, self.legacy_receivers):
            if receivers is not None and receivers.classes:
                carrying = Carrying(self.file, self.targets, self._inference[receivers.as_written])
                found.update(dict.fromkeys(sorted(carrying.names())))
        return tuple(found)

    def close(self) -> None:
        """Break the reference cycles, so that the trees are freed at once. Nothing can be read afterwards."""
        for _program, uses in self.doctests:
            uses.close()
        self.doctests = []
        for made in self._inference.values():
            made.close()
        self.file.close()


def read(
    source: Source,
    targets: Targets,
    *,
    module: str = "",
    is_package: bool = False,
    whole: bool = True,
    by: Collection[str] = (),
    hints: Optional[Hints] = None,
) -> FileUses:
    """Parse a file and find its references.

    Raises :class:`compat.analysis.reading.dialects.Unparsable` where no reading of it parses. With ``whole`` false, function
    bodies in which nothing legacy can stand are parsed, but not looked at; where nothing legacy is used but ``by`` some names,
    those without such a name are not parsed either.
    """
    try:
        relevance = None if whole else Relevance(source, targets)
        places = relevance.naming(by) if relevance is not None and by else None
        tree = (skimming.parse(source, places) if places is not None else None) or dialects.parse(source)
        file = building.build(source, tree, module=module, is_package=is_package, relevance=relevance)
        uses = FileUses(file, targets, doctests.add(file, targets), hints)
        assert uses.references is not None
        return uses
    except (RecursionError, MemoryError):
        raise dialects.Unparsable(1, "nested too deeply to be analysed") from None
