"""What is asked of an application's state, service by service, and what is said where one may be missing."""

from __future__ import annotations

import asyncio
import logging
from typing import Any, Optional

from .service_types import AdaptiveTimeout, ServiceCriticality, ServiceReadinessConfig

_GRACE = {"staging": 0.5, "production": 0.5, "development": 0.2}
_NOTIFICATIONS = ("notify_agent_started", "notify_agent_completed", "notify_tool_executing")


class ServiceChecks:
    """The questions, and the handlers of degradation: these only log."""

    app_state: Optional[Any]
    environment: str
    logger: logging.Logger

    def _has(self, *names: str) -> bool:
        return self.app_state is not None and all(getattr(self.app_state, name, None) is not None for name in names)

    def _validate_database_service(self) -> bool:
        return self._has("db_session_factory") and bool(getattr(self.app_state, "database_available", True))

    async def _validate_redis_service(self) -> bool:
        if not self._has("redis_manager"):
            return False
        manager = self.app_state.redis_manager  # type: ignore[union-attr]
        if not hasattr(manager, "is_connected"):
            return True
        if not manager.is_connected:
            return False
        client = getattr(manager, "_client", None)
        if client is not None:
            await asyncio.wait_for(client.ping(), 2.0)
        grace = _GRACE.get(self.environment)
        if grace:
            await asyncio.sleep(grace)
        return True

    def _validate_auth_system(self) -> bool:
        if self.app_state is None:
            return False
        if hasattr(self.app_state, "auth_validation_complete"):
            return bool(self.app_state.auth_validation_complete)
        return self._has("key_manager")

    def _validate_agent_supervisor(self) -> bool:
        return self._has("agent_supervisor")

    def _validate_thread_service(self) -> bool:
        return self._has("thread_service")

    def _validate_websocket_bridge(self) -> bool:
        if not self._has("agent_websocket_bridge"):
            return False
        bridge = self.app_state.agent_websocket_bridge  # type: ignore[union-attr]
        return all(hasattr(bridge, name) for name in _NOTIFICATIONS)

    async def _database_degradation_handler(self) -> None:
        self.logger.warning("Database degradation: WebSocket goes on without stored data")

    async def _redis_degradation_handler(self) -> None:
        self.logger.warning("Redis degradation: WebSocket goes on without the cache")

    async def _auth_degradation_handler(self) -> None:
        self.logger.warning("Auth degradation: WebSocket goes on with what is authenticated already")

    async def _supervisor_degradation_handler(self) -> None:
        self.logger.warning("Agent supervisor degradation: WebSocket goes on without agents")

    async def _bridge_degradation_handler(self) -> None:
        self.logger.warning("WebSocket bridge degradation: agents send no events")

    def default_services(self) -> list[ServiceReadinessConfig]:
        """The services that are registered from the start."""
        critical, important = ServiceCriticality.CRITICAL, ServiceCriticality.IMPORTANT

        def wait(base: float, most: float, retries: int) -> AdaptiveTimeout:
            return AdaptiveTimeout(base_timeout=base, max_timeout=most, retry_count=retries)

        return [
            ServiceReadinessConfig(
                "database", self._validate_database_service, critical, wait(15.0, 45.0, 3), [],
                "Database session factory", None, self._database_degradation_handler,
            ),
            ServiceReadinessConfig(
                "redis", self._validate_redis_service, critical, wait(10.0, 60.0, 5), [],
                "Redis connection", None, self._redis_degradation_handler,
            ),
            ServiceReadinessConfig(
                "auth_system", self._validate_auth_system, critical, wait(10.0, 30.0, 3), [],
                "Auth system", None, self._auth_degradation_handler,
            ),
            ServiceReadinessConfig(
                "agent_supervisor", self._validate_agent_supervisor, critical, wait(20.0, 60.0, 5),
                ["database", "redis", "auth_system"], "Agent supervisor", None, self._supervisor_degradation_handler,
            ),
            ServiceReadinessConfig(
                "thread_service", self._validate_thread_service, critical, wait(15.0, 45.0, 3),
                ["database", "auth_system"], "Thread service",
            ),
            ServiceReadinessConfig(
                "websocket_bridge", self._validate_websocket_bridge, important, wait(10.0, 30.0, 3),
                ["agent_supervisor"], "Agent bridge", None, self._bridge_degradation_handler,
            ),
        ]  # fmt: skip
