"""Exported series: uses per move, kind, caller and service, as counters that never fall.

The numbers come from the state directory, living processes included, so they survive restarts, and every process of a
host says the same. A scrape folds first. Where nothing is kept on disk, they are those of this process alone.
"""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterable, Mapping
from typing import NamedTuple, Protocol

from ..history.database import MEMORY, HistoryError
from ..history.schema import first_row
from ..metric_names import LABELS
from ..read.merge import collect
from ..record import counters
from ..record.directory import state_directory
from ..record.identity import host_name, this_process
from ..record.service import service_name
from ..record.sites import Site


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
    """One scrape: what was used, who was observed (service -> processes, seconds), and from which store.

    ``stages`` is the stage of every move that was used and of which the ledger knows; ``unread`` how many files could not be
    read.
    """

    store: str
    uses: list[Series]
    observed: dict[str, tuple[int, float]]
    stages: dict[str, str]
    unread: int = 0


class Source:
    """Where the numbers of one exporter come from.

    ``moves`` says since and removal of each move id. ``service`` is whose uses are exported: ``None`` for all that the
    directory knows; only one target per host may do that, or they are all scraped twice.
    """

    def __init__(
        self,
        moves: Mapping[str, Facts] | None = None,
        *,
        ledger: str = "",
        directory: str | os.PathLike[str] | None = None,
        service: str | None = "",
    ) -> None:
        self._moves = moves or {}
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
                SELECT move, kind, caller, service, sum(uses), max(latest)
                FROM (SELECT move, kind, caller, service, forgotten + coalesce(sum(count), 0) AS uses,
                    coalesce(max(last), 0.0) AS latest
                    FROM groups LEFT JOIN daily ON grp = id WHERE ? IS NULL OR service = ? GROUP BY id)
                GROUP BY move, kind, caller, service
                """,
                mine,
            )
            series = [self._series(*row) for row in rows]
            seen = run(
                """
                SELECT service, count(*), sum(max(0.0, coalesce(ended, started) - started))
                FROM processes WHERE ? IS NULL OR service = ? GROUP BY service
                """,
                mine,
            )
            observed = {service: (processes, seconds) for service, processes, seconds in seen}
            store = first_row(history.connection, "SELECT id FROM identity")[0] if writable else f"{host_name()}:{directory}"
            return Exported(store, series, observed, self._stages(series), len(history.unread))

    def _own(self) -> Exported:
        totals: dict[tuple[str, str, str], int] = {}
        for site, uses in counters.usage():
            key = site.move, site.kind, caller_of(site)
            totals[key] = totals.get(key, 0) + uses
        service = self._service or service_name()
        series = [self._series(*key, service, uses, 0.0) for key, uses in totals.items()]
        return Exported(this_process().id, series, {}, self._stages(series))

    def _stages(self, series: list[Series]) -> dict[str, str]:
        used = {labelled(each.labels)["move"] for each in series}
        return {move: self._moves[move].stage for move in used if move in self._moves}

    def _series(self, move: str, kind: str, caller: str, service: str, uses: int, last: float) -> Series:
        facts = self._moves.get(move)
        since, removal = ("", "") if facts is None else (facts.since, facts.removal)
        return Series((self._ledger, move, kind, caller, service, since, removal), uses, last)


def caller_of(site: Site) -> str:
    """Return whose use it is: the top-level module, so that there are few of them."""
    return site.module.partition(".")[0]


def labelled(labels: Iterable[str]) -> dict[str, str]:
    """Return the labels of a series by name."""
    return dict(zip(LABELS, labels))
