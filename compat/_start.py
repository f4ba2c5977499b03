"""What runs at the start of every process of an environment in which the package is installed: two finders are registered.

It stands once more beside the package, as ``netra_compat_start``, for ``netra_compat.pth``: a start that loads the package
and all that the finders know costs several times as much. ``compat._boot`` knows it, and takes their places when it is
loaded: at the first legacy name, or the first name that is none of the standard library's, which another distribution's
ledger may speak of.

It may import nothing that a bare interpreter has not already loaded, or carries within itself.

PYTEST_DONT_REWRITE: pytest comes later, and would warn that it came too late.
"""

import atexit
import os
import sys
import time

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

# The roots of the shipped ledger, written out so that start-up need not load it.
# table: made by python -m compat.legacy.boot_table --write
ROOTS = frozenset(
    (
        "analytics_service",
        "app",
        "auth_service",
        "dev_launcher",
        "netra_backend",
        "shared",
        "test_framework",
        "tests",
    )
)
# end of table

# Whoever walks the frames of an import is to take these functions for the package's own.
__name__ = "compat._boot"

# What site and the standard library ask for and usually do not find: no reason to wake anybody.
NEVER = frozenset(
    (
        "sitecustomize",
        "usercustomize",
        "apport_python_hook",
        "org",
        "java",
        "nt",
        "msvcrt",
        "winreg",
        "vms_lib",
    )
)

#: Seconds. A process that ends sooner is not recorded as observed.
SHORT = 0.25


def is_off() -> bool:
    """Whether ``COMPAT`` turns the drop-in off."""
    return os.environ.get("COMPAT", "").lower() in ("off", "0", "false", "no")


def _knowing() -> "Any":
    """``compat._boot``; ``None`` where the program has a ``compat`` of its own, which is not ours to run."""
    if "compat" not in sys.modules:
        found: Any = sys.modules["_frozen_importlib_external"].PathFinder.find_spec("compat")
        if found is None or not os.path.isfile(os.path.join(os.path.dirname(str(found.origin)), "_boot.py")):
            return None
    try:
        from compat import _boot
    except ImportError:
        return None
    return _boot


# PyPy takes an annotation here for a clash with the function's "global".
_standard = None  # type: Any


def is_candidate(name: str) -> bool:
    """Whether a ledger of another distribution may speak of a top-level module: it is none of the standard library's."""
    global _standard
    if name[0] == "_" or name in NEVER:
        return False
    known: Any = getattr(sys, "stdlib_module_names", _standard)
    if known is None:
        # Before 3.10 they are told by the folders that they lie in.
        lib = os.path.dirname(os.__file__)
        folders = [folder for folder in (lib, os.path.join(lib, "lib-dynload")) if os.path.isdir(folder)]
        names = {name.partition(".")[0] for folder in folders for name in os.listdir(folder)}
        known = _standard = names.union(sys.builtin_module_names)
    return name not in known


def _find_first(name: str, path: "Any" = None, target: "Any" = None) -> "Any":
    if name.partition(".")[0] in ROOTS:
        known = _knowing()
        return known and known.Front.find_spec(name, path, target)
    if path is None and name != "compat" and is_candidate(name):
        known = _knowing()
        return known and known.Owners.find_spec(name, path, target)
    return None


def _find_last(name: str, path: "Any" = None, target: "Any" = None) -> "Any":
    if path is not None or not is_candidate(name):
        return None
    known = _knowing()
    return known and known.Tail.find_spec(name, path, target)


# Namespaces, not classes: making a class costs every start of an interpreter a third of a percent.
_Namespace: "Any" = type(sys.implementation)
#: Stands for the finder of the same name in ``compat._boot``; costs one set look-up for every import of another root.
Front: "Any" = _Namespace(__name__="Front", __module__=__name__, find_spec=_find_first)
#: Stands for the finder of the same name in ``compat._boot``.
Tail: "Any" = _Namespace(__name__="Tail", __module__=__name__, find_spec=_find_last)


def boot() -> None:
    """Register the drop-in; do nothing when it is there already, or when ``COMPAT=off``."""
    if is_off():
        return
    known: Any = sys.modules.get("compat._boot")
    if known is not None:
        known.boot(".pth")
    elif Front not in sys.meta_path:
        sys.meta_path.insert(0, Front)
        sys.meta_path.append(Tail)
        atexit.register(end, time.time())


def end(started: float) -> None:
    """Leave a record that the drop-in watched this process; one that lived for a moment only is not worth its cost."""
    silent = time.time() - started < SHORT or os.environ.get("COMPAT_TELEMETRY", "").lower() in ("off", "memory")
    if not silent and _knowing():
        try:
            from compat.telemetry.counters import ended
        except ImportError:
            return  # this process has uninstalled the package
        ended(started)
