"""Module: a module object at the legacy path whose attributes are those of the canonical module; submodules follow."""

from __future__ import annotations

import sys

from compat.errors import TargetImportError

from ..serving import imports
from ..serving.loader import Loader
from ..serving.modules import LegacySpec
from ..serving.targets import explained, require, spec_of
from .kind import Kind

TYPE_CHECKING = False
if TYPE_CHECKING:
    from importlib.machinery import ModuleSpec
    from typing import Any

    from compat.ledger import Move

    from ..serving.installed import Installed


class ModuleKind(Kind):
    """Served by a spec that sees each import."""

    __slots__ = ()

    def find(self, owner: Installed, name: str, move: Move) -> ModuleSpec | None:
        """The spec of the module, or of a submodule that the canonical package has too."""
        require(move)
        recorder = owner.recorder_at(name, move)
        canonical = move.canonical + name[len(move.module) :]
        try:
            found = spec_of(canonical)
        except ModuleNotFoundError:
            found = None
        if found is None:
            if canonical != move.canonical or owner.ledger.is_implied(move) or not imports.is_loading(sys._getframe(2)):
                return None
            raise TargetImportError(move.id, canonical, explained(move.id, f"no module named {canonical!r}"))
        is_package = found.submodule_search_locations is not None or owner.ledger.has_children(name)
        rows = owner.ledger.module_rows(name)
        loader: Any = Loader(owner, canonical, recorder, rows)
        spec = LegacySpec(name, loader, origin=found.origin, is_package=is_package)
        spec.recorder, spec.rows = recorder, rows
        if is_package:
            spec.submodule_search_locations = list(found.submodule_search_locations or ())
        return spec


KIND = ModuleKind()
