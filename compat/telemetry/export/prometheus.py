"""Prometheus: a collector for ``prometheus_client``, in a single process as in its multiprocess world.

    from prometheus_client import REGISTRY
    from compat.metrics import collector

    REGISTRY.register(collector())

That one fills in what the ledgers and the verdicts say; the one in here knows moves as strings. It needs no
``PROMETHEUS_MULTIPROC_DIR``: the counts of all processes come from the state directory, so it belongs into whatever registry
answers the scrape (``CollectorRegistry`` beside ``MultiProcessCollector``, for example).
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from typing import Any

from ..metric_names import (
    HISTORY,
    HISTORY_NAME,
    LABELS,
    LAST,
    LAST_NAME,
    MOVE,
    MOVE_NAME,
    NAME,
    PROCESSES,
    PROCESSES_NAME,
    SECONDS,
    SECONDS_NAME,
    UNREAD,
    UNREAD_NAME,
    USES,
    VERDICT,
    VERDICT_NAME,
)
from .series import LIMIT, Facts, Source, Verdicts

try:
    from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, InfoMetricFamily
    from prometheus_client.metrics_core import Metric
    from prometheus_client.registry import Collector
except ModuleNotFoundError as error:
    raise ModuleNotFoundError(
        "compat.telemetry.export.prometheus needs prometheus-client: pip install 'netra-compat[prometheus]'", name=error.name
    ) from error


class UsageCollector(Collector):
    """Asks the source anew at each scrape."""

    def __init__(self, source: Source) -> None:
        self._source = source

    def describe(self) -> Iterable[Metric]:
        """Return the families without samples: registering must not read anything."""
        return self._families()

    def collect(self) -> Iterable[Metric]:
        """Return the numbers of now."""
        families = self._families()
        uses, last, processes, seconds, moves, history, unread, verdicts = families
        exported = self._source.read()
        for series in exported.uses:
            uses.add_metric(series.labels, series.uses)
            if series.last:
                last.add_metric(series.labels, series.last)
        for user, (count, length) in exported.observed.items():
            processes.add_metric(user, count)
            seconds.add_metric(user, length)
        for move, (stage, since, removal) in exported.moves.items():
            moves.add_metric([move], {"stage": stage, "since": since, "removal": removal})
        if exported.store:  # before the first count there is no history yet
            history.add_metric([], {"store": exported.store})
        unread.add_metric([], exported.unread)
        for move, verdict in exported.verdicts.items():
            verdicts.add_metric([move, verdict], 1)
        return families

    @staticmethod
    def _families() -> tuple[Any, ...]:
        return (
            CounterMetricFamily(NAME, USES, labels=LABELS),
            GaugeMetricFamily(LAST_NAME, LAST, labels=LABELS),
            GaugeMetricFamily(PROCESSES_NAME, PROCESSES, labels=["service", "environment"]),
            GaugeMetricFamily(SECONDS_NAME, SECONDS, labels=["service", "environment"]),
            InfoMetricFamily(MOVE_NAME, MOVE, labels=["move"]),
            InfoMetricFamily(HISTORY_NAME, HISTORY),
            GaugeMetricFamily(UNREAD_NAME, UNREAD),
            GaugeMetricFamily(VERDICT_NAME, VERDICT, labels=["move", "verdict"]),
        )


def collector(
    moves: Mapping[str, Facts] | None = None,
    *,
    ledger: str | Mapping[str, str] = "",
    directory: str | os.PathLike[str] | None = None,
    service: str | None = "",
    verdicts: Verdicts | None = None,
    limit: int = LIMIT,
) -> UsageCollector:
    """Return a collector of ``compat_legacy_uses_total{ledger,move,kind,caller,service,environment,since,removal}``.

    ``caller`` is the top-level module of the using code, so that there are few series, and never more than ``limit``. ``moves``
    gives ``since`` and ``removal`` of each move, ``ledger`` its ledger's name; ``verdicts`` what a history says of each:
    :func:`compat.metrics.collector` fills them all. The uses are those of ``service`` (this process's own unless given;
    ``None``: of all services, for one exporter per host) in ``directory`` (the state directory unless given).
    """
    source = Source(moves, ledger=ledger, directory=directory, service=service, verdicts=verdicts, limit=limit)
    return UsageCollector(source)
