"""Versions, as far as stages need them: compare two, and say which one is in force."""

from __future__ import annotations

import os

from compat._forking import gate

from .move import ANNOUNCED, DEPRECATED, EXPIRED, numbers

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


def parse(version: str) -> Any:
    """Return a key that orders versions; raise ``ValueError`` for text that is no version.

    Plain ``1.2.3`` is compared without ``packaging``, which costs 20 ms to import; anything else goes through it.
    """
    found = numbers(version)
    return _Full(version) if found is None else _Plain(found, version)


class _Key:
    __slots__ = ("full",)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Key) and not self < other and not other < self

    def __hash__(self) -> int:
        return hash(_full(self))

    def __lt__(self, other: _Key) -> bool:
        if isinstance(self, _Plain) and isinstance(other, _Plain):
            return self.numbers < other.numbers
        return bool(_full(self) < _full(other))

    def __le__(self, other: _Key) -> bool:
        return not other < self


class _Plain(_Key):
    __slots__ = ("numbers",)

    def __init__(self, numbers: tuple[int, ...], text: str) -> None:
        self.numbers = numbers
        self.full: Any = text


class _Full(_Key):
    __slots__ = ()

    def __init__(self, text: str) -> None:
        with gate:
            from packaging.version import InvalidVersion, Version

        try:
            self.full: Any = Version(text)
        except InvalidVersion:
            raise ValueError(f"{text!r} is no version; write one such as '1.4' or '2.0rc1'") from None


def _full(key: Any) -> Any:
    if isinstance(key.full, str):
        with gate:
            from packaging.version import Version

        return Version(key.full)
    return key.full


def rehearsed(ledger: str) -> str:
    """Return the version that ``COMPAT_AS_OF`` puts in force for a ledger, ``""`` for none.

    ``COMPAT_AS_OF=3.0`` speaks of every ledger, ``COMPAT_AS_OF=shop=3.0,other=2.1`` of the named ones.
    """
    value = os.environ.get("COMPAT_AS_OF", "").strip()
    if not value:
        return ""
    told, faults = _rehearsal(value)
    for fault in faults:
        if fault not in _said:
            # Legacy code must not break for a misspelt variable.
            with gate:
                import logging

            _said.add(fault)
            logging.getLogger("compat").warning("%s", fault)
    return told.get(ledger) or told.get("", "")


_said: set[str] = set()


def _rehearsal(value: str) -> tuple[dict[str, str], list[str]]:
    """The versions that a value of ``COMPAT_AS_OF`` puts in force by ledger (``""``: every ledger), and what is wrong with it."""
    told: dict[str, str] = {}
    faults = []
    for part in value.split(",") if "=" in value else [f"={value}"]:
        name, _, version = (piece.strip() for piece in part.partition("="))
        try:
            parse(version)
        except ValueError:
            faults.append(f"COMPAT_AS_OF={value!r} is not understood at {part.lstrip('=')!r}: write 3.0, or shop=3.0,other=2.1")
        else:
            told[name] = version
    return told, faults


def rehearsals() -> tuple[dict[str, str], list[str]]:
    """What ``COMPAT_AS_OF`` puts in force, by ledger (``""``: every ledger), and what in it is not understood."""
    value = os.environ.get("COMPAT_AS_OF", "").strip()
    return _rehearsal(value) if value else ({}, [])


def stage(since: str, removal: str, version: str) -> str:
    """Return ``announced``, ``deprecated`` or ``expired`` for a move when ``version`` is in force; no removal, no end."""
    now = parse(version)
    if now < parse(since):
        return ANNOUNCED
    return DEPRECATED if not removal or now < parse(removal) else EXPIRED
