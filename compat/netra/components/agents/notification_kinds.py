"""The five agent events of a bridge: recorded, tracked, and those that clients wait for tried again."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from .notices import Notices


class Notifications(Notices):
    """Each method makes one event; its fields are made once the event may go, and what cannot be sanitised is not sent."""

    async def notify_agent_started(
        self,
        run_id: str,
        agent_name: str,
        context: dict[str, Any] | None = None,
        trace_context: dict[str, Any] | None = None,
        user_context: Any = None,
    ) -> bool:
        """Send ``agent_started``.

        Raises
        ------
        RuntimeError
            If three attempts failed.
        """

        def data() -> dict[str, Any]:
            message = f"{agent_name} has started processing your request"
            return {"status": "started", "context": context or {}, "message": message}

        return await self._event(
            "agent_started", run_id, agent_name, data, user_context, trace_context, {"context": context}, by_context=True
        )

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
        given = {"reasoning": reasoning, "step_number": step_number, "progress_percentage": progress_percentage}

        def data() -> dict[str, Any]:
            return {**given, "status": "thinking"}

        return await self._event(
            "agent_thinking", run_id, agent_name, data, user_context, trace_context, given, attempts=1, by_context=True
        )

    async def notify_tool_executing(
        self,
        run_id: str,
        tool_name: str,
        agent_name: str | None = None,
        parameters: dict[str, Any] | None = None,
        user_context: Any = None,
    ) -> bool:
        """Send ``tool_executing``; raises as :meth:`notify_agent_started`."""
        agent = agent_name or "Agent"

        def data() -> dict[str, Any]:
            return {
                "tool_name": tool_name,
                "parameters": self._sanitize_parameters(parameters),
                "status": "executing",
                "message": f"{agent} is using {tool_name}",
            }

        given = {"tool_name": tool_name, "parameters": parameters}
        return await self._event("tool_executing", run_id, agent, data, user_context, None, given)

    async def notify_tool_completed(
        self,
        run_id: str,
        tool_name: str,
        result: dict[str, Any] | None = None,
        agent_name: str | None = None,
        execution_time_ms: float | None = None,
        user_context: Any = None,
    ) -> bool:
        """Send ``tool_completed``; raises as :meth:`notify_agent_started`."""
        agent = agent_name or "Agent"

        def data() -> dict[str, Any]:
            return {
                "tool_name": tool_name,
                "result": self._shown(result),
                "execution_time_ms": execution_time_ms,
                "status": "completed",
                "message": f"{agent} completed {tool_name}",
            }

        given = {"tool_name": tool_name, "result": result}
        return await self._event("tool_completed", run_id, agent, data, user_context, None, given)

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

        def data() -> dict[str, Any]:
            return {
                "status": "completed",
                "result": self._shown(result),
                "execution_time_ms": execution_time_ms,
                "message": f"{agent_name} has completed processing your request",
            }

        given = {"result": result, "execution_time_ms": execution_time_ms}
        return await self._event(
            "agent_completed", run_id, agent_name, data, user_context, trace_context, given, attempts=1, by_context=True
        )

    async def _event(
        self,
        event_type: str,
        run_id: Any,
        agent_name: Any,
        data: Callable[[], dict[str, Any]],
        user_context: Any,
        trace: Any,
        given: dict[str, Any],
        *,
        attempts: int = 3,
        by_context: bool = False,
    ) -> bool:
        context = user_context if user_context is not None else self.user_context
        own_thread = getattr(context, "thread_id", None) if by_context else None
        made = await self._made(event_type, run_id, agent_name, data, context, trace, thread_id=own_thread, to_user=True)
        if made is None:
            return False
        manager, thread_id, message = made
        user_id = message["user_id"]
        followed = self._follow(message, user_id, thread_id)
        try:
            sent = await self._send_event(manager, context, thread_id, message, attempts, by_context)
        except RuntimeError as error:
            self._outcome(followed, str(error))
            raise
        self._outcome(followed, None if sent else "WebSocket send_to_thread returned False")
        self._record(event_type, run_id, agent_name, user_id, sent, given)
        return sent

    async def _send_event(
        self, manager: Any, context: Any, thread_id: Any, message: dict[str, Any], attempts: int, by_agent: bool
    ) -> bool:
        if attempts > 1:

            async def send() -> Any:
                return await self._hand_over(manager, context, thread_id, message)

            of = f"run_id={message['run_id']}"
            of = f"{of}, agent={message['agent_name']}" if by_agent else of
            return await self._try(send, message["type"], of, attempts)
        return bool(await self._sent(manager, context, thread_id, message))
