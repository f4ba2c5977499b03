"""What only running code knows: ``use(row)`` counts and warns it, and helpers read settings by their new and old names."""

from __future__ import annotations

import os
import sys

from compat._forking import gate
from compat.ledger import Ledger

from . import installation, wires
from .recording import callsite
from .recording.funnel import UseRecorder, record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from types import FrameType
    from typing import Any, TypeVar, Union, overload

    from compat.ledger import Behaviour

    T = TypeVar("T")

#: Recorders of rows that no installed ledger has.
_alone: dict[str, UseRecorder] = {}
_unknown: set[str] = set()
_MISSING: Any = object()


def use(row: Union[Behaviour, str]) -> None:
    """Count and warn one use of a :class:`compat.Behaviour`, given as its row or its id; raise once it has expired.

    The use stands at the line that called into the package whose code reports it: above all frames of that package, or at the
    caller of the reporting function where there are no others. An id that no installed ledger has is logged once.
    """
    _report(row, sys._getframe(1))


def is_off() -> bool:
    """Whether ``COMPAT=off`` is set, as the start of a process reads it."""
    return os.environ.get("COMPAT", "").lower() in ("off", "0", "false", "no")


def _report(row: Union[Behaviour, str], frame: FrameType | None) -> None:
    caller, awaiting = _caller(frame), _awaiting(frame)
    if awaiting is not None and _installed(row if isinstance(row, str) else row.id) is None:
        awaiting.append(lambda: _record(row, caller))
    else:
        _record(row, caller)


def _record(row: Union[Behaviour, str], caller: FrameType | None) -> None:
    id = row if isinstance(row, str) else row.id
    recorder = _installed(id)
    if recorder is None:
        if is_off():
            return
        if isinstance(row, str):
            _tell_unknown(id)
            return
        recorder = _alone.get(id) or _alone.setdefault(id, UseRecorder(row, Ledger(row.ledger, version=row.since)))
    record(recorder, "use", caller)


def _awaiting(frame: FrameType | None) -> list[Callable[[], None]] | None:
    """What waits for the ledger of the package that reports, where its first import is running."""
    reporting = callsite.find_user(frame) if wires.awaited else None
    package = callsite.module_name(reporting).partition(".")[0] if reporting is not None else ""
    spec = getattr(sys.modules.get(package), "__spec__", None)
    return wires.awaited.get(package) if getattr(spec, "_initializing", False) else None


def _caller(frame: FrameType | None) -> FrameType | None:
    reporting = callsite.find_user(frame)
    if reporting is None:
        return frame
    package = callsite.module_name(reporting).partition(".")[0]
    at: FrameType | None = reporting
    while at is not None and callsite.module_name(at).partition(".")[0] == package:
        at = callsite.find_user(at.f_back)
    return at or callsite.find_user(reporting.f_back) or reporting


def _installed(id: str) -> UseRecorder | None:
    for one in installation.installed():
        found = one.ledger.by_id(id)
        if found is not None:
            return one.recorder(found)
    return None


def _tell_unknown(id: str) -> None:
    if id not in _unknown:
        _unknown.add(id)
        with gate:
            import logging

        logging.getLogger("compat").warning("compat.use(%r): no installed ledger has a row of this id; nothing is counted", id)


if TYPE_CHECKING:

    @overload
    def getenv(row: Behaviour) -> str | None: ...

    @overload
    def getenv(row: Behaviour, default: T) -> str | T: ...


def getenv(row: Behaviour, default: Any = None) -> Any:
    """The environment variable ``row.new``, else ``row.old``, which is counted and warned, else ``default``."""
    return _either(os.environ, row, default, sys._getframe(1))


def getkey(mapping: Mapping[str, Any], row: Behaviour, default: Any = None) -> Any:
    """The value of a mapping under ``row.new``, else under ``row.old``, which is counted and warned, else ``default``."""
    return _either(mapping, row, default, sys._getframe(1))


def _either(mapping: Mapping[str, Any], row: Behaviour, default: Any, frame: FrameType) -> Any:
    if row.new:
        found = mapping.get(row.new, _MISSING)
        if found is not _MISSING:
            return found
    found = mapping.get(row.old, _MISSING)
    if found is _MISSING:
        return default
    _report(row, frame)
    return found


def current_name(name: str, *rows: Behaviour) -> str:
    """The present form of a name that callers pass: ``row.new`` for the ``row.old`` of one of the rows, counted and warned.

    For names that are registered as strings: of tasks, plug-ins, routes, formats. A row without ``new`` is counted, and its
    name is handed back as it is.
    """
    for row in rows:
        if name == row.old:
            _report(row, sys._getframe(1))
            return row.new or name
    return name


def count_option(parser: Any, row: Behaviour) -> Any:
    """Count and warn each use of the option ``row.old`` of an ``argparse`` parser or a ``click`` command; return that.

    The option must be there, as another name of the new one: ``parser.add_argument("--quantity", "--qty")``.
    """
    for option in [*getattr(parser, "params", ()), *getattr(parser, "_actions", ())]:
        if row.old in [*getattr(option, "opts", ()), *getattr(option, "secondary_opts", ())]:
            option.__class__ = _click_class(type(option), row)
            return parser
        if row.old in getattr(option, "option_strings", ()):
            option.__class__ = _argparse_class(type(option), row)
            return parser
    raise LookupError(f"{parser!r} has no option {row.old!r}; add it as another name of the new one first")


def _argparse_class(kind: Any, row: Behaviour) -> Any:
    def __call__(self: Any, parser: Any, namespace: Any, values: Any, option_string: Any = None) -> None:
        if option_string == row.old:
            _report(row, sys._getframe(1))
        kind.__call__(self, parser, namespace, values, option_string)

    return type(kind.__name__, (kind,), {"__call__": __call__, "__module__": kind.__module__})


def _click_class(kind: Any, row: Behaviour) -> Any:
    def add_to_parser(self: Any, parser: Any, ctx: Any) -> None:
        kind.add_to_parser(self, parser, ctx)
        for table in (parser._long_opt, parser._short_opt):
            if row.old in table:
                table[row.old] = _Counted(table[row.old], row)

    return type(kind.__name__, (kind,), {"add_to_parser": add_to_parser, "__module__": kind.__module__})


class _Counted:
    """An option of a click parser by its old name."""

    def __init__(self, option: Any, row: Behaviour) -> None:
        self._option, self._row = option, row

    def process(self, value: Any, state: Any) -> None:
        frame: FrameType | None = sys._getframe(1)
        while frame is not None and callsite.module_name(frame).partition(".")[0] == "click":
            frame = frame.f_back
        _report(self._row, frame)
        self._option.process(value, state)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._option, name)
