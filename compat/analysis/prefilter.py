"""Which files can hold a use at all: a few byte strings, chosen so that every use of the ledger contains one of them."""

from __future__ import annotations

import re
import unicodedata
from typing import TYPE_CHECKING

from .sources import encoding_of

if TYPE_CHECKING:
    from collections.abc import Iterable

    from .targets import Targets

_COMMON = frozenset(
    [
        "auth",
        "base",
        "client",
        "common",
        "config",
        "connection",
        "context",
        "core",
        "errors",
        "events",
        "exceptions",
        "factory",
        "handler",
        "handlers",
        "helpers",
        "legacy",
        "logging",
        "manager",
        "managers",
        "message",
        "messages",
        "models",
        "module",
        "package",
        "schemas",
        "server",
        "service",
        "services",
        "settings",
        "shared",
        "state",
        "test",
        "tests",
        "types",
        "users",
        "utils",
        "version",
        "websocket",
        "backend",
        "platform",
    ]
)
ALLOWANCE = b"compat: allow"
_RELATIVE = re.compile(rb"\bfrom[ \t\f\\\r\n]*\.")
_OTHER_ENCODING = re.compile(rb"coding[:=][ \t]*(?!utf-?8|latin-?1|iso-?8859|ascii|cp125|us-ascii)[-\w.]", re.I)


class Prefilter:
    """Decides from raw bytes whether a file needs a closer look.

    An absolute use of ``a.b.c`` spells every one of its parts, so one part per legacy module suffices; a relative import
    may spell only the last, so files inside the packages of the ledger are looked at whenever they import relatively.
    """

    def __init__(self, targets: Targets, *, policy: bool = False) -> None:
        modules = set(targets.legacy_modules)
        words = {path.rpartition(".")[2] for path in targets.methods}
        for path in targets.arguments:
            owner, _, name = path.rpartition(".")
            words.add(owner.rpartition(".")[2] if owner.rpartition(".")[2][:1].isupper() else name)
        for made, factory in targets.adapters.factories.items() if policy or targets.methods else ():
            words.update((made.rpartition(".")[2], factory.partition(":")[2]))
        if policy:
            modules.update(row.canonical.partition(":")[0] for row in targets.ledger if row.kind in ("name", "class"))
        chosen = {*choose(modules), *words}
        self.words = frozenset(chosen)
        self.needles = tuple(word.encode() for word in sorted(_minimal(chosen), key=len, reverse=True))
        self.roots = frozenset(module.partition(".")[0] for module in targets.legacy_modules)
        self._pattern = re.compile("|".join(re.escape(word) for word in sorted(chosen)) or r"(?!)")

    def hits(self, data: bytes | bytearray, size: int, *, inside: bool) -> bool:
        """Whether the first ``size`` bytes may hold a use; ``inside`` says that the file lies in a package of the ledger."""
        find = data.find
        for needle in self.needles:
            if find(needle, 0, size) >= 0:
                return True
        if find(ALLOWANCE, 0, size) >= 0 or (inside and _RELATIVE.search(data, 0, size) is not None):
            return True
        # Other encodings may spell a name in other bytes, and an identifier may be written in compatibility characters.
        head = bytes(data[: min(size, 400)])
        if head[:2] in (b"\xff\xfe", b"\xfe\xff") or head[:4] == b"\0\0\xfe\xff" or _OTHER_ENCODING.search(head):
            return self._decoded(bytes(data[:size]))
        return False

    def hits_normalized(self, data: bytes) -> bool:
        """Whether text that is not all ASCII spells a name in compatibility characters (Python reads NFKC)."""
        text = data.decode("utf-8", "ignore")
        if unicodedata.is_normalized("NFKC", text):
            return False
        return self._pattern.search(unicodedata.normalize("NFKC", text)) is not None

    def _decoded(self, raw: bytes) -> bool:
        encoding, bom = encoding_of(raw)
        try:
            text = raw[len(bom) :].decode(encoding, "replace")
        except (LookupError, ValueError):
            return self._pattern.search(raw.decode("latin-1")) is not None
        return isinstance(text, str) and self._pattern.search(text) is not None


def rarity(word: str) -> float:
    """How rare a part of a module path is in source code, judged by its shape; larger is rarer."""
    if word in _COMMON or len(word) < 4:
        return 1.0
    return len(word) + 8.0 * word.count("_")


def choose(modules: Iterable[str]) -> set[str]:
    """Choose parts of module paths so that every path holds one: few and rare, greedily."""
    left = {module: frozenset(module.split(".")) for module in modules}
    chosen: set[str] = set()
    while left:
        worth: dict[str, float] = {}
        for parts in left.values():
            for part in parts:
                worth[part] = worth.get(part, 0.0) + 1.0
        best = max(worth, key=lambda part: (min(worth[part], 12.0) * rarity(part) ** 2, part))
        chosen.add(best)
        left = {module: parts for module, parts in left.items() if best not in parts}
    return chosen


def _minimal(words: set[str]) -> set[str]:
    """Drop words that contain another one: finding the shorter finds them too."""
    return {word for word in words if not any(other != word and other in word for other in words)}
