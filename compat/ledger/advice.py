"""The advice of rows: the paths that it names, and whether they are places to go.

A *stop-gap* is a target that exists for old code only, and goes with it. It may stand behind a legacy name, as the canonical
path of its row; the advice of that row then says what to do instead. Stop-gaps are the packages that a ledger declares,
``Ledger(..., stopgaps=("shop.old",))``, and those that hold its adapters.
"""

from __future__ import annotations

import re

from .paths import dotted
from .wording import replacement

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

    from .ledger import Ledger
    from .move import Move

    Fault = tuple[str, str, str]

_ONE = r"\w+(?:\s+as\s+\w+)?"
_FROM = re.compile(rf"\bfrom\s+([^\W\d][\w.]*)\s+import\s+(?:\(\s*)?(\*|{_ONE}(?:\s*,\s*{_ONE})*)")
_IMPORT = re.compile(r"\bimport\s+([^\W\d][\w.]*(?:\s*,\s*[^\W\d][\w.]*)*)")
_PATH = re.compile(r"(?<![\w.:/-])[^\W\d]\w*(?:\.[^\W\d]\w*)*(?::[^\W\d]\w*(?:\.[^\W\d]\w*)*|(?<=\w)(?=\W|$))")

_IMPORT_REMEDY = "let the replacement import what stays, or give none and say in instead= what to write"
_REMEDY = "say in instead= what to write: the new place, another library, or that nothing takes its place"


def named_paths(text: str) -> list[str]:
    """The paths that a text names, dotted: of imports, ``package.module:attribute``, and dotted names, quoted or not.

    >>> named_paths("Use 'from shop.core import Widget, Gadget as G', or shop.parts:Bolt.size, or shop.parts.nuts() instead.")
    ['shop.core.Widget', 'shop.core.Gadget', 'shop.parts.Bolt.size', 'shop.parts.nuts']
    """
    found: list[str] = []

    def imported(match: re.Match[str]) -> str:
        words = (word.split()[0] for word in match.group(2).split(","))
        found.extend(match.group(1) if word == "*" else f"{match.group(1)}.{word}" for word in words)
        return " "

    def module(match: re.Match[str]) -> str:
        found.extend(word.strip(" .") for word in match.group(1).split(","))
        return " "

    rest = _IMPORT.sub(module, _FROM.sub(imported, text))
    # A single word is prose.
    found.extend(dotted(match.group()) for match in _PATH.finditer(rest) if "." in match.group() or ":" in match.group())
    return list(dict.fromkeys(found))


def stopgaps(ledger: Ledger) -> frozenset[str]:
    """The packages and modules whose contents exist for old code only."""
    rows = [row for row in ledger if row.adapter]
    canonical = {row.canonical.partition(":")[0] for row in rows}
    adapters = {row.adapter.partition(":")[0] for row in rows}
    packages = {module.rpartition(".")[0] for module in adapters} - {""}
    # A package of adapters is one where the canonical classes do not lie as well.
    found = {one for one in adapters | packages if not any(lies_in(module, (one,)) for module in canonical)}
    return frozenset(found | ledger.stopgaps)


def lies_in(path: str, packages: Collection[str]) -> bool:
    """Whether a module or a path of one lies in one of these packages."""
    at = dotted(path)
    while at:
        if at in packages:
            return True
        at = at.rpartition(".")[0]
    return False


def find_faults(ledger: Ledger) -> Iterator[Fault]:
    """Yield ``(row, reason, remedy)`` for each row whose advice names a legacy path or a stop-gap."""
    closed = stopgaps(ledger)
    targets = frozenset(dotted(row.canonical) for row in ledger if row.canonical)
    known: dict[str, list[tuple[str, str, str]]] = {}
    for row in ledger:
        shown = f"{type(row).__name__}({row.legacy!r})"
        texts = (("instead" if row.instead is not None else "", replacement(row)), ("note", row.note))
        for field, text in (*texts, ("imports", "\n".join(row.imports))):
            if text not in known:
                known[text] = list(_wrong_places(ledger, text, closed, targets))
            for path, reason, remedy in known[text]:
                if not field:
                    reason = f"the advice is worded from the canonical path, and {reason}"
                else:
                    reason = f"{field} names {path!r}; {reason}"
                yield shown, reason, remedy if field != "imports" else _IMPORT_REMEDY


def _wrong_places(ledger: Ledger, text: str, closed: Collection[str], targets: Collection[str]) -> Iterator[Fault]:
    for path in named_paths(text):
        row = legacy_row(ledger, path, targets)
        if row is not None:
            final = row.canonical if row.canonical and not lies_in(row.canonical, closed) else ""
            yield path, f"{path} is a legacy path itself ({row.legacy!r})", f"name {final!r} in instead=" if final else _REMEDY
        elif lies_in(path, closed):
            yield path, f"{path} exists for old code only", _REMEDY


def legacy_row(ledger: Ledger, path: str, targets: Collection[str] = ()) -> Move | None:
    """The row that makes a dotted path a legacy one: its own, that of a name on the way to it, or of a module that moved whole.

    ``targets`` are canonical paths, dotted: what lies at or below one does not move with a module around it.
    """
    words = path.split(".")
    heads = [(".".join(words[:count]), words[count:]) for count in range(len(words), 0, -1)]
    for module, attribute in heads:
        for end in range(len(attribute), 0, -1):
            row = ledger.get(f"{module}:{'.'.join(attribute[:end])}")
            if row is not None:
                return row
    for module, attribute in heads:
        row = ledger.module_rows(module).get("")
        if row is not None and (not attribute or row.canonical):
            return row
        if module in targets:
            return None
    return None
