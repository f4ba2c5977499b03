"""Removed: a tombstone for a name that is gone."""

from __future__ import annotations

from compat import errors

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ..rows import Removed

meaning = "Something that was removed is used."


def error(row: Removed, use: str, sentence: str) -> Exception:
    """Also what Python itself raises for what is not there."""
    if use == "import":
        return (errors.RemovedImport if row.attribute else errors.RemovedModule)(sentence, name=row.module)
    return errors.RemovedAttribute(sentence)


def judgement(row: Removed, stage: str) -> str:
    """The same at every stage."""
    since = f"{row.ledger} {row.since}" if row.ledger else row.since
    return f"is impossible: it was removed in {since}."


def stub(row: Removed, name: str, said: str) -> str:
    """A class that cannot be made, or a function that never returns."""
    if name[:1].isupper():
        return f"@deprecated({said!r})\nclass {name}:\n    def __init__(self, *args: Any, **kwargs: Any) -> None: ..."
    return f"@deprecated({said!r})\ndef {name}(*args: Any, **kwargs: Any) -> NoReturn: ..."
