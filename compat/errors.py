"""Every exception and warning category of the package.

    CompatError (Exception)
    ├── LedgerError                      a ledger cannot be used: holds every fault, each with row, reason and remedy
    ├── TargetError (RuntimeError)       a row's canonical target cannot be resolved: it may be optional, so what a use
    │   │                                raises is also what Python raises for what is not there
    │   ├── TargetImportError (ModuleNotFoundError)
    │   └── TargetAttributeError (AttributeError)
    ├── WrongLoopError (RuntimeError)    a sync legacy call that would block the event loop it runs on
    └── LegacyExpiredError               the removal version of a move has been reached
        ├── LegacyExpiredImport (ImportError)
        │   └── LegacyExpiredModule (ModuleNotFoundError)
        ├── LegacyExpiredAttribute (AttributeError)
        ├── LegacyExpiredKey (KeyError)
        ├── LegacyExpiredValue (ValueError)
        └── LegacyExpiredCall (TypeError)
    RemovedImport (ImportError)          a Removed row was used: says what to write instead
    └── RemovedModule (ModuleNotFoundError)
    RemovedAttribute (AttributeError)
    RemovedKey (KeyError)

    LegacyUseWarning (deprecation.DeprecatedWarning, a DeprecationWarning)
    └── LegacyAnnouncedWarning (PendingDeprecationWarning)

A category of a ledger's or a row's own (``category=FutureWarning``) is combined with LegacyUseWarning: filters, ``isinstance``,
``issubclass`` and ``except`` know both. Where it is no DeprecationWarning, LegacyUseWarning is a base of it,
DeprecationWarning is none: Python's default filters would hide the warning.

The warning categories need the ``deprecation`` package, whose import costs more than the whole boot path: they are
made on first access.
"""

from __future__ import annotations

from ._forking import gate

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import Any

    from deprecation import DeprecatedWarning

    class LegacyUseWarning(DeprecatedWarning):  # type: ignore[misc]
        """A legacy name, module, method or argument was used."""

        sentence: str

        def __init__(self, function: str, deprecated_in: str, removed_in: str, details: str = "") -> None: ...

    class LegacyAnnouncedWarning(LegacyUseWarning, PendingDeprecationWarning):
        """A use of something whose deprecation is announced for a later version."""


class CompatError(Exception):
    """Base of every exception that this package raises on its own account."""


class LedgerError(CompatError):
    """A ledger cannot be used; ``faults`` holds every ``(row, reason, remedy)`` found, not only the first."""

    def __init__(self, ledger: str, faults: Iterable[tuple[str, str, str]]) -> None:
        self.ledger = ledger
        self.faults = tuple(faults)
        super().__init__(ledger, self.faults)

    def __str__(self) -> str:
        count = len(self.faults)
        head = f"ledger {self.ledger!r} has {count} fault{'' if count == 1 else 's'}:"
        return "\n".join([head, *(f"  {row}: {reason}. {remedy}" for row, reason, remedy in self.faults)])


class TargetError(CompatError, RuntimeError):
    """The canonical target of a row cannot be resolved."""

    def __init__(self, move: str, target: str, reason: str) -> None:
        self.move, self.target, self.reason = move, target, reason
        super().__init__(move, target, reason)

    def __str__(self) -> str:
        return f"{self.move}: canonical target {self.target!r} cannot be resolved: {self.reason}"


class TargetImportError(TargetError, ModuleNotFoundError):
    """A module or name was imported whose canonical target cannot be resolved."""

    def __init__(self, move: str, target: str, reason: str) -> None:
        super().__init__(move, target, reason)
        self.name = move.partition(":")[0]


class TargetAttributeError(TargetError, AttributeError):
    """A name was read as an attribute whose canonical target cannot be resolved."""


class WrongLoopError(CompatError, RuntimeError):
    """A blocking legacy call on the thread of the running event loop; the message names the form to await."""


class LegacyExpiredError(CompatError):
    """The version in force has reached the removal version of a move; the message names the replacement."""

    def __init__(self, sentence: str, *, name: str | None = None) -> None:
        self.sentence = sentence
        Exception.__init__(self, sentence)
        self.name = name

    def __str__(self) -> str:
        return self.sentence

    def __reduce__(self) -> tuple[object, tuple[str]]:
        return type(self), (self.sentence,)


class LegacyExpiredImport(LegacyExpiredError, ImportError):
    """An expired name was imported from a module that is still there."""


class LegacyExpiredModule(LegacyExpiredImport, ModuleNotFoundError):
    """An expired module was imported, or a name from it."""


class LegacyExpiredAttribute(LegacyExpiredError, AttributeError):
    """An expired name or member was read as an attribute."""


class LegacyExpiredKey(LegacyExpiredError, KeyError):
    """An expired member of an enumeration was looked up by its name."""


class LegacyExpiredValue(LegacyExpiredError, ValueError):
    """An expired member of an enumeration was looked up by its value."""


