"""The one funnel: every use of a legacy name comes through here, is counted first and warned second.

Hot code (descriptors, forwarders) looks its caller up in ``Tap.hot`` by the offset of its instruction or, where code of
another caller stands under that, by :data:`KEY`, and, while the warning filters equal ``watch.SNAPSHOT``, takes one step of
the iterator it finds there: a count and nothing else. Everything else comes to :meth:`Tap.use`.
"""

from __future__ import annotations

import atexit
import os
import sys
import threading
import warnings
from itertools import repeat

from compat._forking import gate
from compat.errors import (
    LegacyExpiredAttribute,
    LegacyExpiredCall,
    LegacyExpiredImport,
    RemovedAttribute,
    RemovedImport,
)
from compat.ledger import Ledger, Move, sentence
from compat.ledger.versions import ANNOUNCED, EXPIRED
from compat.telemetry.record.counters import on_reset
from compat.telemetry.record.counters import open_cell as _open
from compat.telemetry.record.counters import usage as _usage
from compat.telemetry.record.sites import Site

from . import callsite, handed, watch

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from types import CodeType, FrameType
    from typing import Any

    Cell = Callable[[], object]

#: Bytecode is inline since 3.11, so that a code object's address plus an offset into it is unique; before, offsets of one
#: code object can reach past the next one's address.
KEY = "_id(_fr.f_code) + _fr.f_lasti" if sys.version_info >= (3, 11) else "(_id(_fr.f_code) << 24) | _fr.f_lasti"
#: The filters in force, as source of hot code. Before 3.11 an item of a dict is found quicker than an attribute of a module.
FILTERS = "_filters()" if watch.CONTEXT_AWARE else "_W.filters" if sys.version_info >= (3, 11) else "_V['filters']"
#: What hot code reads as its globals, which since 3.11 are read quicker than the cells of a closure are copied at each call.
HOT_GLOBALS = {
    "_snap": watch.SNAPSHOT,
    "_W": warnings,
    "_V": vars(warnings),
    "_filters": watch.current,
    "_id": id,
    "_frame": sys._getframe,
}

if sys.version_info >= (3, 11):

    def site_key(frame: FrameType) -> int:
        """The hot-table key of the instruction that a frame executes."""
        return id(frame.f_code) + frame.f_lasti
else:

    def site_key(frame: FrameType) -> int:
        """The hot-table key of the instruction that a frame executes."""
        return (id(frame.f_code) << 24) | frame.f_lasti


_MOST_SITES = 4096  # per tap; code compiled over and over (exec, a REPL) must not grow it for ever


# A module's attribute lookup replaces any AttributeError of a descriptor by one of its own, and then asks the module's
# __getattr__: that one raises ours again.
_lost = threading.local()


def lost_error(name: str) -> AttributeError | None:
    """Take the error that a descriptor for ``name`` has just raised in this thread."""
    error: AttributeError | None = getattr(_lost, "error", None)
    if error is None or getattr(error, "legacy_name", name) != name:
        return None
    _lost.error = None
    return error


#: The cell of a site that is no use.
nothing: Cell = repeat(None).__next__


def steps(cell: Cell) -> Iterator[object]:
    """The iterator of which a cell is the bound ``__next__``: a ``for`` that breaks at once steps it without any call."""
    return cell.__self__  # type: ignore[attr-defined,no-any-return]


NO_STEPS = steps(nothing)


