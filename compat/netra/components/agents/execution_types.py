"""The strictly typed execution context, and the states and counts of agents and tools; models need the ``server`` extra."""

from __future__ import annotations

import dataclasses
import uuid
from dataclasses import dataclass, field
from datetime import datetime, timezone
from enum import Enum
from typing import TYPE_CHECKING, Any, Optional, Union

from ..ids import generator
from ..types.core import ensure_run_id, ensure_thread_id, ensure_user_id
from ..types.names import AgentID, ExecutionID, RequestID, RunID, ThreadID, UserID, WebSocketID

if TYPE_CHECKING:
    from .execution_models import StronglyTypedWebSocketEvent, ToolExecutionRequest, ToolExecutionResult

_MODELS = frozenset({"StronglyTypedWebSocketEvent", "ToolExecutionRequest", "ToolExecutionResult"})

__all__ = [
    "AgentCreationRequest",
    "AgentCreationResult",
    "AgentExecutionMetrics",
    "AgentExecutionState",
    "ContextValidationError",
    "IsolationViolationError",
    "StronglyTypedUserExecutionContext",
    "StronglyTypedWebSocketEvent",
    "ToolExecutionRequest",
    "ToolExecutionResult",
    "ToolExecutionState",
    "UserID",
    "WebSocketEventPriority",
    "downgrade_to_legacy_context",
    "upgrade_legacy_context",
]


class ContextValidationError(Exception):
    """A typed context's values are missing or placeholders."""


class IsolationViolationError(Exception):
    """A typed context holds data of another user."""


_FORBIDDEN = frozenset(
    [
        "test_user",
        "mock_user",
        "placeholder",
        "default",
        "example",
        "test_thread",
        "mock_thread",
        "test_run",
        "mock_run",
        "test_request",
        "mock_request",
        "none",
        "null",
    ]
)
_MAX_DEPTH = 10


@dataclass(frozen=True)
class StronglyTypedUserExecutionContext:
    """Whose work is done, with typed identifiers, all of them required.

    Raises ContextValidationError for empty and placeholder identifiers, IsolationViolationError where the data names
    another user.
    """

    user_id: UserID
    thread_id: ThreadID
    run_id: RunID
    request_id: RequestID
    db_session: Optional[Any] = field(default=None, repr=False, compare=False)
    websocket_client_id: Optional[WebSocketID] = None
    created_at: datetime = field(default_factory=lambda: datetime.now(timezone.utc))
    agent_context: dict[str, Any] = field(default_factory=dict)
    audit_metadata: dict[str, Any] = field(default_factory=dict)
    operation_depth: int = 0
    parent_request_id: Optional[RequestID] = None

    def __post_init__(self) -> None:
        for name in ("user_id", "thread_id", "run_id", "request_id"):
            value = getattr(self, name)
            if not isinstance(value, str) or not value.strip():
                raise ContextValidationError(f"Invalid {name}: {value}")
            if value.lower() in _FORBIDDEN:
                raise ContextValidationError(f"Forbidden placeholder value in {name}: {value}")
        for name in ("agent_context", "audit_metadata"):
            if not isinstance(getattr(self, name), dict):
                raise ContextValidationError(f"{name} must be a dictionary")
        if not 0 <= self.operation_depth <= _MAX_DEPTH:
            raise ContextValidationError(f"Invalid operation_depth: {self.operation_depth} (must be 0-{_MAX_DEPTH})")
        for name in ("agent_context", "audit_metadata"):
            named = getattr(self, name).get("user_id", self.user_id)
            if named != self.user_id:
                raise IsolationViolationError(f"{name} names user {named!r}, the context is of user {self.user_id!r}")

    @property
    def metadata(self) -> dict[str, Any]:
        """Agent context and audit data in one new dictionary; audit data wins."""
        return {**self.agent_context, **self.audit_metadata}

    @property
    def websocket_connection_id(self) -> Optional[WebSocketID]:
        """``websocket_client_id`` under its former name."""
        return self.websocket_client_id

    @property
    def websocket_id(self) -> Optional[WebSocketID]:
        """``websocket_client_id`` under a shorter name."""
        return self.websocket_client_id

    def create_child_context(self, new_request_id: Optional[RequestID] = None) -> StronglyTypedUserExecutionContext:
        """Return the context of a part of this work, one level deeper; its request id is made where none is given."""
        return dataclasses.replace(
            self,
            request_id=new_request_id or RequestID(str(uuid.uuid4())),
            created_at=datetime.now(timezone.utc),
            agent_context=dict(self.agent_context),
            audit_metadata=dict(self.audit_metadata),
            operation_depth=self.operation_depth + 1,
            parent_request_id=self.request_id,
        )


class AgentExecutionState(Enum):
    """Where an agent's execution stands."""

    INITIALIZING = "initializing"
    VALIDATING = "validating"
    EXECUTING = "executing"
    TOOL_CALLING = "tool_calling"
    THINKING = "thinking"
    COMPLETED = "completed"
    FAILED = "failed"
    CANCELLED = "cancelled"
    TIMEOUT = "timeout"


