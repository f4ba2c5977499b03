"""The kinds of row: their fields, and what the shim asks of them before anything legacy is used.

What they say and what is wrong with them is in :mod:`.kinds`, which defines the other methods of these classes.
A library that comes with a ledger constructs its rows each time that it is imported.
"""

from .move import CODE, EXPIRED, TARGET, Move

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from typing import Any, Optional, Union

    from .move import Category

    Words = Union[str, tuple[str, ...]]


class _NotGiven:
    def __repr__(self):  # type: () -> str
        # Its place in memory would make the reference a new one at each run.
        return "<not given>"


_NOT_GIVEN: "Any" = _NotGiven()


class Module(Move):
    """A whole module moved; its submodules follow.

    Words in braces make a row a pattern: ``Module("flow.contrib.{x}_operator", "flow.providers.{x}", ...)``.
    """

    kind = "module"
    takes_patterns = True
    __slots__ = ()

    def rule_for(self, path: str) -> str:
        """A name below a moved module is reported as a moved name."""
        return Name.kind if ":" in path else self.kind

    def implied(self, legacy: str, canonical: str) -> "Move":
        """A submodule moved as its parent did; a name below it, as a :class:`Name` row would say."""
        if ":" not in legacy:
            return self.replace(legacy=legacy, canonical=canonical)
        made = Name(legacy, canonical, since=self.since, removal=self.removal, instead=self.instead, note=self.note, id=self.id)
        return made.replace(ledger=self.ledger, category=self.category, requires=self.requires)


class Name(Move):
    """A name moved or was renamed; old code gets the canonical object itself.

    Uses are counted where the name is imported or read, not where the object it stands for is called. An attribute of a class,
    ``"module:Class.OLD"``, may have moved anywhere; the class is named by the module in which it is now.
    """

    kind = "name"
    needs_attribute = True
    takes_patterns = True
    __slots__ = ()

    @property
    def place(self):  # type: () -> str
        """As of every row; an attribute of a class is put on that class."""
        return self.place_of_member

    @property
    def differs(self):  # type: () -> str
        """An attribute of a class may have moved to where no attribute is read."""
        return f"moved to {self.canonical.replace(':', '.')}" if self.place == TARGET else self.depends


class Class(Move):
    """A class is now built by a factory; old code gets ``adapter``, a subclass of :class:`compat.Adapter`."""

    kind = "class"
    differs = "is built by a factory now"
    needs_attribute = True
    __slots__ = ("adapter",)
    adapter: str

    def __init__(
        self,
        legacy: str,
        canonical: str,
        *,
        adapter: str,
        since: str,
        removal: str,
        instead: "str | None",
        note: str = "",
        id: str = "",
        category: "Category" = None,
        requires: str = "",
        replacement: str = "",
        imports: "Union[str, tuple[str, ...]]" = (),
        parameters: "Optional[str]" = None,
    ) -> None:
        self._fill(legacy, canonical, since, removal, instead, note, id, category, requires, replacement, imports, parameters)
        object.__setattr__(self, "adapter", adapter)


