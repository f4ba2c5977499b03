"""All that the drop-in's finders know; what serves legacy names is loaded at the first legacy use only.

Loaded at the start by whoever calls :func:`boot` himself; else when a finder of ``netra_compat_start`` needs it, whose place
it then takes. It may import nothing that a bare interpreter has not already loaded.
"""

import atexit
import os
import sys
import time

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

if "netra_compat_start" in sys.modules:
    _start: "Any" = sys.modules["netra_compat_start"]
else:
    from . import _start  # the same text: nothing but the package may be on the path

ROOTS: "frozenset[str]" = _start.ROOTS
is_off: "Callable[[], bool]" = _start.is_off
is_candidate: "Callable[[str], bool]" = _start.is_candidate

# GENERIC roots of the shipped ledger are names that other projects use too: of these only what the ledger declares is served,
# the two-level names of DECLARED and what is below them.
# table: made by python -m compat.netra.boot_table --write
GENERIC = frozenset(
    (
        "app",
        "dev_launcher",
        "shared",
        "test_framework",
        "tests",
    )
)
DECLARED = frozenset(
    (
        "app.agents",
        "app.ws_manager",
        "dev_launcher.isolated_environment",
        "shared.environment",
        "shared.id_generation",
        "shared.isolated_environment",
        "shared.logging",
        "shared.types",
        "shared.websocket",
        "test_framework.base",
        "test_framework.base_integration_test",
        "test_framework.centralized_docker_manager",
        "test_framework.conftest_isolated_environment",
        "test_framework.docker",
        "test_framework.docker_manager",
        "test_framework.docker_test_manager",
        "test_framework.fixtures",
        "test_framework.isolated_environment_fixtures",
        "test_framework.ssot",
        "test_framework.unified_docker_manager",
        "test_framework.websocket_helpers",
        "tests.integration",
    )
)
# end of table
started_by = ""


def _roots() -> "frozenset[str]":
    told = os.environ.get("COMPAT_ROOTS")
    if told is None:
        return ROOTS
    return ROOTS.intersection(part.strip() for part in told.split(","))


def _find_first(name: str, path: "Any" = None, target: "Any" = None) -> "Any":
    root, dot, rest = name.partition(".")
    if root not in Front.roots:
        return None
    if root in GENERIC:
        if dot:
            if f"{root}.{rest.partition('.')[0]}" not in DECLARED:
                return None
        else:
            for finder in sys.meta_path:
                found = finder.find_spec(name, path, target) if finder is not Front and finder is not Tail else None
                if found is not None:
                    return found
    sys.meta_path[:] = [finder for finder in sys.meta_path if finder is not Front]
    from compat.shim.dropin import wake

    return wake(name, path, target)


def _find_declared(name: str, path: "Any" = None, target: "Any" = None) -> "Any":
    if path is not None or not is_candidate(name):
        return None
    try:
        if _start.others():
            from compat._declared import others

            declared = others()
            if name in declared:
                from compat.shim.dropin import serving

                return serving(declared, name, target)
    except Exception:
        pass  # whatever is wrong with us, the program asked for something else
    return None


def serve(name: str, path: "Any", target: "Any") -> "Any":
    """Serve the ledgers that other distributions declare, and answer for a module that nobody found."""
    try:
        from compat._declared import SHIPPED, entry_points

        declared = [entry for entry in entry_points(sys.path) if entry.value != SHIPPED]
        if not declared:
            return None
        from compat.shim import dropin
    except Exception:
        return None
    return dropin.serve(declared, name, path, target)


_Namespace: "Any" = type(sys.implementation)
#: Answers for the roots of the shipped ledger; costs one set look-up for every other import.
Front: "Any" = _Namespace(__name__="Front", __module__=__name__, find_spec=_find_first, roots=ROOTS)
#: Sees the first import of a package that declares a ledger, whose names in modules that still exist nobody would miss.
Owners: "Any" = _Namespace(__name__="Owners", __module__=__name__, find_spec=_find_declared)
Tail: "Any" = _start.Tail


def boot(how: str = "start file") -> None:
    """Register the drop-in; do nothing when it is there already, or when ``COMPAT=off``."""
    global started_by
    if started_by or is_off():
        return
    started_by = how
    Front.roots = _roots()
    sys.meta_path[:0] = (Front, Owners)
    Tail.is_asked = False
    sys.meta_path.append(Tail)
    atexit.register(_start.end, time.time())


def unboot() -> None:
    """Take the finders out again."""
    global started_by
    started_by = ""
    atexit.unregister(_start.end)
    sys.meta_path[:] = [finder for finder in sys.meta_path if finder not in (Front, Owners, Tail)]


def _take_over() -> None:
    """Stand where the first finder of the start stands; what it registered for the end of the process stays."""
    global started_by
    if _start.Front in sys.meta_path:
        started_by = ".pth"
        Front.roots = _roots()
        at = sys.meta_path.index(_start.Front)
        sys.meta_path[at : at + 1] = (Front, Owners)


_take_over()
