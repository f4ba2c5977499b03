"""Runs at the start of every process of an environment in which the package is installed: registers one finder.

A wheel has this file as ``netra_compat_start`` beside the package too, for ``netra_compat.pth``: loading the package as well
would make a start several times as expensive. The finder reads the entry points of the installed distributions at the first
import from outside the standard library, and loads :mod:`compat.shim.finders` at the first name that a declared ledger may serve.

A ledger is declared in the group ``compat.ledgers``. A distribution may also list the names that a ledger serves, in the group
``compat.roots``, so that nothing of the ledger is loaded before one of them is imported::

    [compat.ledgers]
    shop = shop_moves:LEDGER

    [compat.roots]
    old_shop = shop_moves:LEDGER
    common.carts = shop_moves:LEDGER

``old_shop`` is served with all that is below it; of ``common``, a name that other projects use too, ``common.carts`` only. Names
of the standard library may be listed; they are served from the first import of something else on.

This module may import nothing that a bare interpreter has not already loaded, or carries within itself.

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

# No ledger's roots: what site and the standard library ask for and usually do not find, and this package.
NEVER = frozenset(
    (
        "compat",
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
#: Seconds after which a process is recorded as observed while it runs: from then on, one that is killed was observed.
AWHILE = 60.0


def is_off():  # type: () -> bool
    """Whether ``COMPAT`` turns the drop-in off."""
    return os.environ.get("COMPAT", "").lower() in ("off", "0", "false", "no")


def _finders():  # type: () -> Any
    """``compat.shim.finders``; ``None`` where the program has a ``compat`` of its own, which is not ours to run."""
    if "compat" not in sys.modules:
        found: Any = sys.modules["_frozen_importlib_external"].PathFinder.find_spec("compat")
        if found is None or not os.path.isdir(os.path.join(os.path.dirname(str(found.origin)), "boot")):
            return None
    try:
        from compat.shim import finders
    except Exception:
        return None  # this process has uninstalled the package, or is pip, which refuses imports while it installs
    return finders


# PyPy takes an annotation here for a clash with the function's "global".
_standard = getattr(sys, "stdlib_module_names", None)  # type: Any


_library = os.path.dirname(getattr(os, "__file__", ""))
# The folders of the standard library: long to list, and no distribution is installed there, but in a frozen program.
_STANDARD = (_library, os.path.join(_library, "lib-dynload"))


def _listed(folder, changed=None):  # type: (str, Any) -> Any
    # As the import system has listed it already, while it is unchanged.
    finder: Any = sys.path_importer_cache.get(folder)
    changed = changed or os.stat(folder or ".")
    is_known = getattr(finder, "_path_mtime", None) == changed.st_mtime
    return finder._path_cache if is_known else os.listdir(folder or ".")


def _read(path):  # type: (str) -> bytes
    # By the calls of the system: a file object takes longer to make than the file to read.
    text = b""
    try:
        file = os.open(path, os.O_RDONLY)
        try:
            while part := os.read(file, 8192):
                text += part
                if len(part) < 8192:
                    break
        finally:
            os.close(file)
    except OSError:
        return b""
    return text


def _zipped(place):  # type: (str) -> list[tuple[str, bytes]]
    # What the import system has read of a zip file already; it has a finder for one that it can import from.
    found = []
    finder: Any = sys.modules["_frozen_importlib_external"].PathFinder._path_importer_cache(place)
    if hasattr(finder, "archive"):
        known = sys.modules["zipimport"]._zip_directory_cache
        if finder.archive not in known:
            finder.find_spec("compat")  # has it read, where that is put off
        for name in known.get(finder.archive, ()):
            if name.endswith(("-info/entry_points.txt", "-info\\entry_points.txt")) and name.startswith(finder.prefix):
                folder = name[len(finder.prefix) : -len("/entry_points.txt")]
                if folder.endswith((".dist-info", ".egg-info")) and os.path.basename(folder) == folder:
                    found.append((folder, finder.get_data(os.path.join(finder.archive, name))))
    return found


def declaring(path, group=b"compat.ledgers", known=None):  # type: (Iterable[str], bytes, Any) -> list[tuple[str, bytes]]
    """The metadata folders below ``path`` whose entry points have a group, with the text of these.

    ``known`` has what :func:`os.stat` tells of a folder; nothing for one that is not there, or lies within a zip file.
    """
    mark = b"[" + group + b"]"
    found = []
    is_there, readable = os.access, os.R_OK
    for folder in path:
        if folder in _STANDARD:
            continue
        here = []
        try:
            for name in _listed(folder, known and known[folder]):
                if name[-5:] == "-info" and name.endswith((".dist-info", ".egg-info")):
                    file = f"{folder or '.'}/{name}/entry_points.txt"
                    # Most have none, which is quicker to ask for than to fail at.
                    if is_there(file, readable):
                        here.append((name, _read(file)))
        except Exception:
            try:
                here = _zipped(folder)
            except Exception:
                continue  # the import system, too, passes over whatever else stands in sys.path
        found += sorted(one for one in here if mark in one[1])
    return found


def entries(text, group):  # type: (bytes, bytes) -> list[tuple[str, str, str]]
    """The name, the reference and the extras of each entry point of a group; none where the text is not UTF-8."""
    found = []
    head = b"\n[" + group + b"]"
    for section in (b"\n" + text).split(head)[1:]:
        try:
            lines = section.partition(b"\n[")[0].decode().split("\n")
        except UnicodeDecodeError:
            return []
        for line in lines:
            name, sign, value = line.partition("=")
            if sign and line[0] != "#":
                extra = ""
                if "[" in value:
                    value, _, extra = value.partition("[")
                found.append((name.strip(), value.strip(), extra.strip("] \r")))
    return found


def is_candidate(root):  # type: (str) -> bool
    """Whether a ledger may speak of a top-level module: it is none of the standard library's."""
    return not (root in (_standard or _told_by_folders()) or root[:1] == "_" or root in NEVER)


