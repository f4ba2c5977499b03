"""Parse syntax of other Python versions by rewriting it, at equal length, to what the running Python parses.

Every replacement is as long as the original, so positions in the tree are positions in the file. Handled:
``lazy`` imports (3.15), ``except A, B:`` and t-strings (3.14), type parameters and nested quotes in f-strings
(3.12), ``except*`` and starred subscripts (3.11), ``match`` (3.10).
"""

from __future__ import annotations

import ast
import re
import sys
import warnings
from typing import TYPE_CHECKING

from . import lexer

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from .sources import Source

_LAZY = re.compile(rb"(?m)(?:^|(?<=[;:])[ \t]*)(lazy)(?=[ \t\f\\]+(?:from|import)\b)")
_EXCEPT = re.compile(rb"\bexcept\b[ \t]*\*?([^:\r\n()]*,[^:\r\n]*):")
_EXCEPT_STAR = re.compile(rb"\bexcept[ \t]*(\*)")
_PARAMETERS = re.compile(rb"\b(?:def|class)[ \t]+\w+[ \t]*(\[)")
_TYPE = re.compile(rb"(?m)(?:^[ \t]*|;[ \t]*)(type)(?=[ \t]+\w+[ \t]*(?:\[|=[^=]))")
_TYPE_PARAMETERS = re.compile(rb"(?m)(?:^[ \t]*|;[ \t]*)type[ \t]+\w+[ \t]*(\[)")
_BRACKET = re.compile(rb"[\[\]]")
_STAR = re.compile(rb"(?:(?<=[\w\])])\[|\*\w+[ \t]*:)[ \t]*(\*)(?=[ \t]*[\w(])")
_MATCH = re.compile(rb"(?m)^[ \t]*(match)\b[^\r\n=]*:[ \t]*(?:\r\n|\r|\n)(?=[ \t]+case\b)")
_CASE = re.compile(rb"(?m)^[ \t]+(case)\b([^\r\n]*):")
_JOINER = re.compile(rb"\b(as|if)\b")


class Tree:
    """A parsed file; ``changed`` names what had to be rewritten for the running Python to parse it, ``parameters`` are the spans
    of type parameters that were left out. One that is skimmed lacks function bodies."""

    def __init__(
        self,
        module: ast.Module,
        changed: tuple[str, ...] = (),
        parameters: tuple[tuple[int, int], ...] = (),
        *,
        is_skimmed: bool = False,
    ) -> None:
        self.module, self.changed, self.parameters, self.is_skimmed = module, changed, parameters, is_skimmed

    @property
    def has_rewritten_calls(self) -> bool:
        """Whether some calls in the tree are none in the file (patterns of ``match``)."""
        return "match" in self.changed


class Unparsable(Exception):
    """No reading of the file parses; ``line`` is where, ``reason`` what Python says."""

    def __init__(self, line: int, reason: str) -> None:
        super().__init__(reason)
        self.line, self.reason = line, reason


