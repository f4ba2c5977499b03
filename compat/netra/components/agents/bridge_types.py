"""The states, settings and reports of an agent bridge."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timezone
from enum import Enum


class IntegrationState(Enum):
    """How far a bridge is."""

    UNINITIALIZED = "uninitialized"
    INITIALIZING = "initializing"
    ACTIVE = "active"
    DEGRADED = "degraded"
    FAILED = "failed"


@dataclass
class IntegrationConfig:
    """Timeouts and delays in seconds, and how often recovery is tried."""

    initialization_timeout_s: int = 30
    health_check_interval_s: int = 60
    recovery_max_attempts: int = 3
    recovery_base_delay_s: float = 1.0
    recovery_max_delay_s: float = 30.0
    integration_verification_timeout_s: int = 10


@dataclass
class HealthStatus:
    """The outcome of one health check."""

    state: IntegrationState
    websocket_manager_healthy: bool
    registry_healthy: bool
    last_health_check: datetime
    consecutive_failures: int = 0
    total_recoveries: int = 0
    uptime_seconds: float = 0.0
    error_message: str | None = None


@dataclass
class IntegrationResult:
    """The outcome of an integration or a recovery."""

    success: bool
    state: IntegrationState
    error: str | None = None
    duration_ms: float = 0.0
    recovery_attempted: bool = False


@dataclass
class IntegrationMetrics:
    """What a bridge has done so far."""

    total_initializations: int = 0
    successful_initializations: int = 0
    failed_initializations: int = 0
    recovery_attempts: int = 0
    successful_recoveries: int = 0
    health_checks_performed: int = 0
    current_uptime_start: datetime = field(default_factory=lambda: datetime.now(timezone.utc))


@dataclass
class AgentExecutionContext:
    """One run of one agent for one user."""

    agent_name: str
    run_id: str
    thread_id: str
    user_id: str
    message: str = ""
    context: str | None = None
    started_at: datetime = field(default_factory=lambda: datetime.now(timezone.utc))
    completed_at: datetime | None = None
