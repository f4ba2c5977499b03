"""What an agent bridge reports of itself: health, metrics, status, and to whom."""

from __future__ import annotations

import time
from datetime import datetime, timezone
from typing import Any

from ..connections.manager_calls import is_canonical, settled
from . import delivery
from .bridge_types import HealthStatus, IntegrationConfig, IntegrationMetrics, IntegrationState

COMPONENT = "agent_websocket_bridge"
_OF_A_MANAGER = ("add_connection", "remove_connection", "send_to_thread")
_OF_A_REGISTRY = ("get", "get_agent", "register", "list_agents", "list_keys")
_BROKEN = (IntegrationState.FAILED, IntegrationState.DEGRADED)


class Reports:
    """The part of a bridge that looks at manager and registry; a bridge that was never integrated works, and is healthy."""

    config: IntegrationConfig
    state: IntegrationState
    metrics: IntegrationMetrics
    health_status: HealthStatus
    _websocket_manager: Any
    _supervisor: Any
    _registry: Any

    def _begin_reports(self) -> None:
        self.health_status = HealthStatus(IntegrationState.UNINITIALIZED, False, False, datetime.now(timezone.utc))
        self._monitor_observers: list[Any] = []
        self._last_health_broadcast = 0.0
        self._health_broadcast_interval = 30.0
        self._last_broadcasted_state: IntegrationState | None = None

    async def _check_websocket_manager_health(self, manager: Any = None) -> bool:
        return manager is None or is_canonical(manager) or all(hasattr(manager, name) for name in _OF_A_MANAGER)

    async def _check_registry_health(self, registry: Any = None) -> bool:
        return registry is None or any(hasattr(registry, name) for name in _OF_A_REGISTRY)

    async def health_check(self) -> HealthStatus:
        """Look at manager and registry once, and tell the observers where the state changed."""
        self.metrics.health_checks_performed += 1
        error = None
        manager_healthy = registry_healthy = False
        try:
            manager_healthy = await settled(self._check_websocket_manager_health(self._websocket_manager))
            registry_healthy = await settled(self._check_registry_health(self._registry))
            unfit = [name for name, fit in (("websocket manager", manager_healthy), ("registry", registry_healthy)) if not fit]
            if unfit:
                error = f"{' and '.join(unfit)} unhealthy"
        except Exception as failure:
            error = f"Health check failed: {failure}"
        if error is None and self.state in _BROKEN:
            error = f"bridge is {self.state.value}"
        failures = 0 if error is None else self.health_status.consecutive_failures + 1
        self.health_status = HealthStatus(
            state=self.state,
            websocket_manager_healthy=bool(manager_healthy),
            registry_healthy=bool(registry_healthy),
            last_health_check=datetime.now(timezone.utc),
            consecutive_failures=failures,
            total_recoveries=self.metrics.successful_recoveries,
            uptime_seconds=self._uptime(),
            error_message=error,
        )
        await self._notify_monitors_of_health_change()
        return self.health_status

    async def get_health_status(self) -> dict[str, Any]:
        """Return a health check as plain data."""
        status = await self.health_check()
        return {
            "healthy": _is_healthy(status),
            "state": status.state.value,
            "timestamp": time.time(),
            "websocket_manager_healthy": status.websocket_manager_healthy,
            "registry_healthy": status.registry_healthy,
            "consecutive_failures": status.consecutive_failures,
            "uptime_seconds": status.uptime_seconds,
            "last_health_check": status.last_health_check.isoformat(),
            "error_message": status.error_message,
            "total_recoveries": status.total_recoveries,
        }

    def _counted(self) -> dict[str, Any]:
        metrics = self.metrics
        return {
            "total_initializations": metrics.total_initializations,
            "successful_initializations": metrics.successful_initializations,
            "failed_initializations": metrics.failed_initializations,
            "recovery_attempts": metrics.recovery_attempts,
            "successful_recoveries": metrics.successful_recoveries,
            "health_checks_performed": metrics.health_checks_performed,
            "success_rate": metrics.successful_initializations / max(1, metrics.total_initializations),
        }

    async def get_metrics(self) -> dict[str, Any]:
        """Return what the bridge has done so far."""
        metrics = self.metrics
        attempts = metrics.recovery_attempts
        return {
            **self._counted(),
            "recovery_success_rate": metrics.successful_recoveries / attempts if attempts else 1.0,
            "current_state": self.state.value,
            "current_uptime_seconds": self._uptime(),
            "uptime_start": metrics.current_uptime_start.isoformat(),
            "registered_observers": len(self._monitor_observers),
            "last_health_broadcast": self._last_health_broadcast,
            "health_broadcast_interval": self._health_broadcast_interval,
            "websocket_manager_available": self._websocket_manager is not None,
            "supervisor_available": self._supervisor is not None,
            "registry_available": self._registry is not None,
            "metrics_timestamp": time.time(),
        }

    async def get_status(self) -> dict[str, Any]:
        """Return state, health, metrics, settings and dependencies in one."""
        health = await self.get_health_status()
        return {
            "state": self.state.value,
            "health": {
                name: health[name]
                for name in (
                    "websocket_manager_healthy",
                    "registry_healthy",
                    "consecutive_failures",
                    "uptime_seconds",
                    "last_health_check",
                    "error_message",
                )
            },
            "metrics": self._counted(),
            "config": {
                "initialization_timeout_s": self.config.initialization_timeout_s,
                "health_check_interval_s": self.config.health_check_interval_s,
                "recovery_max_attempts": self.config.recovery_max_attempts,
            },
            "dependencies": {
                "websocket_manager_available": self._websocket_manager is not None,
                "orchestrator_factory_available": True,
                "supervisor_available": self._supervisor is not None,
                "registry_available": self._registry is not None,
            },
        }

    def register_monitor_observer(self, observer: Any) -> None:
        """Tell ``observer.on_component_health_change(name, health)`` of changes, and every 30 seconds of none."""
        if observer not in self._monitor_observers:
            self._monitor_observers.append(observer)

    def remove_monitor_observer(self, observer: Any) -> None:
        """Stop telling ``observer``."""
        if observer in self._monitor_observers:
            self._monitor_observers.remove(observer)

    async def _notify_monitors_of_health_change(self) -> None:
        changed = self.state is not self._last_broadcasted_state
        now = time.time()
        if not changed and now - self._last_health_broadcast < self._health_broadcast_interval:
            return
        self._last_broadcasted_state, self._last_health_broadcast = self.state, now
        status = self.health_status
        await self.notify_health_change(
            {
                "component_id": COMPONENT,
                "state": self.state.value,
                "healthy": _is_healthy(status),
                "consecutive_failures": status.consecutive_failures,
                "uptime_seconds": status.uptime_seconds,
                "timestamp": now,
                "websocket_manager_healthy": status.websocket_manager_healthy,
                "registry_healthy": status.registry_healthy,
                "error_message": status.error_message,
                "change_type": "health_change" if changed else "periodic_update",
            }
        )

    async def notify_health_change(self, health_data: dict[str, Any]) -> None:
        """Tell every observer; one that raises is logged, and keeps nobody else from being told."""
        for observer in list(self._monitor_observers):
            try:
                await settled(observer.on_component_health_change(COMPONENT, health_data))
            except Exception as error:
                delivery.logger.warning("an observer of the bridge failed: %s", error)

    def _uptime(self) -> float:
        if self.state is not IntegrationState.ACTIVE:
            return 0.0
        return (datetime.now(timezone.utc) - self.metrics.current_uptime_start).total_seconds()


def _is_healthy(status: HealthStatus) -> bool:
    return status.error_message is None and status.websocket_manager_healthy and status.registry_healthy
