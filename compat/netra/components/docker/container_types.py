"""What is known of containers and services: modes, states, health."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timezone
from enum import Enum
from typing import Any, Optional

from compat.canonical.errors import CanonicalError


class DockerUnavailable(CanonicalError, RuntimeError):
    """No Docker engine answers, or the SDK is missing; the message says how to get there."""


class EnvironmentType(Enum):
    """Whose containers they are: of one test run (dedicated), or shared under a name."""

    DEDICATED = "dedicated"
    TEST = "test"
    STAGING = "staging"
    PRODUCTION = "production"
    DEVELOPMENT = "development"


class ServiceType(Enum):
    """The services there are."""

    BACKEND = "backend"
    AUTH = "auth"
    FRONTEND = "frontend"
    POSTGRES = "postgres"
    REDIS = "redis"
    CLICKHOUSE = "clickhouse"


class ServiceMode(Enum):
    """Where services run: in containers, on this machine, or not at all."""

    DOCKER = "docker"
    LOCAL = "local"
    MOCK = "mock"


class ContainerState(Enum):
    """The state of a container, its health check included."""

    RUNNING = "running"
    STOPPED = "stopped"
    HEALTHY = "healthy"
    UNHEALTHY = "unhealthy"
    STARTING = "starting"


class ServiceStatus(Enum):
    """The state of a service."""

    UNKNOWN = "unknown"
    STARTING = "starting"
    HEALTHY = "healthy"
    UNHEALTHY = "unhealthy"
    STOPPING = "stopping"
    STOPPED = "stopped"
    RESTARTING = "restarting"


@dataclass
class ServiceHealth:
    """One look at a service; ``response_time_ms`` in milliseconds, ``last_check`` in Unix seconds."""

    service_name: str
    is_healthy: bool
    port: int
    response_time_ms: float
    error_message: Optional[str] = None
    last_check: Optional[float] = None


@dataclass
class ContainerInfo:
    """One container; ``ports`` maps container ports (``"6379/tcp"``) to ports of this machine."""

    name: str
    service: str
    container_id: str
    image: str
    state: ContainerState
    health: Optional[str] = None
    uptime: Optional[str] = None
    ports: Optional[dict[str, int]] = None
    exit_code: Optional[int] = None
    created_at: Optional[datetime] = None

    @classmethod
    def from_docker_inspect(cls, inspect_data: dict[str, Any]) -> ContainerInfo:
        """Read what ``docker inspect`` (or ``container.attrs``) tells of a container."""
        state = inspect_data.get("State") or {}
        config = inspect_data.get("Config") or {}
        health = (state.get("Health") or {}).get("Status")
        name = str(inspect_data.get("Name", "")).lstrip("/")
        labels = config.get("Labels") or {}
        published = (inspect_data.get("NetworkSettings") or {}).get("Ports") or {}
        started = parse_moment(state.get("StartedAt")) if state.get("Running") else None
        uptime = str(datetime.now(timezone.utc) - started).partition(".")[0] if started else None
        return cls(
            name=name,
            service=labels.get("netra.service") or labels.get("com.docker.compose.service") or name.rpartition("-")[2],
            container_id=str(inspect_data.get("Id", ""))[:12],
            image=str(config.get("Image", "")),
            state=container_state(str(state.get("Status", "")), health),
            health=health,
            uptime=uptime,
            ports={port: int(to[0]["HostPort"]) for port, to in published.items() if to and to[0].get("HostPort")},
            exit_code=None if state.get("Running") else state.get("ExitCode"),
            created_at=parse_moment(inspect_data.get("Created")),
        )


def container_state(status: str, health: Optional[str]) -> ContainerState:
    """The state that an engine's status and health check amount to."""
    if status in ("created", "restarting") or (status == "running" and health == "starting"):
        return ContainerState.STARTING
    if status != "running":
        return ContainerState.STOPPED
    by_health = {"healthy": ContainerState.HEALTHY, "unhealthy": ContainerState.UNHEALTHY}
    return by_health.get(health or "", ContainerState.RUNNING)


def parse_moment(text: Optional[str]) -> Optional[datetime]:
    """A moment as Docker writes it: nanoseconds and Z."""
    if not text or text.startswith("0001"):
        return None
    from ..timestamps import convert_to_unix_timestamp

    return datetime.fromtimestamp(convert_to_unix_timestamp(text), timezone.utc)


@dataclass
class OrchestrationConfig:
    """How services are brought up; times in seconds."""

    environment: str = "test"
    startup_timeout: float = 60.0
    health_check_timeout: float = 5.0
    health_check_retries: int = 12
    health_check_interval: float = 2.0
    required_services: Optional[list[str]] = None

    def __post_init__(self) -> None:
        if self.required_services is None:
            self.required_services = ["postgres", "redis", "backend", "auth"]


@dataclass(frozen=True)
class ServiceSpec:
    """What a service runs: image, port in the container, variables, what it needs first."""

    image: str
    port: int
    environment: dict[str, str] = field(default_factory=dict)
    health_endpoint: Optional[str] = None
    memory_limit: str = "512m"
    needs: tuple[str, ...] = ()
    health_cmd: Optional[str] = None


SPECS: dict[str, ServiceSpec] = {
    "postgres": ServiceSpec(
        "postgres:15-alpine",
        5432,
        {"POSTGRES_USER": "test_user", "POSTGRES_PASSWORD": "test_pass", "POSTGRES_DB": "netra_test"},
        memory_limit="1024m",
        health_cmd="pg_isready",
    ),
    "redis": ServiceSpec("redis:7-alpine", 6379, memory_limit="512m", health_cmd="redis-cli ping"),
    "clickhouse": ServiceSpec(
        "clickhouse/clickhouse-server:23-alpine",
        8123,
        {"CLICKHOUSE_USER": "test_user", "CLICKHOUSE_PASSWORD": "test_pass", "CLICKHOUSE_DB": "netra_test"},
        "/ping",
        "1024m",
    ),
    "auth": ServiceSpec("netra-auth:latest", 8081, {}, "/health", "1024m", ("postgres", "redis")),
    "backend": ServiceSpec("netra-backend:latest", 8000, {}, "/health", "2048m", ("postgres", "redis", "auth")),
    "frontend": ServiceSpec("netra-frontend:latest", 3000, {}, "/", "1024m", ("backend",)),
}
