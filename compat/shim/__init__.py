"""How old code runs: legacy names are served, and every use goes through one funnel.

installation  install(), Installation: everything put in can be taken out
finders       what the finder of the drop-in does when a declared ledger may serve a name: loads the ledger and installs it
standby       ledgers found by entry point, which wait for the first use of something legacy
wires         what stands in its places meanwhile; standing: the wires that few ledgers need
kinds         what each kind of move does at run time, one file each
serving       modules and names at legacy paths: finder, loader, modules, descriptors, overlays on modules that still exist
in_place      what stays where it is, observed there
reporting     what only running code knows
attach        rows that change what still exists, composed
trial         check(): does what installing does, and says what could not be served
recording     who uses what: the funnel (count first, warn second), call sites, warning filters, thread origins, lazy imports
adapters      classes that are built by factories now
methods       renamed, converted, legacy_method, and the parts that adapters are made of
forward       generated forwarders
results       dual: one result for callers that await and callers that do not
"""

from compat._forking import gate as _gate

__all__ = [
    "Adapter",
    "Installation",
    "Part",
    "check",
    "converted",
    "count_option",
    "current_name",
    "deprecated",
    "dual",
    "getenv",
    "getkey",
    "install",
    "installed",
    "legacy_method",
    "renamed",
    "shared_instance",
    "usage",
    "use",
    "wait",
]

TYPE_CHECKING = False
if TYPE_CHECKING:
    from .adapters import Adapter
    from .in_place.marking import deprecated
    from .installation import Installation, install, installed
    from .methods import Part, converted, legacy_method, renamed, shared_instance
    from .recording.funnel import usage
    from .reporting import count_option, current_name, getenv, getkey, use
    from .results import dual, wait
    from .trial import check

_HOMES = {
    "Adapter": "adapters",
    "Installation": "installation",
    "Part": "methods",
    "check": "trial",
    "converted": "methods",
    "count_option": "reporting",
    "current_name": "reporting",
    "deprecated": "in_place.marking",
    "dual": "results",
    "getenv": "reporting",
    "getkey": "reporting",
    "install": "installation",
    "installed": "installation",
    "legacy_method": "methods",
    "renamed": "methods",
    "shared_instance": "methods",
    "usage": "recording.funnel",
    "use": "reporting",
    "wait": "results",
}


def __getattr__(name: str) -> object:
    # Each part loads with its first use: a process that meets one moved name needs neither adapters nor asyncio.
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    home = globals().get(_HOMES[name])
    if home is None:
        with _gate:
            home = __import__(f"{__name__}.{_HOMES[name]}", fromlist=[name])
    found = globals()[name] = getattr(home, name)
    return found
