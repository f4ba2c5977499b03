"""Which argument of a call is which parameter of the callee, by Python's own rules."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING, Optional

from compat.ledger.templates import defaults, is_literal, named

from . import effects
from .values import Left, Value

if TYPE_CHECKING:
    from compat.ledger.templates import Template

    from ...model.file_model import FileModel
    from ...model.scopes import Scope


def bind(
    file: FileModel, scope: Scope, template: Template, call: Optional[ast.Call], receiver: Optional[ast.expr]
) -> dict[str, list[Value]]:
    """The values of the places of a template at one call; raise :class:`Left` where Python would refuse the call, or where
    only running it tells."""
    return _Binder(file, scope, template, call, receiver).bind()


class _Binder:
    def __init__(
        self, file: FileModel, scope: Scope, template: Template, call: Optional[ast.Call], receiver: Optional[ast.expr]
    ) -> None:
        self.file, self.scope, self.template, self.call, self.receiver = file, scope, template, call, receiver
        self.given: dict[str, list[Value]] = {}

    def bind(self) -> dict[str, list[Value]]:
        template = self.template
        if self.receiver is not None:
            self.given["self"] = [self.value(self.receiver, -1)]
        elif "self" in template.names and "self" not in _named(template):
            raise Left("its replacement needs the object that it is called on")
        if self.call is not None:
            parameters = template.parameters or _by_appearance(template)
            self.arguments(parameters, self.call)
        return self.given

    def value(self, node: ast.expr, place: int, prefix: str = "") -> Value:
        start, end = self.file.span(node)
        text = self.file.source.data[start:end].decode("utf-8")
        for inner in ast.walk(node):
            if isinstance(inner, (ast.NamedExpr, ast.Yield, ast.YieldFrom)):
                raise Left("an argument assigns or yields")
        return Value(node, start, end, text, effects.level(self.file.names, self.scope, node), place, prefix)

    def arguments(self, parameters: ast.arguments, call: ast.Call) -> None:
        positional = [*parameters.posonlyargs, *parameters.args]
        parts = sorted([*call.args, *(word.value for word in call.keywords)], key=lambda node: (node.lineno, node.col_offset))
        order = {id(node): place for place, node in enumerate(parts)}
        free = [item.arg for item in positional]
        rest: list[Value] = []
        words: list[Value] = []
        for index, node in enumerate(call.args):
            if isinstance(node, ast.Starred):
                if parameters.vararg is None or index < len(positional):
                    raise Left("its arguments are unpacked")
                rest.append(self.value(node.value, order[id(node)], "*"))
            elif index < len(positional):
                self.given[free[index]] = [self.value(node, order[id(node)])]
            elif parameters.vararg is not None:
                rest.append(self.value(node, order[id(node)]))
            else:
                raise Left(f"it takes {len(positional)} positional arguments, and {len(call.args)} are given")
        by_name = {item.arg for item in [*parameters.args, *parameters.kwonlyargs]}
        for word in call.keywords:
            place = order[id(word.value)]
            if word.arg is None:
                if parameters.kwarg is None or any(name not in self.given for name in by_name):
                    raise Left("its arguments are unpacked")
                words.append(self.value(word.value, place, "**"))
            elif word.arg in by_name:
                if word.arg in self.given:
                    raise Left(f"{word.arg} is given twice")
                self.given[word.arg] = [self.value(word.value, place)]
            elif parameters.kwarg is not None:
                words.append(self.value(word.value, place, f"{word.arg}="))
            else:
                raise Left(f"it has no parameter {word.arg}")
        self.defaults(parameters)
        if parameters.vararg is not None:
            self.given[parameters.vararg.arg] = rest
        if parameters.kwarg is not None:
            self.given[parameters.kwarg.arg] = words

    def defaults(self, parameters: ast.arguments) -> None:
        for name, default in defaults(parameters):
            if name in self.given:
                continue
            if default is None:
                raise Left(f"{name} is not given")
            if name not in self.template.names:
                continue
            if not is_literal(default):
                raise Left(f"the default of {name} is no literal")
            self.given[name] = [Value(None, -1, -1, ast.unparse(default), effects.FREE, -1)]


def _by_appearance(template: Template) -> ast.arguments:
    """The parameters of a callee that is gone: the names of the places, in the order in which they appear."""
    stars = {piece.name: piece.stars for piece in template.pieces if piece.name != "self"}
    plain = [ast.arg(arg=name) for name, star in stars.items() if not star]
    rest = [ast.arg(arg=name) for name, star in stars.items() if star == "*"]
    words = [ast.arg(arg=name) for name, star in stars.items() if star == "**"]
    return ast.arguments(
        posonlyargs=[],
        args=plain,
        vararg=rest[0] if rest else None,
        kwonlyargs=[],
        kw_defaults=[],
        kwarg=words[0] if words else None,
        defaults=[],
    )


def _named(template: Template) -> list[str]:
    return named(template.parameters) if template.parameters is not None else []
