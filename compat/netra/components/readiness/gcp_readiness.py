"""Whether the services that a WebSocket needs are up, before a handshake is accepted on Google Cloud Run."""

from __future__ import annotations

import asyncio
import inspect
import logging
import time
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from enum import Enum
from typing import Any, Optional

from ..environment import get_env

logger = logging.getLogger(__name__)


class GCPReadinessState(Enum):
    """How far start-up has come."""

    UNKNOWN = "unknown"
    INITIALIZING = "initializing"
    DEPENDENCIES_READY = "dependencies_ready"
    SERVICES_READY = "services_ready"
    WEBSOCKET_READY = "websocket_ready"
    FAILED = "failed"


@dataclass
class ServiceReadinessCheck:
    """One question about a service; times in seconds. A check that is not critical only warns."""

    name: str
    validator: Callable[[], Any]
    timeout_seconds: float = 30.0
    retry_count: int = 5
    retry_delay: float = 1.0
    is_critical: bool = True
    description: str = ""


@dataclass
class GCPReadinessResult:
    """The answer, with the names of the services that are not ready; ``elapsed_time`` in seconds."""

    ready: bool
    state: GCPReadinessState
    elapsed_time: float
    failed_services: list[str]
    warnings: list[str]
    details: dict[str, Any]


#: What is asked, phase by phase, and the state that a phase leads to.
PHASES: tuple[tuple[str, tuple[str, ...], GCPReadinessState], ...] = (
    ("dependencies", ("database", "redis", "auth_validation"), GCPReadinessState.DEPENDENCIES_READY),
    ("services", ("agent_supervisor", "websocket_bridge"), GCPReadinessState.SERVICES_READY),
    ("integration", ("websocket_integration",), GCPReadinessState.WEBSOCKET_READY),
)


