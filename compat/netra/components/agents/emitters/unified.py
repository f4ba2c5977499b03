"""Emit a user's agent events through that user's manager: retried, counted, stamped with the context they belong to."""

from __future__ import annotations

import asyncio as asyncio
import time
from typing import Any, ClassVar

from compat.canonical.core.events import CRITICAL_EVENTS
from compat.canonical.core.logged import get_logger

from ...connections.manager_calls import emit_critical, is_connected
from ..run_ids import is_valid_run
from .notifications import EmitterNotifications
from .state import EmitterMetrics, EmitterState, now

logger = get_logger(__name__)

_IDS = ("run_id", "thread_id", "request_id")


class UnifiedWebSocketEmitter(EmitterState, EmitterNotifications):
    """One user's events, sent through ``manager.emit_critical_event(user_id=, event_type=, data=)``.

    Parameters
    ----------
    manager:
        The manager to send through; ``websocket_manager`` is accepted as its other name.
    user_id:
        Whose events these are; taken from ``context`` when left out.
    context:
        Its ``run_id``, ``thread_id`` and ``request_id`` go out with each of the five events, run and thread with the others,
        and before whatever ids an event itself carries. Those of another user's context do not; and of a context that names
        no run none of the five events is sent.
    performance_mode:
        One quick retry instead of several.

    Raises
    ------
    ValueError
        Without a manager, or without a user.
    """

    CRITICAL_EVENTS: ClassVar[list[str]] = list(CRITICAL_EVENTS)
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
        user_id = user_id or getattr(context, "user_id", None) or user_id
        if user_id is None:
            raise ValueError("user_id is required (directly or via context.user_id)")
        self.manager = manager
        self.user_id = user_id
        self.context = context
        self.performance_mode = performance_mode
        self.metrics = EmitterMetrics(critical_events=dict.fromkeys(self.CRITICAL_EVENTS, 0))
        self.last_activity = time.monotonic()
        self.in_use = False
        self._begin_state()

    def _other_name(self) -> Any:
        """The manager under its other name; set and deleted there too, as ``patch.object`` does."""
        return self.manager

    def _set_other_name(self, manager: Any) -> None:
        self.manager = manager

    def _delete_other_name(self) -> None:
        del self.manager

    websocket_manager = _websocket_manager = property(_other_name, _set_other_name, _delete_other_name)

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
        """Send any event: the critical ones by the way of their own methods, all else as :meth:`notify_custom`."""
        if event_type in UnifiedWebSocketEmitter.CRITICAL_EVENTS:
            # By its own method, which a test replaces and a subclass overrides.
            sent: bool = await getattr(self, f"emit_{event_type}")(data)
            return sent
        if event_type in self.CRITICAL_EVENTS or event_type in self.AUTHENTICATION_CRITICAL_EVENTS:
            return await self._send(event_type, data)
        return await self.notify_custom(event_type, data)

    async def notify_agent_error(self, error: Any, **details: Any) -> bool:
        """Send ``agent_error``; it carries the emitter's ids only where it carries any."""
        return await self._hand_over("agent_error", {"error": error, "status": "error", **details}, with_ids=False)

    async def notify_progress_update(self, progress: Any, message: str = "", **details: Any) -> bool:
        """Send ``progress_update``; it carries the emitter's ids only where it carries any."""
        return await self._hand_over("progress_update", {"progress": progress, "message": message, **details}, with_ids=False)

    async def notify_custom(self, event_type: str, data: dict[str, Any]) -> bool:
        """Hand an event of any other type to the manager, once; what that raises is the caller's to know."""
        if not self._names_a_run(event_type, data or {}):
            return False
        self.last_activity = time.monotonic()
        await emit_critical(self.manager, self.user_id, event_type, self._owned(data or {}, True))
        self._count(event_type, False)
        return True

    async def _hand_over(self, event_type: str, data: dict[str, Any], *, with_ids: bool) -> bool:
        if not self._names_a_run(event_type, data):
            return False
        self.last_activity = time.monotonic()
        try:
            await emit_critical(self.manager, self.user_id, event_type, self._owned(data, with_ids))
        except Exception as error:
            logger.error("%s for user %s failed: %s", event_type, self.user_id, error)
            self._count_failure()
            return False
        self._count(event_type, False)
        return True

    async def acquire(self) -> None:
        """Mark the emitter as in use, so that a pool does not retire it."""
        self.in_use = True
        self.last_activity = time.monotonic()

    async def release(self) -> None:
        """Give the emitter back."""
        self.in_use = False
        self.last_activity = time.monotonic()

    async def cleanup(self) -> None:
        """Empty the buffer; the emitter goes on sending."""
        self._event_buffer.clear()

    def get_context(self) -> Any:
        """The context whose ids are stamped on events."""
        return self.context

    def set_context(self, context: Any) -> None:
        """Stamp later events with the ids of ``context``."""
        self.context = context

    @classmethod
    def for_user(cls, manager: Any, user_id: str, context: Any = None) -> UnifiedWebSocketEmitter:
        """Return an emitter for ``user_id``."""
        return cls(manager=manager, user_id=user_id, context=context)

    @classmethod
    def create_for_user(cls, manager: Any, user_context: Any) -> UnifiedWebSocketEmitter:
        """Return an emitter for the user of ``user_context``.

        Raises
        ------
        ValueError
            Without a context, or without a user in it.
        """
        if user_context is None:
            raise ValueError("UnifiedWebSocketEmitter.create_for_user requires valid user_context")
        if not getattr(user_context, "user_id", None):
            raise ValueError("UnifiedWebSocketEmitter.create_for_user requires user_id in user_context")
        return cls(manager=manager, user_id=user_context.user_id, context=user_context)

    @classmethod
    def create_user_emitter(cls, manager: Any, user_context: Any) -> UnifiedWebSocketEmitter:
        """Return an emitter for the user of ``user_context``; a ValueError without one."""
        if user_context is None:
            raise ValueError("create_user_emitter requires valid user_context")
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
        from .sign_in import AuthenticationWebSocketEmitter

        user = user_id or getattr(user_context, "user_id", None)
        if not user:
            raise ValueError("Either 'user_context' or 'user_id' is required")
        return AuthenticationWebSocketEmitter(manager, user, user_context)

    def _is_own_context(self) -> bool:
        user_id = getattr(self.context, "user_id", None)
        return self.context is not None and not (isinstance(user_id, str) and user_id != str(self.user_id))

    def _validate_event_context(self, run_id: Any, event_type: str, agent_name: Any = None) -> bool:
        asked = f"{run_id}:{event_type}"
        valid = self._validation_cache.get(asked)
        if valid is None:
            valid = is_valid_run(run_id)
            if len(self._validation_cache) < self.REMEMBERED:
                self._validation_cache[asked] = valid
        if not valid:
            logger.error("%s of agent %r names no run (%r): it is not sent", event_type, agent_name, run_id)
        return valid

    def _names_a_run(self, event_type: str, data: dict[str, Any]) -> bool:
        """Whether the event may go: the five need their context's run; and ``registry`` is nobody's."""
        run_id = getattr(self.context, "run_id", None) if self._is_own_context() else data.get("run_id")
        if event_type in self.CRITICAL_EVENTS and self._is_own_context():
            return self._validate_event_context(run_id, event_type, data.get("agent_name"))
        return run_id in (None, "") or self._validate_event_context(run_id, event_type, data.get("agent_name"))

    def _owned(self, data: dict[str, Any], with_ids: bool, ids: tuple[str, ...] = _IDS[:2]) -> dict[str, Any]:
        """The event with the emitter's own ids: over those it names, and with ``with_ids`` where it names none."""
        owned = {name: value for name, value in data.items() if value is not None or name not in _IDS}
        if self._is_own_context():
            own = {name: getattr(self.context, name, None) for name in _IDS}
            owned.update({n: v for n, v in own.items() if v is not None and (n in owned or (with_ids and n in ids))})
        if not is_valid_run(owned.get("run_id")):
            owned.pop("run_id", None)
        if "user_id" in owned:
            owned["user_id"] = self.user_id
        return owned

    def _stamped(self, data: dict[str, Any]) -> dict[str, Any]:
        """A critical event: with the emitter's ids and time, the user's tier, and nothing that is None."""
        owned = self._owned(data, True, _IDS)
        metadata = owned.get("metadata")
        tier = {"user_tier": self.get_user_tier(), "is_priority_queue": self.is_priority_user()}
        owned["metadata"] = {**(metadata if isinstance(metadata, dict) else {}), **tier}
        owned.update(user_id=self.user_id, timestamp=now().isoformat())
        return {name: value for name, value in owned.items() if value is not None}

    def _retries(self, event_type: str) -> tuple[int, float, float]:
        """Retries, first delay and longest delay in seconds."""
        if event_type in self.AUTHENTICATION_CRITICAL_EVENTS:
            return self.MAX_CRITICAL_RETRIES, self.RETRY_BASE_DELAY, self.RETRY_MAX_DELAY
        if self.performance_mode:
            return self.FAST_MODE_MAX_RETRIES, self.FAST_MODE_BASE_DELAY, self.FAST_MODE_MAX_DELAY
        return self.MAX_RETRIES, self.RETRY_BASE_DELAY, self.RETRY_MAX_DELAY

    async def _send(self, event_type: str, data: dict[str, Any]) -> bool:
        """Send with retries; False if the user is not connected or every try failed."""
        self.last_activity = time.monotonic()
        retries, delay, longest = self._retries(event_type)
        if not self._names_a_run(event_type, data):
            self._count_failure()
            return False
        stamped = self._stamped(data)
        for attempt in range(retries + 1):
            try:
                if not await is_connected(self.manager, self.user_id):
                    logger.warning("user %s has no active connection; %s not sent", self.user_id, event_type)
                    self._count_failure()
                    return False
                await emit_critical(self.manager, self.user_id, event_type, stamped)
            except Exception as error:
                self._count_failure()
                if attempt == retries:
                    logger.error("%s for user %s failed after %d tries: %s", event_type, self.user_id, attempt + 1, error)
                    break
                self.metrics.retry_count += 1
                await asyncio.sleep(min(delay * 2**attempt, longest))
            else:
                self._count(event_type, True)
                return True
        return False