def _told_by_folders():  # type: () -> Any
    # Before 3.10 the modules of the standard library are told by the folders that they lie in.
    global _standard
    known = set(sys.builtin_module_names)
    for folder in _STANDARD:
        if os.path.isdir(folder):
            known.update([entry.partition(".")[0] for entry in _listed(folder)])
    _standard = known
    return known


def _changed(folder):  # type: (Any) -> Any
    # Nothing for a folder that is not there.
    try:
        return os.stat(folder or ".")
    except (OSError, ValueError):
        return None


def learn():  # type: () -> None
    """Read what the folders of ``sys.path`` declare, each again when something was installed into it.

    Every program pays for it at its first third-party import.
    """
    path = list(sys.path)
    folders = {}
    for folder in path:
        if isinstance(folder, str) and folder not in _STANDARD:
            changed = _changed(folder)
            if folder not in finder.folders or finder.folders[folder] != (changed and changed.st_mtime_ns):
                folders[folder] = changed
    for distribution, text in declaring(folders, known=folders):
        learn_from(distribution, text)
    # Only now: a thread that comes meanwhile reads them too, and does not go on without.
    for folder, changed in folders.items():
        finder.folders[folder] = changed and changed.st_mtime_ns
    finder.path = path
    # A module of the standard library that a ledger lists may have been loaded long ago.
    loaded = [root for root in list(finder.roots) if root in sys.modules and not is_candidate(root)] if folders else ()
    finders = _finders() if loaded else None
    if finders:
        finders.serve(finder, loaded)


def learn_from(distribution, text):  # type: (str, bytes) -> None
    """Learn what the entry points of one distribution declare."""
    listed = set()
    known, roots = finder.known, finder.roots
    for name, reference, _ in entries(text, b"compat.roots"):
        listed.add(reference)
        entry = (name, reference, distribution)
        if entry not in known:
            roots.setdefault(name.partition(".")[0], []).append(entry)
            # Last: a thread that comes meanwhile takes what is known for being among the roots.
            known.add(entry)
    for name, reference, _ in entries(text, b"compat.ledgers"):
        entry = (name, reference, distribution)
        if reference not in listed and entry not in known:
            finder.unlisted.append(entry)
            known.add(entry)


