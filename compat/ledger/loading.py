"""Loads a ledger by its name."""

from .ledger import Ledger

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from compat.errors import CompatError


def load(reference: str, failed: "BaseException | None" = None) -> "Ledger":
    """Import the ledger at ``"package.module:LEDGER"``; raise :class:`compat.CompatError` that says what is wrong with it.

    ``failed`` is what the import of its module has raised already.
    """
    name, _, attribute = reference.partition(":")
    if not name or not attribute:
        raise _error(f"{reference!r} names no ledger; write 'package.module:LEDGER'")
    try:
        module = _imported(name, failed)
    except ImportError as error:
        raise _error(f"ledger {reference!r} cannot be imported: {error}{_remedy(error, name)}") from error
    except (Exception, SystemExit) as error:
        # Whatever a module of somebody else's does when it is imported, it says nothing about this package.
        raise _error(f"ledger {reference!r}: importing {name!r} raises {type(error).__name__}: {error}") from error
    try:
        found: object = getattr(module, attribute)
    except AttributeError:
        raise _error(f"ledger {reference!r}: module {name!r} has no {attribute!r}") from None
    if not isinstance(found, Ledger):
        raise _error(f"{reference!r} is of type {type(found).__name__}, not a Ledger")
    return found


def _error(text: str) -> "CompatError":
    from compat.errors import CompatError

    return CompatError(text)


def _imported(name: str, failed: "BaseException | None") -> "Any":
    """A module of the environment, or else of the project whose settings hold here, installed or not."""
    try:
        if failed is not None:
            raise failed
        return __import__(name, fromlist=["LEDGER"])
    except ModuleNotFoundError as error:
        top = name.partition(".")[0]
        places = _own_places(top) if error.name == top else []
        if not places:
            raise
    import importlib
    import sys

    # At the end, for this import only: nothing that is installed is hidden by a file that happens to lie in a project.
    sys.path += places
    try:
        importlib.invalidate_caches()
        return importlib.import_module(name)
    finally:
        for place in places:
            sys.path.remove(place)


def _own_places(top: str) -> "list[str]":
    """The directories of the project, of its own and ``src``, that hold a package or module of a name."""
    import os

    from compat import configuration

    file = configuration.find()
    root = os.path.dirname(file) if file else ""
    places = [root, os.path.join(root, "src")] if file else []
    return [
        place for place in places if any(os.path.exists(os.path.join(place, f"{top}{end}")) for end in (".py", "/__init__.py"))
    ]


def _remedy(error: "ImportError", name: str) -> str:
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
