"""The form in which agents take their context: identifiers and metadata, without the session."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any, Optional

if TYPE_CHECKING:
    from .user import UserExecutionContext


@dataclass
class ExecutionContext:
    """What one agent needs to know of the work it does."""

    request_id: str
    user_id: str
    thread_id: str
    run_id: str
    agent_name: str = "unknown"
    websocket_client_id: Optional[str] = None
    created_at: Optional[datetime] = None
    metadata: dict[str, Any] = field(default_factory=dict)
    parent_request_id: Optional[str] = None
    operation_depth: int = 0

    @classmethod
    def of(cls, context: UserExecutionContext) -> ExecutionContext:
        """Return the form of a user execution context; the agent's name is the one in its agent context."""
        return cls(
            request_id=context.request_id,
            user_id=context.user_id,
            thread_id=context.thread_id,
            run_id=context.run_id,
            agent_name=str(context.agent_context.get("agent_name", "unknown")),
            websocket_client_id=context.websocket_client_id,
            created_at=context.created_at,
            metadata=context.metadata,
            parent_request_id=context.parent_request_id,
            operation_depth=context.operation_depth,
        )
