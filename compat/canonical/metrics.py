"""The state of a factory as Prometheus metrics, read at the moment of the scrape."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from .factory import WebSocketManagerFactory

_GAUGES = {
    "managers": "Managers in the registry",
    "users": "Users with managers",
    "connections": "Open connections",
    "events_waiting": "Events in outboxes",
    "writing": "Connections whose socket makes the writer wait",
}
_COUNTERS = {
    "published": "Events published",
    "kept_only": "Events that reached no connection when they were published",
    "refused": "Events that were neither delivered nor kept, and reported to the caller",
    "replayed": "Events replayed after a reconnection",
    "resyncs": "Reconnections that history could not serve",
    "connections_opened": "Connections opened",
    "connections_closed": "Connections closed",
    "events_sent": "Messages written to sockets",
    "events_dropped": "Events that gave way in a full outbox",
    "evicted": "Connections evicted because their peer did not read",
    "managers_created": "Managers made",
    "managers_closed": "Managers closed or freed",
}


class FactoryCollector:
    """A prometheus_client collector over a factory; register it where your metrics are."""

    def __init__(
        self,
        factory: WebSocketManagerFactory,
        authenticator: Any = None,
        refusals: Mapping[tuple[str, str], int] | None = None,
    ) -> None:
        self._factory, self._authenticator, self._refusals = factory, authenticator, refusals or {}

    def collect(self) -> Iterator[Any]:
        """Yield the metric families."""
        from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily

        stats = self._factory.stats()
        for name, text in _GAUGES.items():
            yield GaugeMetricFamily(f"compat_websocket_{name}", text, value=stats[name])
        for name, text in _COUNTERS.items():
            yield CounterMetricFamily(f"compat_websocket_{name}", text, value=stats[name])
        healthy = float(self._factory.health()["healthy"])
        yield GaugeMetricFamily("compat_websocket_healthy", "1 if the backplane answers", value=healthy)
        counts = getattr(self._authenticator, "stats", None)
        if counts is not None:
            family = CounterMetricFamily("compat_websocket_authentications", "Attempts to sign in", labels=["outcome"])
            family.add_metric(["accepted"], counts.successes)
            family.add_metric(["rejected"], counts.failures)
            yield family
        family = CounterMetricFamily("compat_websocket_refusals", "What was refused, by door and code", labels=["door", "code"])
        for (door, code), count in sorted(self._refusals.items()):
            family.add_metric([door, code], count)
        yield family


def render_metrics(
    factory: WebSocketManagerFactory,
    authenticator: Any = None,
    refusals: Mapping[tuple[str, str], int] | None = None,
) -> tuple[bytes, str] | None:
    """Return the text of a scrape and its content type; None where prometheus_client is not installed."""
    try:
        from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, generate_latest
    except ImportError:
        return None
    registry = CollectorRegistry()
    registry.register(FactoryCollector(factory, authenticator, refusals))
    return generate_latest(registry), CONTENT_TYPE_LATEST
