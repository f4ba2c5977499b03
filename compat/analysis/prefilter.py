"""Which files can hold a use at all, decided on raw bytes: literal searches, then the dotted paths that files spell out."""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from typing import TYPE_CHECKING, AnyStr, Callable, Optional, Union

from .adapters import find_module_file
from .sources import encoding_of

try:
    # Four times as fast as the method of bytes; there is none for every Python.
    from stringzilla import find as find_in  # type: ignore[import-not-found]
except ImportError:

    def find_in(data: Data, word: bytes, start: int, end: int) -> int:
        """Where a word stands in a range of bytes; -1 where it does not."""
        return data.find(word, start, end)


if TYPE_CHECKING:
    from collections.abc import Iterable

    from .targets import Targets

ALLOWANCE = b"compat: allow"
RELATIVE = re.compile(rb"from[ \t\f\\\r\n]*(\.[. \t]*)([\w.]*)")
_COOKIE_OF_OTHERS = re.compile(rb"coding[:=][ \t]*(?!utf-?8|latin-?1|iso-?8859|ascii|cp125|us-ascii)[-\w.]", re.I)
_BLANKS = re.compile(rb"[\s\\]+")
_WIDE_BOMS = (b"\xff\xfe", b"\xfe\xff", b"\0\0\xfe\xff")

_ASCII = bytes(range(128))
FOREIGN_RUN = re.compile(r"(?<![A-Za-z0-9_.])[A-Za-z0-9_.]*[^\x00-\x7f][A-Za-z0-9_.\x80-\U0010ffff]*")
_PLAIN_WORD = re.compile(r"[A-Za-z0-9_]")
_FEW, _RARE = 3, 9

__all__ = ["ALLOWANCE", "FOREIGN_RUN", "RELATIVE", "Prefilter", "find_in", "foreign_runs", "minimal"]
Data = Union[bytes, bytearray]
Verdict = Union[bool, tuple[bytes, ...]]
_BEFORE = (b"from", b"import", b",", b'"', b"'")


