"""A replacement as code: the expression that a row gives, its parameters, and the imports that its names need.

Read where rows are checked and where source is rewritten; no running program needs it.
"""

from __future__ import annotations

import ast
import builtins
import re
from dataclasses import dataclass, field, replace
from functools import lru_cache
from typing import TYPE_CHECKING, NamedTuple, Optional

from .paths import resolve

if TYPE_CHECKING:
    from collections.abc import Iterator

    from .move import Fault, Move

#: What a placeholder is called in the tree of an expression.
_MARK = "_compat_given_"
_TOKEN = re.compile(r"\{\{|\}\}|\{([^{}]*)\}|[{}]")
#: Line breaks within brackets at which no space is needed, and those after the last comma.
_BREAK = re.compile(r"(?<=[(\[{])[ \t]*[\r\n]\s*|[ \t]*[\r\n]\s*(?=[)\]}.])")
_COMMA_BREAK = re.compile(r",\s*[\r\n]\s*([)\]}])")
_DEFERRED = (ast.Lambda, ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp)
_STATEMENT_LIKE = (ast.Yield, ast.YieldFrom, ast.NamedExpr)


class NotCode(ValueError):
    """An expression, its imports or its parameters cannot be read; ``remedy`` says what to write instead."""

    def __init__(self, reason: str, remedy: str) -> None:
        super().__init__(reason)
        self.remedy = remedy


class Need(NamedTuple):
    """What a name of an expression must be bound to: a name of a module, or a module where ``name`` is empty.

    ``local`` is what the expression calls it; of ``import a.b``, the top-level package. No module: nothing says what it is.
    """

    local: str
    module: str = ""
    name: str = ""

    @property
    def path(self) -> str:
        """The dotted path that the local name stands for."""
        if self.name:
            return f"{self.module}.{self.name}"
        return self.local if self.is_plain else self.module

    @property
    def is_plain(self) -> bool:
        """Whether it is bound by ``import a.b``."""
        return not self.name and self.module.partition(".")[0] == self.local


@dataclass(frozen=True)
class Piece:
    """One place of an expression that is filled in at a call: the span in ``text``, the name, and ``*`` or ``**`` before it."""

    start: int
    end: int
    name: str
    stars: str
    node: ast.Name


@dataclass
class Template:
    """An expression with places to be filled in; ``needs`` are the other names that it reads, builtins aside."""

    text: str
    tree: ast.expr
    pieces: list[Piece] = field(default_factory=list)
    #: The places of the other names, as spans of the text.
    reads: list[tuple[int, int, str]] = field(default_factory=list)
    needs: dict[str, Need] = field(default_factory=dict)
    parameters: Optional[ast.arguments] = None
    #: The callee is known to be async, or known not to be; ``None``: it is gone.
    is_async: Optional[bool] = None
    #: What is read is a property: there is no call.
    is_property: bool = False
    #: Nothing says whether the callee is called: a use that only a value allows is a read of one.
    may_be_value: bool = False
    #: It is another path of the same object: what a name of a module became as an attribute of a class.
    is_path: bool = False
    #: The callee gives nothing back, whatever the expression does.
    gives_nothing: bool = False

    @property
    def names(self) -> tuple[str, ...]:
        """The names of its places, in the order of their first appearance."""
        return tuple(dict.fromkeys(piece.name for piece in self.pieces))


def read(row: Move) -> Template:
    """The replacement of a row; raise :class:`NotCode` where it is none."""
    return _read(row.replacement, row.imports, row.parameters, row.canonical)


def path_of(row: Move) -> Template:
    """The canonical path of a row that leads to an attribute of a class or object, as code: ``timezone.utc``."""
    made = _read(row.canonical.partition(":")[2], (), None, row.canonical)
    return replace(made, is_property=True, is_path=True)


