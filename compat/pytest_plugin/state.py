"""What is known of a run: what it was asked, what was used, and in the end what fails it."""

from __future__ import annotations

from typing import NamedTuple

from .owners import Owners
from .tally import Tally

TYPE_CHECKING = False
if TYPE_CHECKING:
    import pytest

    from .ratchet import Ratchet
    from .rehearsal import Expected
    from .settings import Settings
    from .tally import Row


class Fault(NamedTuple):
    """One sentence, the row that it is about, and what kind of fault it is."""

    text: str
    row: Row | None = None
    kind: str = ""


class Verdict:
    """The rows of a run, what fails it, and what it did."""

    def __init__(self) -> None:
        self.rows: list[Row] = []
        self.totals: dict[str, int] = {}
        self.faults: list[Fault] = []
        self.notes: list[str] = []

    def counts(self, kind: str) -> int:
        """How many faults are of a kind."""
        return sum(fault.kind == kind for fault in self.faults)


class State:
    """One session: a run by itself, the controller of xdist, or one of its workers."""

    def __init__(self, config: pytest.Config, asked: Settings, ratchet: Ratchet | None, expected: Expected, version: str) -> None:
        self.config, self.asked, self.ratchet, self.expected, self.version = config, asked, ratchet, expected, version
        self.owners = Owners(asked.root, asked.packages)
        self.tally = Tally()
        self.verdict = Verdict()
        #: Ledgers that could not be served, of all processes.
        self.failures: dict[str, str] = {}
        self.was_partial = ""
        self.has_workers = False
        #: What could not be counted.
        self.doubts: list[str] = []
