"""Method: a method or property was renamed on a class that still exists, or became something else."""

from __future__ import annotations

from ..move import TARGET, Move
from ..paths import dotted, resolve

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Optional, Union

    from ..move import Category, Fault


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
    meaning = "A renamed method is used."
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
        instead: str | None,
        note: str = "",
        id: str = "",
        category: Category = None,
        replacement: str = "",
        imports: Union[str, tuple[str, ...]] = (),
        parameters: Optional[str] = None,
    ) -> None:
        super().__init__(
            legacy,
            canonical,
            since=since,
            removal=removal,
            instead=instead,
            note=note,
            id=id,
            category=category,
            replacement=replacement,
            imports=imports,
            parameters=parameters,
        )
        object.__setattr__(self, "was", was)

    @property
    def changed(self) -> str:
        """The old method on the canonical class; of one that became a function, on its own."""
        if self.became_function:
            return self.legacy
        module, _, new = self.canonical.partition(":")
        return f"{module}:{'.'.join([*new.split('.')[:-1], self.attribute.rpartition('.')[2]])}"

    @property
    def place(self) -> str:
        """:data:`compat.ledger.move.TARGET`: the old method is attached to the class."""
        return TARGET

    @property
    def became_function(self) -> bool:
        """Whether no member of a class is canonical, but a function."""
        return "." not in self.canonical.partition(":")[2]

    @property
    def was_called(self) -> bool:  # type: ignore[override]
        """It was a method."""
        return self.was == "method"

    @property
    def was_read(self) -> bool:  # type: ignore[override]
        """It was a property."""
        return self.was == "property"

    def covers(self, use: str) -> bool:
        """Of a method that became a property of its name, calls alone."""
        return use == "call" or self.legacy != self.canonical

    @property
    def differs(self) -> str:
        """Something that is no member, or is called no more, or now."""
        if self.became_function:
            return f"is the function {dotted(self.canonical)} now"
        return {"method": "is read now, and not called", "property": "is called now"}.get(self.was, "")

    def subject(self, use: str) -> str:
        """A method is called, a property used or assigned."""
        verb = {"attribute": "Using", "set": "Assigning", "override": "Overriding"}.get(use)
        if verb:
            return f"{verb} {dotted(self.attribute)} of '{self.module}'"
        return f"Calling {dotted(self.attribute)}() of '{self.module}'"

    def advice(self) -> str:
        """The new method, without its module."""
        if not self.canonical:
            return ""
        new = self.canonical.partition(":")[2]
        if self.became_function:
            return f"Call {dotted(self.canonical)}() with it instead."
        if self.was:
            return f"Read {new} instead." if self.was == "method" else f"Call {new}() instead."
        return f"Use {new} instead."

    def faults(self) -> Iterator[Fault]:
        """As of every row; and it was one of two things."""
        yield from super().faults()
        if self.was not in ("", "method", "property"):
            yield f"was={self.was!r} says nothing", "write was='method' or was='property', or leave it out"

    def find_target(self) -> tuple[object, str]:
        """The canonical member; None for an attribute that instances of the class have, as their class's source says."""
        found, fault = resolve(self.canonical)
        if fault:
            holder, _, name = self.canonical.rpartition(".")
            owner = resolve(holder)[0] if ":" in holder else None
            if isinstance(owner, type) and name in _assigned(owner):
                return None, ""
        return found, fault


def _assigned(kind: type) -> set[str]:
    """What the instances of a class have of their own: its fields, its slots, and what its methods assign to ``self``."""
    import ast
    import inspect
    import textwrap

    found: set[str] = set()
    for base in kind.__mro__:
        slots = vars(base).get("__slots__", ())
        found.update([slots] if isinstance(slots, str) else slots, vars(base).get("__dataclass_fields__", ()))
        try:
            tree = ast.parse(textwrap.dedent(inspect.getsource(base)))
        except (OSError, TypeError, SyntaxError, ValueError):
            continue
        nodes = [*ast.walk(tree)]
        stored = (node for node in nodes if isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Store))
        found.update(node.attr for node in stored if isinstance(node.value, ast.Name) and node.value.id == "self")
        noted = (node.target for node in nodes if isinstance(node, ast.AnnAssign))
        found.update(target.id for target in noted if isinstance(target, ast.Name))
    return found
