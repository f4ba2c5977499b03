"""Messages of a legacy manager: to a user, a thread, a connection, to all; kept where nobody is there."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Coroutine
from datetime import datetime, timezone
from typing import Any

from compat.canonical.core import serialization
from compat.netra.components.events.undelivered import UndeliveredMessages
from compat.netra.components.types import ensure_user_id

_NOT_CARRIED = ("user_id", "type")


class SendingMethods:
    """Methods that send; each goes through ``self.send_to_user`` and friends, so that a replaced one is honoured."""

    _scope: Any
    _undelivered: UndeliveredMessages
    _event_queue_stats: dict[str, int]
    _cross_user_detection: dict[str, int]
    _event_listeners: list[Any]
    _transaction_coordinator: Any
    on_event_emitted: Any
    user_context: Any
    is_connection_active: Callable[..., bool]
    wait_for_connection: Callable[..., Coroutine[Any, Any, bool]]

    async def send_to_user(self, user_id: Any = None, message: Any = None, *details: Any, **named: Any) -> None:
        """Send to all of a user's connections; kept for the user's next connection where none takes it.

        ``send_to_user(message)`` goes to the manager's own user; ``(user_id, event_type, data)`` makes the message.
        """
        user_id, message = self._addressed(user_id, message, details, named)
        user = ensure_user_id(user_id)
        connections = len(self._scope.records_of(user))
        safe = self._isolated(user, _frame(message))
        took, kept = await self._scope.send_all(user, safe)
        self._event_queue_stats["total_events_sent"] += took
        if took:
            self._emitted(user, safe)
            return
        if connections:
            serialization.logger.error("none of %d connections of user %s took %s", connections, user, safe.get("type"))
        if kept:
            self._undelivered.count(user)
        else:
            self._keep(user, safe, "all_connections_failed" if connections else "no_connections")

    def _addressed(self, user_id: Any, message: Any, details: tuple[Any, ...], named: dict[str, Any]) -> tuple[Any, Any]:
        if message is None and not isinstance(user_id, str) and user_id is not None:
            return getattr(self.user_context, "user_id", None), user_id
        kind = named.get("message_type") or named.get("event_type")
        if kind is None and isinstance(message, str) and details:
            kind, message = message, details[0]
        if kind is not None:
            body = message if isinstance(message, dict) else named.get("data") or named.get("event_data") or {}
            message = {**body, "type": kind, "data": body}
        return user_id, message if message is not None else named.get("data", {})

    def _isolated(self, user: str, message: dict[str, Any]) -> dict[str, Any]:
        """The message with foreign users' ids in ``*_user_id`` fields replaced by the receiver's own."""
        foreign = [key for key, value in message.items() if key.endswith("_user_id") and value != user]
        if not foreign:
            return message
        self._cross_user_detection[user] = self._cross_user_detection.get(user, 0) + len(foreign)
        self._event_queue_stats["contamination_prevented"] += len(foreign)
        return {**message, **dict.fromkeys(foreign, user)}

    def _keep(self, user: str, message: dict[str, Any], reason: str) -> None:
        self._undelivered.keep(user, message, reason)

    async def _store_failed_message(self, user_id: str, message: dict[str, Any], failure_reason: str) -> None:
        self._keep(str(user_id), message, failure_reason)

    def _emitted(self, user: str, message: dict[str, Any]) -> None:
        for listener in [*self._event_listeners, *([self.on_event_emitted] if self.on_event_emitted else [])]:
            try:
                listener({"user_id": user, "event_type": message.get("type"), "data": message, "timestamp": time.time()})
            except Exception as error:
                serialization.logger.warning("an event listener failed: %s", error)

    def add_event_listener(self, listener: Any) -> None:
        """Call ``listener(event)`` for every event sent."""
        if listener not in self._event_listeners:
            self._event_listeners.append(listener)

    def remove_event_listener(self, listener: Any) -> None:
        """Stop calling ``listener``."""
        if listener in self._event_listeners:
            self._event_listeners.remove(listener)

    async def send_to_thread(self, thread_id: Any, message: Any, *details: Any) -> bool:
        """Send to the connections of a thread; where none shows it, to the user of that id."""
        try:
            shown, user = self._scope.user_of_thread(str(thread_id))
            if not shown:
                await self.send_to_user(thread_id, message)
                return True
            if user is None:
                return False
            took = await self._scope.send_thread(user, str(thread_id), _frame(message))
        except Exception as error:
            serialization.logger.error("sending to thread %s failed: %s", thread_id, error)
            return False
        return bool(took)

    async def emit_critical_event(self, user_id: Any, event_type: Any = None, data: Any = None, **named: Any) -> None:
        """Send an event that must not be lost: tried again, then kept, and the failure reported."""
        if isinstance(event_type, dict) and data is None:
            user_id, event_type, data = getattr(self.user_context, "user_id", None), user_id, event_type
        user = ensure_user_id(user_id)
        if not isinstance(event_type, str) or not event_type.strip():
            raise ValueError("event_type cannot be empty")
        data = data if data is not None else named.get("event_data", {})
        tries = self._scope.delivery_attempts()
        for attempt in range(1, tries + 1):
            if self.is_connection_active(user):
                await self.send_to_user(user, self._critical(user, event_type, data, attempt))
                return
            if attempt < tries:
                await asyncio.sleep(1.0)
        if self._scope.durable:
            await self.send_to_user(user, self._critical(user, event_type, data, tries))
            return
        serialization.logger.critical("%s for user %s is not delivered: no active connection", event_type, user)
        kept = {"type": event_type, "data": serialization.serialize_message(data), "timestamp": _now(), "critical": True}
        await self._store_failed_message(user, kept, "no_active_connections")
        await self._emit_connection_error_notification(user, event_type)

    def _critical(self, user: str, event_type: str, data: Any, attempt: int) -> dict[str, Any]:
        body = data if isinstance(data, dict) else {"data": data}
        carried = {key: value for key, value in body.items() if key not in _NOT_CARRIED}
        shaped = _shaped(event_type, body)
        if shaped:
            shaped["user_id"] = user
            shaped["thread_id"] = body.get("thread_id") or getattr(self.user_context, "thread_id", None)
        else:
            shaped = {key: body[key] for key in ("user_id",) if key in body}
        stamp = body.get("timestamp") or _now()
        return {
            "critical": True,
            "attempt": attempt if attempt > 1 else None,
            **carried,
            **shaped,
            "timestamp": stamp,
            "type": event_type,
        }

    async def _emit_connection_error_notification(self, user_id: str, event_type: str) -> None:
        """Keep a notice for the user that an event could not be delivered in time."""
        notice = {
            "type": "connection_error",
            "data": {
                "failed_event": event_type,
                "message": "An event could not be delivered and will be sent when you reconnect.",
            },
            "timestamp": _now(),
            "critical": True,
        }
        records = self._scope.records_of(str(user_id))
        for record in records:
            await self._scope.send(record, notice)

    async def send_to_user_with_wait(self, user_id: str, message: Any, wait_timeout: float = 3.0) -> bool:
        """Wait for the user's connection, then send; whether it was there."""
        connected = await self.wait_for_connection(user_id, timeout=wait_timeout)
        await self.send_to_user(user_id, message)
        return bool(connected)

    async def broadcast(self, message: Any, *details: Any, **named: Any) -> int:
        """Send to every connection; how many took it. One that fails is removed."""
        return await self._to_all(message, frozenset())

    async def broadcast_to_all(self, message: Any, exclude_users: Any = None) -> int:
        """Send to every connection but those of ``exclude_users``."""
        return await self._to_all(message, frozenset(map(str, exclude_users or ())))

    async def broadcast_message(self, message: Any) -> None:
        """Send to every connection."""
        await self.broadcast(message)

    async def broadcast_system_message(self, message: Any) -> None:
        """Send a message of the system to every connection."""
        await self.broadcast(message)

    async def broadcast_system_status(self, status_message: str, event_type: str = "system_status") -> int:
        """Tell every connected user the system's status; how many users."""
        users = list(self._scope.users())
        message = {"type": event_type, "message": status_message, "timestamp": _now()}
        for user in users:
            await self.send_to_user(user, message)
        return len(users)

    async def _to_all(self, message: Any, exclude: frozenset[str]) -> int:
        safe = _frame(message)
        users = [user for user in self._scope.users() if user not in exclude]
        sent = await asyncio.gather(*(self._scope.send_all(user, self._isolated(user, safe)) for user in users))
        return sum(took for took, _ in sent)

    async def send_message(self, connection_id: Any, message: Any = None, *details: Any, **named: Any) -> bool:
        """Send to one connection; whether it took it. An id that is a user's, not a connection's, means that user."""
        record, own = self._scope.get(connection_id), self._scope.records_of(str(connection_id))
        if record is not None and own and record.user_id != str(connection_id):
            serialization.logger.error("%r is a user's id and another user's connection: nothing is sent", str(connection_id))
            return False
        if record is not None:
            return bool(await self._scope.send(record, _frame(message)))
        if not own:
            return False
        await self.send_to_user(connection_id, message)
        return True

    async def send_event(self, connection_id: Any = None, event_type: Any = None, event_data: Any = None, **named: Any) -> bool:
        """Send an event to one connection, or to the user of that id; whether it went."""
        target = connection_id if connection_id is not None else named.get("user_id")
        body = event_data if event_data is not None else named.get("data", {})
        if isinstance(event_type, dict) and not body:
            target, event_type, body = getattr(self.user_context, "user_id", None), target, event_type
        return await self.send_message(target, {"type": event_type, "data": body, "timestamp": _now()})

    async def send_agent_event(self, user_id: Any = None, event_type: Any = None, data: Any = None, **named: Any) -> None:
        """Send an agent's event to a user."""
        if isinstance(event_type, dict) and data is None:
            user_id, event_type, data = getattr(self.user_context, "user_id", None), user_id, event_type
        user = user_id if user_id is not None else getattr(self.user_context, "user_id", None)
        await self.emit_critical_event(user, event_type, data if data is not None else named)

    def set_transaction_coordinator(self, coordinator: Any) -> None:
        """Hold events back until ``coordinator`` says that their transaction is committed."""
        self._transaction_coordinator = coordinator

    def is_coordination_enabled(self) -> bool:
        """Whether there is a transaction coordinator."""
        return self._transaction_coordinator is not None

    async def send_event_after_commit(
        self,
        transaction_id: str,
        event_type: str,
        event_data: dict[str, Any],
        connection_id: str | None = None,
        user_id: str | None = None,
        thread_id: str | None = None,
        priority: int = 0,
    ) -> None:
        """Hand the event to the coordinator; without one send it now."""
        if self._transaction_coordinator is not None:
            await self._transaction_coordinator.add_pending_event(
                transaction_id, event_type, event_data, connection_id, user_id, thread_id, priority
            )
        elif connection_id is not None:
            await self.send_event(connection_id, event_type, event_data)
        elif user_id is not None:
            await self.send_agent_event(user_id, event_type, event_data)
        elif thread_id is not None:
            await self.send_to_thread(thread_id, {"type": event_type, "data": event_data})
        else:
            raise ValueError("send_event_after_commit needs a connection_id, a user_id or a thread_id")