class Prefilter:
    """Decides from raw bytes whether a file needs a closer look.

    An absolute use spells its path from the top-level package on, in one piece or through an import of a parent package: so
    the paths that begin with a top-level package of the ledger are looked up, each distinct one once per run. With
    ``paths_only``, files that use no more than canonical names (methods, arguments, allowances) are left out.
    """

    def __init__(self, targets: Targets, *, policy: bool = False, paths_only: bool = False) -> None:
        self._targets = targets
        self.roots = frozenset(module.partition(".")[0] for module in targets.legacy_modules)
        self._allowances = not paths_only
        words: set[str] = set() if paths_only else {path.rpartition(".")[2] for path in targets.methods}
        for path in () if paths_only else targets.arguments:
            owner, _, name = path.rpartition(".")
            last = owner.rpartition(".")[2]
            words.add(last if last[:1].isupper() else name)
        for made, factory in targets.adapters.factories.items() if policy or words else ():
            words.update((made.rpartition(".")[2], factory.partition(":")[2]))
        if policy:
            words.update(row.canonical.rpartition(":")[2] for row in targets.ledger if row.kind in ("name", "class"))
        self.words = frozenset(words)
        homes = {row.canonical.partition(".")[0] for row in targets.ledger if row.canonical}
        #: Top-level packages of canonical paths: words count only where one of these is spelt, too.
        self.homes = frozenset(homes if words else ())
        canonical = {row.canonical.partition(":")[0] for row in targets.ledger if row.canonical}
        self._canonical = frozenset(canonical.union(path.rpartition(".")[0] for path in targets.told_paths.values()))
        inner = {module.split(".")[1] for module in self._canonical if "." in module}
        #: Packages one below those, one of which every path of a canonical module spells; nothing where that cannot be told.
        is_told = all("." in module for module in self._canonical) and not any(_hands_on(home, self.words) for home in self.homes)
        self._inner = tuple(map(str.encode, sorted(inner))) if is_told else ()
        self._inside = tuple({".".join(module.split(".")[:2]) for module in self._canonical})
        self._homes = [(home.encode(), _path_pattern(home)) for home in sorted(self.homes)]
        self._needles = tuple(word.encode() for word in sorted(minimal(words)))
        #: What to search for literally, and the packages whose paths to look up where one of these is found.
        self.paths: list[tuple[tuple[bytes, ...], list[tuple[bytes, re.Pattern[bytes]]]]] = []
        known: dict[tuple[bytes, ...], list[tuple[bytes, re.Pattern[bytes]]]] = {}
        for root in sorted(self.roots):
            known.setdefault(_needles(root, targets.legacy_modules), []).append((root.encode(), _path_pattern(root)))
        self.paths.extend(known.items())
        self._searched = [(needle, packages) for needles, packages in self.paths for needle in needles]
        self._is_ascii = all(word.isascii() for word in (*self.roots, *words))
        #: Characters beyond ASCII that were seen to read as nothing in ASCII.
        self._foreign: set[str] = set()
        self._verdicts: dict[bytes, Verdict] = {}
        self._nearness: dict[bytes, str] = {}
        self._any = re.compile("|".join(re.escape(word) for word in sorted({*self.roots, *words})) or r"(?!)")

    def hits(self, data: Data, size: int, *, module: Optional[Callable[[], tuple[str, bool]]] = None, home: bool = False) -> bool:
        """Whether the first ``size`` bytes may hold a use.

        ``module`` tells name and package-ness of a file that lies in a package of the ledger, for its relative imports;
        ``home`` says that it lies in a package of canonical paths.
        """
        for needle, packages in self._searched:
            if find_in(data, needle, 0, size) >= 0:
                for root, pattern in packages:
                    start = data.find(root, 0, size)
                    if start >= 0 and self._spells(data, start, size, pattern):
                        return True
        reaches = bool(self._needles) and self._reaches_home(data, size, module if home else None)
        if reaches and any(find_in(data, word, 0, size) >= 0 for word in self._needles):
            return True
        if self._allowances and find_in(data, ALLOWANCE, 0, size) >= 0:
            return True
        if module is not None and self.relative_hits(data, size, module):
            return True
        # Other encodings may spell a name in other bytes.
        head = min(size, 400)
        if data.startswith(_WIDE_BOMS) or (data.find(b"coding", 0, head) >= 0 and _COOKIE_OF_OTHERS.search(data, 0, head)):
            return self._decoded(bytes(data[:size]))
        return False

    def hits_normalized(self, data: bytes) -> bool:
        """Whether text that is not all ASCII spells a name in compatibility characters (Python reads NFKC)."""
        if self._is_ascii:
            fresh = {*data.translate(None, _ASCII).decode("utf-8", "ignore")} - self._foreign
            if not any(map(_has_plain_words, fresh)):
                # None of its characters reads as an ASCII letter or digit.
                self._foreign |= fresh
                return False
        text = data.decode("utf-8", "ignore")
        if unicodedata.is_normalized("NFKC", text):
            return False
        # What reads as a name stands in one run of letters and dots with a character beyond ASCII in it.
        return any(self._any.search(plain) for run in foreign_runs(text) if (plain := unicodedata.normalize("NFKC", run)) != run)

    def _spells(self, data: Data, start: int, size: int, pattern: re.Pattern[bytes]) -> bool:
        verdicts = self._verdicts
        for match in pattern.finditer(data, start, size):
            text = match.group()
            verdict = verdicts.get(text)
            if verdict is None:
                verdict = verdicts[text] = self._judge(_BLANKS.sub(b"", text).replace(b":", b".").decode("ascii", "replace"))
            if verdict is True:
                return True
            if verdict and _is_imported(data, match.start()) and any(data.find(child, 0, size) >= 0 for child in verdict):
                return True
        return False

    def _reaches_home(self, data: Data, size: int, module: Optional[Callable[[], tuple[str, bool]]]) -> bool:
        """Whether a file spells the path of a canonical module, imports a parent package of one, or lies in one (``module``)."""
        if module is not None and module()[0].startswith(self._inside):
            return True
        if self._inner and all(find_in(data, word, 0, size) < 0 for word in self._inner):
            return False
        if module is not None:
            return True
        known = self._nearness
        for home, pattern in self._homes:
            start = find_in(data, home, 0, size)
            for match in pattern.finditer(data, start, size) if start >= 0 else ():
                text = match.group()
                verdict = known.get(text)
                if verdict is None:
                    dotted = _BLANKS.sub(b"", text).replace(b":", b".").decode("ascii", "replace")
                    below = any(module.startswith(f"{dotted}.") for module in self._canonical)
                    near = below or any(f"{dotted}.".startswith(f"{module}.") for module in self._canonical)
                    verdict = known[text] = "far" if not near else "parent" if "." not in dotted else "near"
                if verdict == "near" or (verdict == "parent" and _is_imported(data, match.start())):
                    return True
        return False

    def _judge(self, dotted: str) -> Verdict:
        """True for a path of a row; for a parent package the parts below it; False for a path of nobody."""
        targets = self._targets
        if targets.resolve(dotted) is not None:
            return True
        known = dotted
        while known and not targets.is_known(known):
            known = known.rpartition(".")[0]
        if not known or (known != dotted and known not in targets.shells):
            return False
        if known != dotted:
            # `package.other`: a path of nobody, unless `other` is only the first of several words.
            return False
        below = {
            module[len(known) + 1 :].partition(".")[0] for module in targets.legacy_modules if module.startswith(f"{known}.")
        }
        below |= set(targets.names.get(known, ()))
        return tuple(sorted(word.encode() for word in below))

    def relative_hits(self, data: Data, size: int, module: Callable[[], tuple[str, bool]]) -> bool:
        """Whether a relative import of a file in a package of the ledger may reach a legacy path."""
        package: Optional[list[str]] = None
        for match in RELATIVE.finditer(data, 0, size):
            if package is None:
                name, is_package = module()
                package = name.split(".") if is_package else name.split(".")[:-1]
            level = match.group(1).count(b".")
            base = package[: len(package) - level + 1] if level <= len(package) else []
            path = ".".join([*base, *match.group(2).decode("ascii", "replace").strip(".").split(".")]).strip(".")
            verdict = self._judge(path) if path else False
            if verdict is True or (verdict is not False and any(data.find(child, 0, size) >= 0 for child in verdict)):
                return True
        return False

    def places(self, data: bytes) -> list[int]:
        """Where paths start that begin with a top-level package of the ledger, if any path of that may be a row's."""
        found: list[int] = []
        for needles, packages in self.paths:
            if any(needle in data for needle in needles):
                for root, pattern in packages:
                    start = data.find(root)
                    if start >= 0:
                        found += [match.start() for match in pattern.finditer(data, start)]
        return sorted(found)

    def _decoded(self, raw: bytes) -> bool:
        encoding, bom = encoding_of(raw)
        try:
            text = raw[len(bom) :].decode(encoding, "replace")
        except (LookupError, ValueError):
            return self._any.search(raw.decode("latin-1")) is not None
        return isinstance(text, str) and self._any.search(text) is not None


