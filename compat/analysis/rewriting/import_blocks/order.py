"""Tidy import blocks after a rewrite: merge statements of one module, and keep sorted blocks sorted.

A block is a run of import statements with nothing else between them in one body, so no statement crosses other code, a
docstring, ``try`` or ``if``. Only rewritten statements move; only those they are merged into change besides.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from dataclasses import replace
from typing import TYPE_CHECKING, Callable, Optional

from ...reading import dialects, sources
from . import members, reparsing, ruff_settings
from .blocks import Block, Entry, bodies, newline, own_bodies, read, runs
from .members import Member
from .reparsing import Shifts

if TYPE_CHECKING:
    import ast
    from collections.abc import Iterable, Iterator, Mapping

    from ...model.file_model import FileModel
    from ...reading.sources import Source
    from ..edits import Edit
    from .blocks import Placed
    from .members import Order
    from .ruff_settings import ImportStyle

#: Comments that speak to a tool about the statement's first line.
_DIRECTIVE = re.compile(r"#+\s*(?:type|mypy|pyright|pylint|noqa|ruff|fmt|nosec|pragma|compat)\b")


def _plain_first(entry: Entry) -> tuple[object, ...]:
    section, *rest = entry.key()
    return section, entry.read.is_from, *rest


def _by_module(entry: Entry) -> tuple[object, ...]:
    section, level, lower, name, *rest = entry.key()
    return section, level, lower, name, entry.read.is_from, *rest


_STYLES: tuple[Callable[[Entry], tuple[object, ...]], ...] = (_plain_first, _by_module)


def tidy(file: FileModel, edits: Iterable[Edit], rewritten: Mapping[ast.stmt, tuple[int, int]], data: bytes) -> bytes:
    """The rewritten text with its blocks in order; ``rewritten`` are the import statements that changed, and their spans before.

    Raises :class:`compat.analysis.reading.dialects.Unparsable` where the rewritten text does not parse.
    """
    source = file.source
    style = ruff_settings.of(source.path)
    after = sources.Source(source.path, data, data.decode("utf-8"), "utf-8", b"")
    shifts = Shifts(edits)
    moved = [(shifts.of(first), shifts.of(end)) for first, end in rewritten.values()]
    # One behind which an import was added is as it was.
    kept = {source.data[first:end] for first, end in rewritten.values()}
    found: list[tuple[int, int, bytes]] = []
    for was, run in _runs(file, edits, rewritten, after, shifts):
        block = read(data, after, run)
        if block is None:
            continue
        for entry in block.entries:
            is_in = any(first <= entry.read.first < end for first, end in moved)
            entry.changed = is_in and data[entry.read.first : entry.read.end] not in kept
        if not any(entry.changed for entry in block.entries) or not _is_free(block):
            continue
        start, end = block.entries[0].head, block.entries[-1].end
        _work(data, block, read(source.data, source, was), style)
        found.append((start, end, _joined(block, data)))
    holds = not file.tree.changed
    for start, end, text in sorted(found, reverse=True):
        data = data[:start] + text + data[end:]
        first = start + len(text) - len(text.lstrip(b" \t"))
        holds = holds and reparsing.statements(data, first, start + len(text)) is not None
    if not holds and data != after.data:
        dialects.parse(sources.Source(source.path, data, data.decode("utf-8"), "utf-8", b""))
    return data


def _runs(
    file: FileModel, edits: Iterable[Edit], rewritten: Mapping[ast.stmt, tuple[int, int]], after: Source, shifts: Shifts
) -> Iterator[tuple[Placed, Placed]]:
    """Runs of imports that may have changed, before and after."""
    source = file.source
    made = reparsing.imports(file, edits, rewritten, after.data, shifts)
    if made is None:
        every = [bodies(file.tree.module), bodies(dialects.parse(after).module)]
        for was, body in zip(*every) if rewritten else ():
            for run, new in zip(runs(source, was), runs(after, body)):
                yield _placed(source, run), _placed(after, new)
        return
    parents = file.names.parents
    for parent in {parents.get(node, file.tree.module): None for node in made}:
        for body in own_bodies(parent):
            for run in runs(source, body):
                if not made.keys().isdisjoint(run):
                    placed = _placed(source, run)
                    yield placed, [item for node, at in placed for item in made.get(node) or [(node, shifts.of(at))]]


def _placed(source: Source, run: list[ast.stmt]) -> Placed:
    return [(node, source.offset(node.lineno, node.col_offset)) for node in run]


def _is_free(block: Block) -> bool:
    """Whether the order of a block means nothing: no star, no name bound to two things, nothing said to sorters."""
    bound: dict[str, str] = {}
    for entry in block.entries:
        if b"isort:" in entry.text or any(alias.name == "*" for alias in entry.read.aliases):
            return False
        for local, path in entry.bound().items():
            if bound.setdefault(local, path) != path:
                return False
    return True


def _work(data: bytes, block: Block, before: Optional[Block], told_style: ImportStyle) -> None:
    told = before.entries if before is not None else []
    styles = _STYLES[::-1] if told_style.sort_within_sections else _STYLES
    style = next((key for key in styles if before is not None and all(map(_sorted_by(key), before.paragraphs))), None)
    lists = [entry.names for entry in told if entry.names is not None]
    order = next((key for key in members.orders(told_style) if all(list_ == sorted(list_, key=key) for list_ in lists)), None)
    if told_style.single_line:
        for paragraph in block.paragraphs:
            paragraph[:] = [part for entry in paragraph for part in _parted(data, entry, told_style)]
    elif style is not None and not told_style.combine_as and not any(_combines(entry) for entry in told):
        for paragraph in block.paragraphs:
            paragraph[:] = [part for entry in paragraph for part in _without_aliases(data, entry)]
    for entry in [entry for entry in block.entries if entry.changed and not entry.pinned]:
        is_single = entry.read.is_from and told_style.is_single(entry.module)
        for other in _receivers(block, entry) if _is_removable(block, entry) else ():
            if _is_repeated(entry, other) if is_single else _merge(data, block, entry, other, order, told_style):
                if is_single:
                    _remove(block, entry)
                break
    if told_style.line_length is not None:
        for entry in block.entries:
            if entry.changed and entry.names and not entry.comment and not told_style.is_single(entry.module):
                _fit(data, entry, told_style.line_length)
    if style is None:
        return
    for entry in block.entries:
        if entry.changed and entry.names and order is not None and not entry.pinned:
            ordered = sorted(entry.names, key=order)
            if ordered != entry.names:
                _write(data, entry, ordered, told_style.line_length)
    for entry in [entry for entry in block.entries if entry.changed and not entry.pinned]:
        _place(block, entry, style)


def _parted(data: bytes, entry: Entry, style: ImportStyle) -> list[Entry]:
    """A rewritten statement parted into one for each name."""
    if not entry.changed or entry.names is None or not style.is_single(entry.module):
        return [entry]
    if len(entry.names) < 2 or (entry.comment and not members.is_spread(data, entry.read)):
        return [entry]
    made = []
    for index, member in enumerate(entry.names):
        start = entry.head if index == 0 else entry.start
        part = replace(entry, head=start, comment=member.comment, pinned=entry.pinned and index == 0, names=[member])
        part.text = data[start : entry.read.first] + members.write_single(data, entry.read, member).encode()
        made.append(part)
    return made


def _is_repeated(entry: Entry, other: Entry) -> bool:
    """Whether another statement imports the same one name."""
    if entry.module != other.module or not entry.names or not other.names or entry.comment or entry.head < entry.start:
        return False
    return [member[:2] for member in entry.names] == [member[:2] for member in other.names]


def _fit(data: bytes, entry: Entry, limit: int) -> None:
    """Write a statement over several lines where its one line is too long."""
    line = entry.text.decode().splitlines()[-1]
    if len(line) > limit and entry.names and not members.is_spread(data, entry.read) and b"(" not in entry.text:
        _write(data, entry, entry.names, limit)


def _combines(entry: Entry) -> bool:
    names = entry.names or []
    return len(names) > 1 and any(member.local for member in names)


def _without_aliases(data: bytes, entry: Entry) -> list[Entry]:
    """A rewritten statement parted as isort parts it: each ``name as local`` by itself, the other names together."""
    if not entry.changed or not _combines(entry) or (entry.comment and not members.is_spread(data, entry.read)):
        return [entry]
    assert entry.names is not None
    plain = [member for member in entry.names if not member.local]
    made = [entry]
    first, *others = [*([plain] if plain else []), *([member] for member in entry.names if member.local)]
    for names in others:
        made.append(replace(entry, head=entry.start, comment="", pinned=False))
        _write(data, made[-1], names)
    _write(data, entry, first)
    return made


def _sorted_by(key: Callable[[Entry], tuple[object, ...]]) -> Callable[[list[Entry]], bool]:
    return lambda paragraph: paragraph == sorted(paragraph, key=key)


def _receivers(block: Block, entry: Entry) -> list[Entry]:
    """The statements that may take in another's names: those that were not rewritten first."""
    same = [other for other in block.entries if other is not entry and other.read.is_from == entry.read.is_from]
    alike = [other for other in same if (other.read.lazy_start >= 0) == (entry.read.lazy_start >= 0)]
    return sorted(alike, key=lambda other: other.changed)


