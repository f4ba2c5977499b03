"""Who uses a legacy name: one walk up the stack that yields the frame for both the count and the warning."""

from __future__ import annotations

import os
import sys

from .. import wires
from ..wires import UNSEEN as UNSEEN
from . import bytecode

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Container
    from types import CodeType, FrameType
    from typing import TypeVar

    Made = TypeVar("Made", bound=Callable[..., object])

# Machinery between a use and its user: the frame above is the one to name. The standard library as a whole is (by its
# directory; in a frozen program by the names of its modules, before 3.10 by these), and a few others.
_BETWEEN = frozenset(
    (
        "asyncio",
        "concurrent",
        "contextlib",
        "copy",
        "copyreg",
        "functools",
        "importlib",
        "multiprocessing",
        "pkgutil",
        "runpy",
        "threading",
        "timeit",
        "types",
        "wrapt",
        "zipimport",
    )
)
#: The names of the module that a start of the interpreter runs; its finder stands in the frames of imports.
START = ("netra_compat_start", "compat.boot.start")
_BETWEEN_EXACT = frozenset(
    ("unittest.mock", "_pytest.monkeypatch", "pickle", "_pickle", "_frozen_importlib", "_frozen_importlib_external", *START)
)
# Code that looks at everything it finds: it uses nothing, so it is neither counted nor warned.
_LOOKERS = frozenset(
    (
        "IPython",
        "_pytest",
        "cloudpickle",
        "dill",
        "doctest",
        "gc",
        "hypothesis",
        "inspect",
        "jedi",
        "linecache",
        "pickle",
        "pydoc",
        "pyexpat",
        "rlcompleter",
        "sphinx",
        "traceback",
        "tracemalloc",
        "typeguard",
        "warnings",
        "weakref",
    )
)
_DESCRIBERS = frozenset(("inspect", "linecache", "traceback", "tracemalloc", "warnings"))
_LOOKERS_EXACT = frozenset(("unittest.loader", "unittest.util", "multiprocessing.reduction"))
_LIBRARY = os.path.dirname(os.__file__) + os.sep
if hasattr(sys, "frozen") or not (os.path.isfile(os.__file__) or os.path.isfile(_LIBRARY[:-1])):
    _BETWEEN |= getattr(sys, "stdlib_module_names", frozenset())
    _LIBRARY = "<frozen "  # Nuitka puts a program's own code into this folder, and no file of the standard library
_PACKAGES = ("site-packages", "dist-packages")
_OWN = "compat."


def module_name(frame: FrameType) -> str:
    """The ``__name__`` that a frame runs under, ``""`` where there is none."""
    name = frame.f_globals.get("__name__")
    return name if isinstance(name, str) else ""


def _is_own(name: str) -> bool:
    return name == "compat" or name in START or name.startswith(_OWN)


#: The modules of the adapters of installed ledgers: they are the legacy side themselves, and nobody who is left to migrate.
ADAPTERS: set[str] = set()


def is_machinery(frame: FrameType) -> bool:
    """Whether code of this package itself is at work."""
    return _is_own(module_name(frame))


def is_own(frame: FrameType) -> bool:
    """Whether code of this package or of an adapter is at work, whose uses are not counted."""
    name = module_name(frame)
    return name in ADAPTERS or _is_own(name)


def _is_between(frame: FrameType) -> bool:
    file = frame.f_code.co_filename
    if file.startswith("<frozen ") or (file.startswith(_LIBRARY) and not file.startswith(_PACKAGES, len(_LIBRARY))):
        return True
    name = module_name(frame)
    return name.partition(".")[0] in _BETWEEN or name in _BETWEEN_EXACT or name.startswith(("compat.shim", "compat.boot"))


def is_importlib(frame: FrameType) -> bool:
    """Whether a frame belongs to the import system itself."""
    return frame.f_code.co_filename.startswith("<frozen importlib")


def find_user(frame: FrameType | None) -> FrameType | None:
    """Walk up from ``frame`` to the first frame that is user code; ``None`` where there is none, as in a thread of its own."""
    while frame is not None and _is_between(frame):
        frame = frame.f_back
    return frame


def beyond(frame: FrameType | None, files: Container[str]) -> FrameType | None:
    """The first frame from ``frame`` upwards whose code is of none of these files."""
    while frame is not None and frame.f_code.co_filename in files:
        frame = frame.f_back
    return frame


def user_frame(frame: FrameType) -> FrameType:
    """Like :func:`find_user`; ``frame`` itself where there is none."""
    return find_user(frame) or frame


def is_looking(frame: FrameType) -> bool:
    """Whether the read comes from code that scans names without using them, or from the canonical side itself.

    ``pickle.whichmodule`` in C has no frame of its own; its caller's line names a pickling function.
    """
    name = module_name(frame)
    if name.partition(".")[0] in _LOOKERS:
        return name not in _BETWEEN_EXACT or name == "pickle"
    if name in _LOOKERS_EXACT or is_importlib(frame):
        return True
    if name == "unittest.mock":
        # patch() reads once on the user's behalf and then twice more to restore.
        return frame.f_code.co_name != "get_original"
    if name in ADAPTERS or _is_own(name):
        return True
    return bytecode.calls_pickler(frame)


def is_looked_for(frame: FrameType | None) -> bool:
    """Whether the standard library asks on its way to describe something, and no user has: a traceback, say, may import."""
    while frame is not None and _is_between(frame):
        if module_name(frame) in _DESCRIBERS:
            return True
        frame = frame.f_back
    return False


def outside(frame: FrameType) -> FrameType:
    """The frame that reads an attribute: a ``__setattr__`` or ``__getattr__`` on the class of the module may stand between."""
    while frame.f_back is not None and module_name(frame).startswith("compat.shim"):
        frame = frame.f_back
    return frame


def is_patching(frame: FrameType) -> bool:
    """Whether ``unittest.mock`` looks whether a name that it replaces is the object's own."""
    return module_name(frame) == "unittest.mock"


def unseen(function: Made) -> Made:
    """Let a warning that the canonical side gives from below a function, and what this defines, name the line of the user."""
    moved: Made = wires.unseen(function, f"<compat {UNSEEN}>")
    return moved


def asking(frame: FrameType) -> FrameType:
    """The frame itself; of a wire that has tripped (see :mod:`compat.shim.wires`), that of the code which met it."""
    while frame.f_code.co_filename == wires.FILE and frame.f_back is not None:
        frame = frame.f_back
    return frame


class Place:
    """Where a use stands: file, line, function and module of user code. Holds no frame."""

    __slots__ = ("file", "function", "line", "module")

    def __init__(self, frame: FrameType) -> None:
        code: CodeType = frame.f_code
        self.file = code.co_filename
        self.line = frame.f_lineno or code.co_firstlineno
        self.function = getattr(code, "co_qualname", code.co_name)
        self.module = module_name(frame)


def stack_top(depth: int) -> FrameType | None:
    """``sys._getframe(depth)`` of the caller, or ``None`` where C code without a Python caller got here."""
    try:
        return sys._getframe(depth + 1)
    except ValueError:
        return None
