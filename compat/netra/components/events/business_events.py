"""The fields that the five agent events of a legacy manager always have, whatever the caller left out."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

_MISSING = object()


def business_event(event_type: str, data: dict[str, Any]) -> dict[str, Any]:
    """Return the fields of an event as they are sent: those of its type, then what else the data has."""
    made = {"type": event_type, "timestamp": data.get("timestamp") or time.time()}
    fields = _FIELDS.get(event_type)
    if fields is not None:
        made.update(user_id=data.get("user_id"), thread_id=data.get("thread_id"), **fields(data))
    return {**{name: value for name, value in data.items() if name not in made}, **made}


def _first(data: dict[str, Any], *names: str, default: Any = _MISSING) -> Any:
    return next((data[name] for name in names if data.get(name) is not None), default)


def _started(data: dict[str, Any]) -> dict[str, Any]:
    return {
        "agent_name": _first(data, "agent_name", "name", default="unknown_agent"),
        "task_description": _first(data, "task_description", "task", default="Processing request"),
    }


def _thinking(data: dict[str, Any]) -> dict[str, Any]:
    return {"reasoning": _first(data, "reasoning", "thought", "thinking", default="Agent is processing...")}


def _executing(data: dict[str, Any]) -> dict[str, Any]:
    return {
        "tool_name": _first(data, "tool_name", "name", default="unknown_tool"),
        "parameters": _first(data, "parameters", "params", default={}),
    }


def _tool_completed(data: dict[str, Any]) -> dict[str, Any]:
    return {
        "tool_name": _first(data, "tool_name", "name", default="unknown_tool"),
        "results": _first(data, "results", "result", "output", default={}),
        "duration": _first(data, "duration", "duration_ms", "elapsed_time", default=0),
        # What says that it failed has not succeeded.
        "success": data.get("success", True),
    }


def _completed(data: dict[str, Any]) -> dict[str, Any]:
    return {
        "status": data.get("status", "completed"),
        "final_response": _first(data, "final_response", "response", "result", default="Task completed"),
    }


_FIELDS: dict[str, Callable[[dict[str, Any]], dict[str, Any]]] = {
    "agent_started": _started,
    "agent_thinking": _thinking,
    "tool_executing": _executing,
    "tool_completed": _tool_completed,
    "agent_completed": _completed,
}
