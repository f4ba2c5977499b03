"""Which services are ready, how badly each is needed, and what may go on without them."""

from __future__ import annotations

import asyncio
import inspect
import logging
import time
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import Any, Optional

from ..environment import get_env
from .service_checks import ServiceChecks
from .service_types import (
    AdaptiveTimeout,
    ServiceCriticality,
    ServiceGroupValidationResult,
    ServiceReadinessConfig,
    ServiceReadinessLevel,
    ServiceValidationResult,
)

logger = logging.getLogger(__name__)

_NOT_READY = (ServiceReadinessLevel.FAILED, ServiceReadinessLevel.UNKNOWN)
_REQUIRED = ("database", "redis", "auth_system", "agent_supervisor", "thread_service")


class ServiceReadinessValidator(ServiceChecks):
    """Asks services whether they are ready, with retries, and remembers for ``cache_ttl`` seconds whether they were."""

    def __init__(self, app_state: Optional[Any] = None, environment: Optional[str] = None) -> None:
        self.app_state = app_state
        self.logger = logger
        self.env_manager = get_env()
        self.environment = (environment or self.env_manager.get("ENVIRONMENT") or "development").lower()
        self.service_configs: dict[str, ServiceReadinessConfig] = {}
        self.validation_cache: dict[str, tuple[bool, float]] = {}
        self.last_validation_time = 0.0
        self.degraded_services: dict[str, str] = {}
        self.cache_ttl = 30.0
        for config in self.default_services():
            self.register_service(config)

    def register_service(self, config: ServiceReadinessConfig) -> None:
        """Add a service, or replace the one of its name."""
        self.service_configs[config.name] = config
        self.validation_cache.pop(config.name, None)

    def update_environment(self, new_environment: str) -> None:
        """Take another environment's timeouts; remembered answers are forgotten."""
        self.environment = new_environment.lower()
        self.validation_cache.clear()

    async def validate_service(self, service_name: str, force_refresh: bool = False) -> ServiceValidationResult:
        """Ask one service, after those it depends on. An unknown name is a service that is not ready, not an error."""
        config = self.service_configs.get(service_name)
        if config is None:
            return ServiceValidationResult(
                service_name, False, ServiceReadinessLevel.UNKNOWN, ServiceCriticality.OPTIONAL, 0.0, 0, 0.0,
                error_message=f"Service '{service_name}' not registered",
            )  # fmt: skip
        timing = config.timeout_config or AdaptiveTimeout()
        timeout = timing.get_effective_timeout(self.environment, config.criticality)
        remembered = self.validation_cache.get(service_name)
        if remembered is not None and not force_refresh and time.time() - remembered[1] < self.cache_ttl:
            level = ServiceReadinessLevel.FULLY_READY if remembered[0] else ServiceReadinessLevel.FAILED
            return ServiceValidationResult(service_name, remembered[0], level, config.criticality, 0.0, 0, timeout)
        for name in config.dependencies:
            if name != service_name and not (await self.validate_service(name)).ready:
                self.logger.warning(f"Dependency '{name}' of service '{service_name}' is not ready")
        result = await self._ask(config, timing, timeout)
        self.last_validation_time = time.time()
        self.validation_cache[service_name] = (result.ready, self.last_validation_time)
        return result

    async def _ask(self, config: ServiceReadinessConfig, timing: AdaptiveTimeout, timeout: float) -> ServiceValidationResult:
        start, attempts = time.time(), 0
        while True:
            attempts += 1
            level, error = await self._attempt(config, max(start + timeout - time.time(), 0.001))
            if level not in _NOT_READY or attempts > timing.retry_count:
                break
            delay = timing.retry_delay * (2 ** (attempts - 1) if timing.exponential_backoff else 1)
            if time.time() + delay > start + timeout:
                break
            await asyncio.sleep(delay)
        ready = level not in _NOT_READY
        result = ServiceValidationResult(
            config.name, ready, level, config.criticality, 0.0, attempts, timeout,
            error_message=None if ready else error or f"Service '{config.name}' not ready after {attempts} attempts",
            can_gracefully_degrade=config.graceful_degradation_handler is not None,
        )  # fmt: skip
        if ready:
            self.degraded_services.pop(config.name, None)
        elif config.criticality is not ServiceCriticality.CRITICAL:
            await self._degrade(config, result)
        result.elapsed_time = time.time() - start
        return result

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
                await applied
        except Exception as error:
            self.logger.error(f"Degradation of {config.name} failed: {error}")
            return
        result.degradation_applied = True
        result.level = ServiceReadinessLevel.DEGRADED
        self.degraded_services[config.name] = result.error_message or "not ready"

    def _order_services_by_dependencies(self, service_names: list[str]) -> list[str]:
        ordered: list[str] = []
        seen: set[str] = set()

        def visit(name: str) -> None:
            if name in seen or name not in service_names:
                return
            seen.add(name)
            config = self.service_configs.get(name)
            for other in config.dependencies if config is not None else ():
                visit(other)
            ordered.append(name)

        for name in service_names:
            visit(name)
        return ordered

    async def validate_service_group(
        self, service_names: list[str], group_name: str = "unnamed_group", fail_fast_on_critical: bool = True
    ) -> ServiceGroupValidationResult:
        """Ask services, those before that others depend on; with ``fail_fast_on_critical`` a critical failure ends it."""
        start = time.time()
        results: dict[str, ServiceValidationResult] = {}
        critical: list[str] = []
        degraded: list[str] = []
        for name in self._order_services_by_dependencies(service_names):
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
            total_elapsed_time=time.time() - start,
            graceful_degradation_active=bool(degraded),
        )

    async def get_health_status(self) -> dict[str, Any]:
        """Ask every service afresh and sum up."""
        services: dict[str, dict[str, Any]] = {}
        critical: list[str] = []
        for name in list(self.service_configs):
            result = await self.validate_service(name, force_refresh=True)
            services[name] = {
                "ready": result.ready,
                "level": result.level.value,
                "criticality": result.criticality.value,
                "elapsed_time": result.elapsed_time,
                "attempts": result.attempts,
                "degradation_applied": result.degradation_applied,
                "error_message": result.error_message,
            }
            if not result.ready and result.criticality is ServiceCriticality.CRITICAL:
                critical.append(name)
        return {
            "overall_healthy": not critical,
            "environment": self.environment,
            "services": services,
            "degraded_services": dict(self.degraded_services),
            "last_validation": self.last_validation_time,
            "cache_size": len(self.validation_cache),
            "critical_failures": critical,
        }