class Tap:
    """The funnel's side of one move: its sites, its sentences, its hot table."""

    __slots__ = ("_said", "_sites", "docs", "hot", "move", "stage")

    def __init__(self, move: Move, ledger: Ledger, hot: dict[int, Any] | None = None) -> None:
        self.move = move
        self.docs = ledger.origin(move).docs
        self.stage = ledger.stage(move)
        self.hot: dict[int, Any] = {} if hot is None else hot
        # Code objects are kept so that their addresses, which are keys, stay theirs.
        self._sites: dict[tuple[int, str], tuple[CodeType, Cell]] = {}
        self._said: dict[str, tuple[str, Any]] = {}
        _taps.append(self)

    def use(self, kind: str, frame: FrameType | None, *, is_site: bool = True) -> None:
        """Count and warn one use of ``kind`` by the code that ``frame`` executes; raise when the move has expired.

        The use stands at the innermost line of user code: not of the standard library, nor of this package. In a thread that
        runs a legacy callable itself there is none: then at the line that handed it over (see :mod:`.handed`), and where
        that is not known either (``atexit``, a pool's worker process) at the line of the library that calls, or at ``sys:1``.
        ``is_site=False`` where the instruction may come back for the same use and must ask again.
        """
        # The first use imports, and what shows a warning imports and locks: a fork waits for it.
        with gate:
            self._use(kind, frame, is_site)

    def _use(self, kind: str, frame: FrameType | None, is_site: bool) -> None:
        user = callsite.find_user(frame)
        note = handed.place_of(frame) if user is None else None
        if note is not None:
            place, registry = note
            line = place.line
            cell = _open(Site(self.move.id, kind, place.file, line, place.function, place.module))
        else:
            user = user or frame
            cell, line = self._cell(kind, user)
        # Count first: under an "error" filter nothing after the warning runs.
        cell()
        if self.move.kind == "removed" or self.stage == EXPIRED:
            error = self.error(kind)
            if isinstance(error, AttributeError):
                error.legacy_name = self.move.attribute  # type: ignore[attr-defined]
                _lost.error = error
            raise error
        decided = watch.generation()
        text, warning = self._words(kind)
        if note is not None:
            module = place.module or "<string>"
            warnings.warn_explicit(warning, None, place.file, line, module, registry)  # type: ignore[call-overload]
            return
        if user is None:
            warnings.warn_explicit(warning, None, "sys", 1)  # type: ignore[call-overload]
            return
        found = user.f_globals
        name = found.get("__name__")
        module = name if isinstance(name, str) else "<string>"
        registry = found.setdefault("__warningregistry__", {})
        warnings.warn_explicit(warning, None, user.f_code.co_filename, line, module, registry)  # type: ignore[call-overload]
        if is_site and user is frame and watch.is_silent(text, type(warning), module, line):
            watch.keep(self.hot, site_key(user), user, steps(cell), decided)

    def skip(self, frame: FrameType) -> None:
        """Remember that the instruction a frame executes is no use of its own."""
        self._keep_code(frame)
        watch.keep(self.hot, site_key(frame), frame, NO_STEPS, watch.generation())

    def error(self, kind: str) -> Exception:
        """What to raise for an expired or removed move: also what Python itself would have raised."""
        said = sentence(self.move, kind, self.stage, docs=self.docs)
        name = self.move.attribute or self.move.module
        if self.move.kind == "removed":
            return RemovedImport(said, name=self.move.module) if kind == "import" else RemovedAttribute(said)
        if kind == "import":
            return LegacyExpiredImport(said, name=self.move.module)
        return (LegacyExpiredAttribute if kind in ("attribute", "set") else LegacyExpiredCall)(said, name=name)

    def _words(self, kind: str) -> tuple[str, Any]:
        said = self._said.get(kind)
        if said is None:
            from compat import errors

            category = errors.LegacyAnnouncedWarning if self.stage == ANNOUNCED else errors.LegacyUseWarning
            move = self.move
            text = sentence(move, kind, self.stage, docs=self.docs)
            said = self._said[kind] = (text, category(move.legacy, move.since, move.removal, text))
        return said

    def _cell(self, kind: str, frame: FrameType | None) -> tuple[Cell, int]:
        if frame is None:
            return _open(Site(self.move.id, kind, "sys", 1, "", "")), 1
        key = (site_key(frame), kind)
        line = frame.f_lineno or frame.f_code.co_firstlineno
        known = self._sites.get(key)
        if known is not None:
            return known[1], line
        place = callsite.Place(frame)
        cell = _open(Site(self.move.id, kind, place.file, place.line, place.function, place.module))
        self._keep_code(frame, kind, cell)
        return cell, line

    def _keep_code(self, frame: FrameType, kind: str = "", cell: Cell = nothing) -> None:
        if len(self._sites) >= _MOST_SITES:
            # Hot keys before code objects: a key must not outlive the object whose address it is.
            self.hot.clear()
            self._sites.clear()
        self._sites[site_key(frame), kind] = (frame.f_code, cell)

    def forget(self) -> None:
        """Drop cells that are not valid any more; they are opened anew at the next use."""
        self.hot.clear()
        self._sites.clear()


