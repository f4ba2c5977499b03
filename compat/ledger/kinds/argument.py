"""Argument: an argument of a function that still exists changed."""

from __future__ import annotations

from ..move import TARGET, Move
from ..paths import dotted, resolve
from ..versions import EXPIRED

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from typing import Any, Union

    from ..move import Category, Fault

    Words = Union[str, tuple[str, ...]]


class _NotGiven:
    def __repr__(self) -> str:
        # Its place in memory would make the reference a new one at each run.
        return "<not given>"


_NOT_GIVEN: Any = _NotGiven()


class Argument(Move):
    """An argument of a function that still exists changed.

    ``function`` is ``"module:function"``, ``"module:Class.method"``, or ``"module:Class"`` for its constructor. Exactly one of
    these shapes:

    * ``Argument(f, "old", became="new")`` renamed; with ``convert="module:callable"`` the value is converted on the way, and
      with ``template="{value} * 1000"`` as well, source can be rewritten where the value is no literal: an expression of
      ``{value}`` and builtins that comes to the same as ``convert``;
    * ``Argument(f, "name", became="name", convert="module:callable")`` a form of value that goes: what ``convert`` gives back
      as it is, is in the new form;
    * ``Argument(f, "old", became=None)`` dropped: accepted and ignored;
    * ``Argument(f, "name", values={"old": "new"})`` values that go, with what each became; ``values=("a", "b")`` for those that
      are passed on as they are until they go;
    * ``Argument(f, several=("width", "height"), became="size", convert="module:callable")`` several that became one:
      ``callable(width=..., height=...)`` gets those that are passed; without ``became`` it returns a dict of new arguments;
    * ``Argument(f, together=("index", "columns"))`` a combination that goes: passed on, and warned;
    * ``Argument(f, "name", default="module:callable")`` newly required: supplied by ``callable()`` when missing;
    * ``Argument(f, "name", was=0)`` a default that changed: calls without the argument get the former one until the removal
      version, and from then on what the function itself says;
    * ``Argument(f, keyword_only="b c")`` no longer taken by position: what follows the positional parameters, in this order;
    * ``Argument(f, order="b a")`` or ``order=("b", "a")`` reordered: positional arguments arrive in the legacy order.

    ``position=1`` beside a dropped or renamed argument says where it stood among the positional ones, ``self`` not counted: a
    call with more positional arguments than the function takes now is in the old form. Of a converted argument that kept its
    place, what is passed there by position is converted, too.
    """

    kind = "argument"
    meaning = "An argument that was renamed, dropped, reordered or became required is passed the legacy way."
    __slots__ = (
        "argument",
        "became",
        "convert",
        "default",
        "keyword_only",
        "order",
        "position",
        "several",
        "template",
        "together",
        "values",
        "was",
    )
    argument: str
    became: str | None
    convert: str
    default: str
    keyword_only: tuple[str, ...]
    order: tuple[str, ...]
    position: int | None
    several: tuple[str, ...]
    template: str
    together: tuple[str, ...]
    #: Pairs of an old value and what it became, which may be itself.
    values: tuple[tuple[Any, Any], ...]
    #: The former default, as a tuple of one; empty where it did not change.
    was: tuple[Any, ...]

    def __init__(
        self,
        function: str,
        argument: str = "",
        *,
        became: str | None = None,
        convert: str = "",
        default: str = "",
        order: Words = (),
        template: str = "",
        position: Union[int, str, None] = None,
        keyword_only: Words = (),
        values: Union[Mapping[Any, Any], Iterable[Any]] = (),
        several: Words = (),
        together: Words = (),
        was: Any = _NOT_GIVEN,
        since: str,
        removal: str,
        instead: str | None,
        note: str = "",
        id: str = "",
        category: Category = None,
    ) -> None:
        order, keyword_only, several, together = map(_words, (order, keyword_only, several, together))
        values = (values,) if isinstance(values, str) else values
        pairs: Any = values.items() if hasattr(values, "items") else ((value, value) for value in values)
        values = tuple(pairs)
        label = argument or ", ".join(order or several)
        if keyword_only:
            label = f"*, {', '.join(keyword_only)}"
        elif together:
            label = " + ".join(together)
        elif values:
            label = f"{argument}={'|'.join(repr(old) for old, _new in values)}"
        super().__init__(
            f"{function}({label})", function, since=since, removal=removal, instead=instead, note=note, id=id, category=category
        )
        put = object.__setattr__
        put(self, "argument", argument)
        put(self, "became", became)
        put(self, "convert", convert)
        put(self, "default", default)
        put(self, "keyword_only", keyword_only)
        put(self, "order", order)
        # As text, too: rows take what they share from one dictionary of strings.
        put(self, "position", int(position) if isinstance(position, str) and position.isdigit() else position)
        put(self, "several", several)
        put(self, "template", template)
        put(self, "together", together)
        put(self, "values", values)
        put(self, "was", () if was is _NOT_GIVEN else (was,))

    @property
    def changed(self) -> str:
        """The function itself."""
        return self.canonical

    @property
    def legacy_names(self) -> tuple[str, ...]:
        """Names that only a legacy form passes by keyword."""
        return (*self.several, *((self.argument,) if self.is_passed_on or self.values else ()))

    @property
    def is_seen_by_name(self) -> bool:
        """Whether a legacy form is told by these names alone, or by more positional arguments than the function takes."""
        in_place = self.convert and self.became and (self.became == self.argument or self.position is not None)
        return not (in_place or self.values or self.together or self.order or self.default or self.was)

    @property
    def place(self) -> str:
        """:data:`compat.ledger.move.TARGET`: the canonical function takes the legacy arguments too."""
        return TARGET

    @property
    def parameter_names(self) -> tuple[str, ...]:
        """All that the row names."""
        every = (self.argument, self.became or "", *self.order, *self.keyword_only, *self.several, *self.together)
        return tuple(name for name in every if name)

    @property
    def helpers(self) -> tuple[str, ...]:
        """What converts values, and what supplies one."""
        return tuple(path for path in (self.convert, self.default) if path)

    @property
    def function(self) -> str:
        """The function, which the row's canonical path names."""
        return self.canonical

    @property
    def is_passed_on(self) -> bool:
        """Whether the argument is found under its own name, by keyword alone: renamed, dropped or converted."""
        return bool(self.argument) and not (self.default or self.values or self.was)

    @property
    def telling(self) -> tuple[str, ...]:
        """The keywords, one of which stands in every call in the legacy form; empty where a call may have none of them."""
        is_placed = self.values or self.position is not None or self.became == self.argument
        return self.several or ((self.argument,) if self.is_passed_on and not is_placed else ())

    def example(self, passed: str = "") -> str:
        """A call with the legacy argument, or without the one that is required now; ``""`` for a method."""
        function = self.attribute.partition("(")[0]
        if "." in function:
            return ""
        given = f"{self.argument}=1"
        if self.order or self.keyword_only:
            given = "1, 2"
        elif self.default or self.was:
            given = ""
        elif self.values:
            given = f"{self.argument}={self.values[0][0]!r}"
        elif self.several or self.together:
            given = ", ".join(f"{name}=1" for name in self.several or self.together)
        return f"from {self.module} import {function}\n\n{function}({given})\n"

    def subject(self, use: str) -> str:
        """What was passed, or left out; or the method that takes it in a subclass."""
        function = dotted(self.canonical)
        if use == "override":
            return f"Overriding {function}() with {self.argument!r} among its parameters"
        if self.order:
            return f"Passing {', '.join(self.order)} to {function}() by position in this order"
        if self.keyword_only:
            return f"Passing {_listed(self.keyword_only)} to {function}() by position"
        if self.default or self.was:
            return f"Calling {function}() without {self.argument!r}"
        if self.together:
            return f"Passing {_listed(self.together)} together to {function}()"
        if self.several:
            return f"Passing {_listed(self.several, 'or')} to {function}()"
        if self.values:
            return f"Passing {_listed([old for old, _new in self.values], 'or')} as {self.argument!r} to {function}()"
        return f"Passing {self.argument!r} to {function}()"

    def judgement(self, stage: str) -> str:
        """Of a changed default, until when the former one holds."""
        if not self.was:
            return super().judgement(stage)
        since = f"{self.ledger} {self.since}" if self.ledger else self.since
        return f"takes {self.was[0]!r}, the default that changes in {self.removal}; this is deprecated since {since}."

    def advice(self) -> str:
        """What to pass instead."""
        if self.default or self.was:
            return f"Pass {self.argument!r} yourself."
        if self.order:
            return "Pass these arguments by keyword."
        if self.keyword_only:
            return f"Pass {'it' if len(self.keyword_only) == 1 else 'them'} by keyword."
        if self.together:
            return "Pass one of them."
        if self.values:
            became = [(old, new) for old, new in self.values if new is not old]
            if len(self.values) == 1 and became:
                return f"Pass {became[0][1]!r} instead."
            return f"Pass {', '.join(f'{new!r} instead of {old!r}' for old, new in became)}." if became else "Pass another value."
        if self.several:
            return f"Pass {self.became!r} instead." if self.became else "Pass what replaces them."
        return f"Pass {self.became!r} instead." if self.became else f"Leave {self.argument!r} out."

    def raises(self, stage: str) -> bool:
        """A changed default is no error: the new one holds at the removal version."""
        return stage == EXPIRED and not self.was

    def faults(self) -> Iterator[Fault]:
        """As of every row; and it has exactly one shape, with what belongs to it."""
        yield from super().faults()
        shapes = [
            self.is_passed_on,
            *map(bool, (self.order, self.default, self.keyword_only, self.values, self.several, self.together, self.was)),
        ]
        named = self.default or self.values or self.was
        if sum(shapes) != 1 or bool(self.argument) != bool(self.is_passed_on or named):
            yield (
                "it must be exactly one of renamed, dropped, of other values, several in one, a combination, "
                "newly required, of another default, keyword-only, reordered",
                "write one row for each change",
            )
        if not (self.is_passed_on or self.several):
            given = next((field for field in ("became", "convert", "template") if getattr(self, field)), "")
            if given:
                yield f"{given} belongs to a renamed argument, or to several that became one", f"leave {given} out"
        elif self.became == self.argument and not self.convert:
            yield f"{self.argument!r} becomes itself", "name the new argument in became="
        if self.convert and not self.became and self.is_passed_on:
            yield "convert without became converts into nothing", "name the new argument in became="
        if self.several and not self.convert:
            yield "several arguments become one by a callable", "name it as convert='module:callable'"
        if self.position is not None and not (self.is_passed_on and isinstance(self.position, int) and self.position >= 0):
            yield "position belongs to a renamed or dropped argument, and counts from 0", "leave position out, or correct it"
        if len({*self.together}) == 1 or len({*self.several}) == 1:
            yield "it takes two arguments at the least", "name them as in together='a b'"
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


def _words(given: Words) -> tuple[str, ...]:
    return tuple(given.split()) if isinstance(given, str) else tuple(given)


def _listed(given: Iterable[Any], word: str = "and") -> str:
    *heads, last = map(repr, given)
    return f"{', '.join(heads)} {word} {last}" if heads else last


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