def foreign_runs(text: str) -> set[str]:
    """The runs of letters, digits, dots and characters beyond ASCII with at least one of these in them.

    Line by line: no run holds a line feed, and few lines hold one. ``splitlines`` would also cut at signs that a run may hold.
    """
    return {run for line in text.split("\n") if not line.isascii() for run in FOREIGN_RUN.findall(line)}


def _has_plain_words(character: str) -> bool:
    """Whether a character beyond ASCII reads as one with ASCII letters or digits in it."""
    return _PLAIN_WORD.search(unicodedata.normalize("NFKC", character)) is not None


def _hands_on(package: str, words: frozenset[str]) -> bool:
    """Whether the source of a package spells one of ``words``: then these may be imported from it."""
    try:
        with open(find_module_file(package), "rb") as file:
            spelt = {*re.findall(rb"\w+", file.read())}
    except OSError:
        return False
    return any(word.encode() in spelt for word in words)


def _is_imported(data: Data, start: int) -> bool:
    """Whether a word stands where an import statement or a string may name a package."""
    return bytes(data[max(0, start - 60) : start]).rstrip(b" \t\f\\\r\n").endswith(_BEFORE)


def _path_pattern(root: str) -> re.Pattern[bytes]:
    blank = rb"(?:[ \t\f]|\\\r?\n)*"
    word = re.escape(root.encode())
    # The literal comes first, so that the search for it runs at memory speed.
    return re.compile(word + rb"(?!\w)(?<![\w.]" + word + rb")(?:" + blank + rb"[.:]" + blank + rb"\w+)*")


def _needles(root: str, modules: Iterable[str]) -> tuple[bytes, ...]:
    """What to look for before the paths of a package are looked up: one of these words stands in each of its modules' paths.

    The package's own name where that is rare in itself or its modules have no few rare words in common.
    """
    left = [module.split(".")[1:] for module in modules if module.partition(".")[0] == root]
    chosen: list[str] = []
    while left and len(chosen) < _FEW:
        counts = Counter(word for parts in left for word in {*parts} if len(word) >= _RARE or "_" in word)
        if not counts:
            break
        chosen.append(max(counts, key=lambda word: (counts[word], len(word), word)))
        left = [parts for parts in left if chosen[-1] not in parts]
    if left or (len(chosen) > 1 and (len(root) >= _RARE or "_" in root)):
        return (root.encode(),)
    return tuple(word.encode() for word in sorted(chosen))


def minimal(words: set[AnyStr]) -> set[AnyStr]:
    """Drop words that contain another one: finding the shorter finds them too."""
    return {word for word in words if not any(other != word and other in word for other in words)}
