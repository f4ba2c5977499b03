"""The one funnel: every use of a legacy name comes through here, is counted first and warned second.

Hot code (descriptors, forwarders) looks its caller up in ``UseRecorder.hot`` by the offset of its instruction or, where code of
another caller stands under that, by :data:`KEY`, and, while the warning filters equal ``filters.SNAPSHOT``, takes one step of
the iterator it finds there: a count and nothing else. Everything else comes to :meth:`UseRecorder.use`.
"""

from __future__ import annotations

import atexit
import os
import sys
import threading
import warnings
from itertools import repeat

from compat import errors
from compat._forking import gate
from compat.ledger import Ledger, Move, sentence
from compat.ledger import kinds as kinds  # nothing is imported in the middle of a use
from compat.telemetry.record.cells import watched
from compat.telemetry.record.counters import on_reset, prepare
from compat.telemetry.record.counters import open_cell as _open
from compat.telemetry.record.counters import usage as _usage
from compat.telemetry.record.sites import Site

from . import callsite, filters, thread_origin

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from types import CodeType, FrameType
    from typing import Any

    Cell = Callable[[], object]

#: Bytecode is inline since 3.11, so that a code object's address plus an offset into it is unique; before, offsets of one
#: code object can reach past the next one's address.
KEY = "_id(_fr.f_code) + _fr.f_lasti" if sys.version_info >= (3, 11) else "(_id(_fr.f_code) << 24) | _fr.f_lasti"
_FILTERS: tuple[str, str, Any] = ("_V['filters']", "_V", vars(warnings))
if filters.CONTEXT_AWARE:
    _FILTERS = ("_filters()", "_filters", filters.current)
elif sys.version_info >= (3, 11):  # before, an item of a dict is found quicker than an attribute of a module
    _FILTERS = ("_W.filters", "_W", warnings)
#: The filters in force, as source of hot code.
FILTERS = _FILTERS[0]
#: What hot code reads as its globals, which since 3.11 are read quicker than the cells of a closure are copied at each call.
HOT_GLOBALS = {"_snap": filters.SNAPSHOT, "_id": id, "_frame": sys._getframe, _FILTERS[1]: _FILTERS[2]}

if sys.version_info >= (3, 11):

    def site_key(frame: FrameType) -> int:
        """The hot-table key of the instruction that a frame executes."""
        return id(frame.f_code) + frame.f_lasti
else:

    def site_key(frame: FrameType) -> int:
        """The hot-table key of the instruction that a frame executes."""
        return (id(frame.f_code) << 24) | frame.f_lasti


_MOST_SITES = 4096  # per recorder; code compiled over and over (exec, a REPL) must not grow it for ever


# A module's attribute lookup replaces any AttributeError of a descriptor by one of its own, and then asks the module's
# __getattr__: that one raises ours again.
_lost = threading.local()


def lose(error: AttributeError, name: str) -> None:
    """Keep an error that a descriptor for ``name`` is about to raise in this thread."""
    error.legacy_name = name  # type: ignore[attr-defined]
    _lost.error = error


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


# Since 3.14 the interpreter holds a lock while a warning is shown, which a forked child would inherit.
_SHOWS_LOCKED = sys.version_info >= (3, 14)


def _is_warm() -> bool:
    """Whether what ``warnings`` imports to show a warning is there."""
    return not _SHOWS_LOCKED and "linecache" in sys.modules and "tokenize" in sys.modules


_bundled: dict[int, tuple[Ledger, bool]] = {}


def is_bundled(ledger: Ledger) -> bool:
    """Whether a ledger is one that this package brings along; its uses are kept unasked."""
    known = _bundled.get(id(ledger))
    if known is None or known[0] is not ledger:
        own = [
            getattr(getattr(module, "LEDGER", None), "name", None)
            for name, module in list(sys.modules.items())
            if name.startswith("compat.") and name.endswith(".ledger")
        ]
        known = _bundled[id(ledger)] = (ledger, ledger.name in own)
    return known[1]


