"""What every kind of move has in common: an immutable row that says what moved where, since when, and until when.

Rows hold dotted strings only, so that a ledger of thousands of rows imports none of its targets. The classes are written
by hand rather than as dataclasses because they are loaded with each library that has a ledger, and ``dataclasses`` alone
costs more than all of that.
"""

from operator import attrgetter

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from typing import Any, ClassVar, NoReturn, Union

    Fault = tuple[str, str]  # reason, remedy
    Category = Union[type[Warning], str, None]

#: Where a row stands (:attr:`Move.place`): it serves a whole module, serves one name of a module, or changes its target.
#: A row at any other place, :data:`CODE`, is neither served nor attached: its uses are recorded by running code.
MODULE, NAME, TARGET, CODE = "module", "name", "target", "code"
#: How far a row has come by the version in force.
ANNOUNCED, DEPRECATED, EXPIRED = "announced", "deprecated", "expired"

#: What :mod:`compat.ledger.kinds` defines of the rows.
TOLD = (
    *("advice", "error", "example", "faults", "find_target", "judgement"),
    *("meaning", "stub", "subject", "target_faults", "warning"),
)
_fields: "dict[type[Move], tuple[str, ...]]" = {}
_readers: "dict[type[Move], attrgetter[tuple[Any, ...]]]" = {}
_put = object.__setattr__


