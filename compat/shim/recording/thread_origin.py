"""Where a legacy callable was handed to a thread or an executor: the stack on which it is called does not tell.

While a ledger is installed, ``threading.Thread``, ``threading.Timer`` and the work items of ``ThreadPoolExecutor`` (those of
``asyncio.to_thread`` and ``run_in_executor`` too) remember the user's line that made them if they are given something
legacy. Nothing else of the standard library is touched, and both are given back with the last installation.
"""

from __future__ import annotations

import functools
import sys
import threading
import types

from ..wires import EXECUTORS, unwired
from . import callsite

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import FrameType, ModuleType
    from typing import Any

#: The files of the code objects of forwarders.
FILES: set[str] = set()
_NOTE = "__compat_handed__"
_originals: dict[type, tuple[Any, Any]] = {}


def is_legacy(one: object) -> bool:
    """Whether calling ``one`` is a legacy use: a forwarder, bound or within a partial, or a legacy class."""
    if isinstance(one, functools.partial):
        # asyncio.to_thread() makes partial(context.run, function, ...).
        return is_legacy(one.func) or any(is_legacy(item) for item in one.args[:1])
    if type(one) is tuple:
        return any(is_legacy(item) for item in one[:1])  # type: ignore[index]
    function = one.__func__ if type(one) is types.MethodType else one  # type: ignore[attr-defined]
    if type(function) is types.FunctionType:
        return function.__code__.co_filename in FILES
    return bool(getattr(type(function), "__compat_legacy__", False))


def arm() -> None:
    """Let threads and executors remember who made them. A second call does nothing."""
    for kind in _kinds():
        if kind not in _originals:
            _cover(kind)


def disarm() -> None:
    """Give the classes their own constructors back, unless somebody else has wrapped ours."""
    for kind, (original, ours) in list(_originals.items()):
        if vars(kind)["__init__"] is ours:
            type.__setattr__(kind, "__init__", original)
            del _originals[kind]


def cover(module: ModuleType) -> None:
    """The finder loaded a module: arm what is in it."""
    if module.__name__ == EXECUTORS:
        arm()


def _kinds() -> list[type]:
    found = [threading.Thread, threading.Timer, getattr(sys.modules.get(EXECUTORS), "_WorkItem", None)]
    # Other libraries put classes of their own here (gevent does).
    return [kind for kind in found if isinstance(kind, type) and "__init__" in vars(kind)]


def _cover(kind: Any) -> None:
    original = unwired(vars(kind)["__init__"])

    @functools.wraps(original)
    def __init__(self: Any, *args: Any, **kwargs: Any) -> None:
        original(self, *args, **kwargs)
        try:
            if any(is_legacy(one) for one in (*args, *kwargs.values())):
                user = callsite.find_user(sys._getframe(1))
                if user is not None:
                    vars(self)[_NOTE] = (callsite.Place(user), user.f_globals.setdefault("__warningregistry__", {}))
        except Exception:
            pass  # what is handed over may not like to be looked at: the thread is to start all the same

    kind.__init__ = __init__
    _originals[kind] = (original, __init__)


def place_of(frame: FrameType | None) -> tuple[callsite.Place, dict[Any, Any]] | None:
    """The line at which what runs in ``frame`` was handed over, and that module's registry of warnings given."""
    while frame is not None:
        name = callsite.module_name(frame)
        if name in ("threading", EXECUTORS):
            note: tuple[callsite.Place, dict[Any, Any]] | None = getattr(frame.f_locals.get("self"), "__dict__", {}).get(_NOTE)
            if note is not None:
                return note
        frame = frame.f_back
    return None
