"""The finder: answers for declared legacy modules where nothing real does, and overlays real ones as they are imported."""

from __future__ import annotations

import importlib
import sys
import threading
from types import MappingProxyType

from compat._forking import gate

from .. import attach, kinds, standby, wires
from ..recording import bytecode, callsite, thread_origin
from ..wires import OverlayLoader
from . import imports
from .descriptors import hide
from .loader import Loader
from .modules import LegacyModule, LegacySpec
from .refusing import Refusal, is_gone

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from importlib.machinery import ModuleSpec
    from types import FrameType, ModuleType
    from typing import Any

    from compat.ledger import Move

    from .installed import Installed

_NO_ROWS: Mapping[str, Move] = MappingProxyType({})


class Finder:
    """One for all installed ledgers. Costs one set look-up for an import that is none of theirs, however long they are."""

    def __init__(self, installed: Sequence[Installed]) -> None:
        self._installed = installed
        self._busy = threading.local()
        self.roots: frozenset[str] = frozenset()
        self.canonical: frozenset[str] = frozenset()
        self._packages: frozenset[str] = frozenset()
        self._asked: frozenset[str] = frozenset()
        self._seen_path: list[str] = list(sys.path)

    def refresh(self) -> None:
        """Learn the roots again after a ledger came or went."""
        self.roots = frozenset(root for one in self._installed for root in one.ledger.roots)
        canonical = (name for one in self._installed for name in attach.changed_modules(one.ledger))
        self.canonical = frozenset((wires.EXECUTORS, *canonical))
        self._packages = frozenset(name for one in self._installed for name in attach.changed_packages(one.ledger))
        self._asked = self.roots | {name.partition(".")[0] for name in self._packages}

    def find_spec(self, name: str, path: Sequence[str] | None = None, target: ModuleType | None = None) -> ModuleSpec | None:
        """The import system's question. See the module's docstring for the answer."""
        if name.partition(".")[0] not in self._asked and name not in self.canonical:
            return None
        busy: set[str] = self._busy.__dict__.setdefault("names", set())
        if name in busy:
            return None
        busy.add(name)
        try:
            with gate:
                return self._find(name, path, target)
        finally:
            busy.discard(name)

    def _find(self, name: str, path: Sequence[str] | None, target: ModuleType | None) -> ModuleSpec | None:
        owner, move = self._whole(name)
        root, dot, _ = name.partition(".")
        if dot and self._real_root(root):
            path = getattr(sys.modules[root], "__path__", None) if name.count(".") == 1 else path
        parent = sys.modules.get(name.rpartition(".")[0])
        below_moved = isinstance(parent, LegacyModule) and bool(vars(parent).get("__canonical__"))
        if not below_moved or move is None:
            # A legacy parent's __path__ is the canonical package's: searching it would make a second copy of a module.
            real = None if below_moved else elsewhere(name, path, target)
            if real is not None:
                return self._overlaid(name, real)
        loading = imports.is_loading(sys._getframe(2))
        if owner is not None and move is not None:
            if move.is_tombstone or not owner.recorder_at(name, move).raises:
                return kinds.of(move).find(owner, name, move)
            if is_gone(owner.ledger, name):
                return Refusal(owner, name, move).spec() if loading else None
        for one in self._installed:
            if one.ledger.is_declared(name) and self._may_serve(one, name):
                if is_gone(one.ledger, name):
                    return Refusal(one, name, None).spec() if loading else None
                loader: Any = Loader(one, "", None, one.ledger.module_rows(name))
                spec = LegacySpec(name, loader, origin=f"ledger {one.ledger.name!r}", is_package=True)
                spec.submodule_search_locations = []
                return spec
        return None

    def _real_root(self, root: str) -> bool:
        """Give way to a real package that has come to ``sys.path`` under the name of a root that we serve.

        Modules that were handed out stay as they are for those who have them.
        """
        served = sys.modules.get(root)
        if not isinstance(served, LegacyModule) or vars(served).get("__canonical__") or self._seen_path == sys.path:
            return False
        self._seen_path = list(sys.path)
        if elsewhere(root, None, None) is None:
            return False
        for name, module in list(sys.modules.items()):
            if isinstance(module, LegacyModule) and name.partition(".")[0] == root:
                del sys.modules[name]
        importlib.import_module(root)
        return True

    def _whole(self, name: str) -> tuple[Installed | None, Move | None]:
        """The row in the place of a whole module, of its own or its nearest ancestor's, and whose it is."""
        for one in self._installed:
            at = name
            while at:
                rows = one.ledger.module_rows(at)
                if "" in rows:
                    return one, rows[""]
                if rows:
                    break
                at = at.rpartition(".")[0]
        return None, None

    def _overlaid(self, name: str, spec: ModuleSpec) -> ModuleSpec:
        if spec.loader is None and spec.submodule_search_locations is None:
            return spec
        if (
            name in self.canonical
            or attach.is_below(name, self._packages)
            or any(one.ledger.is_declared(name) for one in self._installed)
        ):
            spec.loader = OverlayLoader(spec.loader, spec, self.cover)  # type: ignore[assignment]
        return spec

    def cover(self, module: ModuleType) -> None:
        """Put the rows of all installed ledgers in place that concern a module."""
        with gate:
            thread_origin.cover(module)
            for one in self._installed:
                attach.cover(one, module)

    def drop_gone(self) -> None:
        """Forget the modules that were loaded and have expired since."""
        for name, module in list(sys.modules.items()):
            owner = vars(module).get("__compat_owner__") if isinstance(module, LegacyModule) else None
            if owner is not None and is_gone(owner.ledger, name) and self._has_expired(name):
                imports.unwatch(name)
                del sys.modules[name]
                parent, _, last = name.rpartition(".")
                holder = sys.modules.get(parent)
                if holder is not None:
                    hide(type(holder), last)
                    if vars(holder).get(last) is module:
                        del vars(holder)[last]

    def _has_expired(self, name: str) -> bool:
        owner, move = self._whole(name)
        return owner is None or move is None or owner.recorder_at(name, move).raises

    def _may_serve(self, one: Installed, name: str) -> bool:
        """A root with a generic name is served for declared descendants only: ``import shared`` alone stays an error."""
        if "." in name or name not in one.ledger.generic or one.ledger.module_rows(name):
            return True
        frame: FrameType | None = sys._getframe(3)
        asked = imports.outermost_request(frame)
        if asked and asked != name:
            return one.ledger.is_declared(_child(asked))
        user = callsite.user_frame(frame) if frame is not None else None
        if user is None:
            return False
        statement = bytecode.import_statement(user) if bytecode.is_importing(user) else None
        if statement is None:
            return not bytecode.is_readable(user) or any(
                one.ledger.is_declared(child) for child in _resolved_children(name, frame)
            )
        if statement.name != name:
            return True
        return any(one.ledger.is_declared(f"{name}.{item}") for item in statement.fromlist or ())


