"""Emit a user's agent events through that user's manager: retried, counted, stamped with the context they belong to."""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass, field
from datetime import datetime, timezone
from typing import Any, ClassVar

from compat.canonical.core.logged import get_logger

from ..connections.manager_calls import emit_critical, is_connected
from .run_ids import is_valid_run

logger = get_logger(__name__)

_IDS = ("run_id", "thread_id", "request_id")
PRIORITY_TIERS = ("enterprise", "platform", "priority", "premium", "mid")


def _now() -> datetime:
    return datetime.now(timezone.utc)


@dataclass
class EmitterMetrics:
    """What an emitter has done so far."""

    total_events: int = 0
    critical_events: dict[str, int] = field(default_factory=dict)
    error_count: int = 0
    retry_count: int = 0
    last_event_time: datetime | None = None
    created_at: datetime = field(default_factory=_now)


@dataclass
class TokenMetrics:
    """Model tokens and money spent while serving one user."""

    total_input_tokens: int = 0
    total_output_tokens: int = 0
    total_cost: float = 0.0
    total_operations: int = 0
    operations: list[dict[str, Any]] = field(default_factory=list)

    def add(self, input_tokens: int, output_tokens: int, cost: float, operation: str) -> None:
        """Count one operation; only the last hundred are kept one by one."""
        self.total_input_tokens += input_tokens
        self.total_output_tokens += output_tokens
        self.total_cost += cost
        self.total_operations += 1
        entry = {"operation": operation, "input_tokens": input_tokens, "output_tokens": output_tokens, "cost": cost}
        self.operations = [*self.operations[-99:], {**entry, "timestamp": _now().isoformat()}]