class _Told:
    """What rows say, and what is wrong with them: defined by :mod:`.kinds`, which is loaded when the first row is asked."""

    __slots__ = ("name",)

    def __init__(self, name: str) -> None:
        self.name = name

    def __get__(self, row, kind):  # type: (Move | None, type[Move]) -> Any
        known = [cls for cls in kind.__mro__ if self.name in vars(cls)]
        __import__("compat.ledger.kinds")
        # By super() from one of those that define it by themselves, or else from the row.
        home = next((cls for cls in kind.__mro__ if self.name in vars(cls) and cls not in known), Move)
        found = vars(home)[self.name]
        return found.__get__(row, kind) if hasattr(found, "__get__") else found


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
    category:
        The category of the warning, beside :class:`compat.LegacyUseWarning`: a class, ``"module:Class"``, or the name of a
        builtin one; that of the ledger unless given.
    requires:
        What to install for the canonical path, where another distribution has it: ``"shop-extras"``, ``"shop-extras>=2"``.
    replacement:
        The expression that a call of the legacy path becomes, for ``compat fix``: ``"np.isin({a}, {b}).ravel()"``. Names in
        braces are parameters of the callee, ``{self}`` is the receiver, ``*{args}`` and ``**{kwargs}`` what is left over.
    imports:
        The import statements that the expression needs: ``"import numpy as np"``, or several in a tuple.
    parameters:
        The parameters of a callee that is gone, as its ``def`` had them: ``"a, b=2"``. Unless given, those of the callee's
        source; where there is none, the names in the order in which they first appear in the expression.
    """

    kind: "ClassVar[str]" = ""
    #: Nothing stands behind the legacy path any more; every use of it raises.
    is_tombstone: "ClassVar[bool]" = False
    #: Words in braces may stand in its module's path.
    takes_patterns: "ClassVar[bool]" = False
    #: What the legacy path names stays there: ``canonical`` is the same path.
    stays: "ClassVar[bool]" = False
    #: What the legacy path names was called and is read now, or was read and is called now.
    was_called: bool = False
    was_read: bool = False
    #: The legacy path must name something inside a module.
    needs_attribute: "ClassVar[bool]" = False
    #: A subclass that defines the legacy name is one of its uses.
    is_overridden: "ClassVar[bool]" = False
    #: The adapter that is handed out in place of the canonical object; ``""``: the canonical object itself is.
    adapter: str = ""
    #: The canonical function (``"module:function"``) whose calls the row speaks of; ``""`` for all rows but those.
    function: str = ""
    #: The parameters of :attr:`function` that the row speaks of, by their old and their new names.
    parameter_names: "tuple[str, ...]" = ()
    #: A string that is a use of the row wherever it stands in source; ``""`` for all rows but those of settings.
    text: str = ""
    #: What tables name where it is no path; ``""``: the legacy path.
    shown: str = ""
    __slots__ = (
        "canonical",
        "category",
        "id",
        "imports",
        "instead",
        "ledger",
        "legacy",
        "note",
        "parameters",
        "removal",
        "replacement",
        "requires",
        "since",
    )

    id: str
    legacy: str
    canonical: str
    category: "Category"
    since: str
    removal: str
    instead: "str | None"
    note: str
    requires: str
    ledger: str
    replacement: str
    imports: "tuple[str, ...]"
    parameters: "str | None"
    #: Of :mod:`compat.ledger.kinds.every`, and for some kinds of the module of the kind.
    meaning: "ClassVar[str]"
    example: "Callable[..., str]"
    subject: "Callable[[str], str]"
    judgement: "Callable[[str], str]"
    advice: "Callable[[], str]"
    error: "Callable[[str, str], Exception]"
    warning: "Callable[[str, str], Warning]"
    stub: "Callable[[str, str], str]"
    faults: "Callable[[], Iterator[Fault]]"
    find_target: "Callable[[], tuple[object, str]]"
    target_faults: "Callable[[object], Iterator[Fault]]"

    def __init__(
        self,
        legacy: str,
        canonical: str,
        *,
        since: str,
        removal: str,
        instead: "str | None",
        note: str = "",
        id: str = "",
        category: "Category" = None,
        requires: str = "",
        replacement: str = "",
        imports: "Union[str, tuple[str, ...]]" = (),
        parameters: "str | None" = None,
    ) -> None:
        self._fill(legacy, canonical, since, removal, instead, note, id, category, requires, replacement, imports, parameters)

    def _fill(
        self,
        legacy,
        canonical,
        since,
        removal,
        instead,
        note,
        id,
        category,
        requires="",
        replacement="",
        imports=(),
        parameters=None,
    ):  # type: (str, str, str, str, str | None, str, str, Category, str, str, Union[str, tuple[str, ...]], str | None) -> None
        for path in (legacy, canonical):
            if not isinstance(path, str):
                raise TypeError(f"{type(self).__name__}() takes a path such as 'package.module:name', not {path!r}")
        put = _put
        put(self, "category", category)
        put(self, "requires", requires)
        put(self, "legacy", legacy)
        put(self, "canonical", canonical)
        put(self, "since", since)
        put(self, "removal", removal)
        put(self, "instead", instead)
        put(self, "note", note)
        put(self, "id", id or legacy)
        put(self, "replacement", replacement)
        put(self, "imports", (imports,) if isinstance(imports, str) else tuple(imports))
        put(self, "parameters", parameters)
        put(self, "ledger", "")

    @property
    def changed(self):  # type: () -> str
        """The path at which a row that changes its target puts something: the legacy one, but for what stays."""
        return self.legacy

    @property
    def home(self):  # type: () -> str
        """The module that holds what the row leads to, or, of something that is gone, held it; ``""`` where none is left."""
        gone = self.legacy if self.place == TARGET else ""
        return (self.canonical or gone).partition(":")[0]

    @property
    def module(self):  # type: () -> str
        """The legacy module part of the path."""
        return self.legacy.partition(":")[0]

    @property
    def attribute(self):  # type: () -> str
        """The part after the colon, ``""`` for a whole module."""
        return self.legacy.partition(":")[2]

    @property
    def is_pattern(self):  # type: () -> bool
        """Whether the row speaks of many paths, by words in braces (see :mod:`compat.ledger.patterns`)."""
        return "{" in self.legacy.partition("(")[0]

    @property
    def is_importable(self):  # type: () -> bool
        """An import statement can name the legacy path."""
        return self.place in (MODULE, NAME) and "." not in self.attribute

    @property
    def helpers(self):  # type: () -> tuple[str, ...]
        """What the row names besides its canonical object, and needs to keep old code running: paths, ``"module:name"``."""
        return (self.adapter,) if self.adapter else ()

    @property
    def differs(self):  # type: () -> str
        """Why the canonical path cannot simply be written where the legacy one stands; ``""``: it can."""
        return self.depends

    @property
    def depends(self):  # type: () -> str
        """On what the canonical path depends, where :func:`compat.choose` chose it; ``""`` where it is the same everywhere."""
        return str(getattr(self.canonical, "depends", ""))

    def covers(self, use: str) -> bool:
        """Whether a use of the legacy path in one way (``construct``, ``subclass``, ...) is one that the row means."""
        return True

    def rule_for(self, path: str) -> str:
        """The rule under which a use of ``path``, the legacy path or one below it, is reported: the kind."""
        return self.kind

    def implied(self, legacy: str, canonical: str) -> "Move":
        """The row that this one implies for a path below its own."""
        return self.replace(legacy=legacy, canonical=canonical)

    @property
    def place(self):  # type: () -> str
        """:data:`MODULE` or :data:`NAME`: what is served at the legacy path; :data:`TARGET`: something that exists is changed."""
        return NAME if self.attribute else MODULE

    @property
    def place_of_member(self):  # type: () -> str
        """The same for kinds whose rows name members of classes, too: these are put on the class."""
        return TARGET if "." in self.attribute else NAME if self.attribute else MODULE

    def raises(self, stage: str) -> bool:
        """Whether a use at this stage is an error and no longer a warning."""
        return stage == EXPIRED

    def replace(self, **changes: "Any") -> "Move":
        """Return a copy with some fields changed."""
        fields = self._fields()
        for name in changes:
            if name not in fields:
                raise TypeError(f"{type(self).__name__} has no field {name!r}; it has {', '.join(fields)}")
        copy, put = object.__new__(type(self)), _put
        for name, value in zip(fields, self._values()):
            put(copy, name, value)
        for name, value in changes.items():
            put(copy, name, value)
        return copy

    def owned_by(self, ledger: str, category: "Category") -> "Move":
        """Return a copy as a row of a ledger, with its category unless the row has its own."""
        copy, put = object.__new__(type(self)), _put
        for name, value in zip(self._fields(), self._values()):
            put(copy, name, value)
        put(copy, "ledger", ledger)
        if category is not None and not self.category:
            put(copy, "category", category)
        return copy

    @classmethod
    def _fields(cls):  # type: () -> tuple[str, ...]
        known = _fields.get(cls)
        if known is None:
            known = _fields[cls] = tuple(name for base in reversed(cls.__mro__) for name in base.__dict__.get("__slots__", ()))
        return known

    def _values(self):  # type: () -> tuple[Any, ...]
        cls = type(self)
        read = _readers.get(cls)
        if read is None:
            read = _readers[cls] = attrgetter(*cls._fields())
        return read(self)

    def __setattr__(self, name, value):  # type: (str, object) -> NoReturn
        raise AttributeError(f"{type(self).__name__} rows are immutable; use .replace({name}=...) to get a changed copy")

    def __delattr__(self, name):  # type: (str) -> NoReturn
        raise AttributeError(f"{type(self).__name__} rows are immutable; {name!r} cannot be deleted")

    def __eq__(self, other):  # type: (object) -> bool
        return type(self) is type(other) and self._values() == other._values()  # type: ignore[attr-defined]

    def __hash__(self):  # type: () -> int
        return hash((type(self), self.legacy, self.canonical, self.since, self.removal))

    def __reduce__(self):  # type: () -> tuple[Any, ...]
        return _rebuild, (type(self), self._values())

    def __repr__(self):  # type: () -> str
        shown = ", ".join(
            f"{name}={getattr(self, name)!r}" for name in self._fields() if name not in ("legacy", "canonical", "ledger", "id")
        )
        return f"{type(self).__name__}({self.legacy!r}, {self.canonical!r}, {shown})"


def numbers(version: str) -> "tuple[int, ...] | None":
    """The numbers of a version of numbers and dots, in which ``1`` and ``1.0`` are the same; ``None`` for any other."""
    if not (version.isascii() and version.replace(".", "").isdigit()):
        return None
    try:
        found = [*map(int, version.split("."))]
    except ValueError:  # nothing between two dots
        return None
    while len(found) > 1 and not found[-1]:
        found.pop()
    return tuple(found)


def _rebuild(kind, values):  # type: (type[Move], tuple[Any, ...]) -> Move
    move = object.__new__(kind)
    for name, value in zip(kind._fields(), values):
        _put(move, name, value)
    return move


for _name in TOLD:
    setattr(Move, _name, _Told(_name))