class LateTap:
    """A tap that is made at its first use: an adapter's methods exist before the ledger that lists the adapter is installed."""

    __slots__ = ("_make", "_tap", "hot")

    def __init__(self, make: Callable[[dict[int, Any]], Tap]) -> None:
        self.hot: dict[int, Any] = {}
        self._make = make
        self._tap: Tap | None = None

    def tap(self) -> Tap:
        """The real tap."""
        if self._tap is None or self._tap not in _taps:
            self._tap = self._make(self.hot)
        return self._tap

    def use(self, kind: str, frame: FrameType | None) -> None:
        """See :meth:`Tap.use`."""
        with gate:
            self.tap().use(kind, frame)

    def skip(self, frame: FrameType) -> None:
        """See :meth:`Tap.skip`."""
        self.tap().skip(frame)


def touch(tap: Tap | LateTap, kind: str, frame: FrameType | None) -> None:
    """One use by the code that ``frame`` executes; quick at a known site. For callers that have no template of their own."""
    if frame is None:
        tap.use(kind, None)
        return
    known = tap.hot.get(site_key(frame))
    if known is not None and watch.current() == watch.SNAPSHOT:
        next(known)
    elif callsite.is_own(frame):
        tap.skip(frame)
    else:
        tap.use(kind, frame)


_taps: list[Tap] = []


def _summarize() -> None:
    """Print, at the end of the process, what was used: where ``COMPAT_SUMMARY=1`` asks for it."""
    uses = usage()
    stream = sys.stderr
    if not uses or stream is None:
        return
    count = sum(use.count for use in uses)
    stream.write(f"compat: {count} legacy use{'s' * (count != 1)} at {len(uses)} place{'s' * (len(uses) != 1)}\n")
    for use in uses:
        stream.write(f"{use.count:>8}  {use.kind:<9}  {use.move}  {use.file}:{use.line}\n")


if os.environ.get("COMPAT_SUMMARY") == "1":
    atexit.register(_summarize)


def forget_taps(taps: Iterable[Tap]) -> None:
    """Let go of taps that no installation serves any more."""
    for tap in list(taps):
        tap.forget()
        if tap in _taps:
            _taps.remove(tap)


def _reset() -> None:
    for tap in list(_taps):
        tap.forget()


on_reset(_reset)


class Use:
    """One line of :func:`usage`: what is used, how, where, and how often."""

    __slots__ = ("count", "file", "function", "kind", "line", "module", "move")
    __match_args__ = ("move", "kind", "file", "line", "function", "module", "count")

    def __init__(self, move: str, kind: str, file: str, line: int, function: str, module: str, count: int) -> None:
        self.move, self.kind, self.file, self.line = move, kind, file, line
        self.function, self.module, self.count = function, module, count

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Use) and all(getattr(self, name) == getattr(other, name) for name in self.__slots__)

    __hash__ = None  # type: ignore[assignment]

    def __repr__(self) -> str:
        return f"Use({', '.join(f'{name}={getattr(self, name)!r}' for name in self.__slots__)})"


def usage() -> list[Use]:
    """The uses of this process so far, as plain data, most used first."""
    rows = [Use(*site, count) for site, count in _usage()]
    rows.sort(key=lambda use: (-use.count, use.move, use.file, use.line, use.kind))
    return rows
