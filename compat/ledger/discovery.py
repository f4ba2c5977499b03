"""Finds ledgers: by the entry-point group ``compat.ledgers``, by ``[tool.compat] ledgers``, by name."""

from __future__ import annotations

import importlib

from compat.boot.entry_points import EntryPoint, entry_points
from compat.errors import CompatError

from .ledger import Ledger

__all__ = ["EntryPoint", "configured", "discover", "entry_points", "load"]

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


def load(reference: str) -> Ledger:
    """Import the ledger at ``"package.module:LEDGER"``; raise :class:`compat.CompatError` that says what is wrong with it."""
    name, _, attribute = reference.partition(":")
    if not name or not attribute:
        raise CompatError(f"{reference!r} names no ledger; write 'package.module:LEDGER'")
    try:
        module = _imported(name)
    except ImportError as error:
        raise CompatError(f"ledger {reference!r} cannot be imported: {error}{_remedy(error, name)}") from error
    except (Exception, SystemExit) as error:
        # Whatever a module of somebody else's does when it is imported, it says nothing about this package.
        raise CompatError(f"ledger {reference!r}: importing {name!r} raises {type(error).__name__}: {error}") from error
    try:
        found: object = getattr(module, attribute)
    except AttributeError:
        raise CompatError(f"ledger {reference!r}: module {name!r} has no {attribute!r}") from None
    if not isinstance(found, Ledger):
        raise CompatError(f"{reference!r} is of type {type(found).__name__}, not a Ledger")
    return found


def _imported(name: str) -> Any:
    """A module of the environment, or else of the project whose settings hold here, installed or not."""
    try:
        return importlib.import_module(name)
    except ModuleNotFoundError as error:
        top = name.partition(".")[0]
        places = _own_places(top) if error.name == top else []
        if not places:
            raise
    import sys

    # At the end, for this import only: nothing that is installed is hidden by a file that happens to lie in a project.
    sys.path += places
    try:
        importlib.invalidate_caches()
        return importlib.import_module(name)
    finally:
        for place in places:
            sys.path.remove(place)


def _own_places(top: str) -> list[str]:
    """The directories of the project, of its own and ``src``, that hold a package or module of a name."""
    import os

    from compat import configuration

    file = configuration.find()
    root = os.path.dirname(file) if file else ""
    places = [root, os.path.join(root, "src")] if file else []
    return [
        place for place in places if any(os.path.exists(os.path.join(place, f"{top}{end}")) for end in (".py", "/__init__.py"))
    ]


def _remedy(error: ImportError, name: str) -> str:
    import os

    if "PRE_COMMIT" not in os.environ:
        top = name.partition(".")[0]
        if error.name != top:
            return ""
        if os.path.exists(f"{top}.py") or os.path.isdir(top):
            return f"; {top!r} lies here, where it is not searched: run `python -m compat`, which does, or install it"
        return f"; install what has {top!r}, or run this in the directory of its project"
    missing = f" {error.name.partition('.')[0]!r}" if error.name else " it"
    return (
        f"; pre-commit runs this hook in an environment of its own: add the distribution that has{missing} to the hook's"
        " additional_dependencies, or take the local hook that `compat ci pre-commit` prints"
    )


def configured(directory: str = ".") -> list[str]:
    """The references in ``[tool.compat] ledgers`` that hold in a directory."""
    from compat import configuration

    table, _file = configuration.load(directory)
    return list(configuration.value(table, "ledgers"))


def discover(directory: str = ".") -> list[Ledger]:
    """Every ledger in reach: entry points of the installed distributions first, then the project's own configuration.

    A ledger that is named twice is listed once. Raises :class:`compat.CompatError` for one that cannot be loaded.
    """
    import sys

    found: list[Ledger] = []
    for reference in [*(entry.value for entry in entry_points(sys.path)), *configured(directory)]:
        ledger = load(reference)
        if not any(known is ledger for known in found):
            found.append(ledger)
    return found
