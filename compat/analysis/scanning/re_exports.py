"""Follow re-exports, and names that give instances of classes, to the modules of the tree that import them, in several rounds."""

from __future__ import annotations

import os
import re
from itertools import chain
from typing import TYPE_CHECKING, Optional

from ..reading import batch as batches
from .examine import read
from .needles import minimal

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from ..reading.files import Found
    from ..targets import Targets
    from .examine import Examined
    from .file_scanner import Scanner

# Literals come first, so that the search for them runs at memory speed.
_IMPORTED = tuple(re.compile(word + rb"(?<!\w" + word + rb")[ \t]+([.\w]+)") for word in (b"from", b"import"))
_FROM_LIST = re.compile(rb"from[ \t]+([.\w]+)[ \t]+import[ \t]*(\([^)]*|[^\r\n;#]*)")
_STATEMENT = re.compile(
    rb"(?<!\w)from[ \t\\\r\n]*([.\w]+)[ \t\\\r\n]*import[ \t\\\r\n]*(\([^)]*|[^\r\n;#]*)"
    rb"|(?<!\w)import[ \t\\\r\n]+([^\r\n;#]*)"
)
_FROM_PACKAGE = re.compile(rb"(?<!\w)from[ \t]*(\.+)[ \t]*import[ \t]*(\([^)]*|[^\r\n;#]*)")
_WORD, _PATH = re.compile(rb"\w+"), re.compile(rb"[.\w]+")
_CONTINUED = re.compile(rb"\\\r?\n")
ROUNDS = 5


def follow(scanner: Scanner, found: list[Found], examined: dict[str, Examined]) -> None:
    """Find imports of legacy names from modules of the tree that import them; those may re-export them in turn."""
    if scanner.scope.select and "re-exports" not in scanner.scope.select:
        return
    targets = scanner.targets
    _carry_on(scanner, found, examined)
    fresh = {item.module: item.re_exported for item in examined.values() if item.re_exported}
    carry(targets, {item.module: item.carried for item in examined.values() if item.carried})
    # What is re-exported is followed as such.
    typed = {item.module: {*item.carried}.difference(item.re_exported) for item in examined.values() if item.carried}
    for _round in range(ROUNDS):
        typed = {module: names for module, names in typed.items() if names}
        if not fresh and not typed:
            return
        targets.re_exported.update(fresh)
        given = {module: {*fresh.get(module, ()), *typed.get(module, ())} for module in {*fresh, *typed}}
        again: dict[str, dict[str, object]] = {}
        typed, carried = {}, {}
        for item, raw in importers(found, given):
            result = scanner.examine(item, raw)
            more = {*(result.carried or ())} - targets.carried_by(result.module)
            if more and result.module:
                carried[result.module] = more
                typed[result.module] = more.difference(result.re_exported)
            before = examined.get(item.path)
            if before is None and not result.findings:
                continue
            examined[item.path] = result
            new = {
                name: target for name, target in result.re_exported.items() if before is None or name not in before.re_exported
            }
            if new and result.module:
                again[result.module] = dict(result.re_exported)
        carry(targets, carried)
        fresh = again  # type: ignore[assignment]


def _carry_on(scanner: Scanner, found: list[Found], examined: dict[str, Examined]) -> None:
    """Ask modules that import classes that matter, and were not parsed, what they give, if another file imports them."""
    unknown = {item.module: path for path, item in examined.items() if item.carried is None}
    if not unknown:
        return
    given = imported(found, unknown)
    for item in found:
        before = examined.get(item.path)
        if before is None or before.carried is not None or before.module not in given:
            continue
        raw, _reason = read(item.path)
        carried = scanner.examine(item, raw).carried if raw is not None else ()
        examined[item.path] = before._replace(carried=carried)


def carry(targets: Targets, typed: Mapping[str, Iterable[str]]) -> None:
    """Let files that import names from modules of the trees know that these give instances of classes that matter."""
    if targets.carried is not None:
        for module, names in typed.items():
            targets.carried.setdefault(module, set()).update(names)
    for known in targets.neighbours.values():
        known.forget()


def importers(found: Iterable[Found], given: Mapping[str, Iterable[str]]) -> Iterator[tuple[Found, bytes]]:
    """The source files that import one of the names that modules give, with their bytes."""
    by_end: dict[bytes, set[bytes]] = {}
    for module, names in given.items():
        for end in _ends(module.encode(errors="surrogateescape")):
            by_end.setdefault(end, set()).update(name.encode() for name in names)
    words = batches.Words(minimal({name for names in by_end.values() for name in names}))
    for item, raw in _naming(found, by_end):
        if words.are_in(raw, 0, len(raw)) and (_imports_one_of(raw, by_end) or _takes_from_package(item, raw, by_end)):
            yield item, raw


def imported(found: Iterable[Found], modules: Iterable[str]) -> set[str]:
    """Those of the modules that a source file may import something from."""
    by_end: dict[bytes, set[str]] = {}
    for module in modules:
        for end in _ends(module.encode(errors="surrogateescape")):
            by_end.setdefault(end, set()).add(module)
    seen: set[str] = set()
    for item, raw in _naming(found, by_end):
        seen.update(chain.from_iterable(by_end.get(folder, ()) for folder, _names in _from_packages(item, raw)))
        for base, names, modules_named in _statements(raw):
            base = base.strip(b".")
            paths = [
                base,
                *(base + b"." + name if base else name for name in _WORD.findall(names)),
                *_PATH.findall(modules_named),
            ]
            seen.update(chain.from_iterable(by_end.get(path, ()) for path in paths))
    return seen