def _merge(data: bytes, block: Block, entry: Entry, other: Entry, order: Optional[Order], style: ImportStyle) -> bool:
    """Move the names of one statement into another of the same module; say whether it is gone."""
    if not entry.read.is_from:
        if entry.head < entry.start or entry.comment or len(entry.read.aliases) > 1:
            return False
        if all(_plain(alias) != _plain(entry.node.names[0]) for alias in other.node.names):  # type: ignore[attr-defined]
            return False
        _remove(block, entry)
        return True
    if entry.module != other.module or entry.names is None or other.names is None or entry.head < entry.start:
        return False
    given, taken = _with_comments(data, entry), _with_comments(data, other)
    if given is None or (entry.comment and members.is_spread(data, entry.read)):
        return False
    known = {(member.name, member.local) for member in other.names}
    fresh = [member for member in given if (member.name, member.local) not in known]
    if any(member.comment for member in given if member not in fresh):
        return False
    if fresh:
        aliases = not style.combine_as and not _combines(other) and any(member.local for member in [*fresh, *other.names])
        if taken is None or aliases:
            return False
        is_ordered = order is not None and taken == sorted(taken, key=order)
        names = sorted([*taken, *fresh], key=order) if is_ordered else [*taken, *fresh]
        _write(data, other, names, style.line_length)
    _remove(block, entry)
    return True


