"""Read the code cells of a notebook as one program, and put rewritten cells back; all other bytes of the file stay."""

from __future__ import annotations

import ast
import difflib
import json
import re
from typing import Any, NamedTuple, Optional

from compat.errors import CompatError

SUFFIX = ".ipynb"
_TOKEN = re.compile(r'"(?:[^"\\\x00-\x1f]|\\.)*"|[\[\]{}:,]|[^\s\[\]{}:,"]+')
_PIECE = re.compile(r"\\u[dD][89abAB]..\\u[dD][c-fC-F]..|\\u[0-9a-fA-F]{4}|\\.|[^\\]", re.S)
#: Lines for IPython rather than Python: magics, shell commands, help.
_MAGIC = re.compile(r"[ \t]*(?:%|!|\?)|[^#'\"]*\?{1,2}[ \t]*$|[ \t]*[\w.,\[\] \t]+=[ \t]*[%!]")
#: Magics of whole cells after which Python follows.
_PYTHON_CELL = re.compile(r"%%(?:time|timeit|memit|capture|prun|python3?)\b")
#: Magics of a line, or of a cell, after whose options a statement follows.
_STATEMENT = re.compile(
    r"[ \t]*(%%?(?:time|timeit|memit|prun)(?:[ \t]+-(?:[nrplcti][ \t]*[\d.]+|[sTD][ \t]+\S+|\w+))*[ \t]+)(?=[^-\s])"
)
#: A statement that stands behind a magic, as it is in the program.
_MARKED = re.compile(r"([ \t]*)(.*)  (# compat: magic \d+ for IPython)[ \t]*")


class NotebookError(CompatError):
    """A file is no notebook that can be read; the message says which, where and why."""


class Literal(NamedTuple):
    """One JSON string of a cell's source: its span in the text of the file, and what it stands for."""

    start: int
    end: int
    value: str


class Cell(NamedTuple):
    """The source of one code cell: its number, its strings, and whether they are a list."""

    number: int
    literals: list[Literal]
    is_list: bool

    @property
    def source(self) -> str:
        return "".join(literal.value for literal in self.literals)


