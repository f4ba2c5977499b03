"""Checks a ledger against itself and against the code it names."""

from __future__ import annotations

from . import advice, patterns, templates
from .ledger import Ledger
from .move import Move
from .paths import resolve, what_to_install
from .versions import parse

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    Fault = tuple[str, str, str]


def find_faults(ledger: Ledger) -> Iterator[Fault]:
    """Yield every ``(row, reason, remedy)`` that is wrong with a ledger. Imports the canonical targets and the adapters."""
    yield from _in_force(ledger)
    yield from _duplicates(ledger)
    circles = list(_cycles(ledger))
    yield from circles
    circular = {fault[0] for fault in circles}
    for row in ledger:
        yield from _words(row)
        yield from _versions(row)
        yield from _category(row)
        if shown(row) not in circular:
            yield from _target(row)
    yield from (fault for fault in advice.find_faults(ledger) if fault[0] not in circular)


def shown(row: Move) -> str:
    """A row as faults name it."""
    return f"{type(row).__name__}({row.legacy!r})"


def _in_force(ledger: Ledger) -> Iterator[Fault]:
    for origin in ledger.origins:
        try:
            if not origin.own_version:
                reason = f"distribution {origin.distribution!r} is not installed, so that no version is in force"
                yield f"Ledger({origin.name!r})", reason, "give version=, or the distribution that holds it as distribution="
                continue
            parse(origin.own_version)
        except Exception as error:
            # Its own sentence where it is parse()'s; whose is another's may be as short as a key.
            said = str(error) if type(error) is ValueError else f"{type(error).__name__}: {error}"
            yield f"Ledger({origin.name!r})", f"its version cannot be used: {said}", "give a version such as version='2.0'"


def _duplicates(ledger: Ledger) -> Iterator[Fault]:
    seen: dict[str, Move] = {}
    ids: dict[str, Move] = {}
    for row in ledger:
        before = seen.setdefault(row.legacy, row)
        if before is not row:
            if row.is_tombstone != before.is_tombstone:
                moved = row if before.is_tombstone else before
                yield shown(row), "the name is both removed and moved", f"keep either the Removed row or {shown(moved)}"
            else:
                yield shown(row), f"legacy path {row.legacy!r} has another row already", "delete one of the two"
        elif ids.setdefault(row.id, row) is not row:
            yield shown(row), f"id {row.id!r} is taken by {shown(ids[row.id])}", "give each row an id of its own, or none"


def _cycles(ledger: Ledger) -> Iterator[Fault]:
    for row in ledger:
        path, at = [row.legacy], "" if row.stays or row.was_called or row.was_read else row.canonical
        while at and at not in path:
            path.append(at)
            following = ledger.get(at)
            at = following.canonical if following is not None else ""
        if at and at == row.legacy:
            yield (
                shown(row),
                f"the move leads back to itself: {' -> '.join([*path, at])}",
                "point the row at the final canonical path",
            )


def _words(row: Move) -> Iterator[Fault]:
    for reason, remedy in (*row.faults(), *(patterns.faults(row) if row.is_pattern else ())):
        yield shown(row), reason, remedy
    if row.instead is not None and not row.instead.strip():
        yield shown(row), "instead is empty", "say what to write instead, or None to word it from the canonical path"
    yield from ((shown(row), reason, remedy) for reason, remedy in templates.faults(row))
    if row.instead is None and not row.canonical and not row.advice() and not row.replacement:
        yield shown(row), "instead is missing: there is no canonical path to word it from", "say what to write instead"


def _versions(row: Move) -> Iterator[Fault]:
    parsed = []
    for field in ("since", "removal"):
        try:
            parsed.append(parse(getattr(row, field)))
        except (ValueError, TypeError, AttributeError):
            yield shown(row), f"{field}={getattr(row, field)!r} is no version", f"write one such as {field}='2.0'"
    if len(parsed) == 2 and not parsed[0] < parsed[1] and not row.is_tombstone:
        yield shown(row), f"removal {row.removal} is not after since {row.since}", "give the users at least one version to move"


def _category(row: Move) -> Iterator[Fault]:
    found: object = row.category
    if isinstance(found, str):
        found, fault = resolve(found if ":" in found else f"builtins:{found}")
        if fault:
            yield shown(row), f"category {row.category!r} {fault}", "give a class, its path, or the name of a builtin category"
            return
    if found is not None and not (isinstance(found, type) and issubclass(found, Warning)):
        yield shown(row), f"category {row.category!r} is no warning category", "give one such as FutureWarning"


def _target(row: Move) -> Iterator[Fault]:
    if not row.canonical:
        return
    if row.requires and resolve(row.canonical.partition(":")[0].partition(".")[0])[1]:
        return  # what it needs is optional, and not here: nothing can be said of it
    if row.is_pattern:
        if any(patterns.faults(row)):
            return
        yield from ((shown(row), reason, remedy) for reason, remedy in patterns.target_faults(row))
        return
    found, fault = row.find_target()
    if fault:
        remedy = what_to_install(fault, row.home) or "correct the path, or ship the target"
        yield shown(row), f"canonical target {row.canonical!r} {fault}", remedy
        return
    for reason, remedy in row.target_faults(found):
        yield shown(row), reason, remedy