class UseRecorder:
    """The funnel's side of one move: its sites, its sentences, its hot table."""

    __slots__ = ("_ledger", "_said", "_sites", "defined", "docs", "hot", "kept", "move", "raises", "stage")

    def __init__(self, move: Move, ledger: Ledger, hot: dict[int, Any] | None = None) -> None:
        self.move = move
        self._ledger = ledger
        self.docs = ledger.origin(move).docs
        self.kept = is_bundled(ledger)
        self.stage = ledger.stage(move)
        self.raises = move.raises(self.stage)
        self.hot: dict[int, Any] = {} if hot is None else hot
        # Code objects are kept so that their addresses, which are keys, stay theirs.
        self._sites: dict[tuple[int, int, int, str], tuple[CodeType, Cell]] = {}
        self._said: dict[str, tuple[str, Any]] = {}
        #: Overriding definitions that were there before the row, and were counted.
        self.defined: set[object] = set()
        _recorders.append(self)

    def use(self, kind: str, frame: FrameType | None, *, is_site: bool = True) -> None:
        """Count and warn one use of ``kind`` by the code that ``frame`` executes; raise when the move has expired.

        The use stands at the innermost line of user code: not of the standard library, nor of this package. In a thread that
        runs a legacy callable itself there is none: then at the line that handed it over (see :mod:`.handed`), and where
        that is not known either (``atexit``, a pool's worker process) at the line of the library that calls, or at ``sys:1``.
        ``is_site=False`` where the instruction may come back for the same use and must ask again.
        """
        error = self.refusal(kind, frame, is_site=is_site)
        if error is not None:
            raise error

    def refusal(self, kind: str, frame: FrameType | None, *, is_site: bool = True) -> Exception | None:
        """Like :meth:`use`, but return the error of a move that has expired: whoever raises it is the one in the traceback."""
        if sys.meta_path is None:
            return self._use_at_the_end(kind, frame)
        if kind in self._said and _is_warm():
            return self._use(kind, frame, is_site)
        # A first use imports, and what shows a warning imports and locks: a fork waits for it.
        with gate:
            return self._use(kind, frame, is_site)

    def _use_at_the_end(self, kind: str, frame: FrameType | None) -> Exception | None:
        """A use by a destructor while the interpreter goes down: nothing can be imported, and what is left may fail."""
        try:
            return self._use(kind, frame, False)
        except (errors.CompatError, Warning):
            raise  # as at any other time
        except Exception:
            return None  # the legacy call itself goes on

    def _use(self, kind: str, frame: FrameType | None, is_site: bool) -> Exception | None:
        user = callsite.find_user(frame)
        note = thread_origin.place_of(frame) if user is None else None
        if (note[0].module if note is not None else callsite.module_name(user) if user is not None else "") in callsite.ADAPTERS:
            return None  # by way of the standard library, or of a thread: what an adapter itself uses
        if note is not None:
            place, registry = note
            line = place.line
            cell = _open(Site(self.move.id, kind, place.file, line, place.function, place.module), self.kept)
        else:
            user = user or frame
            cell, line = self._cell(kind, user)
        # Count first: under an "error" filter nothing after the warning runs.
        cell()
        if self.raises:
            error = self.error(kind)
            if isinstance(error, AttributeError):
                lose(error, self.move.attribute)
            return error
        decided = filters.generation()
        text, warning = self._words(kind)
        if note is not None:
            module = place.module or "<string>"
            warnings.warn_explicit(warning, None, place.file, line, module, registry)  # type: ignore[call-overload]
            return None
        if user is None:
            warnings.warn_explicit(warning, None, "sys", 1)  # type: ignore[call-overload]
            return None
        found = user.f_globals
        name = found.get("__name__")
        module = name if isinstance(name, str) else "<string>"
        registry = found.setdefault("__warningregistry__", {})
        warnings.warn_explicit(warning, None, user.f_code.co_filename, line, module, registry)  # type: ignore[call-overload]
        if is_site and user is frame and filters.is_silent(text, type(warning), module, line):
            filters.keep(self.hot, site_key(user), user, steps(cell), decided)
        return None

    def skip(self, frame: FrameType) -> None:
        """Remember that the instruction a frame executes is no use of its own."""
        self._keep_code((id(frame.f_code), frame.f_lasti, 0, ""), frame)
        filters.keep(self.hot, site_key(frame), frame, NO_STEPS, filters.generation())

    def error(self, kind: str) -> Exception:
        """What to raise for a use that is an error."""
        return self.move.error(kind, sentence(self.move, kind, self.stage, docs=self.docs))

    def _words(self, kind: str) -> tuple[str, Any]:
        said = self._said.get(kind)
        if said is None:
            text = sentence(self.move, kind, self.stage, docs=self.docs)
            said = self._said[kind] = (text, self.move.warning(self.stage, text))
        return said

    def _cell(self, kind: str, frame: FrameType | None) -> tuple[Cell, int]:
        if frame is None:
            return _open(Site(self.move.id, kind, "sys", 1, "", ""), self.kept), 1
        line = frame.f_lineno or frame.f_code.co_firstlineno
        # The line, too: in compiled code (Nuitka) it is all that tells two places of a function apart.
        key = (id(frame.f_code), frame.f_lasti, line, kind)
        known = self._sites.get(key)
        if known is not None:
            return known[1], line
        place = callsite.Place(frame)
        cell = _open(Site(self.move.id, kind, place.file, place.line, place.function, place.module), self.kept)
        self._keep_code(key, frame, cell)
        return cell, line

    def _keep_code(self, key: tuple[int, int, int, str], frame: FrameType, cell: Cell = nothing) -> None:
        if len(self._sites) >= _MOST_SITES:
            # Hot keys before code objects: a key must not outlive the object whose address it is.
            self.hot.clear()
            self._sites.clear()
        self._sites[key] = (frame.f_code, cell)

    def judge(self) -> None:
        """Ask anew at which stage the move is: the version in force has changed."""
        self.stage = self._ledger.stage(self.move)
        self.raises = self.move.raises(self.stage)
        self._said.clear()
        self.hot.clear()

    def forget(self) -> None:
        """Drop cells that are not valid any more; they are opened anew at the next use."""
        self.hot.clear()
        self._sites.clear()


