"""Argument: an argument of a function that still exists changed."""

from __future__ import annotations

from ..move import TARGET, Move
from ..paths import dotted, resolve

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Union

    from ..move import Category, Fault


class Argument(Move):
    """An argument of a function that still exists was renamed, dropped, converted, reordered or became required.

    ``function`` is ``"module:function"`` or ``"module:Class.method"``. Exactly one of these shapes:

    * ``Argument(f, "old", became="new")`` renamed; with ``convert="module:callable"`` the value is converted on the way, and
      with ``template="{value} * 1000"`` as well, source can be rewritten where the value is no literal: an expression of
      ``{value}`` and builtins that comes to the same as ``convert``;
    * ``Argument(f, "old", became=None)`` dropped: accepted and ignored;
    * ``Argument(f, "name", default="module:callable")`` newly required: supplied by ``callable()`` when missing;
    * ``Argument(f, order="b a")`` or ``order=("b", "a")`` reordered: positional arguments arrive in the legacy order.
    """

    kind = "argument"
    meaning = "An argument that was renamed, dropped, reordered or became required is passed the legacy way."
    __slots__ = ("argument", "became", "convert", "default", "order", "template")
    argument: str
    became: str | None
    convert: str
    default: str
    order: tuple[str, ...]
    template: str

    def __init__(
        self,
        function: str,
        argument: str = "",
        *,
        became: str | None = None,
        convert: str = "",
        default: str = "",
        order: Union[str, tuple[str, ...]] = (),
        template: str = "",
        since: str,
        removal: str,
        instead: str | None,
        note: str = "",
        id: str = "",
        category: Category = None,
    ) -> None:
        order = tuple(order.split()) if isinstance(order, str) else tuple(order)
        label = argument or ", ".join(order)
        super().__init__(
            f"{function}({label})", function, since=since, removal=removal, instead=instead, note=note, id=id, category=category
        )
        put = object.__setattr__
        put(self, "argument", argument)
        put(self, "became", became)
        put(self, "convert", convert)
        put(self, "default", default)
        put(self, "order", order)
        put(self, "template", template)

    @property
    def place(self) -> str:
        """:data:`compat.ledger.move.TARGET`: the canonical function takes the legacy arguments too."""
        return TARGET

    @property
    def function(self) -> str:
        """The function, which the row's canonical path names."""
        return self.canonical

    def example(self, passed: str = "") -> str:
        """A call with the legacy argument, or without the one that is required now; ``""`` for a method."""
        function = self.attribute.partition("(")[0]
        if "." in function:
            return ""
        given = "1, 2" if self.order else "" if self.default else f"{self.argument}=1"
        return f"from {self.module} import {function}\n\n{function}({given})\n"

    def subject(self, use: str) -> str:
        """What was passed, or left out."""
        function = dotted(self.canonical)
        if self.order:
            return f"Passing {', '.join(self.order)} to {function}() by position in this order"
        if self.default:
            return f"Calling {function}() without {self.argument!r}"
        return f"Passing {self.argument!r} to {function}()"

    def advice(self) -> str:
        """What to pass instead."""
        if self.default:
            return f"Pass {self.argument!r} yourself."
        if self.order:
            return "Pass these arguments by keyword."
        return f"Pass {self.became!r} instead." if self.became else f"Leave {self.argument!r} out."

    def faults(self) -> Iterator[Fault]:
        """As of every row; and it has exactly one shape, with what belongs to it."""
        yield from super().faults()
        shapes = [bool(self.argument) and not self.default, bool(self.order), bool(self.default)]
        if sum(shapes) != 1:
            yield "it must be exactly one of renamed, dropped, reordered, newly required", "write one row for each change"
        if self.convert and not self.became:
            yield "convert without became converts into nothing", "name the new argument in became="
        if self.template:
            reason = "there is no convert for it to spell out" if not self.convert else _template_fault(self.template)
            if reason:
                yield f"template {self.template!r}: {reason}", "write one such as template='int({value}) * 1000'"

    def target_faults(self, target: object) -> Iterator[Fault]:
        """What converts and supplies values must be callable."""
        for field, path in (("convert", self.convert), ("default", self.default)):
            if path:
                value, fault = resolve(path)
                if fault or not callable(value):
                    yield f"{field}={path!r} {fault or 'is not callable'}", "name a callable as 'module:callable'"


def _template_fault(template: str) -> str:
    import ast
    import builtins

    if "{value}" not in template:
        return "{value} is missing"
    try:
        tree = ast.parse(template.replace("{value}", "(_)"), mode="eval")
    except (SyntaxError, ValueError) as error:
        return f"it is no expression ({error})"
    names = {node.id for node in ast.walk(tree) if isinstance(node, ast.Name)}
    foreign = sorted(name for name in names if name != "_" and not hasattr(builtins, name))
    return f"{foreign[0]} is no builtin, and would have to be imported" if foreign else ""