def _find(name, path=None, target=None):  # type: (str, Any, Any) -> Any
    root = name.partition(".")[0]
    # As is_candidate() says; every import comes here.
    if (root in (_standard or _told_by_folders()) or root[:1] == "_" or root in NEVER) and root not in finder.roots:
        return None
    if path is None or sys.path != finder.path:
        learn()
    # A root of which nothing is left to serve as well: another thread may have served it since this import began.
    if root in finder.roots or (finder.unlisted and path is None):
        finders = _finders()
        return finders and finders.find(finder, name, path, target)
    return None


# A namespace, not a class: making a class costs every start of an interpreter a third of a percent.
_namespace = type(sys.implementation)  # type: Any
#: The finder of the drop-in, the first in ``sys.meta_path``.
finder = _namespace(
    __name__="compat drop-in",
    __module__=__name__,
    find_spec=_find,
    started_by="",
    path=None,  # sys.path as it was last read
    folders={},  # what was read of it, and when that had changed last
    known=set(),  # the entries that were read
    # top-level name -> [(listed name, reference of the ledger, metadata folder)] for ledgers not yet served, [] for others
    roots={},
    unlisted=[],  # the same of ledgers whose roots are not listed, by the entry point's name
)  # type: Any


def boot(how=".pth"):  # type: (str) -> None
    """Register the drop-in; do nothing when it is there already, or when ``COMPAT=off``."""
    if is_off():
        return
    for one in sys.meta_path:
        # The other copy of this module may have started it.
        if getattr(one, "__name__", "") == "compat drop-in":
            return
    finder.started_by = how
    sys.meta_path.insert(0, finder)
    started = time.time()
    atexit.register(end, started)
    if _is_asked():
        import gc  # most processes do without

        if hasattr(gc, "callbacks"):
            finder.started = started
            gc.callbacks.append(beat)


def is_asked():  # type: () -> bool
    """Whether somebody asks for the record of a process that used nothing: by a variable, or as the project in which it runs."""
    # A project is read by what records, and found here by its words.
    return _is_asked() or b"[tool.compat" in _read("pyproject.toml")


def _is_asked():  # type: () -> bool
    # A process that used nothing legacy belongs to somebody who may never have heard of this package: nothing is written for
    # it unless a service, a directory or the telemetry was named.
    said = os.environ
    mode = said.get("COMPAT_TELEMETRY", "").strip().lower()
    return bool(said.get("COMPAT_DIR") or said.get("COMPAT_SERVICE")) if mode == "" else mode not in ("off", "memory")


def beat(phase="", info=None):  # type: (str, Any) -> None
    """Record, as garbage is collected a while after the start, that this process is observed: the end of a kill has no hook."""
    if 0.0 <= time.time() - finder.started < AWHILE:
        return
    sys.modules["gc"].callbacks.remove(beat)
    try:
        # Whoever is in an import holds locks, and pip is about to change what would be imported.
        if "pip" not in sys.modules and _finders():
            from compat.telemetry.record.counters import living

            living(finder.started)
    except Exception:
        pass


def end(started):  # type: (float) -> None
    """Leave a record that the drop-in watched this process; one that lived for a moment only is not worth its cost."""
    beats: Any = getattr(sys.modules.get("gc"), "callbacks", ())
    if beat in beats:
        beats.remove(beat)
    silent = time.time() - started < SHORT or not is_asked()
    # pip warns of all that is imported when it has installed something: it may be half of the old and half of the new.
    if not silent and "pip" not in sys.modules and _finders():
        try:
            from compat.telemetry.record.counters import ended
        except ImportError:
            return  # this process has uninstalled the package
        ended(started)
