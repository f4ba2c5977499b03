"""Loads legacy modules, for the installation that takes them out again."""

from __future__ import annotations

import importlib
import sys

from compat._forking import gate

from . import imports, overlay
from .modules import LegacyModule, dress, fallback, gone_names, is_public, missing, served_property
from .targets import is_there, load_module, spec_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from importlib.machinery import ModuleSpec
    from types import CodeType, ModuleType
    from typing import Any

    from compat.ledger import Move

    from ..recording.funnel import UseRecorder
    from .installed import Installed


class Loader:
    """Loads a legacy module: the canonical one first, so that it comes first in ``sys.modules`` too.

    ``pickle.whichmodule`` takes the first module in which it finds an object; it must not be the legacy one.
    """

    def __init__(self, owner: Installed, canonical: str, recorder: UseRecorder | None, rows: Mapping[str, Move]) -> None:
        self.owner, self.canonical, self.recorder, self.rows = owner, canonical, recorder, rows

    def create_module(self, spec: ModuleSpec) -> ModuleType:
        if self.canonical and self.recorder is not None:
            load_module(self.canonical, self.recorder.move.id)
        kind = type("module", (LegacyModule,), {"__module__": "builtins"})
        made: ModuleType = kind(spec.name)
        return made

    def exec_module(self, module: ModuleType) -> None:
        with gate:
            self._exec(module)
            vars(module)["__compat_owner__"] = self.owner
            if self.recorder is not None:
                imports.watch_cached(module.__name__, self.recorder)
            parent, _, last = module.__name__.rpartition(".")
            holder = sys.modules.get(parent)
            if holder is not None and not isinstance(holder, LegacyModule):
                undo = overlay.adopt(holder, last, self.recorder)
                if undo is not None:
                    self.owner.undoings.append(undo)
            if self.recorder is not None:
                imports.count_waiting(module.__name__, self.recorder, self.rows, module.__spec__)

    def _exec(self, module: ModuleType) -> None:
        namespace = vars(module)
        again = "__canonical__" in namespace
        if self.recorder is not None:
            imports.first(module.__name__, self.recorder, self.rows, sys._getframe(2))
        if again and self.canonical:
            importlib.reload(sys.modules[self.canonical])
        namespace["__canonical__"] = self.canonical
        namespace["__compat_recorder__"] = self.recorder
        kind: Any = type(module)
        kind.__compat_rows__ = self.rows
        for name, move in self.owner.servable(self.rows).items():
            setattr(kind, name, served_property(move, self.owner.recorder))
        if self.canonical:
            dress(module, sys.modules[self.canonical])
            namespace["__getattr__"] = fallback(module, self.canonical, self.recorder)
        else:
            namespace["__getattr__"] = missing(module, self._star(module), self.owner.ledger.is_declared)
        if not self.canonical and not namespace.get("__doc__"):
            namespace["__doc__"] = f"What old code imports from {module.__name__}: names that have moved, or are gone."

    def _star(self, module: ModuleType) -> Callable[[str], object]:
        """The ``__getattr__`` of a module of single names: its ``__all__``, when asked for, imports the targets."""

        def star(name: str) -> object:
            if name == "__all__":
                gone = gone_names(module)
                served = (name for name in self.rows if is_public(name) and name not in gone)
                return sorted(name for name in served if is_there(self.rows[name]))
            raise AttributeError(f"module {module.__name__!r} has no attribute {name!r}")

        return star

    # What inspect, runpy, linecache and pkgutil ask a loader for is answered by the canonical module's own.
    def _ask(self, what: str, *default: Any) -> Any:
        spec = spec_of(self.canonical) if self.canonical else None
        method = getattr(spec.loader if spec else None, what, None)
        if method is None:
            if default:
                return default[0]
            raise ImportError(f"there is no source behind {self.canonical or 'this legacy package'!r}")
        return method(self.canonical)

    def get_code(self, name: str) -> CodeType | None:
        code: CodeType | None = self._ask("get_code", None)
        return code

    def get_source(self, name: str) -> str | None:
        source: str | None = self._ask("get_source", None)
        return source

    def get_filename(self, name: str) -> str:
        return str(self._ask("get_filename"))

    def get_data(self, path: str) -> bytes:
        spec = spec_of(self.canonical) if self.canonical else None
        read: Any = getattr(spec.loader if spec else None, "get_data", None)
        if read is None:
            raise OSError(0, "no data behind this legacy package", path)
        data: bytes = read(path)
        return data

    def get_resource_reader(self, name: str) -> Any:
        return self._ask("get_resource_reader", None)

    def is_package(self, name: str) -> bool:
        return bool(self._ask("is_package", not self.canonical))
