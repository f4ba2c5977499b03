"""Parse string annotations and ``# type:`` comments, and add their names to the model with their exact positions."""

from __future__ import annotations

import ast
import re
from typing import TYPE_CHECKING, Optional

from ..reading import lexer
from . import scopes

if TYPE_CHECKING:
    from .file_model import FileModel
    from .relevance import Relevance

ANNOTATION, COMMENT = "annotation", "type comment"
_LITERAL = re.compile(rb"[rRuU]?(\"\"\"|'''|\"|')")
_TYPE = re.compile(rb"#[ \t]*type:[ \t]*(?!ignore\b)([^\r\n#]*[^\s#])")


def literal_span(file: FileModel, node: ast.Constant) -> Optional[tuple[int, int]]:
    """The span between the quotes of a string that is written plainly: one literal, no escapes, no prefix but r and u."""
    data = file.source.data
    start, end = file.span(node)
    match = _LITERAL.match(data, start, end)
    if match is None:
        return None
    inner = (match.end(), end - len(match.group(1)))
    if data[inner[0] : inner[1]] != str(node.value).encode("utf-8", "surrogatepass"):
        return None
    return inner


def add(file: FileModel, relevance: Optional[Relevance]) -> None:
    """Put the names of string annotations and type comments into the model; return the texts that could not be read so."""
    kept: list[scopes.Text] = []
    for text in file.names.texts:
        inner = literal_span(file, text.node) if text.role == ANNOTATION else None
        if inner is None or not _expression(file, text.scope, inner, ANNOTATION, text.node):
            kept.append(text)
    file.names.texts = kept
    for span in file.tree.parameters:
        _parameters(file, span)
    for start, end in _comments(file, relevance):
        scope = _scope_at(file, file.source.position(start)[0])
        if not _expression(file, scope, (start, end), COMMENT, None):
            file.unread.append(file.source.data[start:end].decode("utf-8", "replace"))


def _parameters(file: FileModel, span: tuple[int, int]) -> None:
    """Add type parameters that the running Python does not parse, with their bounds and defaults: it reads them as slices."""
    source = file.source
    raw = source.data[span[0] : span[1]]
    made = re.sub(rb"(?<![=!<>])=(?!=)", b":", raw.replace(b"*", b" ").replace(b"\r", b" ").replace(b"\n", b" "))
    try:
        index = ast.parse(b"_" + made, mode="eval").body.slice  # type: ignore[attr-defined]
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        index = None
    if index is None or len(made.splitlines()) != len(raw.splitlines()):
        file.unread.append(raw.decode("utf-8", "replace"))
        return
    line = source.position(span[0])[0]
    column = span[0] - source.starts[line - 1] - 1
    owners = [other for other in file.names.scopes if getattr(other.node, "lineno", 0) == line and _defines(other)]
    scope = scopes.Scope("parameters", file.tree.module, owners[0].parent if owners else _scope_at(file, line))
    for part in getattr(index, "elts", None) or [index]:
        name = getattr(part, "lower", part)
        if isinstance(name, ast.Name):
            for owner in (scope, *owners[:1]):
                owner.bindings.setdefault(name.id, []).append(scopes.Binding(owner, name))
            # What else stands in the definition is not looked up in the scope of its parameters.
            file.unread.append(name.id)
        for read in (getattr(part, "upper", None), getattr(part, "step", None)):
            if read is not None:
                for node in ast.walk(read):
                    if isinstance(node, ast.expr):
                        _move(node, line, column)
                _chains(file, read, scope, ANNOTATION)


def _defines(scope: scopes.Scope) -> bool:
    return isinstance(scope.node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef))


def _comments(file: FileModel, relevance: Optional[Relevance]) -> list[tuple[int, int]]:
    """The spans of what ``# type:`` comments say."""
    data = file.source.data
    found = list(_TYPE.finditer(data)) if b"type:" in data else []
    if found and relevance is not None:
        # Functions import names, too, that no look at the rest knew of.
        relevance.learn(file.names, members=False)
        lines = [(match, file.source.position(match.start())[0]) for match in found]
        found = [match for match, line in lines if relevance.matters(line, line)]
    tokens = lexer.tokens(data) if found else None
    starts = {token.start for token in tokens if token.is_comment} if tokens is not None else set()
    return [match.span(1) for match in found if match.start() in starts]


def _scope_at(file: FileModel, line: int) -> scopes.Scope:
    """The scope that a comment's names are looked up in; the one around a function for a comment about its signature."""
    best = file.names.module
    for scope in file.names.scopes:
        node = scope.node
        if not isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
            continue
        # Scopes stand in the order of their opening: a later one that holds the line lies further inside.
        if node.body[0].lineno <= line <= (node.end_lineno or node.lineno):
            best = scope
    return best


def _expression(file: FileModel, scope: scopes.Scope, span: tuple[int, int], role: str, parent: Optional[ast.AST]) -> bool:
    source = file.source
    raw = source.data[span[0] : span[1]]
    try:
        text = raw.decode("utf-8")
        if role == COMMENT and text.startswith("(") and "->" in text:
            signature = ast.parse(text, mode="func_type")
            nodes, shift = [*signature.argtypes, signature.returns], 0
        else:
            nodes, shift = [ast.parse(f"({text})", mode="eval").body], 1
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return False
    line = source.position(span[0])[0]
    column = span[0] - source.starts[line - 1] - shift
    for node in nodes:
        for inner in ast.walk(node):
            if isinstance(inner, ast.expr):
                _move(inner, line, column)
        if parent is not None:
            file.names.parents[node] = parent
        _chains(file, node, scope, role)
    return True


def _move(node: ast.expr, line: int, column: int) -> None:
    """Shift a node's place from the text it was parsed from to the file."""
    if node.end_lineno == 1:
        node.end_col_offset = (node.end_col_offset or 0) + column
    if node.lineno == 1:
        node.col_offset += column
    node.end_lineno = (node.end_lineno or 1) + line - 1
    node.lineno += line - 1


def _chains(file: FileModel, node: ast.expr, scope: scopes.Scope, role: str) -> None:
    parents = file.names.parents
    parts: list[ast.Attribute] = []
    at = node
    while isinstance(at, ast.Attribute):
        parts.append(at)
        parents[at.value] = at
        at = at.value
    if isinstance(at, ast.Name):
        file.names.chains.append(scopes.Chain(scope, at, tuple(reversed(parts)), role=role))
        return
    if isinstance(at, ast.Constant) and isinstance(at.value, str):
        # A string inside of what a string or comment says.
        span = literal_span(file, at)
        if span is None or not _expression(file, scope, span, role, at):
            file.unread.append(at.value)
        return
    for inner in ast.iter_child_nodes(at):
        if isinstance(inner, ast.expr) and not (scopes.is_literal(at) and inner is getattr(at, "slice", None)):
            parents[inner] = at
            _chains(file, inner, scope, role)
