"""What runs at the start of every process of an environment in which the package is installed: two finders are registered.

It stands once more beside the package, as ``netra_compat_start``, for ``netra_compat.pth``: a start that loads the package
and all that the finders know costs several times as much. ``compat._boot`` knows it, and takes the first one's place when it is
loaded: at the first legacy name, or, where another distribution declares a ledger, the first name that this may speak of.

It may import nothing that a bare interpreter has not already loaded, or carries within itself.

PYTEST_DONT_REWRITE: pytest comes later, and would warn that it came too late.
"""

import atexit
import os
import sys
import time

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import Any

# The roots of the shipped ledger, written out so that start-up need not load it.
# table: made by python -m compat.netra.boot_table --write
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

#: The metadata of this distribution, whose ledger is declared for the command line; here it is served by its roots.
OWN = ("netra_compat-", "netra_compat.")

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
    except Exception:
        return None  # this process has uninstalled the package, or is pip, which refuses imports while it installs
    return _boot


# PyPy takes an annotation here for a clash with the function's "global".
_standard = None  # type: Any
_others = None  # type: Any


def _listed(folder: str) -> "Any":
    # As the import system has listed it already, while it is unchanged.
    finder: Any = sys.path_importer_cache.get(folder)
    is_known = getattr(finder, "_path_mtime", None) == os.stat(folder or ".").st_mtime
    return finder._path_cache if is_known else os.listdir(folder or ".")


def _read(path: str) -> bytes:
    # By the calls of the system: a file object takes longer to make than the file to read.
    text = b""
    try:
        file = os.open(path, os.O_RDONLY)
        try:
            while part := os.read(file, 65536):
                text += part
        finally:
            os.close(file)
    except OSError:
        return b""
    return text


def declaring(path: "Iterable[str]", passing: "tuple[str, ...]" = ()) -> "list[tuple[str, bytes]]":
    """The metadata folders below ``path`` whose entry points have the group ``compat.ledgers``, with the text of these.

    Those whose names begin with one of ``passing`` are passed over.
    """
    found = []
    for folder in path:
        here = []
        try:
            for name in _listed(folder):
                if name.endswith((".dist-info", ".egg-info")) and not name.startswith(passing):
                    text = _read(f"{folder or '.'}/{name}/entry_points.txt")
                    if b"[compat.ledgers]" in text:
                        here.append((name, text))
        except Exception:
            continue  # the import system, too, passes over whatever else stands in sys.path
        found += sorted(here)
    return found


def others() -> "list[tuple[str, bytes]]":
    """What other distributions declare; looked up once, by the ``sys.path`` of then.

    Every program pays for it at its first import from outside the standard library.
    """
    global _others
    if _others is None:
        _others = declaring(sys.path, OWN)
    known: Any = _others
    return known  # type: ignore[no-any-return]


def is_candidate(name: str) -> bool:
    """Whether a ledger of another distribution may speak of a top-level module: it is none of the standard library's."""
    global _standard
    if name[0] == "_" or name in NEVER:
        return False
    known: Any = getattr(sys, "stdlib_module_names", _standard)
    if known is None:
        # Before 3.10 they are told by the folders that they lie in.
        lib = os.path.dirname(os.__file__)
        known = set(sys.builtin_module_names)
        for folder in (lib, os.path.join(lib, "lib-dynload")):
            if os.path.isdir(folder):
                for entry in _listed(folder):
                    known.add(entry.partition(".")[0])
        _standard = known
    return name not in known


def _find_first(name: str, path: "Any" = None, target: "Any" = None) -> "Any":
    if name.partition(".")[0] in ROOTS:
        known = _knowing()
        return known and known.Front.find_spec(name, path, target)
    if path is None and name != "compat" and is_candidate(name) and others():
        known = _knowing()
        return known and known.Owners.find_spec(name, path, target)
    return None


def _find_last(name: str, path: "Any" = None, target: "Any" = None) -> "Any":
    if path is not None or Tail.is_asked or not is_candidate(name):
        return None
    # Taken out of sys.meta_path now, it would have the import system pass over the finder behind it.
    Tail.is_asked = True
    known = _knowing() if declaring(sys.path, OWN) else None
    return known and known.serve(name, path, target)


# Namespaces, not classes: making a class costs every start of an interpreter a third of a percent.
_Namespace: "Any" = type(sys.implementation)
#: Stands for the finder of the same name in ``compat._boot``; costs one set look-up for every import of another root.
Front: "Any" = _Namespace(__name__="Front", __module__=__name__, find_spec=_find_first)
#: Asked when nobody found a module: the ledgers that other distributions declare are looked up then, once.
Tail: "Any" = _Namespace(__name__="Tail", __module__=__name__, find_spec=_find_last, is_asked=False)


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
    # pip warns of all that is imported when it has installed something: it may be half of the old and half of the new.
    if not silent and "pip" not in sys.modules and _knowing():
        try:
            from compat.telemetry.record.counters import ended
        except ImportError:
            return  # this process has uninstalled the package
        ended(started)