class Notebook:
    """One notebook; ``program`` is its Python code, cell by cell, with a line between cells that no block of imports crosses."""

    def __init__(self, path: str, raw: bytes) -> None:
        self.path, self.raw = path, raw
        try:
            self.text = raw.decode("utf-8")
            data = json.loads(self.text)
        except UnicodeDecodeError as error:
            raise self._broken(f"not valid utf-8: {error.reason} at byte {error.start}") from None
        except (ValueError, RecursionError) as error:
            raise self._broken(str(error)) from None
        listed = data.get("cells") if isinstance(data, dict) else None
        if not isinstance(listed, list):
            raise self._broken("it has no list of cells, as format 4 has")
        kinds = [cell.get("cell_type") if isinstance(cell, dict) else None for cell in listed]
        if None in kinds:
            raise self._broken(f"its cell {kinds.index(None) + 1} has no cell_type")
        self.cells = [cell for cell in _cells(self.text) if kinds[cell.number] == "code"]
        self._magics: dict[str, str] = {}
        language = str(_within(_within(data, "metadata"), "kernelspec").get("language") or "python")
        self._parts = [self._masked(cell.source) for cell in self.cells] if language.startswith("python") else []
        self.cells = self.cells if self._parts else []
        self.program = "".join(f"{part}\n{self._between(index)}\n" for index, part in enumerate(self._parts))
        try:
            self.program.encode()
        except UnicodeEncodeError as error:
            raise self._broken(f"{error.reason} in a cell") from None
        self._firsts: list[int] = []
        line = 1
        for part in self._parts:
            self._firsts.append(line)
            line += part.count("\n") + 2

    def _broken(self, why: str) -> NotebookError:
        return NotebookError(f"{self.path} is not a notebook: {why}; mend it, or exclude it in [tool.compat]")

    def _between(self, index: int) -> str:
        return f"'compat: end of cell {index}'"

    def _masked(self, source: str) -> str:
        """A cell as Python: lines for IPython are comments."""
        lines = source.split("\n")
        if lines[0].startswith("%%") and not _PYTHON_CELL.match(lines[0]):
            return "\n".join(self._mask(line) for line in lines)
        return "\n".join(self._mask(line) if _MAGIC.match(line) else line for line in lines)

    def _mask(self, line: str) -> str:
        mark = f"# compat: line {len(self._magics)} for IPython"
        begun = _STATEMENT.match(line)
        if begun is not None and _is_python(line[begun.end() :]):
            mark = mark.replace("line", "magic")
            self._magics[mark] = begun.group(1)
            return f"{line[: begun.start(1)]}{line[begun.end() :]}  {mark}"
        self._magics[mark] = line
        return line[: len(line) - len(line.lstrip())] + mark

    def place(self, line: int, column: int) -> tuple[int, int, int, str]:
        """Where a place of the program is in the file: line and column from 1, the offset in bytes, and the cell in words."""
        index = max(at for at, first in enumerate(self._firsts) if first <= line)
        cell, inside = self.cells[index], line - self._firsts[index]
        lines = self._parts[index].split("\n")
        # Nothing is found in lines for IPython but statements behind magics, which begin further left in the program.
        offset = sum(len(self._unmasked(text)) + 1 for text in lines[:inside]) + column - 1 + len(self._magic_of(lines[inside]))
        at = self._in_file(cell, offset)
        head = self.text.rfind("\n", 0, at) + 1
        return (
            self.text.count("\n", 0, at) + 1,
            at - head + 1,
            len(self.text[:at].encode()),
            f"cell {cell.number + 1}, line {inside + 1}",
        )

    def offset(self, start: int) -> int:
        """Where an offset in bytes of the file is in the program, in bytes too: the inverse of :meth:`place`."""
        at = len(self.raw[:start].decode("utf-8", "ignore"))
        index = max(index for index, cell in enumerate(self.cells) if cell.literals and cell.literals[0].start <= at)
        before = 0
        for literal in self.cells[index].literals:
            pieces = [*_PIECE.finditer(self.text, literal.start + 1, literal.end - 1)]
            if at < literal.end:
                before += sum(piece.start() < at for piece in pieces)
                break
            before += len(literal.value)
        inside = self.cells[index].source[:before]
        lines = self._parts[index].split("\n")[: inside.count("\n")]
        head = [f"{part}\n{self._between(number)}\n" for number, part in enumerate(self._parts[:index])]
        head += [f"{line}\n" for line in lines]
        rest, magic = inside.rpartition("\n")[2], self._magic_of(self._parts[index].split("\n")[len(lines)])
        return len("".join([*head, rest.replace(magic, "", 1)]).encode())

    def cells_of(self, program: str) -> Optional[list[tuple[int, str, str]]]:
        """The code cells that a rewritten program changes: number from 1, source before and after; ``None`` as ``rewritten``."""
        parts = self._split(program)
        if parts is None:
            return None
        return [(cell.number + 1, cell.source, part) for cell, part in zip(self.cells, parts) if part != cell.source]

    def _in_file(self, cell: Cell, offset: int) -> int:
        for literal in cell.literals:
            if offset < len(literal.value) or literal is cell.literals[-1]:
                at = literal.start + 1
                for piece in _PIECE.finditer(self.text, at, literal.end - 1):
                    if offset <= 0:
                        break
                    offset -= 1
                    at = piece.end()
                return at
            offset -= len(literal.value)
        return cell.literals[0].start if cell.literals else 0

    def _unmasked(self, line: str) -> str:
        marked = _MARKED.fullmatch(line)
        if marked is not None and marked.group(3) in self._magics:
            return f"{marked.group(1)}{self._magics[marked.group(3)]}{marked.group(2)}"
        return self._magics.get(line.strip(), line)

    def _magic_of(self, line: str) -> str:
        """The magic behind which a line of the program stands; empty for any other line."""
        marked = _MARKED.fullmatch(line)
        return self._magics.get(marked.group(3), "") if marked is not None else ""

    def rewritten(self, program: str) -> Optional[bytes]:
        """The file with the cells of a rewritten program; ``None`` where they cannot be told apart any more."""
        made, parts = self.text, self._split(program)
        if parts is None:
            return None
        for cell, part in reversed([*zip(self.cells, parts)]):
            if part != cell.source and cell.literals:
                start, end = cell.literals[0].start, cell.literals[-1].end
                made = made[:start] + self._literals(cell, part) + made[end:]
        return made.encode()

    def _split(self, program: str) -> Optional[list[str]]:
        """The sources of the cells of a rewritten program."""
        rest, parts = program, []
        lines = program.split("\n")
        marked = [match.group(3) for match in map(_MARKED.fullmatch, lines) if match is not None and match.group(2)]
        if not {*marked, *(line.strip() for line in lines)}.issuperset(self._magics):
            return None  # a magic would be lost, or stand before something else
        for index in range(len(self._parts)):
            part, mark, rest = rest.partition(f"\n{self._between(index)}\n")
            if not mark:
                return None
            parts.append("\n".join(map(self._unmasked, part.split("\n"))))
        return parts if not rest else None

    def _literals(self, cell: Cell, source: str) -> str:
        """The JSON strings of a rewritten source; those of lines that did not change as they were."""
        if not cell.is_list:
            return self._dumped(source)
        old, new = [literal.value for literal in cell.literals], source.splitlines(keepends=True) or [""]
        between = self._separator(cell)
        made: list[str] = []
        for tag, first, last, begin, end in difflib.SequenceMatcher(None, old, new, autojunk=False).get_opcodes():
            if tag == "equal":
                made += [self.text[literal.start : literal.end] for literal in cell.literals[first:last]]
            else:
                made += map(self._dumped, new[begin:end])
        return between.join(made)

    def _separator(self, cell: Cell) -> str:
        """What stands between two strings of a list: as between its first two, or as before its first."""
        if len(cell.literals) > 1:
            return self.text[cell.literals[0].end : cell.literals[1].start]
        start = cell.literals[0].start
        return "," + self.text[self.text.rfind("[", 0, start) + 1 : start]

    def _dumped(self, value: str) -> str:
        return json.dumps(value, ensure_ascii=self.text.isascii())


