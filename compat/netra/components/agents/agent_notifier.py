"""Report on one agent run to one user: the execution context, its orchestrator, and the notifier."""

from __future__ import annotations

from datetime import datetime, timezone
from typing import Any

from ..connections.manager_calls import settled
from .bridge_types import AgentExecutionContext
from .unified_emitter import UnifiedWebSocketEmitter


class RequestScopedOrchestrator:
    """Runs one request's agents: makes their execution contexts, and closes them."""

    def __init__(self, user_context: Any, emitter: UnifiedWebSocketEmitter, websocket_bridge: Any) -> None:
        self.user_context = user_context
        self.emitter = emitter
        self.websocket_bridge = websocket_bridge

    async def create_execution_context(
        self, agent_type: str, user_id: str, message: str, context: str | None = None
    ) -> tuple[AgentExecutionContext, WebSocketNotifier]:
        """Return the execution context of one agent run, and the notifier that reports on it."""
        execution = AgentExecutionContext(
            agent_type, self.user_context.run_id, self.user_context.thread_id, user_id, message, context
        )
        notifier = WebSocketNotifier(self.emitter, execution)
        return execution, notifier

    async def complete_execution(self, exec_context: AgentExecutionContext, result: Any) -> None:
        """Mark the run as done and tell the user."""
        exec_context.completed_at = datetime.now(timezone.utc)
        outcome = result if isinstance(result, dict) else {"result": result}
        await self.emitter.notify_agent_completed(exec_context.agent_name, result=outcome)


class WebSocketNotifier:
    """Reports on one agent run through one user's emitter."""

    def __init__(self, emitter: Any, exec_context: Any) -> None:
        self.emitter = emitter
        self.exec_context = exec_context
        self._sent: dict[str, int] = {}
        self._failed = 0

    @classmethod
    def create_for_user(cls, emitter: Any, exec_context: Any, validate_context: bool = True) -> WebSocketNotifier:
        """Return a notifier for one user's run.

        Raises
        ------
        ValueError
            If emitter or context is missing, or the context has no user.
        """
        if emitter is None:
            raise ValueError("WebSocketNotifier requires a valid emitter")
        if exec_context is None:
            raise ValueError("WebSocketNotifier requires a valid execution context")
        if validate_context and not getattr(exec_context, "user_id", None):
            raise ValueError("WebSocketNotifier requires an execution context with a user_id")
        return cls(emitter, exec_context)

    create_websocket_notifier = create_for_user

    async def send_agent_thinking(self, exec_context: Any, message: str) -> bool:
        """Report what the agent considers."""
        return await self._send("agent_thinking", agent_name=_agent(exec_context), reasoning=message)

    async def send_agent_started(self, exec_context: Any, agent_name: str | None = None) -> bool:
        """Report that the agent began."""
        return await self._send("agent_started", agent_name=agent_name or _agent(exec_context))

    async def send_tool_executing(
        self,
        exec_context: Any,
        tool_name: str,
        tool_purpose: str | None = None,
        estimated_duration_ms: int | None = None,
        parameters_summary: str | None = None,
    ) -> bool:
        """Report that a tool runs."""
        details = {
            "tool_purpose": tool_purpose,
            "estimated_duration_ms": estimated_duration_ms,
            "parameters_summary": parameters_summary,
        }
        return await self._send("tool_executing", tool_name=tool_name, metadata=details)

    async def send_tool_completed(self, exec_context: Any, tool_name: str, result: dict[str, Any]) -> bool:
        """Report that a tool is done."""
        return await self._send("tool_completed", tool_name=tool_name, metadata={"result": result})

    async def send_agent_completed(
        self, exec_context: Any, result: dict[str, Any], execution_time_ms: float | None = None
    ) -> bool:
        """Report that the agent is done."""
        return await self._send(
            "agent_completed", agent_name=_agent(exec_context), result=result, execution_time_ms=execution_time_ms
        )

    def get_event_delivery_stats(self) -> dict[str, Any]:
        """Return how many events went out, by type, and how many failed."""
        sent = sum(self._sent.values())
        return {"events_sent": sent, "events_failed": self._failed, "events_by_type": dict(self._sent)}

    async def _send(self, event_type: str, **details: Any) -> bool:
        sent = await settled(getattr(self.emitter, f"notify_{event_type}")(**details)) is not False
        if sent:
            self._sent[event_type] = self._sent.get(event_type, 0) + 1
        else:
            self._failed += 1
        return sent


def _agent(exec_context: Any) -> str:
    return str(getattr(exec_context, "agent_name", None) or "agent")
