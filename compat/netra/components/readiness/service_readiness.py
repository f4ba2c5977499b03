"""Which services are ready, how badly each is needed, and what may go on without them."""

from __future__ import annotations

import asyncio
import inspect
import logging
import time
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from enum import Enum
from typing import Any, Optional, Union

from ..environment import get_env

logger = logging.getLogger(__name__)


class ServiceReadinessLevel(Enum):
    """How ready a service is."""

    UNKNOWN = "unknown"
    INITIALIZING = "initializing"
    BASIC_READY = "basic_ready"
    FUNCTIONAL_READY = "functional_ready"
    FULLY_READY = "fully_ready"
    DEGRADED = "degraded"
    FAILED = "failed"


class ServiceCriticality(Enum):
    """How badly a service is needed."""

    CRITICAL = "critical"
    IMPORTANT = "important"
    OPTIONAL = "optional"


_PATIENCE = {ServiceCriticality.CRITICAL: 1.5, ServiceCriticality.IMPORTANT: 1.0, ServiceCriticality.OPTIONAL: 0.5}
_READY = frozenset({ServiceReadinessLevel.BASIC_READY, ServiceReadinessLevel.FUNCTIONAL_READY, ServiceReadinessLevel.FULLY_READY})


@dataclass
class AdaptiveTimeout:
    """How long to wait for a service, in seconds, by environment and criticality."""

    base_timeout: float = 10.0
    max_timeout: float = 60.0
    retry_count: int = 3
    retry_delay: float = 1.0
    exponential_backoff: bool = True
    environment_multipliers: dict[str, float] = field(
        default_factory=lambda: {"test": 0.5, "development": 1.0, "staging": 2.0, "production": 3.0}
    )

    def get_effective_timeout(self, environment: str, criticality: ServiceCriticality) -> float:
        """Seconds to wait in that environment, at most ``max_timeout``."""
        timeout = self.base_timeout * self.environment_multipliers.get(environment, 1.0) * _PATIENCE[criticality]
        return min(timeout, self.max_timeout)


@dataclass
class ServiceReadinessConfig:
    """A service: how to ask it, what it depends on, what to do without it."""

    name: str
    validator: Callable[[], Union[bool, ServiceReadinessLevel, Any]]
    criticality: ServiceCriticality = ServiceCriticality.IMPORTANT
    timeout_config: Optional[AdaptiveTimeout] = None
    dependencies: list[str] = field(default_factory=list)
    description: str = ""
    health_check_url: Optional[str] = None
    graceful_degradation_handler: Optional[Callable[[], Any]] = None

    def __post_init__(self) -> None:
        if self.timeout_config is None:
            self.timeout_config = AdaptiveTimeout()


@dataclass
class ServiceValidationResult:
    """What a service has answered; times in seconds."""

    service_name: str
    ready: bool
    level: ServiceReadinessLevel
    criticality: ServiceCriticality
    elapsed_time: float
    attempts: int
    effective_timeout: float
    error_message: Optional[str] = None
    degradation_applied: bool = False
    can_gracefully_degrade: bool = False


@dataclass
class ServiceGroupValidationResult:
    """What several services have answered; the group is ready if no critical one has failed."""

    group_name: str
    overall_ready: bool
    total_services: int
    ready_services: int
    critical_failures: list[str]
    degraded_services: list[str]
    service_results: dict[str, ServiceValidationResult]
    total_elapsed_time: float
    graceful_degradation_active: bool = False


