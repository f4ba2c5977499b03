"""Edits: spans with their expected and new text, applied all together or not at all."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from compat.errors import CompatError

if TYPE_CHECKING:
    from collections.abc import Iterable


class EditConflict(CompatError):
    """Two edits overlap, or the text is not what an edit expects: nothing was changed."""


class Edit(NamedTuple):
    """Replace ``expected`` at ``start`` by ``new``; all of it in UTF-8 bytes."""

    start: int
    end: int
    expected: bytes
    new: bytes


def replacing(data: bytes, start: int, end: int, new: str) -> Edit:
    """The edit that replaces what stands at a span now."""
    return Edit(start, end, data[start:end], new.encode("utf-8"))


def apply(data: bytes, edits: Iterable[Edit]) -> bytes:
    """Apply edits, each as if it were alone; raise :class:`EditConflict` on overlap or on other text.

    What is inserted where another edit starts comes before it.
    """
    ordered = sorted(set(edits), key=lambda edit: (edit.start, edit.end))
    for before, after in zip(ordered, ordered[1:]):
        if before.end > after.start or (before.start == after.start == after.end):
            raise EditConflict(f"edits at bytes {before.start}-{before.end} and {after.start}-{after.end} overlap")
    parts, at = [], 0
    for edit in ordered:
        if data[edit.start : edit.end] != edit.expected:
            raise EditConflict(f"bytes {edit.start}-{edit.end} hold {data[edit.start : edit.end]!r}, not {edit.expected!r}")
        parts += [data[at : edit.start], edit.new]
        at = edit.end
    return b"".join([*parts, data[at:]])
