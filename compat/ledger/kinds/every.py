"""What rows of every kind say, and what is wrong with them; the module of a kind has what is its own."""

from __future__ import annotations

from compat import errors

from ..move import ANNOUNCED, EXPIRED
from ..paths import dotted, import_line, is_path, resolve

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from ..move import Fault, Move

meaning = ""
_VERBS = {
    "construct": "Constructing",
    "import": "Importing",
    "override": "Overriding",
    "set": "Assigning",
    "subclass": "Subclassing",
}


def example(row: Move, passed: str = "") -> str:
    """A few lines of legacy use, as one would write them; ``""`` where there is no short way."""
    if not row.attribute:
        return f"import {row.module}\n"
    owner, _, member = row.attribute.rpartition(".")
    if owner:
        return f"from {row.module} import {owner}\n\nthing = {owner}()\nthing.{member}()\n"
    return f"from {row.module} import {row.attribute}\n"


def subject(row: Move, use: str) -> str:
    """What was done with what: the head of the sentence, without a verb of judgement."""
    module, attribute = row.module, row.attribute
    if not attribute:
        return f"Importing '{module}'" if use == "import" else f"Using module '{module}'"
    if use == "call":
        return f"Calling {dotted(attribute)}() of '{module}'"
    return f"{_VERBS.get(use, 'Using')} {attribute} from '{module}'"


def judgement(row: Move, stage: str) -> str:
    """How things stand at a stage: what follows the subject in the sentence."""
    since = f"{row.ledger} {row.since}" if row.ledger else row.since
    if stage == EXPIRED:
        return f"has expired: it was deprecated in {since} and removed in {row.removal}."
    if stage == ANNOUNCED:
        return f"will be deprecated in {since} and removed in {row.removal}."
    return f"is deprecated since {since}" + (f" and will be removed in {row.removal}." if row.removal else ".")


def advice(row: Move) -> str:
    """What to write instead, worded from the canonical path; ``""`` where there is none."""
    if not row.canonical:
        return ""
    attribute = row.canonical.partition(":")[2]
    member = f"{attribute} of " if "." in attribute else ""
    return f"Use {member}canonical path '{import_line(row.canonical)}' instead."


def error(row: Move, use: str, sentence: str) -> Exception:
    """What such a use raises: also what Python itself would raise if the legacy path were gone."""
    if use == "import":
        return (errors.LegacyExpiredImport if row.attribute else errors.LegacyExpiredModule)(sentence, name=row.module)
    kind = errors.LegacyExpiredAttribute if use in ("attribute", "set") else errors.LegacyExpiredCall
    return kind(sentence, name=row.attribute or row.module)


def warning(row: Move, stage: str, sentence: str) -> Warning:
    """What every other use warns."""
    if stage == ANNOUNCED:
        return errors.LegacyAnnouncedWarning(row.legacy, row.since, row.removal, sentence)
    return errors.category_of(row.category)(row.legacy, row.since, row.removal, sentence)


def stub(row: Move, name: str, said: str) -> str:
    """The lines of a stub that declare ``name``; ``""`` where the canonical object says what it is."""
    return ""


def faults(row: Move) -> Iterator[Fault]:
    """Yield each ``(reason, remedy)`` that is wrong with the row by itself, nothing imported."""
    if row.is_pattern:
        if not row.takes_patterns:
            yield f"{type(row).__name__} takes no pattern", "write a row for each path, or use Module(...)"
    elif not is_path(row.module) or (row.attribute and not is_path(row.attribute.partition("(")[0])):
        yield f"{row.legacy!r} is no legacy path", "write 'package.module' or 'package.module:attribute'"
    if row.requires and not (row.requires[:1].isalnum() and row.requires.isascii()):
        yield f"requires={row.requires!r} is no requirement", "write one such as requires='shop-extras>=2'"
    if row.needs_attribute and not row.attribute:
        yield "a name is missing after the module", f"write {row.module + ':Name'!r}, or use Module(...)"


def find_target(row: Move) -> tuple[object, str]:
    """Import the canonical object; return it and ``""``, or None and why it cannot be had."""
    return resolve(row.canonical)


def target_faults(row: Move, target: object) -> Iterator[Fault]:
    """Yield each ``(reason, remedy)`` that is wrong with the row now that ``target``, its canonical object, is at hand."""
    yield from ()
