"""What a test case records of itself: its own metrics, and counts of queries, operations, events and requests."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager
from functools import cached_property
from typing import Any

from .recorded_metrics import SsotTestMetrics


class Counters:
    """The part of a test case that writes into its metrics."""

    @cached_property
    def _metrics(self) -> SsotTestMetrics:
        return SsotTestMetrics()

    def record_metric(self, name: str, value: Any) -> None:
        """Record a metric of the test's own."""
        self._metrics.record_custom(name, value)

    def get_metric(self, name: str, default: Any = None) -> Any:
        """A recorded metric, or the default."""
        return self._metrics.get_custom(name, default)

    def get_all_metrics(self) -> dict[str, Any]:
        """Counters, execution time and the test's own metrics, in one dictionary."""
        return {
            "execution_time": self._metrics.execution_time,
            "database_queries": self._metrics.database_queries,
            "redis_operations": self._metrics.redis_operations,
            "websocket_events": self._metrics.websocket_events,
            "llm_requests": self._metrics.llm_requests,
            **self._metrics.custom_metrics,
        }

    def increment_db_query_count(self, count: int = 1) -> None:
        """Count database queries."""
        self._metrics.database_queries += count

    def get_db_query_count(self) -> int:
        """Database queries counted."""
        return self._metrics.database_queries

    @contextmanager
    def track_db_queries(self) -> Generator[None, None, None]:
        """Record as ``db_queries_in_context`` how many queries the body counts."""
        before = self._metrics.database_queries
        try:
            yield
        finally:
            self.record_metric("db_queries_in_context", self._metrics.database_queries - before)

    def increment_redis_ops_count(self, count: int = 1) -> None:
        """Count Redis operations."""
        self._metrics.redis_operations += count

    def get_redis_ops_count(self) -> int:
        """Redis operations counted."""
        return self._metrics.redis_operations

    def increment_websocket_events(self, count: int = 1) -> None:
        """Count WebSocket events."""
        self._metrics.websocket_events += count

    def get_websocket_events_count(self) -> int:
        """WebSocket events counted."""
        return self._metrics.websocket_events

    @contextmanager
    def track_websocket_events(self) -> Generator[None, None, None]:
        """Record as ``websocket_events_in_context`` how many events the body counts."""
        before = self._metrics.websocket_events
        try:
            yield
        finally:
            self.record_metric("websocket_events_in_context", self._metrics.websocket_events - before)

    def increment_llm_requests(self, count: int = 1) -> None:
        """Count requests to language models."""
        self._metrics.llm_requests += count

    def get_llm_requests_count(self) -> int:
        """Requests to language models counted."""
        return self._metrics.llm_requests