def _statements(raw: bytes) -> Iterator[tuple[bytes, bytes, bytes]]:
    """What import statements name: base and names of one kind, modules of the other."""
    for match in _STATEMENT.finditer(raw):
        # findall() gives str, not bytes, for a group without a match on PyPy.
        base, names, modules = (group or b"" for group in match.groups())
        yield base, names, modules


def _from_packages(item: Found, raw: bytes) -> Iterator[tuple[bytes, bytes]]:
    """The names that ``from . import name`` takes, each time with the folder of the package that they may be taken from."""
    folders = os.path.dirname(item.path).split(os.sep)
    for match in _FROM_PACKAGE.finditer(raw):
        if len(match.group(1)) <= len(folders):
            yield folders[-len(match.group(1))].encode(errors="surrogateescape"), match.group(2)


def _takes_from_package(item: Found, raw: bytes, given: dict[bytes, set[bytes]]) -> bool:
    """Whether a file takes one of the names that its own package gives, or one above it."""
    for folder, text in _from_packages(item, raw):
        is_unclear = any(sign in text for sign in (b"*", b"#", b"\\"))
        if folder in given and (is_unclear or not given[folder].isdisjoint(_WORD.findall(text))):
            return True
    return False


def _naming(found: Iterable[Found], ends: Iterable[bytes]) -> Iterator[tuple[Found, bytes]]:
    """The source files in which the last word of a module's path may stand, or that lie in such a folder, with their bytes."""
    last = frozenset(end.rpartition(b".")[2] for end in ends)
    wanted = batches.Words(last)
    # One search for each of many words would take longer than a look at every import.
    return _with_any(found, wanted if wanted.is_quick else None, last)


def with_any(found: Iterable[Found], words: Iterable[bytes]) -> Iterator[tuple[Found, bytes]]:
    """The source files in which one of some words stands, with their bytes."""
    return _with_any(found, batches.Words(words))


def _with_any(
    found: Iterable[Found], words: Optional[batches.Words], folders: frozenset[bytes] = frozenset()
) -> Iterator[tuple[Found, bytes]]:
    named = frozenset(folder.decode(errors="surrogateescape") for folder in folders)
    for batch in batches.batches(item for item in found if not item.is_data):
        chosen = {*(range(len(batch.items)) if words is None else words.within(batch))}
        if named and words is not None:
            paths = enumerate(os.path.dirname(item.path).split(os.sep) for item in batch.items)
            chosen.update(index for index, parts in paths if not named.isdisjoint(parts))
        yield from [(batch.items[index], batch.content(index)) for index in sorted(chosen)]


def _imports_one_of(raw: bytes, given: dict[bytes, set[bytes]]) -> bool:
    """Whether a file imports one of the names, or a module that gives one, by that module's path or by an end of it."""
    lists = {match.start(): match for match in _FROM_LIST.finditer(raw)}
    for match in chain.from_iterable(pattern.finditer(raw) for pattern in _IMPORTED):
        base = match.group(1).strip(b".")
        listed = lists.get(match.start())
        if listed is None:
            if _reads(raw, given.get(base, ())):
                return True
            continue
        text = listed.group(2)
        names = {*_WORD.findall(text)}
        # What stands behind a comment or on the next line is not in the text.
        if base in given and (any(sign in text for sign in (b"*", b"#", b"\\")) or not names.isdisjoint(given[base])):
            return True
        if any(_reads(raw, given.get(base + b"." + name if base else name, ())) for name in names):
            return True
    return False


def _reads(raw: bytes, names: Iterable[bytes]) -> bool:
    """Whether one of the names is read as an attribute."""
    return any(name in raw and re.search(rb"\.[\s\\]*" + re.escape(name), raw) for name in names)


def _ends(module: bytes) -> list[bytes]:
    """The ends of a dotted path: itself, ``b.c`` and ``c`` of ``a.b.c``."""
    parts = module.split(b".")
    return [b".".join(parts[at:]) for at in range(len(parts))]


class Taking:
    """Tells whether a file may get at one name of a module: by its import, through the module as an object, or by a string.

    Modules count by the last word of their paths alone: a file may be imported by other paths than that of its place.
    """

    def __init__(self, module: bytes, name: bytes) -> None:
        self._module, self._name = module, name
        last, word = re.escape(module), re.escape(name)
        self._path = re.compile(rb"\b%s(?:[\s\\]*\.[\s\\]*|:)%s\b" % (last, word))
        self._text = re.compile(rb"[\"'.]%s[\"']" % last)
        self._read = re.compile(rb"(?:\.[\s\\]*|[\"'])%s\b" % word)

    def is_in(self, raw: bytes) -> bool:
        if self._path.search(raw):
            return True
        is_object = self._text.search(raw) is not None
        for base, names, modules in _statements(_CONTINUED.sub(b" ", raw)):
            is_unclear = b"#" in names  # behind a comment with a bracket more names may stand
            if base.rpartition(b".")[2] == self._module:
                if is_unclear or b"*" in names or self._name in _WORD.findall(names):
                    return True
            elif is_unclear or self._module in _WORD.findall(names or modules):
                is_object = True
        return is_object and self._read.search(raw) is not None
