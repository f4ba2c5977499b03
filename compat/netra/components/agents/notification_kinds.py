"""What an agent bridge can say: one method per kind of notification, all sent the one way."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from compat.canonical.core.logged import get_logger

from .run_ids import is_valid_run
from .sanitising import (
    sanitize_custom_data,
    sanitize_error_context,
    sanitize_error_message,
    sanitize_fields,
    sanitize_parameters,
    sanitize_progress,
    sanitize_result,
)

logger = get_logger(__name__)

Clean = Callable[[dict[str, Any]], dict[str, Any]]


class Notifications:
    """Each method makes the event's fields and returns whether the event was handed over.

    Parameters, results, errors and progress are sanitised: what agents hand to each other is not all for a client.
    """

    user_context: Any

    _sanitize_parameters = staticmethod(sanitize_parameters)
    _sanitize_error_message = staticmethod(sanitize_error_message)
    _sanitize_error_context = staticmethod(sanitize_error_context)
    _sanitize_progress_data = staticmethod(sanitize_progress)
    _sanitize_custom_data = staticmethod(sanitize_custom_data)

    @staticmethod
    def _sanitize_result(result: Any) -> Any:
        if result and not hasattr(result, "items"):
            raise AttributeError(f"{type(result).__name__!r} object has no attribute 'items'")
        return sanitize_result(result)

    @staticmethod
    def _validate_event_context(run_id: Any, event_type: str, agent_name: Any = None) -> bool:
        if is_valid_run(run_id):
            return True
        logger.error("%s of agent %r names no run (%r): it could reach anybody, and is not sent", event_type, agent_name, run_id)
        return False

    async def register_run_thread_mapping(self, run_id: str, thread_id: str, metadata: dict[str, Any] | None = None) -> bool:
        """Remember which thread a run reports to."""
        raise NotImplementedError

    async def _notify(
        self,
        event_type: str,
        run_id: Any,
        details: dict[str, Any],
        user_context: Any = None,
        clean: Clean = sanitize_fields,
        runless: bool = False,
    ) -> bool:
        """Send one event, its fields as ``clean`` leaves them, to the user of a run; without a run where that is said."""
        raise NotImplementedError

    async def notify_agent_started(
        self,
        run_id: str,
        agent_name: str,
        context: dict[str, Any] | None = None,
        trace_context: dict[str, Any] | None = None,
        user_context: Any = None,
    ) -> bool:
        """Send ``agent_started``."""
        details = {"agent_name": agent_name, "status": "started", "context": context or {}, "trace_context": trace_context}
        return await self._notify("agent_started", run_id, details, user_context)

    async def notify_agent_thinking(
        self,
        run_id: str,
        agent_name: str,
        reasoning: str,
        step_number: int | None = None,
        progress_percentage: float | None = None,
        trace_context: dict[str, Any] | None = None,
        user_context: Any = None,
    ) -> bool:
        """Send ``agent_thinking``."""
        details = {
            "agent_name": agent_name,
            "reasoning": reasoning,
            "step_number": step_number,
            "progress_percentage": progress_percentage,
            "trace_context": trace_context,
        }
        return await self._notify("agent_thinking", run_id, details, user_context)

    async def notify_tool_executing(
        self,
        run_id: str,
        tool_name: str,
        agent_name: str | None = None,
        parameters: dict[str, Any] | None = None,
        user_context: Any = None,
    ) -> bool:
        """Send ``tool_executing``."""
        details = {"tool_name": tool_name, "agent_name": agent_name, "status": "executing", "parameters": parameters or {}}
        return await self._notify("tool_executing", run_id, details, user_context)

    async def notify_tool_completed(
        self,
        run_id: str,
        tool_name: str,
        result: dict[str, Any] | None = None,
        agent_name: str | None = None,
        execution_time_ms: float | None = None,
        user_context: Any = None,
    ) -> bool:
        """Send ``tool_completed``."""
        details = {
            "tool_name": tool_name,
            "agent_name": agent_name,
            "status": "completed",
            "result": result or {},
            "execution_time_ms": execution_time_ms,
        }
        return await self._notify("tool_completed", run_id, details, user_context)

    async def notify_agent_completed(
        self,
        run_id: str,
        agent_name: str,
        result: dict[str, Any] | None = None,
        execution_time_ms: float | None = None,
        trace_context: dict[str, Any] | None = None,
        user_context: Any = None,
    ) -> bool:
        """Send ``agent_completed``."""
        details = {
            "agent_name": agent_name,
            "status": "completed",
            "result": result or {},
            "execution_time_ms": execution_time_ms,
            "trace_context": trace_context,
        }
        return await self._notify("agent_completed", run_id, details, user_context)

    async def notify_agent_error(
        self,
        run_id: str,
        agent_name: str,
        error: str,
        error_context: dict[str, Any] | None = None,
        trace_context: dict[str, Any] | None = None,
    ) -> bool:
        """Send ``agent_error``."""
        details = {
            "agent_name": agent_name,
            "error": error or "",
            "error_context": error_context,
            "trace_context": trace_context,
        }
        return await self._notify("agent_error", run_id, details)

    async def notify_agent_death(
        self, run_id: str, agent_name: str, death_cause: str, death_context: dict[str, Any] | None = None
    ) -> bool:
        """Send ``agent_death``: the agent will not answer any more."""
        details = {"agent_name": agent_name, "death_cause": death_cause, "death_context": death_context}
        return await self._notify("agent_death", run_id, details)

    async def notify_progress_update(self, run_id: str, agent_name: str, progress: dict[str, Any]) -> bool:
        """Send ``progress_update``."""
        return await self._notify("progress_update", run_id, {"agent_name": agent_name, "progress": progress})

    async def notify_custom(self, run_id: str, agent_name: str, notification_type: str, data: dict[str, Any]) -> bool:
        """Send a notification of the caller's own type."""
        return await self._notify(notification_type, run_id, {"agent_name": agent_name, **data}, clean=sanitize_custom_data)

    async def emit_agent_event(
        self,
        event_type: str,
        data: dict[str, Any],
        run_id: Any = None,
        agent_name: str | None = None,
        thread_id: str | None = None,
    ) -> bool:
        """Send any agent event; False without a run or a thread, for nobody could be told."""
        run_id = run_id or data.get("run_id") or getattr(self.user_context, "run_id", None) or thread_id
        if not is_valid_run(run_id):
            logger.warning("%s has neither run nor thread; not sent", event_type)
            return False
        if thread_id:
            await self.register_run_thread_mapping(run_id, thread_id)
        return await self._notify(event_type, run_id, {"agent_name": agent_name, **data})

    async def emit_event(self, context: Any, event_type: str, event_data: dict[str, Any]) -> bool:
        """Send an event to the user of ``context``."""
        if context is None or not event_type:
            raise ValueError("emit_event needs a context and an event type")
        run_id = getattr(context, "run_id", None)
        # A context may be of no run; one that names a run must name a real one.
        return await self._notify(event_type, run_id, dict(event_data), context, dict, runless=run_id is None)
