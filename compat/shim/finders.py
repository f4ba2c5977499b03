"""What the drop-in's finder does at a name that a declared ledger may serve: load the ledger, install it, ask again.

A ledger whose roots are listed is installed at the first import of one of them. One whose roots are not listed is installed as
soon as its own package, or the one that its entry point is named after, is loaded; at the latest at the first import that fails.
"""

import os
import sys
from _thread import get_ident

from compat._forking import gate, serving

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence
    from importlib.machinery import ModuleSpec
    from types import ModuleType
    from typing import Any

    from compat.ledger import Ledger

    Entry = tuple[str, str, str]  # the entry point's name, the reference of the ledger, the metadata folder

# References that a thread is loading: what it imports for that is not served by them.
_loading = set()  # type: set[tuple[int, str]]
# Top-level names that have been asked for.
_asked = set()  # type: set[str]
serving.append(_asked.__contains__)
# One per reference: threads that arrive together install the same object, and so once.
_ledgers = {}  # type: dict[str, Ledger]
#: Per reference of a ledger that could not be installed: why, for who must not go on without it.
failures = {}  # type: dict[str, str]


def narrowing():  # type: () -> frozenset[str] | None
    """The roots that ``COMPAT_ROOTS`` leaves to the drop-in; ``None`` where it is not set."""
    value = os.environ.get("COMPAT_ROOTS")
    return None if value is None else frozenset(part.strip() for part in value.split(",") if part.strip())


def find(finder, name, path, target):  # type: (Any, str, Sequence[str] | None, ModuleType | None) -> ModuleSpec | None
    """Install what is due at the import of a name, and return the spec that answers for it."""
    _asked.add(name.partition(".")[0])
    with gate:
        return _find(finder, name, path, target)


def _find(finder, name, path, target):  # type: (Any, str, Sequence[str] | None, ModuleType | None) -> ModuleSpec | None
    root, dot, _ = name.partition(".")
    roots = narrowing()
    if roots is not None and root not in roots:
        return None
    listed = _not_loading(finder.roots.get(root, ()))
    if dot:
        due = [entry for entry in listed if (_is_loaded(root) if _package(entry) == root else _covers(entry, name))]
        _install(finder, due, at_once=any(_package(entry) != root for entry in due))
        return _answer(name, path, target)
    unlisted = _not_loading(finder.unlisted)
    awaiting = [entry for entry in listed if _package(entry) == root]
    awaiting += [entry for entry in unlisted if root in (entry[0], _package(entry))]
    due = [entry for entry in listed if entry[0] == root and entry not in awaiting]
    _install(finder, due, at_once=True)
    # What is in front of this finder may have come there after this import's round of the finders had begun.
    found = _answer(name, path, target)
    if found is None and not due:
        found = _elsewhere(finder, name, path, target)
    if found is None:
        _install(finder, [entry for entry in (*listed, *unlisted) if _package(entry) != root])
        return _answer(name, path, target)
    if awaiting and found.loader is not None:
        from . import wires

        def ran(_module):  # type: (ModuleType) -> None
            _install(finder, awaiting)
            wires.arrived(root)

        wires.awaited[root] = []
        found.loader = wires.OverlayLoader(found.loader, found, ran)  # type: ignore[assignment]
    return found


def serve(finder, roots):  # type: (Any, Iterable[str]) -> None
    """Install the ledgers that list top-level modules which are loaded already."""
    narrowed = narrowing()
    with gate:
        for root in roots:
            if narrowed is None or root in narrowed:
                _install(finder, list(finder.roots[root]))


def _covers(entry, name):  # type: (Entry, str) -> bool
    return f"{name}.".startswith(f"{entry[0]}.")


def _package(entry):  # type: (Entry) -> str
    return entry[1].partition(":")[0].partition(".")[0]


def _is_loaded(root):  # type: (str) -> bool
    module = sys.modules.get(root)
    return module is not None and not getattr(getattr(module, "__spec__", None), "_initializing", False)


def _not_loading(entries):  # type: (Iterable[Entry]) -> list[Entry]
    thread = get_ident()
    return [entry for entry in entries if (thread, entry[1]) not in _loading]


def _elsewhere(finder, name, path, target):  # type: (Any, str, Sequence[str] | None, ModuleType | None) -> ModuleSpec | None
    # The finders before it have been asked already.
    is_behind = False
    for other in list(sys.meta_path):
        if is_behind and hasattr(other, "find_spec"):
            found: ModuleSpec | None = other.find_spec(name, path, target)
            if found is not None:
                return found
        is_behind = is_behind or other is finder
    return None


def _answer(name, path, target):  # type: (str, Sequence[str] | None, ModuleType | None) -> ModuleSpec | None
    if "compat.shim.installation" in sys.modules:
        from . import installation

        finder = installation.finder()
        return finder.find_spec(name, path, target) if finder is not None else None
    if "compat.shim.standby" in sys.modules:
        from . import standby

        return standby.answer(name, path, target)
    return None


def _install(finder, entries, at_once=False):  # type: (Any, Iterable[Entry], bool) -> None
    """Install ledgers, ``at_once`` where a legacy name is on its way; else they stand by until something legacy is used."""
    for reference, distribution in {entry[1]: entry[2] for entry in _not_loading(entries)}.items():
        loading = (get_ident(), reference)
        _loading.add(loading)
        try:
            ledger = _ledger(reference)
            if len(ledger) and at_once:
                from . import installation

                installation.install(ledger, drop_in=True)
                _serves(finder, ledger)
            elif len(ledger):
                from . import standby

                standby.stand_by(ledger, _installation, _failing(reference, distribution))
                _serves(finder, ledger)
        except Exception as error:
            _fail(reference, distribution, error)
        finally:
            _loading.discard(loading)
        for pending in (finder.unlisted, *list(finder.roots.values())):
            pending[:] = [other for other in pending if other[1] != reference]


def _serves(finder, ledger):  # type: (Any, Ledger) -> None
    # Before it is taken out of what is pending: a thread that passed the finders of a ledger before they came asks here.
    for root in ledger.roots:
        finder.roots.setdefault(root, [])


def _installation():  # type: () -> Any
    from . import installation

    return installation


def _failing(reference, distribution):  # type: (str, str) -> Callable[[Exception], None]
    return lambda error: _fail(reference, distribution, error)


def _fail(reference, distribution, error):  # type: (str, str, Exception) -> None
    """A broken ledger costs the program a log line, once: where this package was uninstalled, each use comes here again."""
    import logging

    whose = distribution.rpartition(".")[0]
    text = f"ledger {reference} of {whose} is not served: {error}"
    if failures.get(reference) != text:
        failures[reference] = text
        logging.getLogger("compat").warning("%s", text)


def _ledger(reference):  # type: (str) -> Ledger
    if reference not in _ledgers:
        ledger = _load(reference)
        roots = narrowing()
        _ledgers.setdefault(reference, ledger if roots is None else ledger.narrowed(roots))
    return _ledgers[reference]


def _load(reference):  # type: (str) -> Ledger
    name, _, attribute = reference.partition(":")
    failed = None
    try:
        found: Any = getattr(__import__(name, fromlist=["LEDGER"]), attribute, None) if name else None
        from compat.ledger.ledger import Ledger

        if isinstance(found, Ledger):
            return found
    except (Exception, SystemExit) as error:
        failed = error
    # Whatever is wrong with it is said there; most are found as they are declared.
    from compat.ledger import loading

    return loading.load(reference, failed)