class LateRecorder:
    """A recorder made at its first use: an adapter's methods exist before the ledger that lists the adapter is installed."""

    __slots__ = ("_make", "_recorder", "hot")

    def __init__(self, make: Callable[[dict[int, Any]], UseRecorder]) -> None:
        self.hot: dict[int, Any] = {}
        self._make = make
        self._recorder: UseRecorder | None = None

    def recorder(self) -> UseRecorder:
        """The real recorder."""
        if self._recorder is None or self._recorder not in _recorders:
            self._recorder = self._make(self.hot)
        return self._recorder

    def use(self, kind: str, frame: FrameType | None) -> None:
        """See :meth:`UseRecorder.use`."""
        with gate:
            self.recorder().use(kind, frame)

    def refusal(self, kind: str, frame: FrameType | None) -> Exception | None:
        """See :meth:`UseRecorder.refusal`."""
        with gate:
            return self.recorder().refusal(kind, frame)

    def skip(self, frame: FrameType) -> None:
        """See :meth:`UseRecorder.skip`."""
        self.recorder().skip(frame)


def refused(recorder: UseRecorder | LateRecorder, kind: str, frame: FrameType | None) -> Exception | None:
    """One use by the code that ``frame`` executes, for callers without a template of their own; the error if it has expired."""
    if frame is None:
        return recorder.refusal(kind, None)
    known = recorder.hot.get(site_key(frame))
    if known is not None and filters.current() == filters.SNAPSHOT:
        next(known)
    elif callsite.is_own(frame):
        user = callsite.asking(frame)
        if user is frame:
            recorder.skip(frame)
        else:
            return refused(recorder, kind, user)
    else:
        return recorder.refusal(kind, frame)
    return None


def record(recorder: UseRecorder | LateRecorder, kind: str, frame: FrameType | None) -> None:
    """Like :func:`refused`, raising the error."""
    error = refused(recorder, kind, frame)
    if error is not None:
        raise error


def record_read(recorder: UseRecorder | LateRecorder, frame: FrameType) -> None:
    """Like :func:`record`, for a read of an attribute: none by code that looks at everything it finds."""
    if site_key(frame) in recorder.hot or not callsite.is_looking(callsite.asking(frame)):
        error = refused(recorder, "attribute", frame)
        if error is not None:
            raise error


_recorders: list[UseRecorder] = []
_gone: dict[str, Move] = {}


def prepare_for_the_end() -> None:
    """Have ready what counts the uses of destructors."""
    if _recorders:
        prepare(any(recorder.kept for recorder in _recorders))


atexit.register(prepare_for_the_end)


def recorded() -> tuple[Move, ...]:
    """The rows that may be used in this process, as far as it has come: those of modules that are loaded."""
    return tuple(recorder.move for recorder in _recorders)


def row_of(id: str) -> Move | None:
    """The row with an id that this process has recorders for, or had while a watch was on."""
    return next((recorder.move for recorder in list(_recorders) if recorder.move.id == id), _gone.get(id))


def judge_anew() -> None:
    """Let what is installed already know that ``COMPAT_AS_OF`` has changed."""
    for recorder in list(_recorders):
        recorder.judge()


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


def forget_recorders(recorders: Iterable[UseRecorder]) -> None:
    """Let go of recorders that no installation serves any more."""
    for recorder in list(recorders):
        recorder.forget()
        if watched:
            _gone[recorder.move.id] = recorder.move
        if recorder in _recorders:
            _recorders.remove(recorder)


def _reset() -> None:
    for recorder in list(_recorders):
        recorder.forget()


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
