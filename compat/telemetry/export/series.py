"""Exported series: uses per move, kind, caller and service, as counters that never fall.

The numbers come from the state directory, living processes included, so they survive restarts, and every process of a
host says the same. A scrape folds first. Where nothing is kept on disk, they are those of this process alone.
"""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Callable, Iterable, Mapping
from typing import NamedTuple, Protocol

from ..history.database import MEMORY, History, HistoryError
from ..history.schema import first_row
from ..metric_names import LABELS, OTHERS
from ..read.merge import collect
from ..record import counters
from ..record.directory import state_directory
from ..record.identity import host_name, this_process
from ..record.service import environment_name, service_name
from ..record.sites import Site

LIMIT = 5000
"""Series of one exporter at most: what comes later is counted with the other callers of its move, then with other moves."""

Verdicts = Callable[[History], Mapping[str, str]]
"""What a history says of each move."""


class Facts(Protocol):
    """What is needed of a ledger's row: the versions from which and at which, and the stage that is in force."""

    @property
    def since(self) -> str: ...

    @property
    def removal(self) -> str: ...

    @property
    def stage(self) -> str: ...


class Series(NamedTuple):
    """One counter: the values of ``LABELS``, how many uses, and when the last one was (0.0: unknown)."""

    labels: tuple[str, ...]
    uses: int
    last: float


class Exported(NamedTuple):
    """One scrape: what was used, who was observed ((service, environment) -> processes, seconds), and from which store.

    ``moves`` are the stage, since and removal of every move that was used and of which the ledger knows; ``unread`` is how
    many files could not be read.
    """

    store: str
    uses: list[Series]
    observed: dict[tuple[str, str], tuple[int, float]]
    moves: dict[str, tuple[str, str, str]]
    unread: int = 0
    verdicts: Mapping[str, str] = {}


class Source:
    """Where the numbers of one exporter come from.

    ``moves`` says since and removal of each move id, ``ledger`` its ledger's name (one for all, or by id). ``service`` is
    whose uses are exported: ``None`` for all that the directory knows; only one target per host may do that, or they are
    all scraped twice. ``limit`` bounds the series.
    """

    def __init__(
        self,
        moves: Mapping[str, Facts] | None = None,
        *,
        ledger: str | Mapping[str, str] = "",
        directory: str | os.PathLike[str] | None = None,
        service: str | None = "",
        verdicts: Verdicts | None = None,
        limit: int = LIMIT,
    ) -> None:
        self._moves = moves if moves is not None else {}
        self._verdicts = verdicts
        self._limit = limit
        self._ledger = ledger
        self._directory = None if directory is None else os.fspath(directory)
        self._service = service_name() if service == "" else service
        self._latest = Exported("", [], {}, {})

    def read(self) -> Exported:
        """Return the numbers of now; those of last time, if the history cannot be read: a counter must not fall."""
        if self._directory is None and not counters.lasting():
            return self._own()
        try:
            self._latest = self._kept(self._directory or state_directory())
        except (HistoryError, sqlite3.Error, OSError):
            pass
        return self._latest

    def _kept(self, directory: str) -> Exported:
        with collect([directory]) as history:
            writable = os.access(directory, os.W_OK)
            if history.path == MEMORY and writable:
                raise HistoryError(f"there is no usage history in {directory!r} yet")
            run = history.connection.execute
            mine = (self._service, self._service)
            rows = run(
                """
                SELECT move, kind, caller, service, environment, forgotten + coalesce(sum(count), 0), coalesce(max(last), 0.0)
                FROM groups LEFT JOIN daily ON grp = id WHERE ? IS NULL OR service = ? GROUP BY id ORDER BY id
                """,
                mine,
            )
            series = self._bounded(rows)
            seen = run(
                """
                SELECT service, environment, count(*), sum(max(0.0, coalesce(ended, started) - started))
                FROM processes WHERE ? IS NULL OR service = ? GROUP BY 1, 2
                """,
                mine,
            )
            observed = {(service, environment): (processes, seconds) for service, environment, processes, seconds in seen}
            store = first_row(history.connection, "SELECT id FROM identity")[0] if writable else f"{host_name()}:{directory}"
            verdicts = {} if self._verdicts is None else self._verdicts(history)
            return Exported(store, series, observed, self._facts(series), len(history.unread), verdicts)

    def _bounded(self, rows: Iterable[tuple[str, str, str, str, str, int, float]]) -> list[Series]:
        """Return a series per row, the oldest first; those beyond the limit add up to a few, which never fall either."""
        found: dict[tuple[str, str, str, str, str], tuple[int, float]] = {}
        for number, (move, kind, caller, service, environment, uses, last) in enumerate(rows):
            key = move, kind, caller, service, environment
            if number >= self._limit:
                key = move, kind, OTHERS, service, environment
                if key not in found and len(found) >= 2 * self._limit:
                    key = OTHERS, kind, OTHERS, service, environment
            before = found.get(key, (0, 0.0))
            found[key] = before[0] + uses, max(before[1], last)
        return [self._series(*key, *numbers) for key, numbers in found.items()]

    def _own(self) -> Exported:
        totals: dict[tuple[str, str, str], int] = {}
        for site, uses in counters.usage():
            key = site.move, site.kind, caller_of(site)
            totals[key] = totals.get(key, 0) + uses
        service, environment = self._service or service_name(), environment_name()
        series = [self._series(*key, service, environment, uses, 0.0) for key, uses in totals.items()]
        return Exported(this_process().id, series, {}, self._facts(series))

    def _facts(self, series: list[Series]) -> dict[str, tuple[str, str, str]]:
        used = {labelled(each.labels)["move"] for each in series}
        found = {move: self._moves.get(move) for move in used}
        return {move: (facts.stage, facts.since, facts.removal) for move, facts in found.items() if facts is not None}

    def _series(self, move: str, kind: str, caller: str, service: str, environment: str, uses: int, last: float) -> Series:
        facts = self._moves.get(move)
        since, removal = ("", "") if facts is None else (facts.since, facts.removal)
        ledger = self._ledger if isinstance(self._ledger, str) else self._ledger.get(move, "")
        return Series((ledger, move, kind, caller, service, environment, since, removal), uses, last)


def caller_of(site: Site) -> str:
    """Return whose use it is: the top-level module, so that there are few of them."""
    return site.module.partition(".")[0]


def labelled(labels: Iterable[str]) -> dict[str, str]:
    """Return the labels of a series by name."""
    return dict(zip(LABELS, labels))
