"""The pydantic models of limits, times and batches; the ``server`` extra installs pydantic."""

from __future__ import annotations

import random

try:
    from pydantic import BaseModel, Field
except ImportError as error:
    raise ImportError("message models need pydantic: pip install 'netra-compat[server]'") from error

from ..environment.reading import read_variable
from .message_types import BatchingStrategy


class RateLimitInfo(BaseModel):
    """How much of a limit is left."""

    requests_count: int
    window_seconds: int
    remaining_requests: int
    reset_time: float
    is_limited: bool = False


class WebSocketConfig(BaseModel):
    """Limits and times of a WebSocket endpoint; seconds unless the name says otherwise."""

    max_connections_per_user: int = 3
    max_message_rate_per_minute: int = 30
    max_message_size_bytes: int = 8192
    connection_timeout_seconds: int = 300
    heartbeat_interval_seconds: int = 25
    cleanup_interval_seconds: int = 60
    enable_compression: bool = False
    allowed_origins: list[str] = Field(default_factory=list)
    accept_completion_timeout_seconds: float = 5.0
    accept_validation_interval_ms: int = 100
    cloud_run_accept_delay_ms: int = 50
    cloud_run_stabilization_delay_ms: int = 25
    cloud_run_progressive_backoff_ms: list[int] = Field(default=[25, 50, 75])
    handshake_timeout_seconds: float = 15.0
    connect_timeout_seconds: float = 10.0
    ping_timeout_seconds: float = 5.0
    close_timeout_seconds: float = 10.0
    execution_timeout_seconds: float = 300.0
    progressive_timeout_phases: list[float] = Field(default=[3.0, 2.0, 1.5, 1.0, 0.8])

    @classmethod
    def get_cloud_run_optimized_config(cls) -> WebSocketConfig:
        """Return the settings for hosts behind a proxy that cuts idle connections after 30 seconds."""
        return cls(
            heartbeat_interval_seconds=20,
            accept_completion_timeout_seconds=10.0,
            accept_validation_interval_ms=50,
            cloud_run_accept_delay_ms=75,
            cloud_run_stabilization_delay_ms=50,
            cloud_run_progressive_backoff_ms=[50, 100, 150, 200],
            execution_timeout_seconds=360.0,
        )

    @classmethod
    def detect_and_configure_for_environment(cls) -> WebSocketConfig:
        """Return the settings that suit the environment the variables describe."""
        managed = read_variable("K_SERVICE") or read_variable("ENVIRONMENT").lower() in ("staging", "production")
        return cls.get_cloud_run_optimized_config() if managed else cls()


class ReconnectionConfig(BaseModel):
    """How a client reconnects; seconds."""

    enabled: bool = True
    max_attempts: int = 5
    initial_delay_seconds: float = 1.0
    max_delay_seconds: float = 30.0
    backoff_multiplier: float = 2.0
    jitter_enabled: bool = True
    max_jitter_seconds: float = 2.0
    connection_timeout_seconds: float = 10.0
    ping_interval_seconds: float = 30.0
    ping_timeout_seconds: float = 5.0

    def calculate_delay(self, attempt: int) -> float:
        """Return the seconds to wait before an attempt, counted from 1; jitter adds at most a tenth."""
        if attempt <= 0:
            return self.initial_delay_seconds
        delay = min(self.initial_delay_seconds * self.backoff_multiplier ** min(attempt - 1, 1000), self.max_delay_seconds)
        return delay + random.uniform(0, min(self.max_jitter_seconds, delay * 0.1)) if self.jitter_enabled else delay


class BatchConfig(BaseModel):
    """When batched messages are sent; seconds."""

    max_batch_size: int = 10
    max_wait_time: float = 0.1
    strategy: BatchingStrategy = BatchingStrategy.ADAPTIVE
    enable_compression: bool = False
    retry_attempts: int = 3
    retry_delay_seconds: float = 0.5
    priority_threshold: int = 100
