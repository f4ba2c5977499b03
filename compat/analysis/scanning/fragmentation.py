"""Rule ``fragmentation``: a tree imports one symbol through more than one path."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, NamedTuple

from ..finding_text import place_of
from ..findings import HIGH, Finding

if TYPE_CHECKING:
    from ..model.file_model import FileModel
    from ..targets import Targets

RULE = "fragmentation"


class SymbolImport(NamedTuple):
    """One import of a symbol the ledger knows: its canonical dotted path, the path written, and the place."""

    symbol: str
    written: str
    place: tuple[tuple[str, object], ...]


def collect(file: FileModel, targets: Targets) -> list[SymbolImport]:
    """The imports of one file whose canonical symbol is the target of some row."""
    known = targets.canonical_symbols
    homes = {told: symbol for symbol, told in targets.advised_paths.items()}
    found: list[SymbolImport] = []
    for item in file.names.imports:
        if item.name in ("", "*"):
            continue
        written = f"{item.module}.{item.name}"
        symbol = homes.get(written) or targets.spelt(targets.canonical_dotted(written))
        if symbol in known:
            where = place_of(file.source, *file.alias_span(item))
            found.append(SymbolImport(symbol, written, tuple(where.items())))
    return found


def find(imports: Iterable[SymbolImport], told: Mapping[str, str]) -> list[Finding]:
    """Report each import of a fragmented symbol that goes neither through its canonical path nor through that of ``told``."""
    by_symbol: dict[str, list[SymbolImport]] = {}
    for item in imports:
        by_symbol.setdefault(item.symbol, []).append(item)
    found: list[Finding] = []
    for symbol, items in sorted(by_symbol.items()):
        paths = sorted({item.written for item in items})
        if len(paths) < 2:
            continue
        for item in items:
            preferred = told.get(symbol, symbol)
            if item.written not in (symbol, preferred):
                module, _, name = preferred.rpartition(".")
                found.append(
                    Finding(
                        rule=RULE,
                        move=f"{RULE}:{symbol}",
                        how="import",
                        confidence=HIGH,
                        message=f"{name} is imported through {len(paths)} paths in this tree: {', '.join(paths)}.",
                        replacement=f"Use canonical path 'from {module} import {name}' everywhere.",
                        symbol=item.written,
                        **dict(item.place),  # type: ignore[arg-type]
                    )
                )
    return found
