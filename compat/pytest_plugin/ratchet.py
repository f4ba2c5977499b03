"""The file of allowed uses: one line per move and file, with the number of places there.

Lines are sorted and stand for themselves, so that branches merge line by line; of two lines for one move and file the larger
number counts. A ``?`` after the number says that the uses may be missing: on one platform, or now and then.
"""

from __future__ import annotations

import os
from typing import NamedTuple

import pytest

from compat._writing import whole_file

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

    from .tally import Row

HEAD = (
    "# Legacy uses that the tests may make: move, file, number of places. `pytest --compat-record` writes this file anew;\n"
    "# strike what is gone. A number with ? may also be missing.\n"
)
WHOLE = "# A whole run: "
_MERGING = ("<<<<<<<", "=======", ">>>>>>>", "|||||||")


class Allowed(NamedTuple):
    """How many places, and whether they may be missing."""

    places: int
    may_miss: bool = False


class Ratchet:
    """The allowed uses by move and file; ``whole`` is the command that the file was recorded by, where it was told."""

    def __init__(self, path: str, allowed: dict[tuple[str, str], Allowed] | None = None, whole: str | None = None) -> None:
        self.path, self.allowed, self.whole = path, {} if allowed is None else allowed, whole

    @property
    def name(self) -> str:
        """The file as sentences name it."""
        return os.path.basename(self.path)

    @classmethod
    def load(cls, path: str, *, is_made: bool = False) -> Ratchet:
        """Read a file. Raise ``pytest.UsageError`` for a broken one, and for a missing one unless it ``is_made`` by this run."""
        try:
            with open(path, encoding="utf-8") as file:
                lines = file.read().splitlines()
        except FileNotFoundError:
            if is_made:
                return cls(path)
            raise pytest.UsageError(f"the ratchet {path} does not exist; make it with pytest --compat-record") from None
        except (OSError, UnicodeDecodeError) as error:
            raise pytest.UsageError(f"the ratchet {path} cannot be read: {error}") from None
        made = cls(path)
        for number, line in enumerate(lines, 1):
            if line.startswith(WHOLE):
                made.whole = line[len(WHOLE) :].strip()
            elif line.strip() and not line.startswith("#"):
                key, allowed = _parse(line, f"{path}:{number}")
                known = made.allowed.get(key)
                made.allowed[key] = allowed if known is None else max(known, allowed)
        return made

    def compare(self, rows: Iterable[Row]) -> tuple[list[tuple[Row, int, int]], list[tuple[str, str, int, int]]]:
        """What is new: a row, the places used, those allowed; and what is gone: move, file, places used, those allowed."""
        found = _places(rows)
        new, gone = [], []
        for key, kept in found.items():
            allowed = self.allowed.get(key, Allowed(0)).places
            if len(kept) > allowed:
                new += [(row, len(kept), allowed) for row in kept.values()]
        for key, (allowed, may_miss) in self.allowed.items():
            used = len(found.get(key, ()))
            if used < allowed and not may_miss:
                gone.append((*key, used, allowed))
        return new, gone

    def record(self, rows: Iterable[Row], *, is_whole: bool, command: str) -> None:
        """Write what a run used; one that was not whole strikes nothing."""
        now = {key: Allowed(len(kept)) for key, kept in _places(rows).items()}
        for key, before in self.allowed.items():
            seen = now.get(key, Allowed(0)).places
            if before.may_miss or (not is_whole and seen < before.places):
                now[key] = Allowed(max(seen, before.places), before.may_miss)
        if self.whole is None or is_whole:
            self.whole = command
        self.allowed = now
        lines = [f"{move} {file} {places}{'?' * may_miss}\n" for (move, file), (places, may_miss) in sorted(now.items())]
        with whole_file(self.path) as stream:
            stream.write("".join([HEAD, f"{WHOLE}{self.whole}\n", *lines]).encode())


def _places(rows: Iterable[Row]) -> dict[tuple[str, str], dict[int, Row]]:
    # A line is one place, in however many ways and by however many functions it uses a move.
    found: dict[tuple[str, str], dict[int, Row]] = {}
    for row in rows:
        if row.count:
            found.setdefault((row.move, row.file), {}).setdefault(row.line, row)
    return found


def _parse(line: str, place: str) -> tuple[tuple[str, str], Allowed]:
    if line.startswith(_MERGING):
        raise pytest.UsageError(f"{place} has the marks of a merge; settle it, keeping the lines of both sides")
    words = line.split()
    number = words[-1].rstrip("?")
    if len(words) < 3 or not number.isdecimal() or not int(number):
        raise pytest.UsageError(f"{place} is no line of a ratchet: {line!r}; write a move, a file and a number of places")
    move, file = words[0], line.split(None, 1)[1].rsplit(None, 1)[0]
    return (move, file), Allowed(int(number), words[-1].endswith("?"))
