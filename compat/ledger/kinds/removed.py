"""Removed: a tombstone for a name that is gone."""

from __future__ import annotations

from ..move import Move, errors

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Optional, Union

    from ..move import Category


class Removed(Move):
    """The name is gone: using it raises an error that says what to write instead, and is counted.

    Of a member of a class, ``"module:Class.gone"``, the class is named by the module in which it is now.
    """

    kind = "removed"
    meaning = "Something that was removed is used."
    is_tombstone = True
    takes_patterns = True
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
        category: Category = None,
        replacement: str = "",
        imports: Union[str, tuple[str, ...]] = (),
        parameters: Optional[str] = None,
    ) -> None:
        super().__init__(
            legacy,
            "",
            since=since,
            removal=removal or since,
            instead=instead,
            note=note,
            id=id,
            category=category,
            replacement=replacement,
            imports=imports,
            parameters=parameters,
        )

    @property
    def place(self) -> str:
        """As of every row; a member of a class is put on that class."""
        return self.place_of_member

    def raises(self, stage: str) -> bool:
        """At every stage."""
        return True

    def error(self, use: str, sentence: str) -> Exception:
        """Also what Python itself raises for what is not there."""
        if use == "import":
            return (errors.RemovedImport if self.attribute else errors.RemovedModule)(sentence, name=self.module)
        return errors.RemovedAttribute(sentence)

    def judgement(self, stage: str) -> str:
        """The same at every stage."""
        since = f"{self.ledger} {self.since}" if self.ledger else self.since
        return f"is impossible: it was removed in {since}."

    def stub(self, name: str, said: str) -> str:
        """A class that cannot be made, or a function that never returns."""
        if name[:1].isupper():
            return f"@deprecated({said!r})\nclass {name}:\n    def __init__(self, *args: Any, **kwargs: Any) -> None: ..."
        return f"@deprecated({said!r})\ndef {name}(*args: Any, **kwargs: Any) -> NoReturn: ..."
