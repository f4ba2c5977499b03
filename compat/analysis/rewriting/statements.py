"""Write import statements anew: in place where one new module suffices, split where names move apart."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from .import_blocks.members import is_spread
from .plan import Placement, Plan

if TYPE_CHECKING:
    from ..model.scopes import ImportedName, ImportNode
    from ..reading.import_statements import AliasSpan, Statement

_NEWLINE = re.compile(rb"\r\n|\r|\n")


def rewrite(plan: Plan) -> None:
    """Turn the placements of imported names into edits, statement by statement."""
    by_statement: dict[ImportNode, list[ImportedName]] = {}
    for item in plan.file.names.imports:
        by_statement.setdefault(item.statement, []).append(item)
    for node, items in by_statement.items():
        if not any(item in plan.placements or item in plan.additions for item in items):
            continue
        read = plan.file.statement(node)
        assert read is not None
        plan.rewritten[node] = (read.first, read.end)
        _Writer(plan, read, items).write()


class _Writer:
    def __init__(self, plan: Plan, read: Statement, items: list[ImportedName]) -> None:
        self.plan, self.read, self.data = plan, read, plan.file.source.data
        self.placed: list[list[Placement] | None] = [plan.placements.get(item) for item in items]
        self.items = items
        added = dict.fromkeys(placement for item in items for placement in plan.additions.get(item, ()))
        self.added = [_statement(placement) for placement in added]

    def write(self) -> None:
        if all(placements is None for placements in self.placed):
            self.add_before()
            return
        modules = {placement.module for placements in self.placed for placement in placements or ()}
        single = all(placements is not None and len(placements) == 1 for placements in self.placed)
        few = all(placements is None or len(placements) == 1 for placements in self.placed)
        if not self.read.is_from and few and modules == {""}:
            self.plain_in_place()
            self.add_before()
        elif self.read.is_from and single and len(modules) == 1 and "" not in modules:
            self.from_in_place(modules.pop())
            self.add_before()
        else:
            self.split()

    def add_before(self) -> None:
        """Put the added statements before this one, which keeps its comment."""
        if self.added:
            first = self.read.first
            end = first + (4 if self.data[first : first + 4] in (b"from", b"lazy") else 6)
            self.plan.edit(first, end, self.joined([*self.added, self.data[first:end].decode()], before=True))

    def from_in_place(self, module: str) -> None:
        # `from.import x` needs no blanks; `from new.module import x` does.
        before = " " if self.data[self.read.module_start - 1 : self.read.module_start] == b"m" and self.read.is_from else ""
        after = " " if self.data[self.read.module_end : self.read.module_end + 6] == b"import" else ""
        self.plan.edit(self.read.module_start, self.read.module_end, f"{before}{module}{after}")
        for alias, placements in zip(self.read.aliases, self.placed):
            assert placements is not None
            self.alias_in_place(alias, placements[0])

    def plain_in_place(self) -> None:
        for alias, placements in zip(self.read.aliases, self.placed):
            if placements is not None:
                self.alias_in_place(alias, placements[0])

    def alias_in_place(self, alias: AliasSpan, placement: Placement) -> None:
        given = self.data[alias.as_start : alias.as_end].decode() if alias.as_start >= 0 else ""
        if given and placement.local == given:
            self.plan.edit(alias.start, alias.end, placement.name)
        else:
            # An alias goes only where what it named is named otherwise: a factory instead of a class.
            local = placement.local if placement.local != placement.name else ""
            self.plan.edit(alias.start, alias.whole_end, f"{placement.name} as {local}" if local else placement.name)

    def split(self) -> None:
        read = self.read
        groups: dict[str, list[tuple[int, Placement]]] = {}
        kept: list[int] = []
        seen: set[Placement] = set()
        for index, placements in enumerate(self.placed):
            if placements is None:
                kept.append(index)
            for placement in placements or ():
                if placement in seen:
                    continue
                seen.add(placement)
                groups.setdefault(placement.module, []).append((index, placement))
        pieces = self.added
        if kept:
            pieces.append(self.kept(kept))
        for module, members in groups.items():
            pieces.append(self.moved(module, members))
        if pieces:
            self.plan.edit(read.start, read.end, self.joined(pieces))
        else:
            self.delete()

    def delete(self) -> None:
        """Take out the statement, with its line where that holds nothing else."""
        read, data = self.read, self.data
        head = max(data.rfind(b"\n", 0, read.first), data.rfind(b"\r", 0, read.first)) + 1
        after = re.compile(rb"[ \t\f]*(?:;[ \t\f]*|(?:\r\n|\r|\n|\Z))").match(data, read.end)
        if after is None or data[head : read.first].strip():
            self.plan.edit(read.first, read.end, "pass")
        else:
            self.plan.edit(head if b";" not in after.group() else read.first, after.end(), "")

    def joined(self, pieces: list[str], *, before: bool = False) -> str:
        """Put statements below each other at the same indentation, or on one line where the statement shares its line."""
        read, data = self.read, self.data
        head = max(data.rfind(b"\n", 0, read.first), data.rfind(b"\r", 0, read.first)) + 1
        indent = data[head : read.first]
        lazy = "lazy " if read.lazy_start >= 0 else ""
        if before and lazy:
            pieces, lazy = [*(f"{lazy}{piece}" for piece in pieces[:-1]), pieces[-1]], ""
        after = data[read.end : read.end + 40].lstrip(b" \t\f")
        shares = bool(indent.strip()) or (after.startswith(b";") and not before)
        if shares:
            return f"; {lazy}".join(pieces)
        newline = _NEWLINE.search(data)
        end = newline.group().decode() if newline is not None else "\n"
        return f"{end}{indent.decode()}{lazy}".join(pieces)

    def kept(self, indexes: list[int]) -> str:
        module = self.data[self.read.module_start : self.read.module_end].decode() if self.read.is_from else ""
        return self.statement(module, indexes, [self.text(self.read.aliases[index]) for index in indexes])

    def moved(self, module: str, members: list[tuple[int, Placement]]) -> str:
        texts = []
        for _index, placement in members:
            local = placement.local if placement.local not in ("", placement.name) else ""
            texts.append(f"{placement.name} as {local}" if local else placement.name)
        return self.statement(module, [index for index, _placement in members], texts)

    def statement(self, module: str, indexes: list[int], texts: list[str]) -> str:
        if not module:
            return f"import {', '.join(texts)}"
        read = self.read
        if len(set(indexes)) == len(indexes) and is_spread(self.data, read):
            return f"from {module} import {self.bracketed(indexes, texts)}"
        return f"from {module} import {', '.join(texts)}"

    def bracketed(self, indexes: list[int], texts: list[str]) -> str:
        """Names in brackets over several lines: each keeps its line and its comment."""
        read, data = self.read, self.data
        starts = [alias.start for alias in read.aliases]
        ends = [*starts[1:], read.close_bracket]
        head = data[read.open_bracket : starts[0]].decode()
        if 0 not in indexes and "#" in head:
            head = f"({_last_line(head)}"
        tail = data[read.aliases[-1].whole_end : read.close_bracket].decode()
        closing = _last_line(tail)
        made = head
        for place, (index, text) in enumerate(zip(indexes, texts)):
            rest = data[read.aliases[index].whole_end : ends[index]].decode()
            if not rest.lstrip().startswith(","):
                rest = f",{rest}"
            if place == len(indexes) - 1:
                rest = (rest.rstrip() if "#" not in rest else rest.rstrip(" \t\r\n")) + closing
                if not closing and index != len(read.aliases) - 1:
                    rest = rest.rstrip(",")
            elif not _NEWLINE.search(rest.encode()) and index == len(read.aliases) - 1:
                rest = f"{rest.rstrip()} "
            made += text + rest
        return f"{made})"

    def text(self, alias: AliasSpan) -> str:
        return self.data[alias.start : alias.whole_end].decode()


def _statement(placement: Placement) -> str:
    local = placement.local if placement.local not in ("", placement.name) else ""
    text = f"import {placement.name} as {local}" if local else f"import {placement.name}"
    return f"from {placement.module} {text}" if placement.module else text


def _last_line(text: str) -> str:
    """The last line end of a text and what follows it; empty where there is none."""
    match = re.search(r"(?:\r\n|\r|\n)[^\r\n]*\Z", text)
    return match.group() if match else ""