class ServiceReadinessValidator:
    """Asks services whether they are ready, with retries, and remembers their answers for ``cache_ttl`` seconds."""

    def __init__(self, app_state: Optional[Any] = None, environment: Optional[str] = None) -> None:
        self.app_state = app_state
        self.logger = logger
        self.env_manager = get_env()
        self.environment = (environment or self.env_manager.get("ENVIRONMENT") or "development").lower()
        self.service_configs: dict[str, ServiceReadinessConfig] = {}
        self.validation_cache: dict[str, ServiceValidationResult] = {}
        self.last_validation_time: dict[str, float] = {}
        self.degraded_services: set[str] = set()
        self.cache_ttl = 30.0
        for config in self._default_services():
            self.register_service(config)

    def register_service(self, config: ServiceReadinessConfig) -> None:
        """Add a service, or replace the one of its name."""
        self.service_configs[config.name] = config
        self.validation_cache.pop(config.name, None)

    def update_environment(self, new_environment: str) -> None:
        """Take another environment's timeouts; remembered answers are forgotten."""
        self.environment = new_environment.lower()
        self.validation_cache.clear()
        self.last_validation_time.clear()

    async def validate_service(self, service_name: str, force_refresh: bool = False) -> ServiceValidationResult:
        """Ask one service, after those it depends on. An unknown name is a failed service, not an error."""
        config = self.service_configs.get(service_name)
        if config is None:
            return ServiceValidationResult(
                service_name, False, ServiceReadinessLevel.UNKNOWN, ServiceCriticality.OPTIONAL, 0.0, 0, 0.0,
                error_message=f"Service '{service_name}' not registered",
            )  # fmt: skip
        remembered = self.validation_cache.get(service_name)
        age = time.monotonic() - self.last_validation_time.get(service_name, float("-inf"))
        if remembered is not None and not force_refresh and age < self.cache_ttl:
            return remembered
        result = await self._ask(config)
        self.validation_cache[service_name] = result
        self.last_validation_time[service_name] = time.monotonic()
        (self.degraded_services.add if result.degradation_applied else self.degraded_services.discard)(service_name)
        return result

    async def validate_service_group(
        self, service_names: list[str], group_name: str = "unnamed_group", fail_fast_on_critical: bool = True
    ) -> ServiceGroupValidationResult:
        """Ask several services in order; with ``fail_fast_on_critical`` the first critical failure ends it."""
        start = time.monotonic()
        results: dict[str, ServiceValidationResult] = {}
        critical: list[str] = []
        degraded: list[str] = []
        for name in service_names:
            result = results[name] = await self.validate_service(name)
            if result.degradation_applied:
                degraded.append(name)
            elif not result.ready and result.criticality is ServiceCriticality.CRITICAL:
                critical.append(name)
                if fail_fast_on_critical:
                    break
        return ServiceGroupValidationResult(
            group_name=group_name,
            overall_ready=not critical,
            total_services=len(service_names),
            ready_services=sum(result.ready for result in results.values()),
            critical_failures=critical,
            degraded_services=degraded,
            service_results=results,
            total_elapsed_time=time.monotonic() - start,
            graceful_degradation_active=bool(degraded),
        )

    async def get_health_status(self) -> dict[str, Any]:
        """Ask every service and sum up."""
        group = await self.validate_service_group(list(self.service_configs), "health", fail_fast_on_critical=False)
        degraded = bool(group.degraded_services) or group.ready_services < group.total_services
        health = "unhealthy" if group.critical_failures else "degraded" if degraded else "healthy"
        return {
            "overall_health": health,
            "overall_ready": group.overall_ready,
            "environment": self.environment,
            "total_services": group.total_services,
            "ready_services": group.ready_services,
            "critical_failures": group.critical_failures,
            "degraded_services": group.degraded_services,
            "services": {
                name: {
                    "ready": result.ready,
                    "level": result.level.value,
                    "criticality": result.criticality.value,
                    "elapsed_time": result.elapsed_time,
                    "error": result.error_message,
                }
                for name, result in group.service_results.items()
            },
        }

    async def _ask(self, config: ServiceReadinessConfig) -> ServiceValidationResult:
        timing = config.timeout_config or AdaptiveTimeout()
        timeout = timing.get_effective_timeout(self.environment, config.criticality)
        start = time.monotonic()
        attempts, error = 0, await self._missing_dependency(config)
        level = ServiceReadinessLevel.FAILED
        while error is None or attempts:
            attempts += 1
            level, error = await self._attempt(config, max(start + timeout - time.monotonic(), 0.001))
            if level in _READY or attempts > timing.retry_count:
                break
            delay = timing.retry_delay * (2 ** (attempts - 1) if timing.exponential_backoff else 1)
            if time.monotonic() + delay > start + timeout:
                break
            await asyncio.sleep(delay)
        result = ServiceValidationResult(
            config.name, level in _READY, level, config.criticality, 0.0, attempts, timeout,
            error_message=None if level in _READY else error or "Service not ready",
            can_gracefully_degrade=config.graceful_degradation_handler is not None,
        )  # fmt: skip
        if not result.ready:
            await self._degrade(config, result)
        result.elapsed_time = time.monotonic() - start
        return result

    async def _missing_dependency(self, config: ServiceReadinessConfig) -> Optional[str]:
        for name in config.dependencies:
            if name == config.name:
                continue
            if not (await self.validate_service(name)).ready:
                return f"Dependency '{name}' not ready"
        return None

    async def _attempt(self, config: ServiceReadinessConfig, timeout: float) -> tuple[ServiceReadinessLevel, Optional[str]]:
        try:
            answer = config.validator()
            if inspect.isawaitable(answer):
                answer = await asyncio.wait_for(answer, timeout)
        except asyncio.TimeoutError:
            return ServiceReadinessLevel.FAILED, f"Timeout after {timeout:.1f}s"
        except Exception as error:
            self.logger.warning(f"Readiness of {config.name} raised: {error}")
            return ServiceReadinessLevel.FAILED, str(error)
        if isinstance(answer, ServiceReadinessLevel):
            return answer, None
        return (ServiceReadinessLevel.FULLY_READY if answer else ServiceReadinessLevel.FAILED), None

    async def _degrade(self, config: ServiceReadinessConfig, result: ServiceValidationResult) -> None:
        if config.graceful_degradation_handler is None:
            return
        try:
            applied = config.graceful_degradation_handler()
            if inspect.isawaitable(applied):
                applied = await applied
        except Exception as error:
            self.logger.error(f"Degradation of {config.name} failed: {error}")
            return
        if applied is not False:
            result.degradation_applied = True
            result.level = ServiceReadinessLevel.DEGRADED

    def _has(self, *names: str) -> Callable[[], bool]:
        return lambda: self.app_state is not None and all(getattr(self.app_state, n, None) is not None for n in names)

    def _default_services(self) -> list[ServiceReadinessConfig]:
        critical, important = ServiceCriticality.CRITICAL, ServiceCriticality.IMPORTANT
        quick = AdaptiveTimeout(base_timeout=3.0, max_timeout=10.0, retry_count=2, retry_delay=0.1)
        return [
            ServiceReadinessConfig("database", self._has("db_session_factory"), critical, quick),
            ServiceReadinessConfig("redis", self._has("redis_manager"), important, quick),
            ServiceReadinessConfig("auth_validation", self._auth_ready, critical, quick),
            ServiceReadinessConfig("agent_supervisor", self._has("agent_supervisor"), important, quick),
            ServiceReadinessConfig("websocket_bridge", self._has("agent_websocket_bridge"), important, quick),
        ]

    def _auth_ready(self) -> bool:
        if self.app_state is None:
            return False
        complete = getattr(self.app_state, "auth_validation_complete", None)
        return bool(complete) if complete is not None else self._has("key_manager")()