class Method(Move):
    """A method or property was renamed on a class that still exists: ``"mod:Class.old"`` -> ``"mod:Class.new"``.

    ``was="method"``: it was called, and what it became is a property or an attribute, which may have the same name.
    ``was="property"``: it was read, and what it became is a method, which is called.
    A method that became a function, ``"mod:Class.old"`` -> ``"mod:function"``, is called with the object as its first argument.

    A subclass that overrides the old name is warned at its class statement, and callers of the new name reach it. ``compat fix``
    renames the override, ``super().old()`` in it, its calls and its patches together, or none of them: for certain where every
    object that the name is read of is understood, with ``--unsafe`` where one is not.
    """

    kind = "method"
    place = TARGET
    needs_attribute = True
    is_overridden = True
    __slots__ = ("was",)
    was: str

    def __init__(
        self,
        legacy: str,
        canonical: str,
        *,
        was: str = "",
        since: str,
        removal: str,
        instead: "str | None",
        note: str = "",
        id: str = "",
        category: "Category" = None,
        replacement: str = "",
        imports: "Union[str, tuple[str, ...]]" = (),
        parameters: "Optional[str]" = None,
    ) -> None:
        self._fill(legacy, canonical, since, removal, instead, note, id, category, "", replacement, imports, parameters)
        object.__setattr__(self, "was", was)

    @property
    def changed(self):  # type: () -> str
        """The old method on the canonical class; of one that became a function, on its own."""
        if self.became_function:
            return self.legacy
        module, _, new = self.canonical.partition(":")
        return f"{module}:{'.'.join([*new.split('.')[:-1], self.attribute.rpartition('.')[2]])}"

    @property
    def became_function(self):  # type: () -> bool
        """Whether no member of a class is canonical, but a function."""
        return "." not in self.canonical.partition(":")[2]

    @property
    def was_called(self):  # type: () -> bool  # type: ignore[override]
        """It was a method."""
        return self.was == "method"

    @property
    def was_read(self):  # type: () -> bool  # type: ignore[override]
        """It was a property."""
        return self.was == "property"

    def covers(self, use: str) -> bool:
        """Of a method that became a property of its name, calls alone."""
        return use == "call" or self.legacy != self.canonical

    @property
    def differs(self):  # type: () -> str
        """Something that is no member, or is called no more, or now."""
        if self.became_function:
            return f"is the function {self.canonical.replace(':', '.')} now"
        return {"method": "is read now, and not called", "property": "is called now"}.get(self.was, "")


