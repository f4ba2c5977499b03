"""Behaviour: what only running code knows, which reports it by ``compat.use(row)``."""

from __future__ import annotations

from compat import errors

from ..move import CODE, Move

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from ..move import Category, Fault


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
    meaning = "A setting, option or key is named by its old name."
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
        instead: str | None,
        note: str = "",
        category: Category = None,
    ) -> None:
        super().__init__(id, "", since=since, removal=removal, instead=instead, note=note, id=id, category=category)
        put = object.__setattr__
        put(self, "what", what)
        put(self, "old", old)
        put(self, "new", new)

    @property
    def place(self) -> str:
        """:data:`compat.ledger.move.CODE`: nothing is served, running code reports."""
        return CODE

    @property
    def module(self) -> str:
        """What its id begins with."""
        return self.id.rpartition(".")[0] or self.id

    @property
    def text(self) -> str:
        """The old name."""
        return self.old

    @property
    def shown(self) -> str:
        """What it is, in words."""
        return self.what

    def example(self, passed: str = "") -> str:
        """There is none in source."""
        return ""

    def subject(self, use: str) -> str:
        """What it is, in words."""
        return self.what

    def advice(self) -> str:
        """The new name."""
        return f"Use {self.new} instead." if self.new else ""

    def error(self, use: str, sentence: str) -> Exception:
        """Python raises nothing of its own for it."""
        return errors.LegacyExpiredError(sentence, name=self.id)

    def faults(self) -> Iterator[Fault]:
        """It has an id, words, and what to do instead."""
        if not self.id or ":" in self.id or len(self.id.split()) != 1:
            yield f"{self.id!r} is no id", "write one such as 'shop.SHOP_QTY', without blanks or colons"
        if not self.what.strip():
            yield "what is empty", "say what is deprecated: it begins the sentence"
        if self.new and self.new == self.old:
            yield f"{self.old!r} becomes itself", "name the new one in new="
        if self.new and not self.old:
            yield "new without old replaces nothing", "name the old one in old="