class GCPWebSocketInitializationValidator:
    """Asks the application's state, phase by phase, whether WebSockets can be served.

    Outside of staging and production the answer is yes at once, with a warning that nothing was asked.
    """

    def __init__(self, app_state: Optional[Any] = None) -> None:
        self.app_state = app_state
        self.logger = logger
        self.env_manager = get_env()
        self.environment = (self.env_manager.get("ENVIRONMENT") or "").lower()
        self.is_gcp_environment = self.environment in ("staging", "production")
        self.is_cloud_run = self.env_manager.get("K_SERVICE") is not None
        self.current_state = GCPReadinessState.UNKNOWN
        self.validation_start_time = 0.0
        self.readiness_checks: dict[str, ServiceReadinessCheck] = {}
        self._register_critical_service_checks()

    def update_environment_configuration(self, environment: str, is_gcp: bool) -> None:
        """Take another environment, with its timeouts."""
        self.environment = environment.lower()
        self.is_gcp_environment = is_gcp
        self._register_critical_service_checks()

    async def validate_gcp_readiness_for_websocket(self, timeout_seconds: float = 30.0) -> GCPReadinessResult:
        """Ask every check, phase by phase; the first phase with a critical failure ends it.

        Never raises: a timeout of the whole, or an unexpected error, is a result that is not ready.
        """
        self.validation_start_time = time.monotonic()
        if not self.is_gcp_environment:
            self.current_state = GCPReadinessState.WEBSOCKET_READY
            return self._result(True, [], ["Skipped GCP validation for non-GCP environment"])
        self.current_state = GCPReadinessState.INITIALIZING
        failed: list[str] = []
        warnings: list[str] = []
        try:
            await asyncio.wait_for(self._run_phases(failed, warnings), timeout_seconds)
        except asyncio.TimeoutError:
            self.current_state = GCPReadinessState.FAILED
            warnings.append(f"Validation timed out after {timeout_seconds}s")
            failed = failed or ["timeout"]
        except Exception as error:
            self.current_state = GCPReadinessState.FAILED
            self.logger.error(f"GCP readiness validation failed: {error}")
            return self._result(False, ["validation_system"], warnings, error=str(error))
        ready = self.current_state is GCPReadinessState.WEBSOCKET_READY
        if not ready:
            self.logger.error(f"GCP WebSocket readiness validation failed: {', '.join(failed)}")
        return self._result(ready, failed, warnings)

    async def validate_gcp_readiness(self, timeout_seconds: float = 30.0) -> bool:
        """Only whether WebSockets can be served."""
        return (await self.validate_gcp_readiness_for_websocket(timeout_seconds)).ready

    async def _run_phases(self, failed: list[str], warnings: list[str]) -> None:
        for _, names, reached in PHASES:
            missing = await self._validate_service_group(names)
            for name in missing:
                check = self.readiness_checks[name]
                if check.is_critical:
                    failed.append(name)
                else:
                    warnings.append(f"{name} is not ready: {check.description}")
            if failed:
                self.current_state = GCPReadinessState.FAILED
                return
            self.current_state = reached

    async def _validate_service_group(self, names: tuple[str, ...]) -> list[str]:
        present = [name for name in names if name in self.readiness_checks]
        answers = await asyncio.gather(*(self._validate_single_service(self.readiness_checks[n]) for n in present))
        return [name for name, ready in zip(present, answers) if not ready]

    async def _validate_single_service(self, check: ServiceReadinessCheck) -> bool:
        deadline = time.monotonic() + check.timeout_seconds
        for attempt in range(check.retry_count + 1):
            try:
                answer = check.validator()
                if inspect.isawaitable(answer):
                    answer = await asyncio.wait_for(answer, max(deadline - time.monotonic(), 0.001))
                if answer:
                    return True
            except Exception as error:
                self.logger.warning(f"Readiness check {check.name} raised: {error}")
            if attempt == check.retry_count or time.monotonic() + check.retry_delay > deadline:
                break
            await asyncio.sleep(check.retry_delay)
        return False

    def _result(self, ready: bool, failed: list[str], warnings: list[str], **details: Any) -> GCPReadinessResult:
        return GCPReadinessResult(
            ready=ready,
            state=self.current_state,
            elapsed_time=time.monotonic() - self.validation_start_time,
            failed_services=failed,
            warnings=warnings,
            details={
                "environment": self.environment,
                "gcp_environment": self.is_gcp_environment,
                "gcp_detected": self.is_gcp_environment,
                "cloud_run": self.is_cloud_run,
                "checks": sorted(self.readiness_checks),
                **details,
            },
        )

    def _register_critical_service_checks(self) -> None:
        patient = 2.0 if self.is_gcp_environment else 1.0
        table: tuple[tuple[str, Callable[[], Any], float, int, float, bool, str], ...] = (
            ("database", self._validate_database_readiness, 3.0, 3, 0.2, True, "Database session factory"),
            ("redis", self._validate_redis_readiness, 3.0, 3, 0.2, True, "Redis connection"),
            ("auth_validation", self._validate_auth_readiness, 3.0, 3, 0.2, True, "Auth system"),
            ("agent_supervisor", self._validate_agent_supervisor_readiness, 4.0, 3, 0.2, True, "Agent supervisor"),
            ("websocket_bridge", self._validate_websocket_bridge_readiness, 2.0, 2, 0.1, True, "Agent bridge"),
            (
                "websocket_integration", self._validate_websocket_integration_readiness, 2.0, 2, 0.1, True,
                "Whole application started",
            ),
        )  # fmt: skip
        self.readiness_checks = {
            name: ServiceReadinessCheck(name, validator, timeout * patient, retries, delay, critical, text)
            for name, validator, timeout, retries, delay, critical, text in table
        }

    def _has(self, *names: str) -> bool:
        return self.app_state is not None and all(getattr(self.app_state, name, None) is not None for name in names)

    def _validate_database_readiness(self) -> bool:
        return self._has("db_session_factory") and bool(getattr(self.app_state, "database_available", True))

    def _validate_redis_readiness(self) -> bool:
        if not self._has("redis_manager"):
            return False
        connected = getattr(self.app_state.redis_manager, "is_connected", True)  # type: ignore[union-attr]
        return bool(connected() if callable(connected) else connected)

    def _validate_auth_readiness(self) -> bool:
        if self.app_state is None:
            return False
        if hasattr(self.app_state, "auth_validation_complete"):
            return bool(self.app_state.auth_validation_complete)
        return self._has("key_manager") or self._has("security_service")

    def _validate_agent_supervisor_readiness(self) -> bool:
        return self._has("agent_supervisor", "thread_service")

    def _validate_websocket_bridge_readiness(self) -> bool:
        return self._has("agent_websocket_bridge")

    def _validate_websocket_integration_readiness(self) -> bool:
        if self.app_state is None:
            return False
        if hasattr(self.app_state, "startup_complete"):
            return bool(self.app_state.startup_complete)
        return True


def create_gcp_websocket_validator(app_state: Optional[Any] = None) -> GCPWebSocketInitializationValidator:
    """A validator of an application's state."""
    return GCPWebSocketInitializationValidator(app_state)


@asynccontextmanager
async def gcp_websocket_readiness_guard(app_state: Any, timeout: float = 120.0) -> AsyncGenerator[GCPReadinessResult, None]:
    """Run the body only when WebSockets can be served. RuntimeError with the services that are not ready."""
    result = await create_gcp_websocket_validator(app_state).validate_gcp_readiness_for_websocket(timeout)
    if not result.ready:
        raise RuntimeError(
            f"GCP WebSocket readiness validation failed. Failed services: {', '.join(result.failed_services)}. "
            f"State: {result.state.value}"
        )
    yield result


async def gcp_websocket_readiness_check(app_state: Any) -> tuple[bool, dict[str, Any]]:
    """Whether WebSockets can be served, and what is known about it, for a health endpoint."""
    validator = create_gcp_websocket_validator(app_state)
    result = await validator.validate_gcp_readiness_for_websocket()
    return result.ready, {
        "websocket_ready": result.ready,
        "ready": result.ready,
        "state": result.state.value,
        "elapsed_time": result.elapsed_time,
        "failed_services": result.failed_services,
        "warnings": result.warnings,
        "gcp_environment": validator.is_gcp_environment,
        "cloud_run": validator.is_cloud_run,
        "details": result.details,
    }