def create_service_readiness_validator(
    app_state: Optional[Any] = None, environment: Optional[str] = None
) -> ServiceReadinessValidator:
    """A validator of an application's services."""
    return ServiceReadinessValidator(app_state, environment)


@asynccontextmanager
async def websocket_readiness_guard(
    app_state: Any, required_services: Optional[list[str]] = None, timeout_seconds: float = 60.0
) -> AsyncGenerator[dict[str, Any], None]:
    """Run the body with what is known of the services it needs, ready or not."""
    start = time.time()
    names = list(_REQUIRED) if required_services is None else required_services
    try:
        validator = create_service_readiness_validator(app_state)
        group = await asyncio.wait_for(validator.validate_service_group(names, "websocket_readiness"), timeout_seconds)
        answer = {
            "ready": group.overall_ready,
            "degradation_active": group.graceful_degradation_active,
            "critical_failures": group.critical_failures,
            "degraded_services": group.degraded_services,
            "service_results": group.service_results,
            "elapsed_time": group.total_elapsed_time,
        }
    except Exception as error:
        logger.error(f"WebSocket readiness validation failed: {error}")
        answer = {
            "ready": False,
            "degradation_active": True,
            "critical_failures": ["validation_error"],
            "degraded_services": [],
            "service_results": {},
            "elapsed_time": time.time() - start,
            "error": str(error),
        }
    yield answer


async def get_websocket_service_health(app_state: Any) -> tuple[bool, dict[str, Any]]:
    """Whether no critical service has failed, and the health of all, for a health endpoint."""
    status = await create_service_readiness_validator(app_state).get_health_status()
    return status["overall_healthy"], status
