"""Decide on raw bytes which files can hold a use: literal search first, then the dotted paths a file spells."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from itertools import chain
from typing import TYPE_CHECKING, Callable, Optional, Union

from compat.ledger.move import NAME

from ..reading.batch import Batch, Data, Words
from ..reading.compatibility_characters import foreign_runs, has_plain_words
from ..reading.sources import encoding_of
from ..targets import giving
from ..targets.module_files import find_module_file
from .needles import minimal, needles, path_pattern

if TYPE_CHECKING:
    from collections.abc import Iterator, Set

    from ..targets import Targets

ALLOWANCE = b"compat: allow"
RELATIVE = re.compile(rb"from[ \t\f\\\r\n]*(\.[. \t]*)(?!import\b)([\w.]*)")
_COOKIE_OF_OTHERS = re.compile(rb"coding[:=][ \t]*(?!utf-?8|latin-?1|iso-?8859|ascii|cp125|us-ascii)[-\w.]", re.I)
_BLANKS = re.compile(rb"[\s\\]+")
_WIDE_BOMS = (b"\xff\xfe", b"\xfe\xff", b"\0\0\xfe\xff")

_ASCII = bytes(range(128))
_STAR = re.compile(rb"import[ \t(]*\*")

#: Top-level packages, and what their paths look like.
Packages = list[tuple[bytes, "re.Pattern[bytes]"]]
#: Words, and where each stands; ``None`` where that is not told.
Places = Mapping[bytes, Optional[list[int]]]
#: Tells the name of a file's module, and whether it is a package.
Module = Callable[[], tuple[str, bool]]
#: Those of some files of a batch.
Modules = Mapping[int, Module]
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
        self.roots = frozenset(module.partition(".")[0] for module in (*targets.legacy_modules, *targets.open))
        words: set[str] = set() if paths_only else {path.rpartition(".")[2] for path in targets.members.methods}
        for path in () if paths_only else targets.members.arguments:
            owner, _, name = path.rpartition(".")
            last = owner.rpartition(".")[2]
            words.add(last if last[:1].isupper() else name)
        words.update(giving.givers(() if paths_only else targets.members.methods))
        for made, factory in targets.members.adapters.factories.items() if policy or words else ():
            words.update((made.rpartition(".")[2], factory.partition(":")[2]))
        if policy:
            words.update(row.canonical.rpartition(":")[2] for row in targets.ledger if row.canonical and row.place == NAME)
        self.words = frozenset(words)
        homes = {row.home.partition(".")[0] for row in targets.ledger if row.home}
        #: Top-level packages of canonical paths: words count only where one of these is spelt, too.
        self.homes = frozenset(homes if words else ())
        canonical = {row.home for row in targets.ledger if row.home}
        self._canonical = frozenset(canonical.union(path.rpartition(".")[0] for path in targets.advised_paths.values()))
        inner = {module.split(".")[1] for module in self._canonical if "." in module}
        #: Packages one below those, one of which every path of a canonical module spells; nothing where that cannot be told.
        is_told = all("." in module for module in self._canonical) and not any(_hands_on(home, self.words) for home in self.homes)
        self._inner = frozenset(map(str.encode, inner)) if is_told else None
        self._inside = tuple({".".join(module.split(".")[:2]) for module in self._canonical})
        self._homes = [(home.encode(), path_pattern(home)) for home in sorted(self.homes)]
        self._named = Words(map(str.encode, sorted(minimal(words))))
        by_needles: dict[tuple[bytes, ...], Packages] = {}
        for root in sorted(self.roots):
            by_needles.setdefault(needles(root, [*targets.legacy_modules, *targets.open]), []).append(
                (root.encode(), path_pattern(root))
            )
        #: What to search for literally, and the packages whose paths to look up where it is found.
        self._found_by: dict[bytes, list[Packages]] = {}
        for found, packages in by_needles.items():
            for needle in found:
                self._found_by.setdefault(needle, []).append(packages)
        self._texts = frozenset() if paths_only else targets.search_words.texts
        near = self._inner or () if words else ()
        self._searched = Words({*self._texts, *self._found_by, *near, *(() if paths_only else (ALLOWANCE,))})
        self._is_ascii = all(word.isascii() for word in (*self.roots, *words))
        #: Characters beyond ASCII that were seen to read as nothing in ASCII.
        self._foreign: set[str] = set()
        self._verdicts: dict[bytes, Verdict] = {}
        self._nearness: dict[bytes, str] = {}
        self._any = re.compile("|".join(re.escape(word) for word in sorted({*self.roots, *words})) or r"(?!)")

    def sift(self, batch: Batch, inside: Modules, homes: Set[int] = frozenset()) -> list[int]:
        """Which files of a batch may hold a use, by index.

        ``inside`` tells name and package-ness of files that lie in packages of the ledger, for their relative imports;
        ``homes`` are those that lie in packages of canonical paths.
        """
        data, bounds = batch.data, batch.bounds
        found: set[int] = set()
        spelt = self._searched.within(batch)
        for index, words in spelt.items():
            start, end = bounds[index], bounds[index + 1] - 1
            if ALLOWANCE in words or not self._texts.isdisjoint(words) or self._spells_one(data, start, end, words):
                found.add(index)
        if self.words:
            for index in self._near(batch, spelt, inside, homes):
                if index not in found and self._named.are_in(data, bounds[index], bounds[index + 1] - 1):
                    found.add(index)
        for index, module in inside.items():
            if index not in found and self.relative_hits(data, module, bounds[index], bounds[index + 1] - 1):
                found.add(index)
        start = 0
        for index, end in enumerate(bounds[1:]):
            if index not in found and self._reads_otherwise(data, start, end - 1):
                found.add(index)
            start = end
        return sorted(found)

    def _reads_otherwise(self, data: Data, start: int, end: int) -> bool:
        """Whether a file may spell a name in other bytes: in another encoding, or in compatibility characters."""
        head = min(start + 400, end)
        if data.startswith(_WIDE_BOMS, start, end) or (
            data.find(b"coding", start, head) >= 0 and _COOKIE_OF_OTHERS.search(data, start, head)
        ):
            raw = bytes(data[start:end])
            encoding, bom = encoding_of(raw)
            if encoding != "utf-8":
                return self._spells_decoded(raw, encoding, bom)
        part = data[start:end]
        return not part.isascii() and self.hits_normalized(part)

    def hits_normalized(self, data: Data) -> bool:
        """Whether text that is not all ASCII spells a name in compatibility characters (Python reads NFKC)."""
        telling: Optional[set[str]] = None
        if self._is_ascii:
            fresh = {*data.translate(None, _ASCII).decode("utf-8", "ignore")} - self._foreign
            telling = {*filter(has_plain_words, fresh)}
            self._foreign |= fresh - telling
            if not telling:
                # None of its characters reads as an ASCII letter or digit.
                return False
        text = data.decode("utf-8", "ignore")
        if unicodedata.is_normalized("NFKC", text):
            return False
        # What reads as a name stands in one run of letters and dots with a character beyond ASCII in it.
        runs = foreign_runs(text, telling)
        return any(self._any.search(plain) for run in runs if (plain := unicodedata.normalize("NFKC", run)) != run)

    def _paths(self, data: Data, start: int, end: int, words: Places) -> Iterator[re.Match[bytes]]:
        """The paths that are spelt in a file and begin with a top-level package, one of whose words was found."""
        seen: list[Packages] = []
        for packages in chain.from_iterable(self._found_by.get(word, ()) for word in words):
            if any(packages is other for other in seen):
                continue
            seen.append(packages)
            for root, pattern in packages:
                places = words.get(root, []) if root in self._found_by else None
                if places is not None:
                    yield from filter(None, (pattern.match(data, at, end) for at in places))
                    continue
                at = data.find(root, start, end)
                if at >= 0:
                    yield from pattern.finditer(data, at, end)

    def _spells_one(self, data: Data, start: int, end: int, words: Places) -> bool:
        """Whether a file spells a path that may be a row's."""
        verdicts = self._verdicts
        for match in self._paths(data, start, end, words):
            text = match.group()
            verdict = verdicts.get(text)
            if verdict is None:
                verdict = verdicts[text] = self._judge(_dotted(text))
            if verdict is True:
                return True
            if verdict and _is_imported(data, match.start()) and any(data.find(child, start, end) >= 0 for child in verdict):
                return True
        return False

    def _near(self, batch: Batch, spelt: Mapping[int, Places], inside: Modules, homes: Set[int]) -> list[int]:
        """The files that spell the path of a canonical module, import a parent package of one, or lie in one."""
        if self._inner is None:
            spelling = {*range(len(batch.bounds) - 1)}
        else:
            spelling = {index for index, words in spelt.items() if not self._inner.isdisjoint(words)}
        found: list[int] = []
        for index in sorted(spelling | homes):
            start, end = batch.bounds[index], batch.bounds[index + 1] - 1
            lies_in_one = index in homes and inside[index]()[0].startswith(self._inside)
            if lies_in_one or (index in spelling and (index in homes or self._spells_home(batch.data, start, end))):
                found.append(index)
        return found

    def _spells_home(self, data: Data, start: int, end: int) -> bool:
        known = self._nearness
        for home, pattern in self._homes:
            at = data.find(home, start, end)
            for match in pattern.finditer(data, at, end) if at >= 0 else ():
                text = match.group()
                verdict = known.get(text)
                if verdict is None:
                    dotted = _dotted(text)
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
        if known in targets.open:
            return True  # whatever is below it may be a path of a pattern
        below = {
            module[len(known) + 1 :].partition(".")[0] for module in targets.legacy_modules if module.startswith(f"{known}.")
        }
        below |= set(targets.names.get(known, ()))
        return tuple(sorted(word.encode() for word in below))

    def relative_hits(self, data: Data, module: Module, start: int, end: int) -> bool:
        """Whether a relative import of a file in a package of the ledger may reach a legacy path."""
        package: Optional[list[str]] = None
        for match in RELATIVE.finditer(data, start, end):
            if package is None:
                name, is_package = module()
                package = name.split(".") if is_package else name.split(".")[:-1]
            level = match.group(1).count(b".")
            base = package[: len(package) - level + 1] if level <= len(package) else []
            path = ".".join([*base, *match.group(2).decode("ascii", "replace").strip(".").split(".")]).strip(".")
            verdict = self._judge(path) if path else False
            if verdict is True or (verdict is not False and any(data.find(child, start, end) >= 0 for child in verdict)):
                return True
        return False

    def names_members(self, raw: bytes) -> bool:
        """Whether a file may use something of a canonical module: what it is, takes more than its imports to tell."""
        return bool(self.words) and self._named.are_in(raw, 0, len(raw)) and self._spells_home(raw, 0, len(raw))

    def places(self, data: bytes) -> list[int]:
        """Where paths start that begin with a top-level package of the ledger, if any path of that may be a row's."""
        words = self._searched.within(Batch((), data, (0, len(data)))).get(0, {})
        return sorted(match.start() for match in self._paths(data, 0, len(data), words))

    def _spells_decoded(self, raw: bytes, encoding: str, bom: bytes) -> bool:
        try:
            text = raw[len(bom) :].decode(encoding, "replace")
        except (LookupError, ValueError):
            return self._any.search(raw.decode("latin-1")) is not None
        return isinstance(text, str) and self._any.search(text) is not None


def _hands_on(package: str, words: frozenset[str]) -> bool:
    """Whether the source of a package spells one of ``words``, or may bind any: then these may be imported from it."""
    try:
        with open(find_module_file(package), "rb") as file:
            data = file.read()
    except OSError:
        return False
    spelt = {*re.findall(rb"\w+", data)}
    return b"__getattr__" in spelt or _STAR.search(data) is not None or any(word.encode() in spelt for word in words)


def _dotted(spelt: bytes) -> str:
    """A path as it is spelt in a file, without the blanks that may stand around its dots."""
    return _BLANKS.sub(b"", spelt).replace(b":", b".").decode("ascii", "replace")


def _is_imported(data: Data, start: int) -> bool:
    """Whether a word stands where an import statement or a string may name a package."""
    return bytes(data[max(0, start - 60) : start]).rstrip(b" \t\f\\\r\n").endswith(_BEFORE)
