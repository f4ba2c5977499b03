"""How old code runs: finder, modules, names, classes, methods, arguments, and the one funnel they all lead to.

installation  install(), Installation: everything put in can be taken out
finder        answers for legacy modules where nothing real does
modules       legacy modules and the specs that see every importer
descriptors   counted attributes of modules
overlay       single names of modules that still exist
adapters      classes that are built by factories now
methods       renamed, converted, legacy_method
arguments     renamed, dropped, converted, reordered, required arguments
forward       generated forwarders
dual          one result for callers that await and callers that do not
funnel        Tap: count first, warn second; usage()
watch         the warning filters
callsite      who is the user
handed        who handed a legacy callable to a thread or an executor
bytecode      what the user's instruction does
lazy          lazy imports
"""

from __future__ import annotations

__all__ = ["Adapter", "Installation", "converted", "dual", "install", "installed", "legacy_method", "renamed", "usage", "wait"]

TYPE_CHECKING = False
if TYPE_CHECKING:
    from .adapters import Adapter
    from .funnel import usage
    from .installation import Installation, install, installed
    from .methods import converted, legacy_method, renamed
    from .results import dual, wait

_HOMES = {
    "Adapter": "adapters",
    "Installation": "installation",
    "converted": "methods",
    "dual": "results",
    "install": "installation",
    "installed": "installation",
    "legacy_method": "methods",
    "renamed": "methods",
    "usage": "funnel",
    "wait": "results",
}


def __getattr__(name: str) -> object:
    # Each part loads with its first use: a process that meets one moved name needs neither adapters nor asyncio.
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    found = getattr(__import__(f"{__name__}.{_HOMES[name]}", fromlist=[name]), name)
    globals()[name] = found
    return found
