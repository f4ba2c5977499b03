"""What a run decided about the edits of one file before its plan is made."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Callable, NamedTuple, Optional

if TYPE_CHECKING:
    from collections.abc import Mapping


#: Says of a use by its rule, its legacy path and its offset whether it was selected.
Chosen = Callable[[str, str, int], bool]

#: How sure an edit is: taken always, taken with ``--unsafe``, never taken.
CERTAIN, LIKELY, SHOWN = "certain", "likely", "shown"


class Verdict(NamedTuple):
    """How sure a rename is, and what speaks against it."""

    degree: str
    reason: str = ""


@dataclass(frozen=True)
class Options:
    """Which edits of a file are made.

    Attributes
    ----------
    kept_locals:
        Names by which other files know this module's imports; they stay.
    held:
        Legacy paths that keep their names.
    skip_all:
        A reason to leave the whole file alone; empty for none.
    unsafe:
        Whether likely edits are made, too.
    chosen:
        Says of a use by its rule, legacy path and offset whether it was selected; ``None`` where all were.
    overrides:
        What the whole tree says of methods that its classes override, by legacy path; ``None`` where no other file was read.
    whole:
        Those of them whose overrides and the calls of these all stand in this file.
    """

    kept_locals: frozenset[str] = frozenset()
    held: frozenset[str] = frozenset()
    skip_all: str = ""
    unsafe: bool = False
    chosen: Optional[Chosen] = None
    overrides: Optional[Mapping[str, Verdict]] = None
    whole: frozenset[str] = frozenset()


#: Certain edits alone, of all uses.
PLAIN = Options()
