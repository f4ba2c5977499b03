"""The one sentence that a move speaks: in warnings, errors, reports, stubs and the guide."""

from __future__ import annotations

from .move import DEPRECATED

TYPE_CHECKING = False
if TYPE_CHECKING:
    from .move import Move


def replacement(move: Move) -> str:
    """What to write instead, as a sentence; empty when the row says that there is nothing."""
    words = move.instead
    if words is None:
        return f"Write {code(move)} instead." if move.replacement else move.advice()
    words = words.strip()
    if not words or words[-1] in ".!":
        return words
    if words.startswith(("from ", "import ")):
        return f"Use canonical path '{words}' instead."
    if words.endswith("instead"):
        return f"{words[0].upper()}{words[1:]}."
    return f"Use {words} instead."


def code(move: Move) -> str:
    """The replacement of a row as a reader writes it: its parameters without the braces."""
    text = move.replacement.strip().replace("{{", "\0").replace("}}", "\1")
    return text.replace("{", "").replace("}", "").replace("\0", "{").replace("\1", "}")


def sentence(move: Move, use: str, stage: str = DEPRECATED, *, docs: str = "") -> str:
    """Word one use of one move at one stage.

    >>> from compat.ledger import Name
    >>> print(sentence(Name("old:A", "new:B", since="1.0", removal="2.0", instead=None), "import"))
    Importing A from 'old' is deprecated since 1.0 and will be removed in 2.0. Use canonical path 'from new import B' instead.
    """
    said = f"{move.subject(use)} {move.judgement(stage)}"
    needed = f"Install {move.requires} for it." if move.requires else ""
    parts = [said, replacement(move), needed, move.note.strip(), f"See {docs}." if docs else ""]
    return " ".join(part for part in parts if part)
