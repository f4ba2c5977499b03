"""A migration adapter: legacy code runs untouched on its canonical replacement, and every use is warned and counted.

General layout:

    errors          every exception and warning category
    configuration   what a project sets in [tool.compat]: the table of its keys, their check, their schema
    ledger/         what moved: rows, the ledgers that hold them, their checks, the one sentence
    shim/           how old code runs: one finder, one file per kind of move, one funnel for every use
    telemetry/      who still uses it: record -> history -> report, page, export, read
    analysis/       where it is written: reading -> targets -> model -> rules -> scanning, rewriting -> debt, documents, output
    readiness       whether it may go: ledger, telemetry and findings joined into a verdict per move
    project/        how a project begins: its survey, its first ledger, its pipelines, what is wrong in its set-up
    cli/            the command line
    pytest_plugin/  legacy uses of a test run: summary, limits, ratchet, rehearsal
    nox             sessions of nox that rehearse each removal on each Python
    testing/        what a block of a test used, for any test runner
    boot/           how it starts with every process of an environment; auto starts it by hand
    canonical/      the core: a WebSocket server that imports nothing else of the package
    netra/          the case: legacy names of one backend, served on the core through the tool's public face

A row of a ledger is the only statement of a move; the rest is derived from it. docs/architecture.md draws the lines.

All public names are loaded on demand: ``import compat`` itself imports nothing but the gate at which a fork waits for what is
being loaded.

PYTEST_DONT_REWRITE: start-up has imported this package before pytest comes, and it would warn that it came too late.
"""

from ._forking import gate as _gate

#: The version of the distribution and of the shipped ledger; pyproject.toml and the command line read it here.
__version__ = "1.0.0"

TYPE_CHECKING = False
if TYPE_CHECKING:
    from .errors import (
        CompatError as CompatError,
    )
    from .errors import (
        LedgerError as LedgerError,
    )
    from .errors import (
        LegacyExpiredError as LegacyExpiredError,
    )
    from .errors import (
        LegacyUseWarning as LegacyUseWarning,
    )
    from .ledger import (
        Argument as Argument,
    )
    from .ledger import (
        Behaviour as Behaviour,
    )
    from .ledger import (
        Class as Class,
    )
    from .ledger import (
        Deprecated as Deprecated,
    )
    from .ledger import (
        Ledger as Ledger,
    )
    from .ledger import (
        Method as Method,
    )
    from .ledger import (
        Module as Module,
    )
    from .ledger import (
        Name as Name,
    )
    from .ledger import (
        Removed as Removed,
    )
    from .ledger import (
        choose as choose,
    )
    from .ledger import (
        common as common,
    )
    from .ledger import (
        names as names,
    )
    from .ledger import (
        removed as removed,
    )
    from .shim import (
        Adapter as Adapter,
    )
    from .shim import (
        check as check,
    )
    from .shim import (
        converted as converted,
    )
    from .shim import (
        count_option as count_option,
    )
    from .shim import (
        current_name as current_name,
    )
    from .shim import (
        deprecated as deprecated,
    )
    from .shim import (
        dual as dual,
    )
    from .shim import (
        getenv as getenv,
    )
    from .shim import (
        getkey as getkey,
    )
    from .shim import (
        install as install,
    )
    from .shim import (
        legacy_method as legacy_method,
    )
    from .shim import (
        renamed as renamed,
    )
    from .shim import (
        shared_instance as shared_instance,
    )
    from .shim import (
        usage as usage,
    )
    from .shim import (
        use as use,
    )
    from .telemetry import (
        on_new_site as on_new_site,
    )

_ROOMS = {
    "errors": ("CompatError", "LedgerError", "LegacyExpiredError", "LegacyUseWarning"),
    "ledger": (
        "Argument",
        "Behaviour",
        "Class",
        "Deprecated",
        "Ledger",
        "Method",
        "Module",
        "Name",
        "Removed",
        "choose",
        "common",
        "names",
        "removed",
    ),
    "shim": (
        "Adapter",
        "check",
        "converted",
        "count_option",
        "current_name",
        "deprecated",
        "dual",
        "getenv",
        "getkey",
        "install",
        "legacy_method",
        "renamed",
        "shared_instance",
        "usage",
        "use",
    ),
    "telemetry": ("on_new_site",),
}

__all__ = [
    "Adapter",
    "Argument",
    "Behaviour",
    "Class",
    "CompatError",
    "Deprecated",
    "Ledger",
    "LedgerError",
    "LegacyExpiredError",
    "LegacyUseWarning",
    "Method",
    "Module",
    "Name",
    "Removed",
    "check",
    "choose",
    "common",
    "converted",
    "count_option",
    "current_name",
    "deprecated",
    "dual",
    "getenv",
    "getkey",
    "install",
    "legacy_method",
    "names",
    "on_new_site",
    "removed",
    "renamed",
    "shared_instance",
    "usage",
    "use",
]


def __getattr__(name: str) -> object:
    for room, names in _ROOMS.items():
        if name in names:
            # Nothing can be imported as the interpreter goes down: a destructor finds what is loaded.
            found = globals().get(room)
            if found is None:
                with _gate:
                    # No fromlist of "*": that would load everything the room has.
                    found = __import__(f"{__name__}.{room}", fromlist=[name])
            return getattr(found, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> "list[str]":
    return sorted({*globals(), *__all__})