class LegacyExpiredCall(LegacyExpiredError, TypeError):
    """An expired argument, or what was deprecated in place, was used in a call."""


class RemovedImport(CompatError, ImportError):
    """A removed name was imported; there is nothing behind it any more."""


class RemovedModule(RemovedImport, ModuleNotFoundError):
    """A removed module was imported."""


class RemovedAttribute(CompatError, AttributeError):
    """A removed name was read as an attribute; there is nothing behind it any more."""


class RemovedKey(CompatError, KeyError):
    """A removed member of an enumeration was looked up by its name."""

    __str__ = Exception.__str__


def of_module(error: Exception, *, is_gone: bool) -> Exception:
    """An error that tells of an import, as Python raises it where the module is gone, or where it lacks the name."""
    kinds = {LegacyExpiredImport: LegacyExpiredModule, RemovedImport: RemovedModule}
    if not is_gone:
        kinds = {module: name for name, module in kinds.items()}
    kind: Any = kinds.get(type(error))
    return kind(str(error), name=error.name) if kind is not None else error  # type: ignore[attr-defined]


class _PlainWarning(DeprecationWarning):
    """What ``deprecation.DeprecatedWarning`` has, where that distribution is missing."""

    def __init__(self, function: str, deprecated_in: str, removed_in: str, details: str = "") -> None:
        Warning.__init__(self, function, deprecated_in, removed_in, details)
        self.function, self.deprecated_in, self.removed_in, self.details = function, deprecated_in, removed_in, details


def __getattr__(name: str) -> object:
    if name not in ("LegacyUseWarning", "LegacyAnnouncedWarning"):
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    try:
        with gate:
            from deprecation import DeprecatedWarning
    except ImportError:  # the package alone was put on sys.path (python -S): the use must not fail for it
        DeprecatedWarning = _PlainWarning

    def describe(self: LegacyUseWarning) -> str:
        # `details` holds the whole sentence: it is worded in one place, compat.ledger.wording.
        return str(self.details)

    body = {"__module__": __name__, "__doc__": "A legacy name, module, method or argument was used.", "__str__": describe}
    use = type("LegacyUseWarning", (DeprecatedWarning,), body)
    announced = type(
        "LegacyAnnouncedWarning",
        (use, PendingDeprecationWarning),
        {"__module__": __name__, "__doc__": "A use of something whose deprecation is announced for a later version."},
    )
    # setdefault: two threads may get here at once, and a category must be one object.
    globals().setdefault("LegacyAnnouncedWarning", announced)
    globals().setdefault("LegacyUseWarning", globals()["LegacyAnnouncedWarning"].__mro__[1])
    return globals()[name]


_categories: dict[type[Warning], type[LegacyUseWarning]] = {}


def category_of(own: type[Warning] | str | None) -> type[LegacyUseWarning]:
    """The category of a warning: :class:`LegacyUseWarning`, combined with one of a ledger's or a row's own.

    A category that cannot be had is left out: ``compat.check()`` says so, and no use fails for it.
    """
    if isinstance(own, str):
        own = _resolved(own)
    use: Any = __getattr__("LegacyUseWarning") if "LegacyUseWarning" not in globals() else globals()["LegacyUseWarning"]
    if own is None or own in use.__mro__:
        return use  # type: ignore[no-any-return]
    if type.__subclasscheck__(use, own):
        return own  # type: ignore[return-value]
    made = _categories.get(own)
    if made is None:
        is_deprecation = issubclass(own, DeprecationWarning)
        body = {
            "__module__": own.__module__,
            "__doc__": own.__doc__,
            "__init__": _PlainWarning.__dict__["__init__"],
            "__str__": use.__str__,
            "__reduce__": _reduce,
            "own_category": own,
        }
        kind: Any = type(own)
        if not is_deprecation:
            # The interpreter's own checks read the order of bases, and know no __subclasscheck__.
            kind = type(kind.__name__, (kind,), {"mro": _mro})
        made = _categories.setdefault(own, kind(own.__name__, (use, own) if is_deprecation else (own,), body))
    return made


def _mro(made: Any) -> list[type]:
    """The bases of a category that is no DeprecationWarning, and LegacyUseWarning without its own bases among them."""
    order = type.mro(made)
    at = order.index(Warning)
    return [*order[:at], globals()["LegacyUseWarning"], *order[at:]]


def _resolved(path: str) -> type[Warning] | None:
    module, _, name = path.rpartition(":")
    try:
        with gate:
            from importlib import import_module

            found: Any = getattr(import_module(module or "builtins"), name)
    except Exception:
        return None
    return found if isinstance(found, type) and issubclass(found, Warning) else None


def _reduce(warning: Any) -> tuple[object, tuple[object, ...]]:
    return _again, (warning.own_category, *warning.args)


def _again(own: type[Warning], *args: str) -> Warning:
    return category_of(own)(*args)