def _plain(alias: ast.alias) -> tuple[str, Optional[str]]:
    return alias.name, alias.asname


def _with_comments(data: bytes, entry: Entry) -> Optional[list[Member]]:
    """The names with the comment behind the statement given to its only one; ``None`` where it is nobody's."""
    assert entry.names is not None
    if _DIRECTIVE.match(entry.comment) or any(_DIRECTIVE.match(member.comment) for member in entry.names):
        return None
    if not entry.comment or members.is_spread(data, entry.read):
        return list(entry.names)
    return [entry.names[0]._replace(comment=entry.comment)] if len(entry.names) == 1 else None


def _write(data: bytes, entry: Entry, names: list[Member], limit: Optional[int] = None) -> None:
    indent = data[entry.start : entry.read.first].decode()
    text = members.write(data, entry.read, names, indent, newline(data).decode(), limit=limit)
    commented = entry.comment and any(member.comment == entry.comment for member in names) and len(entry.names or ()) == 1
    tail = data[entry.read.end : entry.end] if entry.comment and not commented else b""
    entry.text = data[entry.head : entry.read.first] + text.encode() + tail
    entry.names = names


def _is_removable(block: Block, entry: Entry) -> bool:
    """Whether a statement may go: with the last of a paragraph, what divides it from others goes, which may be a comment."""
    index = next(index for index, paragraph in enumerate(block.paragraphs) if entry in paragraph)
    return len(block.paragraphs[index]) > 1 or len(block.paragraphs) == 1 or b"#" not in block.gaps[max(0, index - 1)]


def _remove(block: Block, entry: Entry) -> None:
    index = next(index for index, paragraph in enumerate(block.paragraphs) if entry in paragraph)
    block.paragraphs[index].remove(entry)
    if not block.paragraphs[index] and len(block.paragraphs) > 1:
        del block.paragraphs[index]
        del block.gaps[max(0, index - 1)]


def _place(block: Block, entry: Entry, style: Callable[[Entry], tuple[object, ...]]) -> None:
    """Put a rewritten statement where its paragraph's order wants it, or into the paragraph of its package."""
    own = next(paragraph for paragraph in block.paragraphs if entry in paragraph)
    homes = [paragraph for paragraph in (own, *block.paragraphs) if any(o.top == entry.top and not o.changed for o in paragraph)]
    home = homes[0] if homes and _is_removable(block, entry) else own
    if home is own:
        own.remove(entry)
    else:
        _remove(block, entry)
    index = bisect_right([style(other) for other in home], style(entry))
    floor = 1 if home and home[0].pinned else 0
    home.insert(max(index, floor), entry)


def _joined(block: Block, data: bytes) -> bytes:
    made = b""
    entries = block.entries
    for index, paragraph in enumerate(block.paragraphs):
        made += block.gaps[index - 1] if index else b""
        for entry in paragraph:
            made += entry.text + (b"" if entry is entries[-1] else entry.newline or newline(data))
    return made