class ToolExecutionState(Enum):
    """Where a tool's execution stands."""

    STARTING = "starting"
    EXECUTING = "executing"
    COMPLETED = "completed"
    FAILED = "failed"
    TIMEOUT = "timeout"


@dataclass
class AgentExecutionMetrics:
    """Counts of one agent's execution."""

    execution_id: ExecutionID
    agent_name: str
    start_time: datetime
    end_time: Optional[datetime] = None
    state: AgentExecutionState = AgentExecutionState.INITIALIZING
    total_tool_calls: int = 0
    successful_tool_calls: int = 0
    failed_tool_calls: int = 0
    websocket_events_sent: int = 0
    memory_peak_mb: Optional[float] = None
    cpu_time_seconds: Optional[float] = None
    error_count: int = 0
    last_error: Optional[str] = None

    @property
    def duration_seconds(self) -> Optional[float]:
        """From start to end; None while it runs."""
        return None if self.end_time is None else (self.end_time - self.start_time).total_seconds()

    @property
    def success_rate(self) -> float:
        """Share of tool calls that succeeded, from 0 to 1; 1 where there was none."""
        return self.successful_tool_calls / self.total_tool_calls if self.total_tool_calls else 1.0


class WebSocketEventPriority(Enum):
    """How urgent an event is."""

    LOW = "low"
    NORMAL = "normal"
    HIGH = "high"
    CRITICAL = "critical"


@dataclass
class AgentCreationRequest:
    """Which agent to make for whom; ``tool_timeout_seconds`` must be positive, the name must not be empty."""

    agent_name: str
    agent_id: AgentID
    user_context: StronglyTypedUserExecutionContext
    configuration: dict[str, Any] = field(default_factory=dict)
    websocket_enabled: bool = True
    tool_timeout_seconds: int = 30

    def __post_init__(self) -> None:
        if not self.agent_name or not self.agent_name.strip():
            raise ValueError("agent_name cannot be empty")
        if self.tool_timeout_seconds <= 0:
            raise ValueError(f"tool_timeout_seconds must be positive, got: {self.tool_timeout_seconds}")


@dataclass
class AgentCreationResult:
    """The agent that was made, or why it was not."""

    agent_id: AgentID
    agent_instance: Any
    creation_time: datetime
    websocket_connected: bool
    metrics: AgentExecutionMetrics
    success: bool = True
    error: Optional[str] = None


def upgrade_legacy_context(legacy_context: Any) -> StronglyTypedUserExecutionContext:
    """Return the typed form of a context that is an object or a dictionary; ValueError if it lacks an id.

    A request id is made where there is none.
    """
    if isinstance(legacy_context, StronglyTypedUserExecutionContext):
        return legacy_context

    held = legacy_context if isinstance(legacy_context, dict) else None

    def read(*names: str, default: Any = None) -> Any:
        for name in names:
            value = held.get(name) if held is not None else getattr(legacy_context, name, None)
            if value is not None:
                return value
        return default

    parent = read("parent_request_id")
    return StronglyTypedUserExecutionContext(
        user_id=ensure_user_id(read("user_id")),
        thread_id=ensure_thread_id(read("thread_id")),
        run_id=ensure_run_id(read("run_id")),
        request_id=RequestID(read("request_id") or generator.UnifiedIdGenerator.generate_base_id("req")),
        db_session=read("db_session"),
        websocket_client_id=read("websocket_client_id", "websocket_connection_id", "websocket_id"),
        created_at=_moment(read("created_at")),
        agent_context=dict(read("agent_context", "metadata", default={})),
        audit_metadata=dict(read("audit_metadata", default={})),
        operation_depth=read("operation_depth", default=0),
        parent_request_id=RequestID(parent) if parent else None,
    )


def downgrade_to_legacy_context(typed_context: StronglyTypedUserExecutionContext) -> dict[str, Any]:
    """Return a typed context as a dictionary of its fields."""
    return {
        "user_id": str(typed_context.user_id),
        "thread_id": str(typed_context.thread_id),
        "run_id": str(typed_context.run_id),
        "request_id": str(typed_context.request_id),
        "websocket_client_id": typed_context.websocket_client_id,
        "db_session": typed_context.db_session,
        "agent_context": dict(typed_context.agent_context),
        "audit_metadata": dict(typed_context.audit_metadata),
        "operation_depth": typed_context.operation_depth,
        "parent_request_id": typed_context.parent_request_id,
        "created_at": typed_context.created_at,
    }


def _moment(value: Union[str, datetime, None]) -> datetime:
    if isinstance(value, str):
        return datetime.fromisoformat(value)
    return value if isinstance(value, datetime) else datetime.now(timezone.utc)


def __getattr__(name: str) -> object:
    if name not in _MODELS:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from . import execution_models

    return getattr(execution_models, name)
