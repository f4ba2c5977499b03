"""Refuses a module that has expired or was removed: every import of it fails as after the removal, and says what to write."""

from __future__ import annotations

from importlib.machinery import ModuleSpec

from compat.errors import of_module
from compat.ledger import Module, sentence
from compat.ledger.move import EXPIRED

from ..recording import bytecode, callsite, lazy
from ..recording.frameless import frameless
from . import imports
from .targets import spec_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import FrameType, ModuleType
    from typing import Any

    from compat.ledger import Ledger, Move

    from ..recording.funnel import UseRecorder
    from .installed import Installed


def is_gone(ledger: Ledger, name: str) -> bool:
    """Whether nothing at or below a legacy module that a ledger declares is left: all rows have expired.

    Where tombstones alone are left there is a module: each use of a name goes to its own.
    """
    if any(not move.raises(ledger.stage(move)) for move in ledger.module_rows(name).values()):
        return False  # told without a walk through the ledger
    rows = _at_or_below(ledger, name)
    if any(not move.raises(ledger.stage(move)) for move in rows):
        return False
    return not rows or not all(move.is_tombstone for move in rows)


def _at_or_below(ledger: Ledger, name: str) -> list[Move]:
    return [move for move in ledger if f"{move.module}.".startswith(f"{name}.")]


class Refusal:
    """The loader of a module that is gone."""

    def __init__(self, owner: Installed, name: str, whole: Move | None) -> None:
        #: ``whole``: the row of the module itself or of a module above it.
        self.owner, self.name, self.whole = owner, name, whole
        # Called by the import system. It raises before a module stands in sys.modules: up to 3.14 another thread that waits for
        # it would go on with the empty module of an import that failed.
        self.create_module: Any = frameless(self.error)  # type: ignore[arg-type]

    def exec_module(self, module: ModuleType) -> None:
        """Never reached: there is no module to execute."""

    def spec(self) -> ModuleSpec:
        """What the finder answers."""
        loader: Any = self
        return ModuleSpec(self.name, loader, origin=f"ledger {self.owner.ledger.name!r}")

    def error(self, frame: FrameType) -> Exception:
        """What the import in progress raises: the error of the row that it names, under which it is counted."""
        user = callsite.user_frame(frame)
        recorder, error = self._named(*self._request(frame, user))
        # Of ``from package import module`` the import system drops this error: the read of the name, which follows, counts.
        if not callsite.is_looking(user) and not imports.is_in_fromlist(frame):
            counted = recorder.refusal("import", user)
            error = error or counted
        return of_module(error or recorder.error("import"), is_gone=True)

    def _request(self, frame: FrameType, user: FrameType) -> tuple[str, tuple[str, ...]]:
        """The module that was asked for, this one or one below it, and the names that are taken from it."""
        asked = imports.outermost_request(frame)
        if not f"{asked}.".startswith(f"{self.name}."):
            asked = self.name
        if lazy.LAZY is not None:
            found = lazy.lazy_object(user, self.name)
            if found is not None:
                return asked, (lazy.target(found)[len(asked) + 1 :],)
        statement = bytecode.import_statement(user) if bytecode.is_importing(user) else None
        return asked, (statement.fromlist or ()) if statement is not None and statement.name == asked else ()

    def _named(self, asked: str, names: tuple[str, ...]) -> tuple[UseRecorder, Exception | None]:
        """The recorder of the row that an import names; of several names it takes the first that has a row."""
        ledger = self.owner.ledger
        rows = ledger.module_rows(asked)
        for name in names:
            if name in rows:
                return self.owner.recorder(rows[name]), None
        if self.whole is None:
            return self.owner.recorder(_at_or_below(ledger, self.name)[0]), self._left(asked)
        below = rows.get("") or self.whole
        is_there = not below.canonical or spec_of(below.canonical + asked[len(below.module) :]) is not None
        return self.owner.recorder_at(asked if is_there else self.name, below if is_there else self.whole), None

    def _left(self, asked: str) -> Exception:
        """What the import of a module of single names raises: it tells where they are now."""
        ledger = self.owner.ledger
        rows = _at_or_below(ledger, asked) or _at_or_below(ledger, self.name)
        targets = dict.fromkeys(move.canonical.partition(":")[0] for move in rows if move.canonical)
        told = f"What it had is now in {', '.join(targets)}." if targets else "Nothing replaces it."
        gone = Module(
            asked,
            next(iter(targets), asked),
            since=rows[0].since,
            removal=rows[0].removal,
            instead=None if len(targets) == 1 else told,
        )
        origin = ledger.origin(rows[0])
        return gone.error("import", sentence(gone.replace(ledger=origin.name), "import", EXPIRED, docs=origin.docs))
