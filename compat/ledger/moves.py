"""The six kinds of move: one immutable row says what moved where, since when, and until when.

Rows hold dotted strings only, so that a ledger of thousands of rows imports none of its targets. The classes are written
by hand rather than as dataclasses because they are loaded at the first legacy use of a process, and ``dataclasses``
alone costs as much as the rest of that use.
"""

from __future__ import annotations

from operator import attrgetter

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, ClassVar, NoReturn


_FIELDS: dict[type[Move], tuple[str, ...]] = {}
_READERS: dict[type[Move], attrgetter[tuple[Any, ...]]] = {}


class Move:
    """One row. Compare and hash by value; never changed after construction.

    Parameters
    ----------
    legacy:
        Where old code looks: ``"package.module"`` or ``"package.module:attribute"``.
    canonical:
        Where it lives now, in the same form; empty for a :class:`Removed` row.
    since, removal:
        The versions in which the move was deprecated, and in which the legacy path goes.
    instead:
        What to write instead, in the user's words. Required; ``None`` words it from ``canonical``.
    note:
        One more sentence for the warning and the guide.
    id:
        The stable identity in telemetry and baselines; the legacy path unless given.
    """

    kind: ClassVar[str] = ""
    __slots__ = ("canonical", "id", "instead", "ledger", "legacy", "note", "removal", "since")

    id: str
    legacy: str
    canonical: str
    since: str
    removal: str
    instead: str | None
    note: str
    ledger: str

    def __init__(
        self,
        legacy: str,
        canonical: str,
        *,
        since: str,
        removal: str,
        instead: str | None,
        note: str = "",
        id: str = "",
    ) -> None:
        put = object.__setattr__
        put(self, "legacy", legacy)
        put(self, "canonical", canonical)
        put(self, "since", since)
        put(self, "removal", removal)
        put(self, "instead", instead)
        put(self, "note", note)
        put(self, "id", id or legacy)
        put(self, "ledger", "")

    @property
    def module(self) -> str:
        """The legacy module part of the path."""
        return self.legacy.partition(":")[0]

    @property
    def attribute(self) -> str:
        """The part after the colon, ``""`` for a whole module."""
        return self.legacy.partition(":")[2]

    def replace(self, **changes: Any) -> Move:
        """Return a copy with some fields changed."""
        fields = self._fields()
        for name in changes:
            if name not in fields:
                raise TypeError(f"{type(self).__name__} has no field {name!r}; it has {', '.join(fields)}")
        copy, put = object.__new__(type(self)), object.__setattr__
        for name, value in zip(fields, self._values()):
            put(copy, name, value)
        for name, value in changes.items():
            put(copy, name, value)
        return copy

    @classmethod
    def _fields(cls) -> tuple[str, ...]:
        known = _FIELDS.get(cls)
        if known is None:
            known = _FIELDS[cls] = tuple(name for base in reversed(cls.__mro__) for name in base.__dict__.get("__slots__", ()))
        return known

    def _values(self) -> tuple[Any, ...]:
        cls = type(self)
        read = _READERS.get(cls)
        if read is None:
            read = _READERS[cls] = attrgetter(*cls._fields())
        return read(self)

    def __setattr__(self, name: str, value: object) -> NoReturn:
        raise AttributeError(f"{type(self).__name__} rows are immutable; use .replace({name}=...) to get a changed copy")

    def __delattr__(self, name: str) -> NoReturn:
        raise AttributeError(f"{type(self).__name__} rows are immutable; {name!r} cannot be deleted")

    def __eq__(self, other: object) -> bool:
        return type(self) is type(other) and self._values() == other._values()  # type: ignore[attr-defined]

    def __hash__(self) -> int:
        return hash((type(self), self.legacy, self.canonical, self.since, self.removal))

    def __reduce__(self) -> tuple[Any, ...]:
        return _rebuild, (type(self), self._values())

    def __repr__(self) -> str:
        shown = ", ".join(
            f"{name}={getattr(self, name)!r}" for name in self._fields() if name not in ("legacy", "canonical", "ledger", "id")
        )
        return f"{type(self).__name__}({self.legacy!r}, {self.canonical!r}, {shown})"


