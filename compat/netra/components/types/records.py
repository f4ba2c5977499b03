"""Plain records of agents' work, of its speed, and of users, as older code passes them around."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timezone
from typing import Any, Optional

from .core import ensure_run_id, ensure_thread_id, ensure_user_id

__all__ = [
    "AgentExecutionRequest",
    "AgentExecutionResult",
    "AgentValidationResult",
    "ExtendedUser",
    "PerformanceMetrics",
    "TestUserData",
]


def _now() -> datetime:
    return datetime.now(timezone.utc)


def _required(name: str, value: Any) -> None:
    if not isinstance(value, dict):
        raise ValueError(f"{name} must be a dictionary, got {type(value).__name__}")


@dataclass
class AgentExecutionRequest:
    """What an agent is asked to do, and for whom."""

    user_id: str
    thread_id: str
    request_data: dict[str, Any]
    timestamp: datetime = field(default_factory=_now)
    user_permissions: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.user_id = ensure_user_id(self.user_id)
        self.thread_id = ensure_thread_id(self.thread_id)
        _required("request_data", self.request_data)


@dataclass
class AgentExecutionResult:
    """What an agent's work gave."""

    user_id: str
    thread_id: str
    run_id: str
    success: bool
    result_data: dict[str, Any]
    execution_metadata: dict[str, Any] = field(default_factory=dict)
    timestamp: datetime = field(default_factory=_now)
    error_message: Optional[str] = None

    def __post_init__(self) -> None:
        self.user_id = ensure_user_id(self.user_id)
        self.thread_id = ensure_thread_id(self.thread_id)
        self.run_id = ensure_run_id(self.run_id)
        _required("result_data", self.result_data)


@dataclass
class AgentValidationResult:
    """What checking a request to an agent gave."""

    is_valid: bool
    error_message: Optional[str] = None
    user_id: Optional[str] = None
    validation_passed: dict[str, bool] = field(default_factory=dict)
    validation_warnings: list[str] = field(default_factory=list)
    execution_context: Optional[Any] = None

    def __post_init__(self) -> None:
        if self.user_id is not None:
            self.user_id = ensure_user_id(self.user_id)

    def add_validation_check(self, category: str, passed: bool, warning: Optional[str] = None) -> None:
        """Record a check; one that failed makes the whole invalid."""
        self.validation_passed[category] = passed
        if warning:
            self.validation_warnings.append(warning)
        if not passed:
            self.is_valid = False


@dataclass
class PerformanceMetrics:
    """Times in seconds, sizes in MB, rates in percent."""

    duration_seconds: float = 0.0
    timestamp: datetime = field(default_factory=_now)
    latency_p50: float = 0.0
    latency_p95: float = 0.0
    latency_p99: float = 0.0
    min_response_time: float = math.inf
    max_response_time: float = 0.0
    avg_response_time: float = 0.0
    throughput_ops_per_second: float = 0.0
    throughput_rps: float = 0.0
    request_count: int = 0
    total_requests: int = 0
    success_count: int = 0
    failure_count: int = 0
    error_rate: float = 0.0
    success_rate: float = 100.0
    cpu_usage_percent: float = 0.0
    memory_usage_mb: float = 0.0
    peak_memory_mb: float = 0.0
    active_connections: int = 0
    availability: float = 99.9
    concurrent_users: int = 1

    def __post_init__(self) -> None:
        # Only a total that was given says how many of them failed.
        if self.total_requests:
            self.error_rate = self.failure_count / self.total_requests * 100
            self.success_rate = 100 - self.error_rate
        self.total_requests = self.total_requests or self.request_count
        self.request_count = self.request_count or self.total_requests
        self.throughput_rps = self.throughput_rps or self.throughput_ops_per_second
        self.throughput_ops_per_second = self.throughput_ops_per_second or self.throughput_rps


class _ReadLikeAMapping:
    """The part of a dataclass that is read as a dictionary, too."""

    def __getitem__(self, key: str) -> Any:
        if key not in self:
            raise KeyError(key)
        return getattr(self, key)

    def __contains__(self, key: object) -> bool:
        return key in self.keys()

    def get(self, key: str, default: Any = None) -> Any:
        """Return a field, or the default."""
        return getattr(self, key) if key in self else default

    def keys(self) -> list[str]:
        """The names of the fields."""
        return [one.name for one in dataclasses.fields(self)]  # type: ignore[arg-type]

    def values(self) -> list[Any]:
        """The values of the fields."""
        return [getattr(self, name) for name in self.keys()]

    def items(self) -> list[tuple[str, Any]]:
        """The names and values of the fields."""
        return list(zip(self.keys(), self.values()))

    def __iter__(self) -> Iterator[str]:
        return iter(self.keys())


@dataclass
class TestUserData(_ReadLikeAMapping):
    """A user for tests, with an e-mail address that is one."""

    __test__ = False

    id: str
    email: str
    full_name: Optional[str] = None
    picture: Optional[str] = None
    hashed_password: Optional[str] = None
    plan_tier: str = "free"
    auth_provider: str = "test"
    created_at: Optional[datetime] = None

    def __post_init__(self) -> None:
        name, at, domain = self.email.partition("@") if isinstance(self.email, str) else ("", "", "")
        if not name or not at or not domain or "@" in domain:
            raise ValueError(f"Invalid email format: {self.email}")

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> TestUserData:
        """Make one of a mapping; keys that are no fields are left out."""
        known = {one.name for one in dataclasses.fields(cls)}
        return cls(**{key: value for key, value in data.items() if key in known})


class ExtendedUser:
    """A user with whatever else is known of them: each keyword is an attribute."""

    def __init__(self, id: str, email: str, full_name: Optional[str] = None, picture: Optional[str] = None, **more: Any) -> None:
        self.id, self.email, self.full_name, self.picture = id, email, full_name, picture
        self.__dict__.update(more)

    def __eq__(self, other: object) -> bool:
        return vars(self) == vars(other) if isinstance(other, ExtendedUser) else NotImplemented

    __hash__ = None  # type: ignore[assignment]

    def __repr__(self) -> str:
        return f"ExtendedUser(id={self.id!r}, email={self.email!r})"
