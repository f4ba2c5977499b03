"""Prometheus: a collector for ``prometheus_client``, in a single process as in its multiprocess world.

    from prometheus_client import REGISTRY
    from compat.telemetry.export.prometheus import collector

    REGISTRY.register(collector())

It needs no ``PROMETHEUS_MULTIPROC_DIR``: the counts of all processes come from the state directory, so it belongs into
whatever registry answers the scrape (``CollectorRegistry`` beside ``MultiProcessCollector``, for example).
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
)
from .series import Facts, Source

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
        uses, last, processes, seconds, moves, history, unread = families
        exported = self._source.read()
        for series in exported.uses:
            uses.add_metric(series.labels, series.uses)
            if series.last:
                last.add_metric(series.labels, series.last)
        for service, (count, length) in exported.observed.items():
            processes.add_metric([service], count)
            seconds.add_metric([service], length)
        for move, stage in exported.stages.items():
            moves.add_metric([move], {"stage": stage})
        if exported.store:  # before the first count there is no history yet
            history.add_metric([], {"store": exported.store})
        unread.add_metric([], exported.unread)
        return families

    @staticmethod
    def _families() -> tuple[Any, ...]:
        return (
            CounterMetricFamily(NAME, USES, labels=LABELS),
            GaugeMetricFamily(LAST_NAME, LAST, labels=LABELS),
            GaugeMetricFamily(PROCESSES_NAME, PROCESSES, labels=["service"]),
            GaugeMetricFamily(SECONDS_NAME, SECONDS, labels=["service"]),
            InfoMetricFamily(MOVE_NAME, MOVE, labels=["move"]),
            InfoMetricFamily(HISTORY_NAME, HISTORY),
            GaugeMetricFamily(UNREAD_NAME, UNREAD),
        )


def collector(
    moves: Mapping[str, Facts] | None = None,
    *,
    ledger: str = "",
    directory: str | os.PathLike[str] | None = None,
    service: str | None = "",
) -> UsageCollector:
    """Return a collector of ``compat_legacy_uses_total{ledger,move,kind,caller,service,since,removal}``.

    ``caller`` is the top-level module of the using code, so that there are few series. ``moves`` gives ``since`` and
    ``removal`` of each move, ``ledger`` its name. The uses are those of ``service`` (this process's own unless given;
    ``None``: of all services, for one exporter per host) in ``directory`` (the state directory unless given).
    """
    return UsageCollector(Source(moves, ledger=ledger, directory=directory, service=service))
