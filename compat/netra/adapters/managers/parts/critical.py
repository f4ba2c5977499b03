"""Events of a legacy manager that must not be lost: made whole, tried again, kept, announced to listeners, committed first."""

from __future__ import annotations

from datetime import datetime, timezone
from typing import Any

from compat.canonical.core import serialization
from compat.canonical.core.events import CRITICAL_EVENTS
from compat.netra.components.connections.manager_calls import settled
from compat.netra.components.messages import serializing
from compat.shim import legacy_method

from .. import looked_up
from ..manager_types import OTHERWISE
from ..user_ids import user_of
from .part import ManagerPart


class CriticalEvents(ManagerPart):
    """What sends events that must not be lost; through the manager's own methods, so that a replaced one is honoured."""

    @legacy_method(instead="await get_websocket_manager(context).emit(event_type, data)")
    async def emit_critical_event(self, user_id: Any, event_type: Any = None, data: Any = None, **named: Any) -> None:
        """Send an event that must not be lost: tried again, then kept, and the failure reported.

        Raises
        ------
        ValueError
            If the user id is none, or the type is empty.
        """
        if isinstance(event_type, dict) and data is None:
            user_id, event_type, data = self.own_user, user_id, event_type
        try:
            user = user_of(self.scope, user_id)
        except ValueError as error:
            raise ValueError(f"Invalid user_id for critical event {event_type}: {error}") from error
        if not isinstance(event_type, str) or not event_type.strip():
            raise ValueError(f"event_type cannot be empty for user {user}")
        data = data if data is not None else named.get("event_data", {})
        tries = self.scope.delivery_attempts()
        for attempt in range(1, tries + 1):
            if self.manager.is_connection_active(user):
                await self._send_critical(user, event_type, data, attempt)
                return
            if attempt < tries:
                await looked_up.asyncio.sleep(1.0)
        event = self._critical(user, event_type, data, tries)
        if not self.scope.keeps_here():
            await self.manager.send_to_user(user, event)  # another worker may have the user
            return
        serialization.logger.critical("%s for user %s is not delivered: no active connection", event_type, user)
        kept = {"type": event_type, "data": serializing.serialize_message_safely(data), "timestamp": _now(), "critical": True}
        kept = await self.scope.kept_for_later(user, kept, event)
        await self.manager._store_failed_message(user, kept, "no_active_connections_after_retry")
        await self.manager._emit_connection_error_notification(user, event_type)

    async def _send_critical(self, user: str, event_type: str, data: Any, attempt: int) -> None:
        await self.manager.send_to_user(user, self._critical(user, event_type, data, attempt))
        if self.manager.is_connection_active(user):
            await self._emitted(user, event_type, data)

    def _critical(self, user: str, event_type: str, data: Any, attempt: int) -> dict[str, Any]:
        body = data if isinstance(data, dict) else {"data": data}
        fields = self.manager._process_business_event(event_type, body)
        if event_type in CRITICAL_EVENTS:
            # Whose event it is does not hang on what the event says of itself.
            fields["user_id"] = user
            fields["thread_id"] = fields.get("thread_id") or getattr(self.manager.user_context, "thread_id", None)
        return {"timestamp": _now(), "critical": True, "attempt": attempt if attempt > 1 else None, **fields}

    # -- those who listen

    async def _emitted(self, user: str, event_type: str, data: Any) -> None:
        event = {
            "event_type": event_type,
            "user_id": user,
            "data": data,
            "timestamp": looked_up.time.time(),
            "critical": True,
        }
        await self.manager._notify_event_listeners(event)
        if self.manager.on_event_emitted:
            await self._tell(self.manager.on_event_emitted, (), event)

    async def notify_listeners(self, event: dict[str, Any]) -> None:
        for listener in list(self.manager._event_listeners):
            await self._tell(listener, (event,), {})

    @staticmethod
    async def _tell(listener: Any, positional: tuple[Any, ...], named: dict[str, Any]) -> None:
        try:
            await settled(listener(*positional, **named))
        except Exception as error:
            serialization.logger.warning("an event listener failed: %s", error)

    @legacy_method(instead=OTHERWISE)
    def add_event_listener(self, listener: Any) -> None:
        """Call ``listener(event)`` for every critical event that was delivered."""
        if listener not in self.manager._event_listeners:
            self.manager._event_listeners.append(listener)

    @legacy_method(instead=OTHERWISE)
    def remove_event_listener(self, listener: Any) -> None:
        """Stop calling ``listener``."""
        if listener in self.manager._event_listeners:
            self.manager._event_listeners.remove(listener)

    # -- what a user is told of failures

    async def tell_of_lost_event(self, user_id: str, event_type: str) -> None:
        """Tell a user over the first living socket that an event could not be delivered in time."""
        await self._notice(
            str(user_id),
            "connection_error",
            {
                "message": "An event could not be delivered and will be sent when you reconnect.",
                "event_type": event_type,
                "user_friendly_message": "Your connection was interrupted. We are trying to reach you again.",
                "severity": "warning",
                "action_required": "Check your connection, or reload the page.",
                "support_code": f"CONN_ERR_{str(user_id)[:8]}_{event_type}",
            },
        )

    async def tell_of_failure(self, user_id: str, event_type: str, error_details: Any = None) -> None:
        """Tell a user over the first living socket that an event failed; the details stay in the log."""
        serialization.logger.error("%s for user %s failed: %s", event_type, user_id, error_details)
        await self._notice(
            str(user_id),
            "system_error",
            {
                "message": "An event could not be processed.",
                "event_type": event_type,
                "user_friendly_message": "Something went wrong on our side. Please try again in a moment.",
                "severity": "error",
                "action_required": "Try again, and name the support code if it happens again.",
                "support_code": f"SYS_ERR_{str(user_id)[:8]}_{event_type}_{int(looked_up.time.time())}",
            },
        )

    async def _notice(self, user: str, kind: str, data: dict[str, Any]) -> None:
        notice = {"type": kind, "data": data, "timestamp": _now(), "critical": True}
        for record in self.scope.records_of(user):
            if await self.scope.send(record, notice):
                return

    # -- by other names, and after a commit

    @legacy_method(instead="await manager.emit(event_type, data)")
    async def send_agent_event(self, user_id: Any = None, event_type: Any = None, data: Any = None, **named: Any) -> None:
        """Send an agent's event to a user."""
        if isinstance(event_type, dict) and data is None:
            user_id, event_type, data = self.own_user, user_id, event_type
        user = user_id if user_id is not None else self.own_user
        await self.manager.emit_critical_event(user, event_type, data if data is not None else named)

    @legacy_method(instead=OTHERWISE)
    async def broadcast_system_status(self, status_message: str, event_type: str = "system_status") -> int:
        """Tell every connected user the system's status; how many users."""
        users = list(self.scope.users())
        for user in users:
            stamp = datetime.now().isoformat()  # local, without an offset: the old form
            await self.manager.send_agent_event(
                user, event_type, {"message": status_message, "event_type": event_type, "timestamp": stamp}
            )
        return len(users)

    @legacy_method(instead=OTHERWISE)
    def set_transaction_coordinator(self, coordinator: Any) -> None:
        """Hold events back until ``coordinator`` says that their transaction is committed."""
        self.manager._transaction_coordinator = coordinator

    @legacy_method(instead=OTHERWISE)
    def is_coordination_enabled(self) -> bool:
        """Whether there is a transaction coordinator."""
        return self.manager._transaction_coordinator is not None

    @legacy_method(instead=OTHERWISE)
    async def send_event_after_commit(
        self,
        transaction_id: str,
        event_type: str,
        event_data: dict[str, Any],
        connection_id: str | None = None,
        user_id: str | None = None,
        thread_id: str | None = None,
        priority: int = 0,
    ) -> Any:
        """Hand the event to the coordinator; without one send it now. Whether it went; False where nobody is named or found."""
        if self.manager._transaction_coordinator is not None:
            return await self.manager._transaction_coordinator.add_pending_event(
                transaction_id=transaction_id,
                event_type=event_type,
                event_data=event_data,
                connection_id=connection_id,
                user_id=user_id,
                thread_id=thread_id,
                priority=priority,
            )
        target = connection_id if connection_id is not None else user_id
        if target is not None:
            return await self.manager.send_event(target, event_type, event_data)
        if thread_id is not None:
            return await self.manager.send_to_thread(thread_id, event_form(event_type, event_data))
        serialization.logger.warning("%s of transaction %s names neither connection nor user", event_type, transaction_id)
        return False

    @legacy_method(instead=OTHERWISE)
    def get_coordination_status(self) -> dict[str, Any]:
        """Whether events wait for their transaction, and how many."""
        coordinator = self.manager._transaction_coordinator
        if not self.manager.is_coordination_enabled():
            return {"enabled": False, "reason": "Coordination not enabled"}
        if coordinator is None:
            return {"enabled": False, "reason": "No transaction coordinator configured"}
        return {
            "enabled": True,
            "coordinator_available": True,
            "pending_events": coordinator.get_pending_events_count(),
            "metrics": coordinator.get_coordination_metrics(),
        }


def event_form(event_type: Any, data: Any) -> dict[str, Any]:
    """The message of an event to one connection: its fields beside its ids."""
    fields = data if isinstance(data, dict) else {"data": data}
    unknown = {"user_id": "unknown_user", "thread_id": "unknown_thread", "run_id": "unknown_run"}
    return {"type": event_type, **unknown, "timestamp": _now(), **fields}


def _now() -> str:
    return datetime.now(timezone.utc).isoformat()