class Module(Move):
    """A whole module moved; its submodules follow."""

    kind = "module"
    __slots__ = ()


class Name(Move):
    """A name moved or was renamed; old code gets the canonical object itself.

    The name is observed, not the object: a use is counted where it is imported or read, not at each call of what it gave.
    """

    kind = "name"
    __slots__ = ()


class Class(Move):
    """A class is now built by a factory; old code gets ``adapter``, a subclass of :class:`compat.Adapter`."""

    kind = "class"
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
        instead: str | None,
        note: str = "",
        id: str = "",
    ) -> None:
        super().__init__(legacy, canonical, since=since, removal=removal, instead=instead, note=note, id=id)
        object.__setattr__(self, "adapter", adapter)


class Method(Move):
    """A method or property was renamed on a canonical class that still exists: ``"mod:Class.old"`` -> ``"mod:Class.new"``."""

    kind = "method"
    __slots__ = ()


class Argument(Move):
    """An argument of a function that still exists was renamed, dropped, converted, reordered or became required.

    ``function`` is ``"module:function"`` or ``"module:Class.method"``. Exactly one of these shapes:

    * ``Argument(f, "old", became="new")`` renamed; with ``convert="module:callable"`` the value is converted on the way, and
      with ``template="{value} * 1000"`` as well, source can be rewritten where the value is no literal: an expression of
      ``{value}`` and builtins that comes to the same as ``convert``;
    * ``Argument(f, "old", became=None)`` dropped: accepted and ignored;
    * ``Argument(f, "name", default="module:callable")`` newly required: supplied by ``callable()`` when missing;
    * ``Argument(f, order=("b", "a"))`` reordered: positional arguments arrive in the legacy order.
    """

    kind = "argument"
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
        order: tuple[str, ...] = (),
        template: str = "",
        since: str,
        removal: str,
        instead: str | None,
        note: str = "",
        id: str = "",
    ) -> None:
        label = argument or ", ".join(order)
        super().__init__(f"{function}({label})", function, since=since, removal=removal, instead=instead, note=note, id=id)
        put = object.__setattr__
        put(self, "argument", argument)
        put(self, "became", became)
        put(self, "convert", convert)
        put(self, "default", default)
        put(self, "order", tuple(order))
        put(self, "template", template)


class Removed(Move):
    """Nothing stands behind the name any more: using it says what to write instead, and is counted."""

    kind = "removed"
    __slots__ = ()

    def __init__(
        self,
        legacy: str,
        *,
        since: str,
        removal: str = "",
        instead: str | None,
        note: str = "",
        id: str = "",
    ) -> None:
        super().__init__(legacy, "", since=since, removal=removal or since, instead=instead, note=note, id=id)


def _rebuild(kind: type[Move], values: tuple[Any, ...]) -> Move:
    move = object.__new__(kind)
    for name, value in zip(kind._fields(), values):
        object.__setattr__(move, name, value)
    return move


KINDS: dict[str, type[Move]] = {kind.kind: kind for kind in (Module, Name, Class, Method, Argument, Removed)}


def names(
    module: str, canonical: str, words: str, *, since: str, removal: str, instead: str | None, note: str = ""
) -> list[Move]:
    """Compact form of a family: one :class:`Name` row per word of ``words``; ``Old=New`` renames on the way."""
    rows: list[Move] = []
    for word in words.split():
        old, _, new = word.partition("=")
        rows.append(
            Name(f"{module}:{old}", f"{canonical}:{new or old}", since=since, removal=removal, instead=instead, note=note)
        )
    return rows


def removed(module: str, words: str, *, since: str, instead: str, removal: str = "", note: str = "") -> list[Move]:
    """Compact form of tombstones: one :class:`Removed` row per word of ``words``."""
    return [Removed(f"{module}:{word}", since=since, removal=removal, instead=instead, note=note) for word in words.split()]