def faults(row: Move) -> Iterator[Fault]:
    """Yield ``(reason, remedy)`` where the replacement of a row cannot be inlined."""
    if not row.replacement:
        if row.imports or row.parameters is not None:
            yield "imports and parameters without a replacement say nothing", "give the expression as replacement="
        return
    try:
        template = read(row)
    except NotCode as error:
        yield f"replacement {row.replacement!r} cannot be inlined: {error}", error.remedy
        return
    for need in template.needs.values():
        if not need.module:
            reason = f"nothing binds {need.local}"
        else:
            reason = resolve(f"{need.module}:{need.name}" if need.name else need.module)[1]
            reason = f"{need.path} {reason}" if reason else ""
        if reason:
            yield f"replacement {row.replacement!r} cannot be inlined: {reason}", f"import {need.local} by imports="


@lru_cache(maxsize=4096)
def _read(replacement: str, imports: tuple[str, ...], parameters: Optional[str], canonical: str) -> Template:
    text, names = _marked(_one_line(replacement.strip()))
    made = parsed(text, {f"{_MARK}{name}": name for name in names})
    bound = _imported(imports)
    module, _, attribute = canonical.partition(":")
    home = attribute.partition(".")[0]
    for _start, _end, name in made.reads:
        if name in bound:
            made.needs[name] = bound[name]
        elif name == home:
            made.needs[name] = Need(home, module, home)
        elif not hasattr(builtins, name):
            made.needs[name] = Need(name)
    if parameters is not None:
        made.parameters = _parameters(parameters)
        known = {*named(made.parameters), "self"}
        for name in made.names:
            if name not in known:
                raise NotCode(f"{{{name}}} is no parameter", f"write one of parameters={parameters!r}")
        for name, default in defaults(made.parameters):
            if name in made.names and default is not None and not is_literal(default):
                raise NotCode(f"the default of {name} is no literal", "write a literal, or no default: then calls must give it")
    return made


def parsed(text: str, marks: dict[str, str]) -> Template:
    """The template of an expression in which some names, the keys of ``marks``, stand for what is filled in."""
    try:
        tree = ast.parse(f"({text}\n)", mode="eval").body
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        said = error.msg if isinstance(error, SyntaxError) else str(error)
        raise NotCode(
            f"it is no expression ({said})", "write an expression, with parameters in braces: 'new({a}, b={b})'"
        ) from None
    made = Template(text, tree)
    _refuse(tree, marks)
    starts = [0]
    for line in text.encode().splitlines(keepends=True):
        starts.append(starts[-1] + len(line))
    parents = {child: node for node in ast.walk(tree) for child in ast.iter_child_nodes(node)}
    for node in ast.walk(tree):
        if isinstance(node, ast.Name):
            start = starts[node.lineno - 1] + node.col_offset - (1 if node.lineno == 1 else 0)
            if node.id not in marks:
                made.reads.append((start, start + len(node.id.encode()), node.id))
                continue
            parent = parents.get(node)
            stars = "*" if isinstance(parent, ast.Starred) else ""
            if isinstance(parent, ast.keyword) and parent.arg is None:
                stars = "**"
            made.pieces.append(Piece(start, start + len(node.id.encode()), marks[node.id], stars, node))
    made.pieces.sort(key=lambda piece: piece.start)
    return made


def _refuse(tree: ast.expr, marks: dict[str, str]) -> None:
    for node in ast.walk(tree):
        if isinstance(node, _STATEMENT_LIKE):
            raise NotCode("it yields or assigns", "write an expression that does neither")
        if isinstance(node, (*_DEFERRED, ast.JoinedStr)):
            held = [inner.id for inner in ast.walk(node) if isinstance(inner, ast.Name)]
            if held and isinstance(node, ast.JoinedStr):
                shown = f"{{{marks[held[0]]}}}" if held[0] in marks else held[0]
                raise NotCode(f"an f-string holds {shown}", "call a function instead, such as '...'.format({a})")
            if not isinstance(node, ast.JoinedStr):
                raise NotCode("it has a scope of its own (a lambda or a comprehension)", "let a function of the new API do it")


