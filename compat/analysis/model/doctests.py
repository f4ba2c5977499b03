"""Extract doctests as programs of their own, and map their offsets back to the file."""

from __future__ import annotations

import ast
import re
from bisect import bisect_right
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Optional

from ..reading import dialects, sources
from . import building, scopes

if TYPE_CHECKING:
    from ..targets import Targets
    from .file_model import FileModel

DOCTEST = "doctest"
_LINE = re.compile(rb"(?m)(?:^([ \t]*)|(?<=[\"']))(>>>|\.\.\.)(?: ([^\r\n]*))?(?=[\r\n]|\Z)(?:\r\n|[\r\n])?")
_CLOSING = re.compile(rb"(?:\"\"\"|'''|\"|')\Z")


@dataclass
class Program:
    """The examples of one string: ``starts`` are offsets of the program's lines, ``places`` where these stand in the file.

    ``is_docstring`` is false for any other string that looks like a doctest: nobody may run it.
    """

    outer: FileModel
    file: FileModel
    starts: list[int]
    places: list[int]
    indent: str
    is_docstring: bool
    #: Doctests in strings of the examples themselves.
    programs: list[Program]

    def place(self, offset: int) -> int:
        """Where an offset of the program stands in the file."""
        line = bisect_right(self.starts, offset) - 1
        return self.places[line] + offset - self.starts[line]

    def span(self, start: int, end: int) -> tuple[int, int]:
        """Where a span stands in the file; one that ends with a line ends before the next line's prompt."""
        placed = self.place(start)
        return placed, placed if start == end else self.place(end - 1) + 1


def add(file: FileModel, targets: Targets) -> list[Program]:
    """Read the doctests of a file in which something legacy may stand; names that they take from the module become chains of
    its model, and examples that do not parse texts that cannot be followed."""
    data = file.source.data
    if b">>>" not in data:
        return []
    words = {top.encode() for top in targets.tops}
    words.update(
        item.local.encode()
        for item in file.names.imports
        if item.module.partition(".")[0] in targets.tops or item.module in targets.re_exported
    )
    found: list[Program] = []
    for text in file.names.texts:
        if ">>>" not in str(text.node.value):
            continue
        start, end = file.span(text.node)
        if any(word in data[start:end] for word in words):
            program = _program(file, targets, start, end, is_docstring=text.role == "docstring")
            if program is None:
                continue
            found.append(program)
            if program.is_docstring:
                _share(file, program)
            else:
                file.unread.append(str(text.node.value))
    return found


def _program(file: FileModel, targets: Targets, start: int, end: int, *, is_docstring: bool) -> Optional[Program]:
    examples, indent = _examples(file.source.data, start, end)
    lines = [line for example in examples for line in example]
    tree = _parsed(file, lines)
    if tree is None:
        for example in examples:
            if _parsed(file, example) is not None:
                continue
            # In a string that is not raw a backslash is written twice.
            single = [(place, text.replace(b"\\\\", b" \\")) for place, text in example]
            if _parsed(file, single) is not None:
                example[:] = single
            else:
                file.unread.append(b"\n".join(text for _place, text in example).decode("utf-8", "replace"))
                example[:] = [(place, b"") for place, _text in example]
        lines = [line for example in examples for line in example]
        tree = _parsed(file, lines)
    if tree is None or not lines:
        return None
    body, starts = b"", []
    for _place, text in lines:
        starts.append(len(body))
        body += text + b"\n"
    source = sources.Source(file.source.path, body, body.decode("utf-8"), "utf-8", b"")
    inner = building.build(source, tree)
    programs = add(inner, targets)
    return Program(file, inner, starts, [place for place, _text in lines], indent, is_docstring, programs)


def _examples(data: bytes, start: int, end: int) -> tuple[list[list[tuple[int, bytes]]], str]:
    """The lines of each example of a string, with their offsets, and how far the last one is indented."""
    closing = _CLOSING.search(data, start, end)
    examples: list[list[tuple[int, bytes]]] = []
    indent, after = b"", -1
    for match in _LINE.finditer(data, start, closing.start() if closing else end):
        text = match.group(3) or b""
        line = (match.end(2) + 1 if match.group(3) is not None else match.end(2), text)
        if match.group(2) == b">>>":
            indent = match.group(1) or b""
            examples.append([line])
        elif examples and match.start() == after and (match.group(1) or b"") == indent:
            examples[-1].append(line)
        else:
            continue
        after = match.end()
    return examples, indent.decode()


def _parsed(file: FileModel, lines: list[tuple[int, bytes]]) -> Optional[dialects.Tree]:
    raw = b"\n".join(text for _place, text in lines) + b"\n"
    try:
        return dialects.parse(sources.Source(file.source.path, raw, raw.decode("utf-8"), "utf-8", b""))
    except (dialects.Unparsable, UnicodeError):
        return None


def _share(file: FileModel, program: Program) -> None:
    """Add what a docstring's examples read of the module's own names to the module's model."""
    inner = program.file
    taken: set[str] = set()
    for chain in inner.names.chains:
        name = chain.root.id
        if inner.names.owner(chain.scope, name) is not None or name not in file.names.module.bindings:
            continue
        taken.add(name)
        root = _placed(program, chain.root, ast.Name(name, chain.root.ctx))
        attributes: list[ast.Attribute] = []
        for node in chain.attributes:
            value = attributes[-1] if attributes else root
            attributes.append(_placed(program, node, ast.Attribute(value, node.attr, node.ctx)))
        file.names.chains.append(scopes.Chain(file.names.module, root, tuple(attributes), role=DOCTEST))
    # What they mean is known inside, too: methods and arguments are the program's own to find and rewrite.
    for name in taken:
        inner.names.module.bindings[name] = file.names.module.bindings[name]


def _placed(program: Program, node: ast.expr, made: ast.expr) -> Any:
    source = program.outer.source
    start, end = program.span(*program.file.span(node))
    for offset, line, column in ((start, "lineno", "col_offset"), (end, "end_lineno", "end_col_offset")):
        number = source.position(offset)[0]
        setattr(made, line, number)
        setattr(made, column, offset - source.starts[number - 1])
    return made
