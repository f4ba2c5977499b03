"""The boot path: registers two tiny finders; everything else loads at the first legacy use.

This module runs at the start of every process of an environment in which the package is installed. It may import
nothing that a bare interpreter has not already loaded.
"""

import atexit
import os
import sys
import time

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

# The roots of the shipped ledger, written out so that start-up need not load it. GENERIC ones are names that other projects use
# too: of these only what the ledger declares is served, the two-level names of DECLARED and what is below them.
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
SHIPPED = "compat.legacy.ledger:LEDGER"
# What site and the standard library ask for and usually do not find: no reason to look for ledgers.
_NEVER = frozenset(
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

started_by = ""


def _is_off() -> bool:
    return os.environ.get("COMPAT", "").lower() in ("off", "0", "false", "no")


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


def _find_last(name: str, path: "Any" = None, target: "Any" = None) -> "Any":
    if path is not None or name[0] == "_" or name in _NEVER or name in getattr(sys, "stdlib_module_names", ()):
        return None
    sys.meta_path[:] = [finder for finder in sys.meta_path if finder is not Tail]
    try:
        from compat._declared import entry_points

        # The shipped ledger is declared too, for the command line; here it is served by its roots.
        others = [entry for entry in entry_points(sys.path) if entry.value != SHIPPED]
        if not others:
            return None
        from compat.shim.dropin import serve
    except Exception:
        return None  # whatever is wrong with us, the program asked for something else
    return serve(others, name, path, target)


# Namespaces, not classes: making a class costs every start of an interpreter a third of a percent.
_Namespace: "Any" = type(sys.implementation)
#: Answers for the roots of the shipped ledger; costs one set look-up for every other import.
Front: "Any" = _Namespace(__name__="Front", __module__=__name__, find_spec=_find_first, roots=ROOTS)
#: Asked when nobody found a module: the ledgers that other distributions declare are looked up then, once.
Tail: "Any" = _Namespace(__name__="Tail", __module__=__name__, find_spec=_find_last)


def boot(how: str = "start file") -> None:
    """Register the drop-in; do nothing when it is there already, or when ``COMPAT=off``."""
    global started_by
    if started_by or _is_off():
        return
    started_by = how
    Front.roots = _roots()
    sys.meta_path.insert(0, Front)
    sys.meta_path.append(Tail)
    atexit.register(_end, time.time())


def _end(started: float) -> None:
    """Leave a record that the drop-in watched this process; one that lived for a moment only is not worth its cost."""
    if time.time() - started >= SHORT and os.environ.get("COMPAT_TELEMETRY", "").lower() not in ("off", "memory"):
        from compat.telemetry.counters import ended

        ended(started)


def unboot() -> None:
    """Take the finders out again."""
    global started_by
    started_by = ""
    atexit.unregister(_end)
    sys.meta_path[:] = [finder for finder in sys.meta_path if finder is not Front and finder is not Tail]