def _marked(replacement: str) -> tuple[str, list[str]]:
    """The expression with each ``{name}`` turned into an identifier, ``{{`` and ``}}`` into braces; and the names."""
    if _MARK in replacement:
        raise NotCode(f"{_MARK} stands in it", "use other names")
    names: list[str] = []

    def turn(match: re.Match[str]) -> str:
        token, name = match.group(), match.group(1)
        if token in ("{{", "}}"):
            return token[0]
        if name is None or not name.isidentifier():
            raise NotCode(f"{token} names no parameter", "write {name}, and {{ }} for braces")
        names.append(name)
        return f"{_MARK}{name}"

    return _TOKEN.sub(turn, replacement), names


def _one_line(replacement: str) -> str:
    """An expression that is written over several lines, joined to one; raise :class:`NotCode` where that would change it."""
    if "\n" not in replacement and "\r" not in replacement:
        return replacement
    spread = _marked(replacement)[0]
    for pattern, new in ((_COMMA_BREAK, r"\1"), (_BREAK, "")):
        joined = _BREAK.sub("", pattern.sub(new, replacement))
        joined = " ".join(line.strip() for line in joined.splitlines())
        if _tree(_marked(joined)[0]) == _tree(spread) != "":
            return joined
    raise NotCode("it is written over several lines that cannot be joined", "write it in one line")


def _tree(text: str) -> str:
    try:
        return ast.dump(ast.parse(f"({text}\n)", mode="eval"))
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return ""


def _imported(imports: tuple[str, ...]) -> dict[str, Need]:
    bound: dict[str, Need] = {}
    for line in imports:
        try:
            body = ast.parse(line.strip()).body
        except (SyntaxError, ValueError):
            body = []
        if not body or not all(isinstance(node, (ast.Import, ast.ImportFrom)) for node in body):
            raise NotCode(f"{line!r} is no import statement", "write imports='from package import name'")
        for node in body:
            if isinstance(node, ast.ImportFrom):
                if node.level or any(alias.name == "*" for alias in node.names):
                    raise NotCode(f"{line!r} imports no name by an absolute path", "write imports='from package import name'")
                for alias in node.names:
                    local = alias.asname or alias.name
                    bound[local] = Need(local, node.module or "", alias.name)
            elif isinstance(node, ast.Import):
                for alias in node.names:
                    local = alias.asname or alias.name.partition(".")[0]
                    bound[local] = Need(local, alias.name)
    return bound


def _parameters(text: str) -> ast.arguments:
    try:
        node = ast.parse(f"def f({text}): ...").body[0]
    except SyntaxError:
        node = ast.Pass()
    if not isinstance(node, ast.FunctionDef):
        raise NotCode(f"parameters={text!r} are no parameters", "write them as a def has them: 'a, b=2, *, c=None'")
    return node.args


def defaults(parameters: ast.arguments) -> list[tuple[str, Optional[ast.expr]]]:
    """The parameters that take one value each, with their defaults."""
    positional = [*parameters.posonlyargs, *parameters.args]
    missing = [None] * (len(positional) - len(parameters.defaults))
    pairs = [*zip(positional, [*missing, *parameters.defaults]), *zip(parameters.kwonlyargs, parameters.kw_defaults)]
    return [(item.arg, default) for item, default in pairs]


def is_literal(node: ast.expr) -> bool:
    """Whether an expression means the same wherever it is written: a constant, with a sign or in a tuple."""
    if isinstance(node, ast.Tuple):
        return all(map(is_literal, node.elts))
    return isinstance(node.operand if isinstance(node, ast.UnaryOp) else node, ast.Constant)


def named(parameters: ast.arguments) -> list[str]:
    """The names of all parameters, in order."""
    every = [*parameters.posonlyargs, *parameters.args, parameters.vararg, *parameters.kwonlyargs, parameters.kwarg]
    return [item.arg for item in every if item is not None]