class UnifiedWebSocketEmitter:
    """One user's events, sent through ``manager.emit_critical_event(user_id=, event_type=, data=)``.

    Parameters
    ----------
    manager:
        The manager to send through; ``websocket_manager`` is accepted as its other name.
    user_id:
        Whose events these are; taken from ``context`` when left out.
    context:
        Its ``run_id``, ``thread_id`` and ``request_id`` go out with every event, whatever ids the event itself carries.
        Those of another user's context do not; and of a context that names no run none of the five events is sent.
    performance_mode:
        One quick retry instead of several.

    Raises
    ------
    ValueError
        Without a manager, or without a user.
    """

    CRITICAL_EVENTS: ClassVar[list[str]] = [
        "agent_started",
        "agent_thinking",
        "tool_executing",
        "tool_completed",
        "agent_completed",
    ]
    AUTHENTICATION_CRITICAL_EVENTS: ClassVar[list[str]] = ["auth_started", "auth_validating", "auth_completed", "auth_failed"]
    MAX_RETRIES = 3
    MAX_CRITICAL_RETRIES = 5
    RETRY_BASE_DELAY = 0.005
    RETRY_MAX_DELAY = 0.025
    FAST_MODE_MAX_RETRIES = 1
    FAST_MODE_BASE_DELAY = 0.001
    FAST_MODE_MAX_DELAY = 0.005

    def __init__(
        self,
        manager: Any = None,
        user_id: str | None = None,
        context: Any = None,
        performance_mode: bool = True,
        websocket_manager: Any = None,
    ) -> None:
        if manager is None:
            manager = websocket_manager
        if manager is None:
            raise ValueError("Either 'manager' or 'websocket_manager' parameter is required")
        user_id = user_id or getattr(context, "user_id", None)
        if not user_id:
            raise ValueError("Either 'user_id' or 'context' with a user_id is required")
        self.manager = manager
        self.user_id = user_id
        self.context = context
        self.performance_mode = performance_mode
        self.metrics = EmitterMetrics(critical_events=dict.fromkeys(self.CRITICAL_EVENTS, 0))
        self.last_activity = time.monotonic()
        self.in_use = False
        self._tokens = TokenMetrics()
        self._user_tier = "free"

    @property
    def websocket_manager(self) -> Any:
        """The manager under its other name."""
        return self.manager

    async def emit_agent_started(self, data: dict[str, Any]) -> bool:
        """Tell the user that an agent began."""
        return await self._send("agent_started", data)

    async def emit_agent_thinking(self, data: dict[str, Any]) -> bool:
        """Tell the user what the agent considers."""
        return await self._send("agent_thinking", data)

    async def emit_tool_executing(self, data: dict[str, Any]) -> bool:
        """Tell the user that a tool runs."""
        return await self._send("tool_executing", data)

    async def emit_tool_completed(self, data: dict[str, Any]) -> bool:
        """Tell the user that a tool is done."""
        return await self._send("tool_completed", data)

    async def emit_agent_completed(self, data: dict[str, Any]) -> bool:
        """Tell the user that the agent is done."""
        return await self._send("agent_completed", data)

    async def emit(self, event_type: str, data: dict[str, Any]) -> bool:
        """Send any event; the five critical ones take the same way as their own methods."""
        return await self._send(event_type, data)

    async def notify_agent_started(
        self, agent_name: str, metadata: dict[str, Any] | None = None, context: dict[str, Any] | None = None
    ) -> bool:
        """``emit_agent_started`` from single values."""
        return await self.emit_agent_started(
            _event(agent_name=agent_name, status="started", metadata=metadata or {}, context=context)
        )

    async def notify_agent_thinking(
        self,
        agent_name: str | None = None,
        reasoning: str | None = None,
        thought: str | None = None,
        step_number: int | None = None,
        metadata: dict[str, Any] | None = None,
    ) -> bool:
        """``emit_agent_thinking`` from single values; ``thought`` is ``reasoning`` under its other name."""
        text = reasoning if reasoning is not None else thought
        return await self.emit_agent_thinking(
            _event(agent_name=agent_name, reasoning=text, thought=text, step_number=step_number, metadata=metadata or {})
        )

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
    ) -> bool:
        """``emit_agent_completed`` from single values."""
        return await self.emit_agent_completed(
            _event(
                agent_name=agent_name,
                status="completed",
                metadata=metadata or {},
                result=result,
                execution_time_ms=execution_time_ms,
            )
        )

    async def notify_agent_error(self, error: str, **details: Any) -> bool:
        """Send ``agent_error``."""
        return await self.emit("agent_error", _event(error=error, **details))

    async def notify_progress_update(self, progress: float, message: str = "", **details: Any) -> bool:
        """Send ``progress_update``."""
        return await self.emit("progress_update", _event(progress=progress, message=message, **details))

    async def notify_custom(self, event_type: str, data: dict[str, Any]) -> bool:
        """Send an event of the caller's own type."""
        return await self.emit(event_type, data)

    async def acquire(self) -> None:
        """Mark the emitter as in use, so that a pool does not retire it."""
        self.in_use = True
        self.last_activity = time.monotonic()

    async def release(self) -> None:
        """Give the emitter back."""
        self.in_use = False
        self.last_activity = time.monotonic()

    async def cleanup(self) -> None:
        """Forget what was counted and let go of the context."""
        self.metrics = EmitterMetrics(critical_events=dict.fromkeys(self.CRITICAL_EVENTS, 0))
        self.context = None
        self.in_use = False

    def get_stats(self) -> dict[str, Any]:
        """Return counts, times (ISO 8601) and settings."""
        metrics = self.metrics
        done = max(metrics.total_events, 1)
        return {
            "user_id": self.user_id,
            "total_events": metrics.total_events,
            "critical_events": dict(metrics.critical_events),
            "error_count": metrics.error_count,
            "retry_count": metrics.retry_count,
            "error_rate": metrics.error_count / done,
            "success_rate": 1 - metrics.error_count / done,
            "last_event_time": metrics.last_event_time.isoformat() if metrics.last_event_time else None,
            "created_at": metrics.created_at.isoformat(),
            "uptime_seconds": (_now() - metrics.created_at).total_seconds(),
            "performance_mode": self.performance_mode,
            "has_context": self.context is not None,
            "user_tier": self._user_tier,
        }

    def get_context(self) -> Any:
        """The context whose ids are stamped on events."""
        return self.context

    def set_context(self, context: Any) -> None:
        """Stamp later events with the ids of ``context``."""
        self.context = context

    def update_token_metrics(self, input_tokens: int, output_tokens: int, cost: float, operation: str = "unknown") -> None:
        """Count tokens and cost (in the caller's currency) of one model call."""
        self._tokens.add(input_tokens, output_tokens, cost, operation)

    def get_token_metrics(self) -> dict[str, Any]:
        """Return the token totals and the last hundred operations."""
        tokens = self._tokens
        return {
            "total_input_tokens": tokens.total_input_tokens,
            "total_output_tokens": tokens.total_output_tokens,
            "total_tokens": tokens.total_input_tokens + tokens.total_output_tokens,
            "total_cost": tokens.total_cost,
            "total_operations": tokens.total_operations,
            "average_cost_per_operation": tokens.total_cost / tokens.total_operations if tokens.total_operations else 0.0,
            "operations": list(tokens.operations),
        }

    def set_user_tier(self, user_tier: str) -> None:
        """Set the tier that goes out as ``metadata.user_tier``."""
        self._user_tier = user_tier

    def get_user_tier(self) -> str:
        """The user's tier, ``"free"`` unless set."""
        return self._user_tier

    def is_priority_user(self) -> bool:
        """Whether the tier is a paying one that goes first."""
        return self._user_tier.lower() in PRIORITY_TIERS

    @classmethod
    def create_user_emitter(cls, manager: Any, user_context: Any) -> UnifiedWebSocketEmitter:
        """Return an emitter for the user of ``user_context``."""
        return cls(manager=manager, user_id=user_context.user_id, context=user_context)

    @classmethod
    def create_auth_emitter(
        cls,
        manager: Any,
        user_context: Any = None,
        user_id: str | None = None,
        thread_id: str | None = None,
        connection_id: str | None = None,
    ) -> UnifiedWebSocketEmitter:
        """Return the emitter of a sign-in, in which nothing is sent in a hurry."""
        from .emitter_factory import AuthenticationWebSocketEmitter

        user = user_id or getattr(user_context, "user_id", None)
        if not user:
            raise ValueError("Either 'user_context' or 'user_id' is required")
        return AuthenticationWebSocketEmitter(manager, user, user_context)

    def _is_own_context(self) -> bool:
        user_id = getattr(self.context, "user_id", None)
        return self.context is not None and not (isinstance(user_id, str) and user_id != str(self.user_id))

    def _validate_event_context(self, run_id: Any, event_type: str, agent_name: Any = None) -> bool:
        if is_valid_run(run_id):
            return True
        logger.error("%s of agent %r names no run (%r): it is not sent", event_type, agent_name, run_id)
        return False

    def _names_a_run(self, event_type: str, data: dict[str, Any]) -> bool:
        """Whether the event may go: the five need their context's run; and ``registry`` is nobody's."""
        run_id = getattr(self.context, "run_id", None) if self._is_own_context() else data.get("run_id")
        if event_type in self.CRITICAL_EVENTS and self._is_own_context():
            return self._validate_event_context(run_id, event_type, data.get("agent_name"))
        return run_id in (None, "") or self._validate_event_context(run_id, event_type, data.get("agent_name"))

    def _stamped(self, data: dict[str, Any], critical: bool) -> dict[str, Any]:
        stamped = {name: value for name, value in data.items() if value is not None or name not in _IDS}
        if self._is_own_context():
            own = {name: getattr(self.context, name, None) for name in _IDS}
            stamped.update({name: value for name, value in own.items() if value is not None})
        if not is_valid_run(stamped.get("run_id")):
            stamped.pop("run_id", None)
        if critical or "user_id" in stamped:
            stamped["user_id"] = self.user_id
        stamped.setdefault("timestamp", _now().isoformat())
        metadata = stamped.get("metadata")
        stamped["metadata"] = {**(metadata if isinstance(metadata, dict) else {}), "user_tier": self._user_tier}
        return stamped

    def _retries(self, event_type: str) -> tuple[int, float, float]:
        """Retries, first delay and longest delay in seconds."""
        if self.performance_mode:
            return self.FAST_MODE_MAX_RETRIES, self.FAST_MODE_BASE_DELAY, self.FAST_MODE_MAX_DELAY
        critical = event_type in self.CRITICAL_EVENTS or event_type in self.AUTHENTICATION_CRITICAL_EVENTS
        return (self.MAX_CRITICAL_RETRIES if critical else self.MAX_RETRIES), self.RETRY_BASE_DELAY, self.RETRY_MAX_DELAY

    async def _send(self, event_type: str, data: dict[str, Any]) -> bool:
        """Send with retries; False if the user is not connected or every try failed."""
        self.last_activity = time.monotonic()
        retries, delay, longest = self._retries(event_type)
        if not self._names_a_run(event_type, data):
            self.metrics.error_count += 1
            return False
        stamped = self._stamped(data, event_type in (*self.CRITICAL_EVENTS, *self.AUTHENTICATION_CRITICAL_EVENTS))
        for attempt in range(retries + 1):
            try:
                if not await is_connected(self.manager, self.user_id):
                    logger.warning("user %s has no active connection; %s not sent", self.user_id, event_type)
                    self.metrics.error_count += 1
                    return False
                await emit_critical(self.manager, self.user_id, event_type, stamped)
            except Exception as error:
                if attempt == retries:
                    logger.error("%s for user %s failed after %d tries: %s", event_type, self.user_id, attempt + 1, error)
                    break
                self.metrics.retry_count += 1
                await asyncio.sleep(min(delay * 2**attempt, longest))
            else:
                self._count(event_type)
                return True
        self.metrics.error_count += 1
        return False

    def _count(self, event_type: str) -> None:
        self.metrics.total_events += 1
        self.metrics.last_event_time = _now()
        if event_type in self.CRITICAL_EVENTS or event_type in self.AUTHENTICATION_CRITICAL_EVENTS:
            self.metrics.critical_events[event_type] = self.metrics.critical_events.get(event_type, 0) + 1


def _event(**values: Any) -> dict[str, Any]:
    return {**{name: value for name, value in values.items() if value is not None}, "timestamp": time.time()}