def parse_text(text: str) -> ast.Module:
    """Parse without inheriting this file's future statements, and without a word about the file's own escapes."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return _compiled(text)


def _compiled(text: str) -> ast.Module:
    tree = compile(text, "<source>", "exec", ast.PyCF_ONLY_AST, dont_inherit=True)
    assert isinstance(tree, ast.Module)
    return tree


def parse(source: Source) -> Tree:
    """Parse a source of any Python; raise :class:`Unparsable`."""
    try:
        return Tree(parse_text(source.text))
    except (RecursionError, MemoryError):
        raise Unparsable(1, "nested too deeply to be parsed") from None
    except (SyntaxError, ValueError) as error:
        reason = error
    for formats in (False, True):
        data, changed = downgrade(source.data, formats=formats)
        if not changed:
            continue
        try:
            left_out = tuple(type_parameters(source.data)) if "type parameters" in changed else ()
            return Tree(parse_text(data.decode("utf-8")), changed, left_out)
        except (SyntaxError, ValueError, RecursionError, MemoryError):
            continue
    line = getattr(reason, "lineno", None) or 1
    said = getattr(reason, "msg", None) or str(reason)
    raise Unparsable(
        max(1, min(line, len(source.starts))), f"{said} (read with Python {sys.version_info[0]}.{sys.version_info[1]})"
    )


def downgrade(data: bytes, *, formats: bool) -> tuple[bytes, tuple[str, ...]]:
    """Rewrite newer syntax at equal length; return the new text and the names of what was rewritten."""
    tokens = lexer.tokens(data)
    if tokens is None:
        return data, ()
    made = bytearray(data)
    mask = _masked(data, tokens)
    changed: list[str] = []
    if _strings(made, mask, tokens, formats):
        changed.append("strings")
    steps: tuple[tuple[str, Callable[[bytearray, bytes], bool]], ...] = (
        ("lazy", _lazy),
        ("type parameters", _type_parameters),
        ("except", _excepts),
        ("star", _stars),
        ("match", _matches),
    )
    for name, step in steps:
        if name == "match" and sys.version_info >= (3, 10):
            continue
        if step(made, bytes(mask)):
            changed.append(name)
    return bytes(made), tuple(changed)


def _put(made: bytearray, start: int, text: bytes) -> None:
    made[start : start + len(text)] = text


def _blank(made: bytearray, start: int, end: int) -> None:
    made[start:end] = re.sub(rb"[^\r\n]", b" ", bytes(made[start:end]))


def _lazy(made: bytearray, mask: bytes) -> bool:
    found = list(_LAZY.finditer(mask))
    for match in found:
        _put(made, match.start(1), b"0;  ")
    return bool(found)


def _type_parameters(made: bytearray, mask: bytes) -> bool:
    # Before 3.13 a parameter has no default, and before 3.12 there are none: one treatment serves all.
    brackets = [*_brackets(mask)]
    for start, end in brackets:
        made[start:end] = b" " * (end - start)
    found = list(_TYPE.finditer(mask))
    for match in found:
        _put(made, match.start(1), b"0;  ")
    return bool(brackets or found)


def type_parameters(data: bytes) -> Iterator[tuple[int, int]]:
    """The spans of the type parameters of a text, brackets included."""
    tokens = lexer.tokens(data)
    return _brackets(bytes(_masked(data, tokens))) if tokens is not None else iter(())


def _brackets(mask: bytes) -> Iterator[tuple[int, int]]:
    for pattern in (_PARAMETERS, _TYPE_PARAMETERS):
        for opened in pattern.finditer(mask):
            depth = 0
            for match in _BRACKET.finditer(mask, opened.start(1)):
                depth += 1 if match.group() == b"[" else -1
                if not depth:
                    yield opened.start(1), match.end()
                    break


def _masked(data: bytes, tokens: list[lexer.Token]) -> bytearray:
    """A text with its strings and comments blanked."""
    mask = bytearray(data)
    for token in tokens:
        _blank(mask, token.start, token.end)
    return mask


def _excepts(made: bytearray, mask: bytes) -> bool:
    found = list(_EXCEPT.finditer(mask))
    for match in found:
        for at in range(match.start(1), match.end(1)):
            if mask[at] == 44:
                made[at] = 124
    groups = list(_EXCEPT_STAR.finditer(mask)) if sys.version_info < (3, 11) else []
    for match in groups:
        made[match.start(1)] = 32
    return bool(found or groups)


def _stars(made: bytearray, mask: bytes) -> bool:
    found = list(_STAR.finditer(mask)) if sys.version_info < (3, 11) else []
    for match in found:
        made[match.start(1)] = 32
    return bool(found)


def _matches(made: bytearray, mask: bytes) -> bool:
    found = list(_MATCH.finditer(mask))
    if not found:
        return False
    for match in found:
        _put(made, match.start(1), b"if   ")
    for match in _CASE.finditer(mask):
        _put(made, match.start(1), b"if  ")
        for joiner in _JOINER.finditer(mask, match.start(2), match.end(2)):
            _put(made, joiner.start(1), b"or")
    return True


def _strings(made: bytearray, mask: bytearray, tokens: list[lexer.Token], formats: bool) -> bool:
    """Turn t-strings, and f-strings with ``formats``, into tuples of their expressions; keep these in the mask."""
    changed = False
    for index, token in enumerate(tokens):
        if not _is_rewritten(token, formats):
            continue
        changed = True
        _as_tuple(made, token)
        _as_tuple(mask, token)
        if index + 1 < len(tokens):
            after = tokens[index + 1]
            between = bytes(made[token.end : after.start])
            if after.quote and not _is_rewritten(after, formats) and not between.strip(b" \t\f\r\n\\"):
                _blank(made, after.start, after.end)
    return changed


def _is_rewritten(token: lexer.Token, formats: bool) -> bool:
    return bool(token.quote) and token.is_format and (formats or b"t" in token.prefix.lower())


def _as_tuple(made: bytearray, token: lexer.Token) -> None:
    kept = {start: bytes(made[start:end]) for start, end in token.fields}
    _blank(made, token.start, token.end)
    for start, text in kept.items():
        made[start : start + len(text)] = text
    for start, text in kept.items():
        # The comma takes the place of the brace, colon, conversion or equals sign that ends the expression.
        made[start + len(text)] = 44
    for inner in token.nested:
        if inner.quote and inner.is_format:
            _as_tuple(made, inner)
    made[token.start] = 40
    made[token.end - 1] = 41
