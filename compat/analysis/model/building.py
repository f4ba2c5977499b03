"""Build the model of one file: resolve names, and parse annotations in strings and comments as code."""

from __future__ import annotations

from typing import TYPE_CHECKING, Optional

from . import embedded, name_resolution
from .file_model import FileModel

if TYPE_CHECKING:
    from ..reading.dialects import Tree
    from ..reading.sources import Source
    from .relevance import Relevance


def build(
    source: Source, tree: Tree, *, module: str = "", is_package: bool = False, relevance: Optional[Relevance] = None
) -> FileModel:
    """Model one file, without functions that do not matter, if it is given what says so."""
    data = source.data
    declares = b"global" in data or b"nonlocal" in data
    asked = None if tree.is_skimmed else relevance
    names = name_resolution.resolve(tree.module, module, is_package=is_package, declares=declares, relevance=asked)
    made = FileModel(source, tree, names, module)
    embedded.add(made, relevance)
    return made
