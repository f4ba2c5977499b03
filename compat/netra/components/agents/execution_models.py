"""The pydantic models of events and tool executions; the ``server`` extra installs pydantic."""

from __future__ import annotations

from datetime import datetime, timezone
from typing import Any, Optional

try:
    from pydantic import BaseModel, ConfigDict, Field, field_validator
except ImportError as error:
    raise ImportError(
        "the models of compat.netra.components.agents.execution_types need pydantic: pip install 'netra-compat[server]'"
    ) from error

from ..types.core import ensure_websocket_id
from ..types.names import ExecutionID, RequestID, ThreadID, UserID, WebSocketID
from .execution_types import StronglyTypedUserExecutionContext, ToolExecutionState, WebSocketEventPriority


class StronglyTypedWebSocketEvent(BaseModel):
    """One event for one user's client, with priority and retries."""

    event_id: str = Field(default_factory=lambda: f"evt_{datetime.now().timestamp()}")
    event_type: str
    priority: WebSocketEventPriority = WebSocketEventPriority.NORMAL
    user_id: UserID
    thread_id: ThreadID
    request_id: RequestID
    websocket_id: Optional[WebSocketID] = None
    data: dict[str, Any] = Field(default_factory=dict)
    timestamp: datetime = Field(default_factory=lambda: datetime.now(timezone.utc))
    retry_count: int = 0
    max_retries: int = 3

    @field_validator("websocket_id")
    @classmethod
    def check_websocket_id(cls, value: Optional[str]) -> Optional[WebSocketID]:
        """A websocket id is one in an accepted format."""
        return ensure_websocket_id(value)

    def to_legacy_dict(self) -> dict[str, Any]:
        """Return the event as plain values; the time in ISO 8601."""
        return {
            "event_id": self.event_id,
            "type": self.event_type,
            "event_type": self.event_type,
            "priority": self.priority.value,
            "user_id": self.user_id,
            "thread_id": self.thread_id,
            "request_id": self.request_id,
            "websocket_id": self.websocket_id,
            "data": self.data,
            "timestamp": self.timestamp.isoformat(),
            "retry_count": self.retry_count,
            "max_retries": self.max_retries,
        }


class ToolExecutionRequest(BaseModel):
    """Which tool to run with what, for whom."""

    model_config = ConfigDict(arbitrary_types_allowed=True)

    tool_name: str
    execution_id: ExecutionID
    user_context: StronglyTypedUserExecutionContext
    parameters: dict[str, Any] = Field(default_factory=dict)
    timeout_seconds: Optional[int] = None
    retry_on_failure: bool = True


class ToolExecutionResult(BaseModel):
    """What running a tool gave."""

    tool_name: str
    execution_id: ExecutionID
    state: ToolExecutionState
    start_time: datetime
    end_time: Optional[datetime] = None
    result: Optional[Any] = None
    stdout: Optional[str] = None
    stderr: Optional[str] = None
    return_code: Optional[int] = None
    error: Optional[str] = None
    error_type: Optional[str] = None
    traceback: Optional[str] = None
    retry_count: int = 0
    resource_usage: dict[str, Any] = Field(default_factory=dict)

    @property
    def is_success(self) -> bool:
        """Whether the tool completed without an error."""
        return self.state is ToolExecutionState.COMPLETED and self.error is None

    @property
    def duration_seconds(self) -> Optional[float]:
        """From start to end; None while it runs."""
        return None if self.end_time is None else (self.end_time - self.start_time).total_seconds()
