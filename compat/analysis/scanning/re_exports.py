"""Follow re-exports: find imports of legacy names from modules of the tree that import them, in several rounds."""

from __future__ import annotations

import re
from itertools import chain
from typing import TYPE_CHECKING

from ..reading import batch as batches

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from ..reading.files import Found
    from .examine import Examined
    from .file_scanner import Scanner

# Literals come first, so that the search for them runs at memory speed.
_IMPORTED = tuple(re.compile(word + rb"(?<!\w" + word + rb")[ \t]+([.\w]+)") for word in (b"from", b"import"))
_FROM_LIST = re.compile(rb"from[ \t]+([.\w]+)[ \t]+import[ \t]*(\([^)]*|[^\r\n;#]*)")
_WORD = re.compile(rb"\w+")
_ROUNDS = 5


def follow(scanner: Scanner, found: list[Found], examined: dict[str, Examined]) -> None:
    """Find imports of legacy names from modules of the tree that import them; those may re-export them in turn."""
    if scanner.scope.select and "re-exports" not in scanner.scope.select:
        return
    from .needles import minimal

    fresh = {item.module: item.re_exported for item in examined.values() if item.re_exported}
    for _round in range(_ROUNDS):
        if not fresh:
            return
        scanner.targets.re_exported.update(fresh)
        given: dict[bytes, set[bytes]] = {}
        for module, names in fresh.items():
            for end in _ends(module.encode()):
                given.setdefault(end, set()).update(name.encode() for name in names)
        words = minimal({name for names in given.values() for name in names})
        again: dict[str, dict[str, object]] = {}
        for item, raw in _with_any(found, words):
            if not _imports_one_of(raw, given):
                continue
            result = scanner.examine(item, raw)
            before = examined.get(item.path)
            if before is None and not result.findings:
                continue
            examined[item.path] = result
            new = {
                name: target for name, target in result.re_exported.items() if before is None or name not in before.re_exported
            }
            if new and result.module:
                again[result.module] = dict(result.re_exported)
        fresh = again  # type: ignore[assignment]


def _with_any(found: Iterable[Found], words: Iterable[bytes]) -> Iterator[tuple[Found, bytes]]:
    """The source files in which one of some words stands, with their bytes."""
    wanted = batches.Words(words)
    for batch in batches.batches(item for item in found if not item.is_data):
        yield from [(batch.items[index], batch.content(index)) for index in sorted(wanted.within(batch))]


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
