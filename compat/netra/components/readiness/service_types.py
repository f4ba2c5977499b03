"""Services and what they answer: how ready, how badly needed, how long to wait."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from enum import Enum
from typing import Any, Optional, Union


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


_PATIENCE = {ServiceCriticality.CRITICAL: 1.5, ServiceCriticality.IMPORTANT: 1.2, ServiceCriticality.OPTIONAL: 0.8}


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
        timeout = self.base_timeout * self.environment_multipliers.get(environment.lower(), 1.0) * _PATIENCE[criticality]
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
