"""Behaviour: what only running code knows, which reports it by ``compat.use(row)``."""

from __future__ import annotations

from compat import errors

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from ..move import Fault
    from ..rows import Behaviour

meaning = "A setting, option or key is named by its old name."


def example(row: Behaviour, passed: str = "") -> str:
    """There is none in source."""
    return ""


def subject(row: Behaviour, use: str) -> str:
    """What it is, in words."""
    return row.what


def advice(row: Behaviour) -> str:
    """The new name."""
    return f"Use {row.new} instead." if row.new else ""


def error(row: Behaviour, use: str, sentence: str) -> Exception:
    """Python raises nothing of its own for it."""
    return errors.LegacyExpiredError(sentence, name=row.id)


def faults(row: Behaviour) -> Iterator[Fault]:
    """It has an id, words, and what to do instead."""
    if not row.id or ":" in row.id or len(row.id.split()) != 1:
        yield f"{row.id!r} is no id", "write one such as 'shop.SHOP_QTY', without blanks or colons"
    if not row.what.strip():
        yield "what is empty", "say what is deprecated: it begins the sentence"
    if row.new and row.new == row.old:
        yield f"{row.old!r} becomes itself", "name the new one in new="
    if row.new and not row.old:
        yield "new without old replaces nothing", "name the old one in old="
