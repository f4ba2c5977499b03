"""Build the model of one file: resolve names, and parse annotations in strings and comments as code."""

from __future__ import annotations

from typing import TYPE_CHECKING

from . import embedded, name_resolution, relevance
from .file_model import FileModel

if TYPE_CHECKING:
    from ..reading.dialects import Tree
    from ..reading.sources import Source
    from ..targets import Targets


def build(
    source: Source, tree: Tree, targets: Targets, *, module: str = "", is_package: bool = False, whole: bool = True
) -> FileModel:
    """Model one file. With ``whole`` false, functions in which nothing legacy can be used are left out."""
    data = source.data
    relevant = None if whole else relevance.Relevance(source, targets)
    names = name_resolution.resolve(
        tree.module, module, is_package=is_package, declares=b"global" in data or b"nonlocal" in data, relevance=relevant
    )
    made = FileModel(source, tree, names, module)
    embedded.add(made, relevant)
    return made
