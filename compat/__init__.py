"""A migration adapter: legacy code runs untouched on its canonical replacement, and every use is warned and counted.

The whole public face, loaded on demand: ``import compat`` itself imports nothing else.

PYTEST_DONT_REWRITE: start-up has imported this package before pytest comes, and it would warn that it came too late.
"""

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
        Class as Class,
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
        check as check,
    )
    from .shim import (
        Adapter as Adapter,
    )
    from .shim import (
        converted as converted,
    )
    from .shim import (
        dual as dual,
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
        usage as usage,
    )

_ROOMS = {
    "errors": ("CompatError", "LedgerError", "LegacyExpiredError", "LegacyUseWarning"),
    "ledger": ("Argument", "Class", "Ledger", "Method", "Module", "Name", "Removed", "check"),
    "shim": ("Adapter", "converted", "dual", "install", "legacy_method", "renamed", "usage"),
}

__all__ = [
    "Adapter",
    "Argument",
    "Class",
    "CompatError",
    "Ledger",
    "LedgerError",
    "LegacyExpiredError",
    "LegacyUseWarning",
    "Method",
    "Module",
    "Name",
    "Removed",
    "check",
    "converted",
    "dual",
    "install",
    "legacy_method",
    "renamed",
    "usage",
]


def __getattr__(name: str) -> object:
    for room, names in _ROOMS.items():
        if name in names:
            # No fromlist of "*": that would load everything the room has.
            return getattr(__import__(f"{__name__}.{room}", fromlist=[name]), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> "list[str]":
    return sorted({*globals(), *__all__})
