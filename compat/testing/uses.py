"""The uses of a stretch of a program, as plain data."""

from __future__ import annotations

from fnmatch import fnmatchcase

from compat.ledger import replacement
from compat.shim.recording.funnel import Use, row_of
from compat.telemetry.record.watching import Watch

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from compat.ledger import Move
    from compat.telemetry.record.sites import Site


class Uses:
    """What this process used since the object was made, in all threads: one :class:`Use` per place, in order of move and place.

    Iterate over it, or ask for ``len()`` (places), :attr:`count` (uses) and :attr:`moves` (ids). The numbers are those that
    telemetry counts, whatever the warning filters say. It goes on counting until :meth:`close`.
    """

    def __init__(self) -> None:
        self._found: dict[Site, int] = {}
        self._watch = Watch()

    def _current(self) -> dict[Site, int]:
        for site, count in self._watch.take():
            self._found[site] = self._found.get(site, 0) + count
        return self._found

    def __iter__(self) -> Iterator[Use]:
        return iter([Use(*site, count) for site, count in sorted(self._current().items())])

    def __len__(self) -> int:
        return len(self._current())

    @property
    def count(self) -> int:
        """The number of uses."""
        return sum(self._current().values())

    @property
    def moves(self) -> set[str]:
        """The ids of the moves that were used."""
        return {site.move for site in self._current()}

    def close(self) -> None:
        """Count no further; what was counted stays."""
        self._current()
        self._watch.stop()

    def __repr__(self) -> str:
        return f"<Uses: {told(self) or 'none'}>"


def is_meant(move: str, names: Iterable[str], row: Move | None = None) -> bool:
    """Whether one of some names means a move: its id, its legacy path, or a pattern of one such as ``shop.util:*``."""
    known = (move, row.legacy) if row is not None else (move,)
    return any(name in known or any(fnmatchcase(one, name) for one in known) for name in names)


def advice_of(move: str) -> str:
    """What to write instead of a move that this process used, as a sentence; ``""`` where nobody says."""
    row = row_of(move)
    return replacement(row) if row is not None else ""


def told(uses: Iterable[Use]) -> str:
    """One line per place."""
    lines = []
    for use in uses:
        advice = advice_of(use.move)
        lines.append(f"{use.count:>4}  {use.move} ({use.kind}) at {use.file}:{use.line}{': ' if advice else ''}{advice}")
    return "\n".join(lines)