def _words(given):  # type: (Words) -> tuple[str, ...]
    return tuple(given.split()) if isinstance(given, str) else tuple(given)


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
    place = TARGET
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
    became: "str | None"
    convert: str
    default: str
    keyword_only: "tuple[str, ...]"
    order: "tuple[str, ...]"
    position: "int | None"
    several: "tuple[str, ...]"
    template: str
    together: "tuple[str, ...]"
    #: Pairs of an old value and what it became, which may be itself.
    values: "tuple[tuple[Any, Any], ...]"
    #: The former default, as a tuple of one; empty where it did not change.
    was: "tuple[Any, ...]"

    def __init__(
        self,
        function: str,
        argument: str = "",
        *,
        became: "str | None" = None,
        convert: str = "",
        default: str = "",
        order: "Words" = (),
        template: str = "",
        position: "Union[int, str, None]" = None,
        keyword_only: "Words" = (),
        values: "Union[Mapping[Any, Any], Iterable[Any]]" = (),
        several: "Words" = (),
        together: "Words" = (),
        was: "Any" = _NOT_GIVEN,
        since: str,
        removal: str,
        instead: "str | None",
        note: str = "",
        id: str = "",
        category: "Category" = None,
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
        self._fill(f"{function}({label})", function, since, removal, instead, note, id, category)
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
    def changed(self):  # type: () -> str
        """The function itself."""
        return self.canonical

    @property
    def legacy_names(self):  # type: () -> tuple[str, ...]
        """Names that only a legacy form passes by keyword."""
        return (*self.several, *((self.argument,) if self.is_passed_on or self.values else ()))

    @property
    def is_seen_by_name(self):  # type: () -> bool
        """Whether a legacy form is told by these names alone, or by more positional arguments than the function takes."""
        in_place = self.convert and self.became and (self.became == self.argument or self.position is not None)
        return not (in_place or self.values or self.together or self.order or self.default or self.was)

    @property
    def parameter_names(self):  # type: () -> tuple[str, ...]  # type: ignore[override]
        """All that the row names."""
        every = (self.argument, self.became or "", *self.order, *self.keyword_only, *self.several, *self.together)
        return tuple(name for name in every if name)

    @property
    def helpers(self):  # type: () -> tuple[str, ...]
        """What converts values, and what supplies one."""
        return tuple(path for path in (self.convert, self.default) if path)

    @property
    def function(self):  # type: () -> str  # type: ignore[override]
        """The function, which the row's canonical path names."""
        return self.canonical

    @property
    def is_passed_on(self):  # type: () -> bool
        """Whether the argument is found under its own name, by keyword alone: renamed, dropped or converted."""
        return bool(self.argument) and not (self.default or self.values or self.was)

    @property
    def telling(self):  # type: () -> tuple[str, ...]
        """The keywords, one of which stands in every call in the legacy form; empty where a call may have none of them."""
        is_placed = self.values or self.position is not None or self.became == self.argument
        return self.several or ((self.argument,) if self.is_passed_on and not is_placed else ())

    def raises(self, stage: str) -> bool:
        """A changed default is no error: the new one holds at the removal version."""
        return stage == EXPIRED and not self.was


class Removed(Move):
    """The name is gone: using it raises an error that says what to write instead, and is counted.

    Of a member of a class, ``"module:Class.gone"``, the class is named by the module in which it is now.
    """

    kind = "removed"
    is_tombstone = True
    takes_patterns = True
    __slots__ = ()

    def __init__(
        self,
        legacy: str,
        *,
        since: str,
        removal: str = "",
        instead: "str | None",
        note: str = "",
        id: str = "",
        category: "Category" = None,
        replacement: str = "",
        imports: "Union[str, tuple[str, ...]]" = (),
        parameters: "Optional[str]" = None,
    ) -> None:
        self._fill(legacy, "", since, removal or since, instead, note, id, category, "", replacement, imports, parameters)

    @property
    def place(self):  # type: () -> str
        """As of every row; a member of a class is put on that class."""
        return self.place_of_member

    def raises(self, stage: str) -> bool:
        """At every stage."""
        return True


class Deprecated(Move):
    """A function, class, method, property, module, constant or enum member stays as it is, and its uses are counted and warned.

    ``on`` says which uses of a class are meant: ``"construct"``, ``"subclass"``, or both, which is what holds unless given.
    """

    kind = "deprecated"
    place = TARGET
    stays = True
    differs = "stays where it is"
    __slots__ = ("on",)
    on: "tuple[str, ...]"

    def __init__(
        self,
        path: str,
        *,
        on: "Union[str, tuple[str, ...]]" = (),
        since: str,
        removal: str,
        instead: "str | None",
        note: str = "",
        id: str = "",
        category: "Category" = None,
        replacement: str = "",
        imports: "Union[str, tuple[str, ...]]" = (),
        parameters: "Optional[str]" = None,
    ) -> None:
        self._fill(path, path, since, removal, instead, note, id, category, "", replacement, imports, parameters)
        object.__setattr__(self, "on", (on,) if isinstance(on, str) else tuple(on))

    @property
    def changed(self):  # type: () -> str
        """The thing itself."""
        return self.canonical

    @property
    def is_importable(self):  # type: () -> bool
        """Its path is that of the object itself."""
        return "." not in self.attribute

    def covers(self, use: str) -> bool:
        """A class may be deprecated in one way only."""
        return not self.on or use in self.on


class Behaviour(Move):
    """An environment variable, an option, a key, a mode or a result that only running code sees, and reports.

    Parameters
    ----------
    id:
        The stable identity, without blanks or colons: ``"shop.SHOP_QTY"``. ``compat.use()`` takes it in place of the row.
    what:
        The subject of the sentence: ``"Environment variable SHOP_QTY"``, ``"Loading a cart in legacy mode"``.
    old, new:
        The old and the new name of a variable, an option or a key, for the helpers that read one after the other. Source
        that spells ``old`` as a string is found by ``compat scan``.
    """

    kind = "behaviour"
    place = CODE
    __slots__ = ("new", "old", "what")
    what: str
    old: str
    new: str

    def __init__(
        self,
        id: str,
        what: str,
        *,
        old: str = "",
        new: str = "",
        since: str,
        removal: str,
        instead: "str | None",
        note: str = "",
        category: "Category" = None,
    ) -> None:
        self._fill(id, "", since, removal, instead, note, id, category)
        put = object.__setattr__
        put(self, "what", what)
        put(self, "old", old)
        put(self, "new", new)

    @property
    def module(self):  # type: () -> str
        """What its id begins with."""
        return self.id.rpartition(".")[0] or self.id

    @property
    def text(self):  # type: () -> str  # type: ignore[override]
        """The old name."""
        return self.old

    @property
    def shown(self):  # type: () -> str  # type: ignore[override]
        """What it is, in words."""
        return self.what
