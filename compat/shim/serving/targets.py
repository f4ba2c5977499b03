"""Resolves dotted targets, late and by name, so that what is patched or reloaded on the canonical side is what is found."""

from __future__ import annotations

import atexit
import importlib.util
import sys
from importlib import import_module

from compat._forking import gate
from compat.errors import TargetAttributeError, TargetError, TargetImportError

from ..recording.callsite import unseen
from ..recording.funnel import recorded

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from importlib.machinery import ModuleSpec
    from types import ModuleType

    from compat.ledger import Move

#: The canonical modules of the rows in use, once the process ends: destructors find no modules by name any more.
_kept: dict[str, ModuleType] = {}


@atexit.register
def keep_targets() -> None:
    """Remember the canonical modules: destructors find none by their names any more."""
    for move in recorded():
        for path in (move.canonical, move.adapter):
            name = path.partition(":")[0]
            if name in sys.modules:
                _kept[name] = sys.modules[name]


#: What to install for the target of a row, by its id, where another distribution has it.
_required: dict[str, str] = {}


def require(move: Move) -> None:
    """Remember what the target of a row needs, for the error where it is missing."""
    if move.requires:
        _required[move.id] = move.requires


def explained(move: str, reason: str) -> str:
    """Why a target cannot be had, and what to install for it."""
    needed = _required.get(move)
    return f"{reason}; install what has it: pip install {needed!r}" if needed else reason


def load_module(name: str, move: str) -> ModuleType:
    """Import a canonical module; :class:`TargetImportError` when the ledger names one that does not exist.

    An import that fails inside the target (a missing optional package, say) is passed on as it is.
    """
    module = sys.modules.get(name) or _kept.get(name)
    # One that another thread is importing at this moment is imported again, which waits until it is whole.
    if module is not None and not getattr(getattr(module, "__spec__", None), "_initializing", False):
        return module
    try:
        with gate:
            return import_module(name)
    except ModuleNotFoundError as error:
        if error.name and (name == error.name or name.startswith(error.name + ".")):
            raise TargetImportError(move, name, explained(move, f"no module named {error.name!r}")) from error
        raise


def spec_of(name: str) -> ModuleSpec | None:
    """The spec of a canonical module, also of a stand-in in ``sys.modules`` that has none."""
    try:
        with gate:
            return importlib.util.find_spec(name)
    except ValueError:
        module = sys.modules.get(name)
        if module is None:
            raise
    spec = importlib.util.spec_from_loader(name, getattr(module, "__loader__", None), origin=getattr(module, "__file__", None))
    if spec is not None and hasattr(module, "__path__"):
        spec.submodule_search_locations = list(module.__path__)
    return spec


@unseen
def resolve(path: str, move: str) -> object:
    """The object at ``"package.module:attribute"`` or the module at ``"package.module"``."""
    name, _, attribute = path.partition(":")
    found: object = load_module(name, move)
    for part in attribute.split(".") if attribute else ():
        try:
            found = getattr(found, part)
        except AttributeError as error:
            if not (isinstance(found, type(sys)) and getattr(getattr(found, "__spec__", None), "_initializing", False)):
                raise TargetAttributeError(move, path, explained(move, f"{found!r} has no attribute {part!r}")) from error
            # Half-imported: the two sides import each other. Say it as Python says it.
            raise ImportError(
                f"cannot import name {part!r} from partially initialized module {name!r} (most likely due to a circular import)",
                name=name,
            ) from error
    return found


def is_there(move: Move) -> bool:
    """Whether a row has something to hand out: its target may be optional.

    A module's own ``__getattr__`` is not asked, which may warn; it is taken to have what the ledger says.
    """
    name, _, attribute = (move.adapter or move.canonical).partition(":")
    try:
        module = load_module(name, move.id)
    except ImportError:
        return False
    first = attribute.partition(".")[0]
    return not first or first in vars(module) or "__getattr__" in vars(module) or hasattr(type(module), first)


@unseen
def load_for(load: Callable[[], object], move: str, path: str, *, is_import: bool) -> object:
    """What ``load`` gives. Where it fails, the error is one that Python raises for such a use of what is not there.

    A package that the target needs may be missing as well: an attribute is then one that is not there.
    """
    try:
        return load()
    except TargetError as error:
        raise (TargetImportError if is_import else TargetAttributeError)(error.move, error.target, error.reason) from error
    except ImportError as error:
        if is_import:
            raise
        raise TargetAttributeError(move, path, f"{type(error).__name__}: {error}") from error


def owner_of(path: str, move: str) -> tuple[object, str]:
    """The object that holds the last attribute of ``path``, and that attribute's name."""
    name, _, attribute = path.partition(":")
    head, _, last = attribute.rpartition(".")
    return resolve(f"{name}:{head}" if head else name, move), last


@unseen
def loader_of(path: str, move: str, deleted: list[bool] | None = None) -> Callable[[], object]:
    """A function that resolves ``path`` at each call; quick for the plain case of a module's attribute.

    ``deleted`` is non-empty while the attribute is deleted through its legacy path, as ``mock.patch`` does for a moment.
    """
    name, _, attribute = path.partition(":")
    modules = sys.modules

    def load() -> object:
        try:
            return getattr(modules[name], attribute)
        except (KeyError, AttributeError):
            if deleted:
                raise AttributeError(f"module {name!r} has no attribute {attribute!r}") from None
            return resolve(path, move)

    def load_deep() -> object:
        return resolve(path, move)

    return load if attribute and "." not in attribute else load_deep
