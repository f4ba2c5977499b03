"""What is known of an expression's value: an instance of a class, a class, a function, or a container of one of these."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple, Optional, Protocol

if TYPE_CHECKING:
    import ast
    from collections.abc import Iterable

INSTANCE, CLASS, FUNCTION = "instance", "class", "function"
#: Containers: what is iterated over, looked up, taken apart by place, awaited, entered by `with`, given by a call.
ITEMS, VALUES, PARTS, AWAITED, ENTERED, CALLED = "items", "values", "parts", "awaited", "entered", "called"


class Home(Protocol):
    """The file in which a function stands."""

    def returned(self, made: Type) -> Optional[Type]:
        """What a call of one of its functions returns."""


class Type(NamedTuple):
    """A type: ``path`` is the dotted class, ``inner`` what a container holds, ``function`` a definition, and ``owner`` where it
    stands. ``doubt`` says what speaks against it, empty where nothing does."""

    form: str
    path: str = ""
    inner: tuple[Optional[Type], ...] = ()
    function: Optional[ast.AST] = None
    owner: Optional[Home] = None
    doubt: str = ""

    @property
    def item(self) -> Optional[Type]:
        """What a container of one type holds, with the container's doubt."""
        return self.inner[0].but(self.doubt) if self.inner and self.inner[0] is not None else None

    def but(self, doubt: str) -> Type:
        """The same with a doubt, where it has none yet."""
        return self._replace(doubt=doubt) if doubt and not self.doubt else self


def of(form: str, item: Optional[Type]) -> Optional[Type]:
    """A container of one type; ``None`` where that is not known."""
    return Type(form, inner=(item,)) if item is not None else None


def agreed(found: Iterable[Optional[Type]]) -> Optional[Type]:
    """The type that all are of, with the doubts of any; ``None`` where they differ or one is not known."""
    types = [*found]
    if not types or any(one is None for one in types):
        return None
    plain = {one._replace(doubt="", inner=tuple(map(_plain, one.inner))) for one in types if one is not None}
    doubted = next((one for one in types if one is not None and one.doubt), types[0])
    return doubted if len(plain) == 1 else None


def _plain(one: Optional[Type]) -> Optional[Type]:
    return one._replace(doubt="") if one is not None else None
