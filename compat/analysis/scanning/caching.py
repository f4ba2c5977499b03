"""Cache results between runs by path, size and modification time: an unchanged tree costs about one stat per file."""

from __future__ import annotations

import hashlib
import json
import os
from typing import TYPE_CHECKING, Any, Optional

from compat._writing import whole_file

from ..findings import Finding
from ..targets import Target, module_files
from .examine import Examined, Selection
from .fragmentation import SymbolImport

if TYPE_CHECKING:
    from collections.abc import Iterable

    from compat.ledger import Ledger

    from ..config import Settings

#: 3: what 2 has, and the names by which a file gives instances of classes with legacy methods.
#: 2: findings, re-exports and symbol imports per file; the results of following re-exports. What many
#: findings say alike is written once, in ``shapes``; a finding is the number of its shape, its six numbers and its code.
FORMAT_VERSION = 3
_NAME = "scan.json"
#: In the order of a finding's fields.
_SHAPE = ("rule", "move", "how", "confidence", "message", "replacement", "symbol")


class Cache:
    """One cache file per directory. A cache of another ledger, version or selection is empty to us, and replaced."""

    def __init__(
        self,
        path: str,
        key: str,
        ledger: Ledger,
        entries: dict[str, list[Any]],
        followed: dict[str, Any],
        shapes: list[list[str]],
    ) -> None:
        self._path, self._key, self._ledger, self._entries, self._followed = path, key, ledger, entries, followed
        self._shapes = shapes
        self._numbers = {tuple(shape): number for number, shape in enumerate(shapes)}
        #: What stands before and after a finding's place.
        self._made = [(shape[:3], shape[3:]) for shape in shapes]
        self._kept: dict[str, list[Any]] = {}
        self._changed = False

    @classmethod
    def open(cls, folder: str, ledger: Ledger, settings: Settings, scope: Selection, staying: Iterable[str] = ()) -> Cache:
        """Open the cache in a directory; anything unreadable there counts as empty."""
        rows = [row.__reduce__()[1] for row in ledger]
        # The stage of a row follows from its own versions and the one in force.
        origins = dict.fromkeys(ledger.origin(row) for row in ledger)
        stages = [(origin.name, origin.version, origin.docs) for origin in origins]
        asked = f"{scope.policy}|{sorted(scope.select)}|{scope.strict}"
        told = f"{FORMAT_VERSION}|{_tool_stamp()}|{rows}|{stages}|{settings!r}|{asked}|{[*staying]}|{module_files.stamps(ledger)}"
        key = hashlib.sha256(told.encode()).hexdigest()
        path = os.path.join(folder, _NAME)
        try:
            with open(path, "rb") as file:
                data = json.loads(file.read())
            if data["key"] == key:
                return cls(path, key, ledger, dict(data["files"]), dict(data["followed"]), data["shapes"])
        except (OSError, ValueError, KeyError, TypeError):
            pass
        return cls(path, key, ledger, {}, {}, [])

    def get(self, path: str) -> tuple[bool, Optional[Examined]]:
        """Whether a file is unchanged since it was examined, and what it gave."""
        try:
            now = os.stat(path)
        except OSError:
            return False, None
        entry = self._entries.get(path)
        if entry is None or entry[0] != now.st_mtime_ns or entry[1] != now.st_size:
            self._kept[path] = [now.st_mtime_ns, now.st_size, None]
            return False, None
        self._kept[path] = entry
        return True, None if entry[2] is None else self._load(path, entry[2])

    def put(self, path: str, value: Optional[Examined]) -> None:
        """Remember what a file gave, under the stamp it had when it was asked for."""
        entry = self._kept.get(path)
        if entry is None:
            return
        self._changed = True
        if value is not None and any(finding.rule == "unparsable" and finding.span == (0, 0) for finding in value.findings):
            del self._kept[path]
            return
        entry[2] = None if value is None else self._dump(value)

    @property
    def _is_same(self) -> bool:
        return not self._changed and len(self._kept) == len(self._entries)

    def restore(self, examined: dict[str, Examined]) -> bool:
        """Add what following re-exports found last time to the result; false where any file changed since."""
        if not self._is_same or not self._entries:
            return False
        examined.update((path, self._load(path, data)) for path, data in self._followed.items())
        return True

    def keep(self, examined: dict[str, Examined]) -> None:
        """Remember the results of following re-exports."""
        self._followed = {}
        for path, value in examined.items():
            entry = self._kept.get(path)
            data = self._dump(value)
            if entry is not None and (entry[2] is None or entry[2]["findings"] != data["findings"]):
                self._followed[path] = data

    def save(self) -> None:
        """Write the cache atomically; a cache that cannot be written is no error."""
        if self._is_same:
            return
        folder = os.path.dirname(self._path)
        try:
            os.makedirs(folder, exist_ok=True)
            ignore = os.path.join(folder, ".gitignore")
            if not os.path.exists(ignore):
                with open(ignore, "w", encoding="utf-8") as file:
                    file.write("*\n")
            whole = {"key": self._key, "files": self._kept, "followed": self._followed, "shapes": self._shapes}
            with whole_file(self._path) as stream:
                stream.write(json.dumps(whole, separators=(",", ":")).encode())
        except OSError:
            return

    def _load(self, path: str, data: dict[str, Any]) -> Examined:
        made = self._made
        return Examined(
            [
                Finding._make((*made[shape][0], path, line, column, end_line, end_column, (start, end), *made[shape][1], code))
                for shape, line, column, end_line, end_column, start, end, code in data["findings"]
            ],
            {
                name: Target(self._ledger.by_id(id), legacy, canonical)
                for name, (id, legacy, canonical) in data["re_exported"].items()
            },
            [
                SymbolImport(symbol, written, tuple((key, _frozen(value)) for key, value in place))
                for symbol, written, place in data["symbols"]
            ],
            data["module"],
            data["carried"],
        )

    def _dump(self, value: Examined) -> dict[str, Any]:
        return {
            "findings": [self._row(finding) for finding in value.findings],
            "re_exported": {name: (target.id, target.legacy, target.canonical) for name, target in value.re_exported.items()},
            "symbols": [(item.symbol, item.written, item.place) for item in value.symbols],
            "module": value.module,
            "carried": value.carried,
        }

    def _row(self, finding: Finding) -> list[Any]:
        shape = tuple(getattr(finding, name) for name in _SHAPE)
        number = self._numbers.setdefault(shape, len(self._shapes))
        if number == len(self._shapes):
            self._shapes.append(list(shape))
        place = (finding.line, finding.column, finding.end_line, finding.end_column)
        return [number, *place, *finding.span, finding.code]


def _frozen(value: Any) -> Any:
    return tuple(value) if isinstance(value, list) else value


def _tool_stamp() -> str:
    """Changes when the code of this room does."""
    here = os.path.dirname(os.path.dirname(__file__))
    stamps = []
    for folder, _folders, names in os.walk(here):
        for name in names:
            if name.endswith(".py"):
                found = os.stat(os.path.join(folder, name))
                stamps.append(f"{name}:{found.st_mtime_ns}:{found.st_size}")
    return ",".join(sorted(stamps))
