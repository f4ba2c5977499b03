"""Report on one agent run to one user: the execution context, its orchestrator, and the notifier."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timezone
from typing import Any

from ..connections.manager_calls import is_mock, settled
from . import delivery
from .bridge_types import AgentExecutionContext
from .emitters.unified import UnifiedWebSocketEmitter


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


_REQUIRED = (
    "notify_agent_started",
    "notify_agent_thinking",
    "notify_tool_executing",
    "notify_tool_completed",
    "notify_agent_completed",
)


class SilentEmitter:
    """Stands in where there is no emitter: takes every notification, and tells nobody."""

    async def _nobody(self, *unused: Any, **also_unused: Any) -> None:
        delivery.logger.debug("there is no emitter; a notification was dropped")

    notify_agent_started = notify_agent_thinking = notify_agent_completed = _nobody
    notify_tool_executing = notify_tool_completed = _nobody


class WebSocketNotifier:
    """Reports on one agent run through one user's emitter; every method returns whether that worked, and none raises."""

    def __init__(self, emitter: Any, exec_context: Any) -> None:
        self.emitter = emitter
        self.exec_context = exec_context
        self._user_id: Any = None
        self._sent: dict[str, int] = {}
        self._failed = 0
        self._last: str | None = None

    @classmethod
    def create_for_user(cls, emitter: Any, exec_context: Any) -> WebSocketNotifier:
        """Return a notifier for one user's run; without an emitter one that tells nobody.

        Raises
        ------
        ValueError
            Without a context, without a user in it, or if the emitter lacks a method.
        """
        return cls._create(emitter, exec_context, True)

    @classmethod
    def create_websocket_notifier(cls, emitter: Any, user_context: Any, validate_context: bool = True) -> WebSocketNotifier:
        """As :meth:`create_for_user`; without ``validate_context`` the context may lack a user."""
        return cls._create(emitter, user_context, validate_context)

    @classmethod
    def _create(cls, emitter: Any, exec_context: Any, validate: bool) -> WebSocketNotifier:
        if exec_context is None:
            raise ValueError("WebSocketNotifier requires valid execution context")
        if emitter is None:
            delivery.logger.warning("a notifier was made without an emitter: it tells nobody")
            emitter = SilentEmitter()
        user_id = getattr(exec_context, "user_id", None)
        if validate and not user_id:
            raise ValueError("WebSocketNotifier requires user_id in execution context")
        missing = [name for name in _REQUIRED if not hasattr(emitter, name)]
        if missing and not is_mock(emitter):
            raise ValueError(f"WebSocket emitter missing required methods for Golden Path: {missing}")
        made = cls(emitter, exec_context)
        made._user_id = user_id
        return made

    def _validate_user_isolation(self) -> None:
        """Return if the context still is that of the user the notifier was made for.

        Raises
        ------
        ValueError
            If it is another user's.
        """
        user_id = getattr(self.exec_context, "user_id", None)
        if self._user_id is None:
            self._user_id = user_id
        elif user_id != self._user_id:
            raise ValueError(f"User isolation violation detected: expected {self._user_id}, got {user_id}")

    async def send_agent_thinking(self, exec_context: Any, message: str) -> bool:
        """Report what the agent considers."""
        return await self._send("agent_thinking", exec_context, lambda run: ((run.agent_name, message), {"step_number": 1}))

    async def send_agent_started(self, exec_context: Any, agent_name: str | None = None) -> bool:
        """Report that the agent began."""

        def call(run: Any) -> Any:
            return (agent_name or _agent(run),), {"run_id": run.run_id, "thread_id": run.thread_id}

        return await self._send("agent_started", exec_context, call)

    async def send_tool_executing(
        self,
        exec_context: Any,
        tool_name: str,
        tool_purpose: str | None = None,
        estimated_duration_ms: int | None = None,
        parameters_summary: str | None = None,
    ) -> bool:
        """Report that a tool runs."""

        def call(run: Any) -> Any:
            return (), {
                "tool_name": tool_name,
                "tool_purpose": tool_purpose,
                "run_id": run.run_id,
                "thread_id": run.thread_id,
                "agent_name": run.agent_name,
                "estimated_duration_ms": estimated_duration_ms,
                "parameters_summary": parameters_summary,
            }

        return await self._send("tool_executing", exec_context, call)

    async def send_tool_completed(self, exec_context: Any, tool_name: str, result: dict[str, Any]) -> bool:
        """Report that a tool is done."""

        def call(run: Any) -> Any:
            return (), {
                "tool_name": tool_name,
                "result": result,
                "run_id": run.run_id,
                "thread_id": run.thread_id,
                "agent_name": run.agent_name,
            }

        return await self._send("tool_completed", exec_context, call)

    async def send_agent_completed(
        self, exec_context: Any, result: dict[str, Any], execution_time_ms: float | None = None
    ) -> bool:
        """Report that the agent is done."""

        def call(run: Any) -> Any:
            return (), {
                "agent_name": run.agent_name,
                "result": result,
                "run_id": run.run_id,
                "thread_id": run.thread_id,
                "execution_time_ms": execution_time_ms,
            }

        return await self._send("agent_completed", exec_context, call)

    def get_event_delivery_stats(self) -> dict[str, Any]:
        """Return how many events went out through an emitter that knows, by type, and how many failed."""
        good = sum(self._sent.values())
        total = good + self._failed
        return {
            "total_events": total,
            "successful_events": good,
            "failed_events": self._failed,
            "success_rate": good / total if total else 0.0,
            "events_by_type": dict(self._sent),
            "last_tracked": self._last,
        }

    async def _send(self, event_type: str, exec_context: Any, call: Callable[[Any], Any]) -> bool:
        try:
            if exec_context is None:
                raise ValueError("no execution context")
            positional, named = call(exec_context)
            sent = await settled(getattr(self.emitter, f"notify_{event_type}")(*positional, **named)) is not False
        except Exception as error:
            delivery.logger.error("%s was not sent: %s", event_type, error)
            sent = False
        if isinstance(self.emitter, UnifiedWebSocketEmitter) and not is_mock(self.emitter):
            self._last = datetime.now(timezone.utc).isoformat()
            if sent:
                self._sent[event_type] = self._sent.get(event_type, 0) + 1
            else:
                self._failed += 1
        return sent


def _agent(exec_context: Any) -> str:
    return str(getattr(exec_context, "agent_name", None) or "UnknownAgent")