def _is_python(text: str) -> bool:
    try:
        ast.parse(text)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return False
    return True


def _within(table: dict[str, Any], key: str) -> dict[str, Any]:
    found = table.get(key)
    return found if isinstance(found, dict) else {}


def _cells(text: str) -> list[Cell]:
    """The sources of the cells of a JSON text that parses, by the spans of their strings."""
    found: list[Cell] = []
    path: list[Any] = []
    key: Optional[str] = None
    for token in _TOKEN.finditer(text):
        word = token.group()
        if word in "[{":
            # A list has its key, and the number of its item; a table its key.
            path.append([key or "", 0] if word == "[" else key or "")
            if _is_source(path):
                found.append(Cell(_number(path), [], True))
            key = None
        elif word in "]}":
            path.pop()
            key = None
        elif word == ",":
            if path and isinstance(path[-1], list):
                path[-1][1] += 1
            key = None
        elif word == ":":
            continue
        elif word[0] == '"':
            follows = text[token.end() :][:64].lstrip()[:1]
            if follows == ":" and key is None and not (path and isinstance(path[-1], list)):
                key = json.loads(word)
            elif _is_source(path):
                found[-1].literals.append(Literal(token.start(), token.end(), json.loads(word)))
            elif key == "source" and _is_cell(path):
                found.append(Cell(_number(path), [Literal(token.start(), token.end(), json.loads(word))], False))
    return found


def _is_cell(path: list[Any]) -> bool:
    """Whether what is read is a cell: a table in the list of cells at the top."""
    return len(path) == 3 and isinstance(path[1], list) and path[1][0] == "cells" and not isinstance(path[2], list)


def _is_source(path: list[Any]) -> bool:
    return len(path) == 4 and _is_cell(path[:3]) and isinstance(path[3], list) and path[3][0] == "source"


def _number(path: list[Any]) -> int:
    number: int = path[1][1]
    return number
