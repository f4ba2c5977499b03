"""The one sentence that a move speaks: in warnings, errors, reports, stubs and the guide."""

from __future__ import annotations

from .versions import ANNOUNCED, DEPRECATED, EXPIRED

TYPE_CHECKING = False
if TYPE_CHECKING:
    from .moves import Move


def dotted(path: str) -> str:
    """``"pkg.mod:Class.attr"`` as a reader writes it: ``pkg.mod.Class.attr``."""
    return path.replace(":", ".")


def import_line(path: str) -> str:
    """The statement that imports ``path``: ``from pkg.mod import Name`` or ``import pkg.mod``."""
    module, _, attribute = path.partition(":")
    return f"from {module} import {attribute.partition('.')[0]}" if attribute else f"import {module}"


def replacement(move: Move) -> str:
    """What to write instead, as a sentence; empty when the row says that there is nothing."""
    words = move.instead
    if words is None:
        if not move.canonical:
            return ""
        if move.kind == "argument":
            became = getattr(move, "became", None)
            if getattr(move, "default", ""):
                return f"Pass {move.argument!r} yourself."  # type: ignore[attr-defined]
            if getattr(move, "order", ()):
                return "Pass these arguments by keyword."
            return f"Pass {became!r} instead." if became else f"Leave {move.argument!r} out."  # type: ignore[attr-defined]
        if move.kind == "method":
            return f"Use {move.canonical.partition(':')[2]} instead."
        return f"Use canonical path '{import_line(move.canonical)}' instead."
    words = words.strip()
    if not words or words[-1] in ".!":
        return words
    if words.startswith(("from ", "import ")):
        return f"Use canonical path '{words}' instead."
    if words.endswith("instead"):
        return f"{words[0].upper()}{words[1:]}."
    return f"Use {words} instead."


def subject(move: Move, use: str) -> str:
    """What was done with what: the head of the sentence, without a verb of judgement."""
    module, attribute = move.module, move.attribute
    if move.kind == "argument":
        function = dotted(move.canonical)
        order = getattr(move, "order", ())
        if order:
            return f"Passing {', '.join(order)} to {function}() by position in this order"
        if getattr(move, "default", ""):
            return f"Calling {function}() without {move.argument!r}"  # type: ignore[attr-defined]
        return f"Passing {move.argument!r} to {function}()"  # type: ignore[attr-defined]
    if not attribute:
        return f"Importing '{module}'" if use == "import" else f"Using module '{module}'"
    if move.kind == "method" and use in ("attribute", "set"):
        return f"{'Using' if use == 'attribute' else 'Assigning'} {dotted(attribute)} of '{module}'"
    if move.kind == "method" or use == "call":
        return f"Calling {dotted(attribute)}() of '{module}'"
    verb = {"import": "Importing", "subclass": "Subclassing", "set": "Assigning", "construct": "Constructing"}.get(use, "Using")
    return f"{verb} {attribute} from '{module}'"


def sentence(move: Move, use: str, stage: str = DEPRECATED, *, docs: str = "") -> str:
    """Word one use of one move at one stage.

    >>> from compat.ledger import Name
    >>> print(sentence(Name("old:A", "new:B", since="1.0", removal="2.0", instead=None), "import"))
    Importing A from 'old' is deprecated since 1.0 and will be removed in 2.0. Use canonical path 'from new import B' instead.
    """
    head = subject(move, use)
    name = f"{move.ledger} " if move.ledger else ""
    if move.kind == "removed":
        said = f"{head} is impossible: it was removed in {name}{move.since}."
    elif stage == EXPIRED:
        said = f"{head} has expired: it was deprecated in {name}{move.since} and removed in {move.removal}."
    elif stage == ANNOUNCED:
        said = f"{head} will be deprecated in {name}{move.since} and removed in {move.removal}."
    else:
        said = f"{head} is deprecated since {name}{move.since}" + (
            f" and will be removed in {move.removal}." if move.removal else "."
        )
    parts = [said, replacement(move), move.note.strip(), f"See {docs}." if docs else ""]
    return " ".join(part for part in parts if part)
