"""The exporters with everything filled in: what the ledgers say of each move, and what the state directory says of its going.

from prometheus_client import REGISTRY
from compat.metrics import collector

REGISTRY.register(collector())
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime, timezone
from time import monotonic
from typing import TYPE_CHECKING

from compat.ledger import Ledger, discover, load, replacement
from compat.ledger.discovery import configured
from compat.ledger.in_use import in_use
from compat.readiness import Policy, Verdict, judge
from compat.telemetry.history.evidence import read_evidence
from compat.telemetry.history.queries import Selection
from compat.telemetry.report.usage_report import MoveFacts, day_of, row_of

if TYPE_CHECKING:
    from opentelemetry.metrics import Meter

    from compat.telemetry.export.prometheus import UsageCollector
    from compat.telemetry.history.database import History

__all__ = ["collector", "move_facts", "observe"]

JUDGED = 300.0
"""Seconds for which a verdict is kept: it changes by the day, and a scrape comes every few seconds."""


def collector(
    ledgers: Iterable[Ledger] | None = None,
    *,
    directory: str | os.PathLike[str] | None = None,
    service: str | None = "",
    policy: Policy = Policy(),  # noqa: B008 - immutable
) -> UsageCollector:
    """Return a collector for ``prometheus_client`` with every label filled, and the verdict on each move.

    ``ledgers`` are those of the entry points unless given: of those that the project does not use, moves that are used have
    a verdict and no others. ``directory`` and ``service`` are as in
    :func:`compat.telemetry.export.prometheus.collector`. The verdicts are those of the directory: with ``service=None``
    of all services in it.
    """
    from compat.telemetry.export.prometheus import collector as bare

    rows = _Rows(ledgers)
    return bare(rows, ledger=rows.ledgers, directory=directory, service=service, verdicts=_Verdicts(rows, policy))


def observe(
    meter: Meter | None = None,
    ledgers: Iterable[Ledger] | None = None,
    *,
    directory: str | os.PathLike[str] | None = None,
    service: str | None = "",
) -> None:
    """Register the instruments of OpenTelemetry on ``meter`` with every attribute filled; arguments as of :func:`collector`."""
    from compat.telemetry.export.otel import observe as bare

    rows = _Rows(ledgers)
    bare(meter, rows, ledger=rows.ledgers, directory=directory, service=service)


def move_facts(ledger: Ledger) -> dict[str, MoveFacts]:
    """Return the facts of every row by the id under which its uses are counted."""
    return {
        move.id: MoveFacts(
            legacy=move.legacy,
            canonical=move.canonical,
            since=move.since,
            removal=move.removal,
            instead=replacement(move),
            stage=ledger.stage(move),
            kind=move.kind,
        )
        for move in ledger
    }


def _in_use() -> list[Ledger]:
    """The ledgers that the project names, else those that it uses."""
    return [load(place) for place in configured() or [entry.value for entry in in_use()[0]]]


class _Rows(Mapping[str, MoveFacts]):
    """The facts of the row that speaks for a counted id; a method of a class is of the row of the class."""

    def __init__(self, ledgers: Iterable[Ledger] | None) -> None:
        self.facts: dict[str, MoveFacts] = {}
        names: dict[str, str] = {}
        found = list(discover() if ledgers is None else ledgers)
        for ledger in found:
            for id, about in move_facts(ledger).items():
                self.facts.setdefault(id, about)
                names.setdefault(id, ledger.name)
        self.ledgers = _Names(self.facts, names)
        own = (_in_use() if ledgers is None else found) or found
        #: The rows of which a verdict is told though nobody uses them.
        self.own = {move.id for ledger in own for move in ledger}

    def __getitem__(self, id: str) -> MoveFacts:
        row = row_of(self.facts, id)
        if row is None:
            raise KeyError(id)
        return self.facts[row]

    def __iter__(self) -> Iterator[str]:
        return iter(self.facts)

    def __len__(self) -> int:
        return len(self.facts)


class _Names(dict[str, str]):
    """The name of the ledger whose row speaks for a counted id."""

    def __init__(self, facts: Mapping[str, MoveFacts], names: Mapping[str, str]) -> None:
        super().__init__(names)
        self._facts = facts

    def get(self, id: str, default: str = "") -> str:  # type: ignore[override]
        """Return the name, or ``default`` where no row speaks for ``id``."""
        row = row_of(self._facts, id)
        return default if row is None else self[row]


class _Verdicts:
    """What a history says of each move, as far as uses tell; asked anew after a while."""

    def __init__(self, rows: _Rows, policy: Policy) -> None:
        self._rows, self._policy = rows, policy
        self._latest: tuple[float, dict[str, str]] | None = None

    def __call__(self, history: History) -> Mapping[str, str]:
        """Return the verdicts by the id of the row."""
        if self._latest is None or monotonic() - self._latest[0] > JUDGED:
            now = datetime.now(timezone.utc)
            selection = Selection(day_of(now) - self._policy.days + 1, day_of(now))
            known = read_evidence(history.connection, selection, history.unread)
            answers = judge(self._rows.facts, known, {}, now, self._policy)
            told = (one for one in answers if one.move in self._rows.own or one.verdict is Verdict.USED)
            self._latest = monotonic(), {answer.move: answer.verdict.value for answer in told}
        return self._latest[1]