def create_service_readiness_validator(
    app_state: Optional[Any] = None, environment: Optional[str] = None
) -> ServiceReadinessValidator:
    """A validator of an application's services."""
    return ServiceReadinessValidator(app_state, environment)


@asynccontextmanager
async def websocket_readiness_guard(
    app_state: Any, required_services: Optional[list[str]] = None, timeout_seconds: float = 60.0
) -> AsyncGenerator[ServiceGroupValidationResult, None]:
    """Run the body only when the services are ready. RuntimeError with those that are not, or after the timeout."""
    validator = create_service_readiness_validator(app_state)
    names = list(validator.service_configs) if required_services is None else required_services
    try:
        result = await asyncio.wait_for(validator.validate_service_group(names, "websocket"), timeout_seconds)
    except asyncio.TimeoutError:
        raise RuntimeError(f"WebSocket readiness validation timed out after {timeout_seconds}s") from None
    if not result.overall_ready:
        raise RuntimeError(f"WebSocket services not ready: {', '.join(result.critical_failures)}")
    yield result


async def get_websocket_service_health(app_state: Any) -> tuple[bool, dict[str, Any]]:
    """Whether no critical service has failed, and the health of all, for a health endpoint."""
    status = await create_service_readiness_validator(app_state).get_health_status()
    return status["overall_ready"], status
