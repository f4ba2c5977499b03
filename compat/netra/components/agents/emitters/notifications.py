"""The five agent events of an emitter, made of single values."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from typing import Any

from .state import now


class EmitterNotifications:
    """Each method makes the data of one event; what a form has no place of its own for goes into its metadata."""

    emit_agent_started: Callable[..., Coroutine[Any, Any, bool]]
    emit_agent_thinking: Callable[..., Coroutine[Any, Any, bool]]
    emit_tool_executing: Callable[..., Coroutine[Any, Any, bool]]
    emit_tool_completed: Callable[..., Coroutine[Any, Any, bool]]
    emit_agent_completed: Callable[..., Coroutine[Any, Any, bool]]

    async def notify_agent_started(
        self, agent_name: str, metadata: dict[str, Any] | None = None, context: dict[str, Any] | None = None, **details: Any
    ) -> bool:
        """``emit_agent_started`` from single values."""
        merged = {**(metadata or {}), **(context or {})}
        return await self.emit_agent_started(_event(agent_name=agent_name, status="started", metadata=merged, **details))

    async def notify_agent_thinking(
        self,
        agent_name: str | None = None,
        reasoning: str | None = None,
        thought: str | None = None,
        step_number: int | None = None,
        metadata: dict[str, Any] | None = None,
    ) -> bool:
        """``emit_agent_thinking`` from single values; ``thought`` is ``reasoning`` under its other name."""
        merged = {**(metadata or {}), **_given(step_number=step_number, agent_name=agent_name)}
        text = reasoning or thought or "Agent is thinking..."
        return await self.emit_agent_thinking(_event(reasoning=text, type="reasoning", metadata=merged))

    async def notify_tool_executing(self, tool_name: str, metadata: dict[str, Any] | None = None, **details: Any) -> bool:
        """``emit_tool_executing`` from single values."""
        return await self.emit_tool_executing(_event(tool_name=tool_name, status="executing", metadata=metadata or {}, **details))

    async def notify_tool_completed(self, tool_name: str, metadata: dict[str, Any] | None = None, **details: Any) -> bool:
        """``emit_tool_completed`` from single values."""
        return await self.emit_tool_completed(_event(tool_name=tool_name, status="completed", metadata=metadata or {}, **details))

    async def notify_agent_completed(
        self,
        agent_name: str,
        metadata: dict[str, Any] | None = None,
        result: dict[str, Any] | None = None,
        execution_time_ms: float | None = None,
        **details: Any,
    ) -> bool:
        """``emit_agent_completed`` from single values; the fields of ``result`` go into the metadata."""
        plain = result if isinstance(result, dict) else {}
        merged = {**(metadata or {}), **plain, **_given(execution_time_ms=execution_time_ms)}
        beside = {} if isinstance(result, dict) else _given(result=result)
        return await self.emit_agent_completed(
            _event(agent_name=agent_name, status="completed", metadata=merged, **beside, **details)
        )


def _given(**values: Any) -> dict[str, Any]:
    return {name: value for name, value in values.items() if value is not None}


def _event(**values: Any) -> dict[str, Any]:
    return {**_given(**values), "timestamp": now().isoformat()}
