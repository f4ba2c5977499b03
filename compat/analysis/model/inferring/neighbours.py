"""The other files of the scanned trees, and the canonical modules: parsed when a type leads to one, and kept for the next."""

from __future__ import annotations

import ast
import os
from collections import OrderedDict
from typing import TYPE_CHECKING, Optional

from ...targets.module_files import find_module_file
from .. import name_resolution
from ..receivers import Receivers
from . import inference
from .types import CLASS, Type

if TYPE_CHECKING:
    from ...targets import Targets
    from ..scopes import Scope

_KEPT = 256
_HOPS = 6


def of(targets: Targets, *, as_written: bool = False) -> Neighbours:
    """The neighbours of all files of a run, made once."""
    made = targets.neighbours.get(as_written)
    if made is None:
        made = targets.neighbours[as_written] = Neighbours(targets, as_written=as_written)
    return made


class Neighbours:
    """Modules of the trees by dotted name; ``as_written`` as for :class:`compat.analysis.model.receivers.Receivers`."""

    def __init__(self, targets: Targets, *, as_written: bool = False) -> None:
        self.targets, self.as_written = targets, as_written
        self._modules: OrderedDict[str, Optional[inference.Inference]] = OrderedDict()
        self._canonical = frozenset(row.canonical.partition(":")[0].partition(".")[0] for row in targets.ledger if row.canonical)
        self._hops = 0

    def at(self, path: str) -> Optional[Type]:
        """The type of what stands at a dotted path of a module that is found."""
        module, _, name = path.rpartition(".")
        if not self._may_give(module, name) or self._hops > _HOPS:
            return None
        home = self._module(module)
        if home is None:
            return None
        self._hops += 1
        try:
            return home.given(name)
        finally:
            self._hops -= 1

    def _may_give(self, module: str, name: str) -> bool:
        known = self.targets.carried
        return bool(module) and (known is None or name in known.get(module, ()) or module.partition(".")[0] in self._canonical)

    def forget(self) -> None:
        """Forget what was read, before more is known of the trees."""
        self._modules.clear()

    def class_at(self, path: str) -> Optional[tuple[inference.Inference, Scope]]:
        """The definition of the class at a dotted path, through the imports of its module."""
        for _hop in range(_HOPS):
            module, _, name = path.rpartition(".")
            home = self._module(module) if module else None
            if home is None:
                return None
            for scope in home.names.scopes:
                if scope.form == "class" and scope.parent is home.names.module and scope.node.name == name:  # type: ignore[attr-defined]
                    return home, scope
            made = home.given(name)
            if made is None or made.form != CLASS or made.path == path:
                return None
            path = made.path
        return None

    def _module(self, dotted: str) -> Optional[inference.Inference]:
        if dotted in self._modules:
            self._modules.move_to_end(dotted)
            return self._modules[dotted]
        made = self._modules[dotted] = self._read(dotted)
        if len(self._modules) > _KEPT:
            self._modules.popitem(last=False)
        return made

    def _read(self, dotted: str) -> Optional[inference.Inference]:
        file = self._file(dotted)
        if not file:
            return None
        try:
            with open(file, "rb") as stream:
                tree = ast.parse(stream.read(), file)
            names = name_resolution.resolve(tree, dotted, is_package=os.path.basename(file).startswith("__init__."))
        except (OSError, SyntaxError, ValueError, RecursionError, MemoryError):
            return None
        return inference.Inference(Receivers(names, self.targets, dotted, as_written=self.as_written), self)

    def _file(self, dotted: str) -> str:
        """The source of a module: in the trees, or of the canonical library wherever it is installed."""
        parts = dotted.split(".")
        for base in (*self.targets.bases, *self.targets.beside):
            stem = os.path.join(base, *parts)
            for file in (os.path.join(stem, "__init__.py"), f"{stem}.py"):
                if os.path.isfile(file):
                    return file
        return find_module_file(dotted) if parts[0] in self._canonical else ""
