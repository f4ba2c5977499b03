"""Follow re-exports, and names that give instances of classes, to the modules of the tree that import them, in several rounds."""

from __future__ import annotations

import re
from itertools import chain
from typing import TYPE_CHECKING

from ..reading import batch as batches

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from ..reading.files import Found
    from ..targets import Targets
    from .examine import Examined
    from .file_scanner import Scanner

# Literals come first, so that the search for them runs at memory speed.
_IMPORTED = tuple(re.compile(word + rb"(?<!\w" + word + rb")[ \t]+([.\w]+)") for word in (b"from", b"import"))
_FROM_LIST = re.compile(rb"from[ \t]+([.\w]+)[ \t]+import[ \t]*(\([^)]*|[^\r\n;#]*)")
_WORD = re.compile(rb"\w+")
ROUNDS = 5


def follow(scanner: Scanner, found: list[Found], examined: dict[str, Examined]) -> None:
    """Find imports of legacy names from modules of the tree that import them; those may re-export them in turn."""
    if scanner.scope.select and "re-exports" not in scanner.scope.select:
        return
    targets = scanner.targets
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
            more = {*result.carried} - targets.carried_by(result.module)
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


def carry(targets: Targets, typed: Mapping[str, Iterable[str]]) -> None:
    """Let files that import names from modules of the trees know that these give instances of classes that matter."""
    if targets.carried is not None:
        for module, names in typed.items():
            targets.carried.setdefault(module, set()).update(names)
    for known in targets.neighbours.values():
        known.forget()


def importers(found: Iterable[Found], given: Mapping[str, Iterable[str]]) -> Iterator[tuple[Found, bytes]]:
    """The source files that import one of the names that modules give, with their bytes."""
    from .needles import minimal

    by_end: dict[bytes, set[bytes]] = {}
    for module, names in given.items():
        for end in _ends(module.encode(errors="surrogateescape")):
            by_end.setdefault(end, set()).update(name.encode() for name in names)
    for item, raw in with_any(found, minimal({name for names in by_end.values() for name in names})):
        if _imports_one_of(raw, by_end):
            yield item, raw


def with_any(found: Iterable[Found], words: Iterable[bytes]) -> Iterator[tuple[Found, bytes]]:
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