def elsewhere(name: str, path: Sequence[str] | None, target: ModuleType | None = None) -> ModuleSpec | None:
    """What the other finders answer."""
    for other in sys.meta_path:
        if isinstance(other, Finder) or getattr(other, "__module__", "") in (*callsite.START, standby.__name__):
            continue
        find = getattr(other, "find_spec", None)
        found: ModuleSpec | None = find(name, path, target) if find is not None else None
        if found is not None:
            return found
    return None


def real_spec(name: str) -> ModuleSpec | None:
    """The spec of a module that exists without this package; nothing is imported."""
    parent = name.rpartition(".")[0]
    path: Any = None
    if parent:
        above = real_spec(parent)
        path = above.submodule_search_locations if above is not None else None
        if path is None:
            return None
        live = sys.modules.get(parent)
        if live is not None and not isinstance(live, LegacyModule):
            path = getattr(live, "__path__", path)
    return elsewhere(name, path)


def _resolved_children(root: str, frame: FrameType | None) -> Iterator[str]:
    """The modules directly below a root that the code in progress has in hand: dotted names, whole or in parts.

    What resolves a dotted name part by part imports its root by a function call first. Whoever it is, a frame on the way there
    holds the longer name.
    """
    while frame is not None:
        for value in list(frame.f_locals.values()):
            kind = type(value)  # not isinstance(): a proxy may answer for what it stands for, and fail
            if issubclass(kind, str):
                if value.startswith(f"{root}."):
                    yield _child(value)
            elif kind in (list, tuple) and value and type(value[0]) is str:
                yield ".".join(value[:2]) if value[0] == root and len(value) > 1 else f"{root}.{value[0]}"
        frame = frame.f_back


def _child(path: str) -> str:
    return ".".join(path.replace(":", ".").split(".")[:2])
