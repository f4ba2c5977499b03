"""The edits of one call: what stands between its arguments changes, the arguments themselves stay where they are."""

from __future__ import annotations

import ast
import re
from typing import TYPE_CHECKING

from .values import Left

if TYPE_CHECKING:
    from collections.abc import Mapping

    from compat.ledger.templates import Piece, Template

    from ...model.scopes import Scope
    from ..plan import Plan
    from .values import Value

_ATOMS = (ast.Name, ast.Call, ast.Attribute, ast.Subscript, ast.List, ast.Dict, ast.Set)
#: Within these an expression needs no brackets of its own.
_ROOMY = (ast.Expr, ast.Assign, ast.Return, ast.List, ast.Tuple, ast.Set, ast.AugAssign)
_FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda, ast.ClassDef)
_DEFERRED = (ast.GeneratorExp, ast.ListComp, ast.SetComp, ast.DictComp)
#: What may end an f-string, or a place of one, before Python 3.12.
_UNSAFE = frozenset("'\"\\{}#!:\n")
_SHOWN = re.compile(rb"[\s)]*=(?!=)")
_SEPARATOR = re.compile(r"\s*,\s*")
_OPENED, _CLOSING = re.compile(r"\(\s*\Z"), re.compile(r"\A\s*,?\s*\)")


def whole(plan: Plan, scope: Scope, template: Template, node: ast.expr) -> ast.expr:
    """The expression that a template takes the place of: the call, or the ``await`` of it; raise :class:`Left` where an
    ``await`` more or less would change what the program does."""
    parent = plan.file.names.parents.get(node)
    awaits = isinstance(template.tree, ast.Await)
    if isinstance(parent, ast.Await):
        if awaits:
            return parent
        if template.is_async is True:
            return parent
        if template.is_async is None and _is_async(template):
            return node
        raise Left("its result is awaited, and that of its replacement is not")
    if not awaits and not any(isinstance(inner, ast.Await) for inner in ast.walk(template.tree)):
        if template.is_async:
            raise Left("it is async, and not awaited here")
        return node
    if template.is_async:
        raise Left("it is async, and not awaited here")
    if template.is_async is None and not isinstance(parent, (ast.Expr, ast.Assign, ast.AnnAssign)):
        raise Left("its replacement is awaited, and its result is handed on here")
    _may_await(plan, node)
    return node


def _is_async(template: Template) -> bool:
    from ...targets.adapters import is_async_function

    root = template.tree
    if not isinstance(root, ast.Call) or not isinstance(root.func, ast.Name):
        return False
    need = template.needs.get(root.func.id)
    return need is not None and bool(need.name) and is_async_function(f"{need.module}:{need.name}") is True


def _may_await(plan: Plan, node: ast.expr) -> None:
    inner: ast.AST = node
    for around in plan.file.names.ancestors(node):
        if isinstance(around, (*_FUNCTIONS, *_DEFERRED)):
            if isinstance(around, ast.AsyncFunctionDef) and inner in around.body:
                return
            break
        inner = around
    raise Left("its replacement is awaited, and this is no async function")


def write(plan: Plan, template: Template, given: dict[str, list[Value]], spelt: Mapping[str, str], node: ast.expr) -> None:
    """Plan the edits that put a template in the place of an expression; raise :class:`Left` where its text does not allow it."""
    _Writer(plan, template, given, spelt, node).write()