def _frame(message: Any) -> dict[str, Any]:
    # Through the module: tests replace the function there.
    plain = serialization.serialize_message(message)
    return plain if isinstance(plain, dict) else {"data": plain}


def _now() -> str:
    return datetime.now(timezone.utc).isoformat()


def _shaped(event_type: str, body: dict[str, Any]) -> dict[str, Any]:
    """The fields that each of the five agent events always has."""
    if event_type == "agent_started":
        return {
            "agent_name": body.get("agent_name") or body.get("agent_type") or "unknown_agent",
            "task_description": body.get("task_description") or body.get("message") or "Processing request",
        }
    if event_type == "agent_thinking":
        return {"reasoning": body.get("reasoning") or body.get("thought") or body.get("message") or "Agent is processing"}
    if event_type == "tool_executing":
        return {
            "tool_name": body.get("tool_name") or body.get("tool") or "unknown_tool",
            "parameters": body.get("parameters") or body.get("params") or {},
        }
    if event_type == "tool_completed":
        return {
            "tool_name": body.get("tool_name") or body.get("tool") or "unknown_tool",
            "results": body.get("results", body.get("result", {})),
            "duration": body.get("duration", body.get("execution_time_ms", 0)),
            "success": body.get("success", True),
        }
    if event_type == "agent_completed":
        return {
            "status": body.get("status") or "completed",
            "final_response": body.get("final_response", body.get("response", body.get("result", ""))),
        }
    return {}
