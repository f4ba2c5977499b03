"""A migration adapter: legacy code runs untouched on its canonical replacement, and every use is warned and counted.

The whole public face, loaded on demand: ``import compat`` itself imports nothing else.
"""

TYPE_CHECKING = False
if TYPE_CHECKING:
    from .errors import (
        CompatError as CompatError,
        LedgerError as LedgerError,
        LegacyExpiredError as LegacyExpiredError,
        LegacyUseWarning as LegacyUseWarning,
    )
    from .ledger import (
        Argument as Argument,
        Class as Class,
        Ledger as Ledger,
        Method as Method,
        Module as Module,
        Name as Name,
        Removed as Removed,
        check as check,
    )
    from .shim import (
        Adapter as Adapter,
        converted as converted,
        dual as dual,
        install as install,
        legacy_method as legacy_method,
        renamed as renamed,
        usage as usage,
    )

_ROOMS = {
    "errors": ("CompatError", "LedgerError", "LegacyExpiredError", "LegacyUseWarning"),
    "ledger": ("Argument", "Class", "Ledger", "Method", "Module", "Name", "Removed", "check"),
    "shim": ("Adapter", "converted", "dual", "install", "legacy_method", "renamed", "usage"),
}

__all__ = [  # noqa: RUF022 - sorted as the language sorts, and held against _ROOMS by a test
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
            module = __import__(f"{__name__}.{room}", fromlist=["*"])
            return getattr(module, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> "list[str]":
    return sorted({*globals(), *__all__})
