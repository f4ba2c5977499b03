"""The ledgers, their roots, and the commands that installed distributions declare by entry points.

Read without :mod:`importlib.metadata`, which takes longer to import than all there is to read.
"""

import sys

from . import active

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from typing import Any

    from compat.ledger.ledger import Ledger

LEDGERS, ROOTS, COMMANDS, COMPLIANCE = "compat.ledgers", "compat.roots", "compat.commands", "compat.compliance"


class EntryPoint:
    """One line of an installed distribution's entry points."""

    __slots__ = ("distribution", "extra", "name", "value")

    def __init__(self, name: str, value: str, distribution: str, extra: str = "") -> None:
        self.name, self.value, self.distribution, self.extra = name, value, distribution, extra


def entry_points(path: "Iterable[str]", group: str = LEDGERS) -> "Iterator[EntryPoint]":
    """Read a group from the metadata below ``path``, in zip files too; what stands in several folders is found once."""
    seen = set()
    for folder, text in active.declaring(path, group.encode()):
        for name, value, extra in active.entries(text, group.encode()):
            if (folder, name, value) not in seen:
                seen.add((folder, name, value))
                yield EntryPoint(name, value, folder.rpartition(".")[0], extra)


def root_names(ledger: "Ledger") -> "list[str]":
    """The names that the group ``compat.roots`` lists for a ledger: its roots, and two levels of those that are generic."""
    generic = {
        ".".join(name.split(".")[:2])
        for name in (*ledger.modules, *(one.parent for one in ledger.patterns))
        if "." in name and name.partition(".")[0] in ledger.generic
    }
    return [*sorted(ledger.roots - ledger.generic), *sorted(generic)]


def bundled() -> "Iterator[str]":
    """The references of the ledgers that lie in folders of this package itself."""
    import pkgutil

    for folder in sys.modules["compat"].__path__:
        for _, name, is_package in pkgutil.iter_modules([folder]):
            if is_package and any(found.name == "ledger" for found in pkgutil.iter_modules([f"{folder}/{name}"])):
                module: Any = __import__(f"compat.{name}.ledger", fromlist=["LEDGER"])
                if hasattr(module, "LEDGER"):
                    yield f"compat.{name}.ledger:LEDGER"


def learn_unlisted(finder: "Any") -> None:
    """Have the drop-in serve what no metadata on ``sys.path`` declares: of a frozen program, and the ledgers of this package."""
    active.learn()
    if not _is_known(finder):
        _learn_metadata()
    if _is_known(finder):
        return
    for reference in bundled():
        module, _, attribute = reference.partition(":")
        for name in root_names(getattr(sys.modules[module], attribute)):
            finder.roots.setdefault(name.partition(".")[0], []).append((name, reference, "this package."))


def _is_known(finder: "Any") -> bool:
    known = [entry for entries in (finder.unlisted, *finder.roots.values()) for entry in entries]
    return any(reference.startswith("compat.") for _, reference, _ in known)


def _learn_metadata() -> None:
    # A compiler that keeps metadata within the program (Nuitka) answers for it here, and nowhere on sys.path.
    from importlib import metadata

    for distribution in metadata.distributions():
        try:
            text = "".join(f"[{one.group}]\n{one.name} = {one.value}\n\n" for one in distribution.entry_points)
            active.learn_from(f"{distribution.metadata['Name']}.dist-info", text.encode())
        except Exception:
            continue