class _Writer:
    def __init__(
        self, plan: Plan, template: Template, given: dict[str, list[Value]], spelt: Mapping[str, str], node: ast.expr
    ) -> None:
        self.plan, self.template, self.given, self.spelt, self.node = plan, template, given, spelt, node
        self.data = plan.file.source.data
        self.start, self.end = plan.file.span(node)
        self.parents = {child: node for node in ast.walk(template.tree) for child in ast.iter_child_nodes(node)}
        self.edits: list[tuple[int, int, str]] = []

    def write(self) -> None:
        joined = self.within_f_string()
        kept = self.in_place()
        self.no_comments(kept)
        text = self.template.text.encode()
        fill = {piece.start: piece for piece in self.template.pieces}
        spans = [(piece.start, piece.end, piece.name) for piece in self.template.pieces]
        at, source, made, is_argument = 0, self.start, "(" if self.needs_brackets() else "", False
        for start, end, name in sorted([*spans, *self.template.reads]):
            place = fill.get(start)
            if place is None:
                made += text[at:start].decode() + self.spelt.get(name, name)
                at = end
                continue
            before = text[at : place.start].decode()
            values = self.given.get(place.name, [])
            at = place.end
            if place.stars:
                before = before[: len(before) - len(place.stars)]
                if not values:
                    before, at = _without_comma(before, text, at)
            made += before
            for index, value in enumerate(values):
                made += (", " if index else "") + (value.prefix if place.stars else "")
                opened, closed = self.brackets(place, value)
                if value in kept:
                    gap = self.data[source : value.start].decode("utf-8")
                    self.edits.append((source, value.start, _laid_out(gap, f"{made}{opened}")))
                    source, made, is_argument = value.end, closed, self.is_argument(place)
                else:
                    made += f"{opened}{value.text}{closed}"
        made += text[at:].decode()
        if self.needs_brackets():
            made += ")"
        gap = self.data[source : self.end].decode("utf-8")
        self.edits.append((source, self.end, _laid_out(gap, made, is_last=True) if is_argument else made))
        if joined and any(_UNSAFE.intersection(new) for _start, _end, new in self.edits):
            raise Left("it stands within an f-string, which its replacement would break")
        for start, end, new in self.edits:
            if start == end:
                self.plan.insert(start, new, self.end)
            else:
                self.plan.edit(start, end, new)

    def within_f_string(self) -> bool:
        """Whether an f-string holds the call; raise :class:`Left` where its place there is not certain, or its text is shown."""
        around = [self.node, *self.plan.file.names.ancestors(self.node)]
        if not any(type(node).__name__ in ("JoinedStr", "TemplateStr") for node in around):
            return False
        spans = [(self.node, self.start, self.end)]
        spans += [(value.node, value.start, value.end) for values in self.given.values() for value in values if value.node]
        # Before Python 3.12, places within f-strings of several lines are wrong.
        if not all(_reads_as(self.data[start:end], node) for node, start, end in spans):
            raise Left("it stands within an f-string of several parts or lines")
        if _SHOWN.match(self.data, self.end) or b"\n" in self.data[self.start : self.end]:
            raise Left("it stands within an f-string that shows its text")
        return True

    def in_place(self) -> list[Value]:
        """The values that stay where they stand: what is more than literals and local names, and what the order allows."""
        order = [value for piece in self.template.pieces for value in self.given.get(piece.name, ()) if value.node is not None]
        fixed = [value for value in order if not self.is_text(value)]
        if len(set(fixed)) != len(fixed) or any(a.start > b.start for a, b in zip(fixed, fixed[1:])):
            raise Left("its arguments would have to be moved around each other")
        once = [value for value in order if order.count(value) == 1]
        kept: list[Value] = []
        for value in once:
            following = [other for other in fixed if other not in kept]
            after = not kept or kept[-1].end <= value.start
            if value in fixed or (after and all(value.end <= other.start for other in following)):
                kept.append(value)
        for value in [value for values in self.given.values() for value in values]:
            if value.node is not None and value not in order and not self.is_text(value):
                raise Left(f"{value.shown} is not used any more")
        return kept

    def is_text(self, value: Value) -> bool:
        """Whether nothing but this may want to change what is written there."""
        names = self.plan.file.names
        bound = {item.local for item in names.imports}
        return value.node is None or not any(
            isinstance(node, (ast.Attribute, ast.Call)) or (isinstance(node, ast.Name) and node.id in bound)
            for node in ast.walk(value.node)
        )

    def no_comments(self, kept: list[Value]) -> None:
        at = self.start
        for start, end in [*((value.start, value.end) for value in kept), (self.end, self.end)]:
            if b"#" in self.data[at:start]:
                raise Left("a comment stands within the call")
            at = end

    def needs_brackets(self) -> bool:
        root = self.template.tree
        if isinstance(root, (*_ATOMS, ast.Constant)):
            return False
        if self.data[: self.start].rstrip().endswith(b"(") and self.data[self.end :].lstrip().startswith(b")"):
            return False  # there are brackets around it
        parent = self.plan.file.names.parents.get(self.node)
        if isinstance(parent, ast.Call):
            return parent.func is self.node
        return not isinstance(parent, (*_ROOMY, ast.keyword))

    def brackets(self, piece: Piece, value: Value) -> tuple[str, str]:
        """The brackets that a value needs where a template takes it."""
        parent = self.parents.get(piece.node)
        within = self.is_argument(piece)
        node = value.node
        if node is None:
            is_atom = not value.text.startswith("-")
        else:
            is_number = (
                isinstance(node, ast.Constant) and not isinstance(node.value, (str, bytes)) and isinstance(parent, ast.Attribute)
            )
            is_joined = isinstance(node, ast.Constant) and isinstance(node.value, (str, bytes)) and "\n" in value.text
            is_atom = isinstance(node, (*_ATOMS, ast.Constant)) and not is_number and not is_joined
            if self.is_bracketed(value):
                # The brackets around it go with the gap before it.
                is_atom = is_atom and "\n" not in value.text
            elif "\n" in value.text and not isinstance(node, (ast.List, ast.Dict, ast.Set)):
                is_atom = False
        if within and not isinstance(node, ast.GeneratorExp) and not (value.prefix and isinstance(node, ast.Starred)):
            return "", ""
        if isinstance(node, (ast.GeneratorExp, ast.Tuple)) and value.text.startswith("("):
            return "", ""
        return ("", "") if is_atom else ("(", ")")

    def is_argument(self, piece: Piece) -> bool:
        """Whether a place is an argument of a call by itself."""
        parent = self.parents.get(piece.node)
        return isinstance(parent, (ast.keyword, ast.Starred)) or (isinstance(parent, ast.Call) and piece.node is not parent.func)

    def is_bracketed(self, value: Value) -> bool:
        return self.data[: value.start].rstrip().endswith(b"(")


def _reads_as(text: bytes, node: ast.expr) -> bool:
    try:
        return ast.dump(ast.parse(text.strip(), mode="eval").body) == ast.dump(node)
    except (SyntaxError, ValueError):
        return False


def _without_comma(before: str, text: bytes, at: int) -> tuple[str, int]:
    """Leave out an empty ``*args`` with one comma beside it."""
    match = re.compile(rb"\s*,\s*").match(text, at)
    if match is not None:
        return before, match.end()
    return re.sub(r"\s*,\s*\Z", "", before), at


def _laid_out(gap: str, new: str, *, is_last: bool = False) -> str:
    """What takes the place of a gap between arguments, with the line breaks that the gap has where it is of the same form."""
    if "\n" not in gap:
        return new
    if is_last:
        there = _CLOSING.match(gap)
        return f"{there.group()}{new[1:]}" if there is not None and new.startswith(")") else new
    if _SEPARATOR.match(new) and _SEPARATOR.match(gap):
        there = _SEPARATOR.match(gap)
        assert there is not None
        return f"{there.group()}{_SEPARATOR.sub('', new, count=1)}"
    there = _OPENED.search(gap)
    return f"{new[:-1]}{there.group()}" if there is not None and new.endswith("(") else new
