"""The states, questions and answers of a readiness check on Google Cloud."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum
from typing import Any


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
