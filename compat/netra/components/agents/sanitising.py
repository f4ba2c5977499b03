"""What of an agent's data a client may see: secrets redacted, long values cut, internals of errors left out."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from compat.canonical.core.serialization import serialize_message

SECRET_WORDS = ("password", "secret", "key", "token", "api_key", "auth", "credential")
REDACTED = "[REDACTED]"
PROGRESS_KEYS = ("percentage", "current_step", "total_steps", "message", "status", "estimated_remaining", "progress_type")
_PLAIN = (str, int, float, bool, type(None))


def sanitize_parameters(parameters: Any) -> Any:
    """Return a tool's parameters without the values of keys that name a secret; texts of more than 200 characters are cut."""

    def redacted(name: Any, value: Any) -> Any:
        return REDACTED if any(word in str(name).lower() for word in SECRET_WORDS) else walk(value)

    def walk(value: Any) -> Any:
        return _walk(value, 200, redacted, lambda values: [walk(one) if not isinstance(one, str) else one for one in values])

    return walk(parameters) if parameters else {}


def sanitize_result(result: Any) -> Any:
    """Return a result with texts cut at 500 characters, and lists at ten members."""

    def walk(value: Any) -> Any:
        return _walk(value, 500, lambda _, inner: walk(inner), _first_ten)

    return walk(result) if result else {}


def sanitize_custom_data(data: Any) -> Any:
    """Return a caller's own data with texts cut at 1000 characters."""

    def walk(value: Any) -> Any:
        return _walk(value, 1000, lambda _, inner: walk(inner), lambda values: values)

    return walk(data) if data else {}


def sanitize_error_message(message: Any) -> str:
    """Return an error's text without the paths of homes, cut at 300 characters."""
    if not message:
        return "An error occurred"
    return _cut(str(message).replace("/Users/", "[PATH]/").replace("/home/", "[PATH]/"), 300)


def sanitize_error_context(context: Any) -> dict[str, Any]:
    """Return what kind of error it was and in which step; no more of it is for a client."""
    if not context or not isinstance(context, dict):
        return {}
    kind, step = context.get("error_type") or "unknown", context.get("agent_step") or "unknown"
    return {"error_type": kind, "agent_step": step, "user_facing": True}


def sanitize_progress(progress: Any) -> Any:
    """Return the fields of a progress report that clients know; a number is a report by itself."""
    if isinstance(progress, (int, float)):
        return progress
    return {name: progress[name] for name in PROGRESS_KEYS if name in progress} if isinstance(progress, dict) else {}


#: By the field of an agent event.
BY_FIELD: dict[str, Callable[[Any], Any]] = {
    "parameters": sanitize_parameters,
    "params": sanitize_parameters,
    "tool_input": sanitize_parameters,
    "result": sanitize_result,
    "results": sanitize_result,
    "tool_output": sanitize_result,
    "final_response": sanitize_result,
    "error": sanitize_error_message,
    "error_message": sanitize_error_message,
    "error_context": sanitize_error_context,
    "progress": sanitize_progress,
    "progress_data": sanitize_progress,
}


def sanitize_fields(details: dict[str, Any]) -> dict[str, Any]:
    """Return an event's fields, each as its name asks for; those that are None stay None."""
    return {name: BY_FIELD[name](value) if name in BY_FIELD and value is not None else value for name, value in details.items()}


def _walk(value: Any, longest: int, inner: Callable[[Any, Any], Any], many: Callable[[Any], Any]) -> Any:
    if not isinstance(value, (*_PLAIN, dict, list, tuple)):
        # A model's fields are sent as well: they are looked at in the form in which they go out.
        value = serialize_message(value)
    if isinstance(value, str):
        return _cut(value, longest)
    if isinstance(value, dict):
        return {name: inner(name, one) for name, one in value.items()}
    return many(list(value)) if isinstance(value, (list, tuple)) else value


def _first_ten(values: list[Any]) -> list[Any]:
    return values if len(values) <= 10 else [*values[:10], "...(truncated)"]


def _cut(text: str, longest: int) -> str:
    return text if len(text) <= longest else f"{text[:longest]}..."


_DEATHS = {
    "timeout": "The {} agent took too long to respond and has been stopped. Please try again.",
    "no_heartbeat": "Lost connection with the {} agent. Please refresh and try again.",
    "silent_failure": "The {} agent stopped unexpectedly. Please refresh the page.",
    "memory_limit": "The {} agent ran out of resources. Please try with a simpler request.",
    "cancelled": "The {} agent was cancelled. You can start a new request.",
}


def death_message(cause: Any, agent_name: Any) -> str:
    """Return what a user is told of an agent that will not answer any more."""
    text = _DEATHS.get(cause) if isinstance(cause, str) else None
    return (text or "The {} agent encountered a critical error. Please refresh and try again.").format(agent_name)
