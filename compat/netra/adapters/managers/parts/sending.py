"""Messages of a legacy manager: to a user, a thread, a connection, to all; kept where nobody is there."""

from __future__ import annotations

import asyncio
from typing import Any

from compat.canonical.core import serialization
from compat.netra.components.events.undelivered import Kept
from compat.netra.components.messages import serializing
from compat.shim import legacy_method

from ..manager_types import OTHERWISE
from ..user_ids import user_of
from ..user_managers import Scope
from .critical import event_form
from .isolation import Isolation
from .part import Face, ManagerPart


class Sending(ManagerPart):
    """What sends; each through the manager's ``send_to_user`` and friends, so that a replaced one is honoured."""

    def __init__(self, manager: Face, scope: Scope, isolation: Isolation) -> None:
        super().__init__(manager, scope)
        self.isolation = isolation

    @legacy_method(instead="await get_websocket_manager(context).send(message)")
    async def send_to_user(self, user_id: Any = None, message: Any = None, *details: Any, **named: Any) -> None:
        """Send to all of a user's connections; kept for the user's next connection where none takes it.

        ``send_to_user(message)`` goes to the manager's own user; ``(user_id, event_type, data)`` makes the message.
        """
        user_id, message = self._addressed(user_id, message, details, named)
        user = user_of(self.scope, user_id)
        connections = len(self.scope.records_of(user))
        safe = self.isolation.of_user(user, _frame(message))
        sent = await self.scope.send_all(user, safe)
        self.isolation.sent(sent.took)
        if sent.took:
            return
        if connections:
            serialization.logger.error("none of %d connections of user %s took %s", connections, user, safe.get("type"))
        reason = "all_connections_failed" if connections else "no_connections"
        if self.scope.keeps_here():
            self.scope.undelivered.keep(user, Kept(safe, sent.places), reason)
        else:
            self.scope.undelivered.count(user)

    def _addressed(self, user_id: Any, message: Any, details: tuple[Any, ...], named: dict[str, Any]) -> tuple[Any, Any]:
        if message is None and not isinstance(user_id, str) and user_id is not None:
            return self.own_user, user_id
        kind = named.get("message_type") or named.get("event_type")
        if kind is None and isinstance(message, str) and details:
            kind, message = message, details[0]
        if kind is not None:
            body = message if isinstance(message, dict) else named.get("data") or named.get("event_data") or {}
            message = {**body, "type": kind, "data": body}
        return user_id, message if message is not None else named.get("data", {})

    @legacy_method(instead="await manager.send_to_thread(thread_id, message)")
    async def send_to_thread(self, thread_id: Any, message: Any, *details: Any) -> bool:
        """Send to the connections of a thread; where none shows it, to the user of that id."""
        try:
            shown, user = self.scope.user_of_thread(str(thread_id))
            if not shown:
                await self.manager.send_to_user(thread_id, message)
                return True
            if user is None:
                return False
            took = await self.scope.send_thread(user, str(thread_id), _frame(message))
        except Exception as error:
            serialization.logger.error("sending to thread %s failed: %s", thread_id, error)
            return False
        return bool(took)

    @legacy_method(instead=OTHERWISE)
    async def send_to_user_with_wait(self, user_id: str, message: Any, wait_timeout: float = 3.0) -> bool:
        """Wait for the user's connection, then send; whether it was there."""
        connected = await self.manager.wait_for_connection(user_id, timeout=wait_timeout)
        await self.manager.send_to_user(user_id, message)
        return bool(connected)

    @legacy_method(instead="await get_websocket_manager_factory().broadcast(message)")
    async def broadcast(self, message: Any, *details: Any, **named: Any) -> int:
        """Send to every connection; how many took it. One that fails is removed."""
        return await self._to_all(message, frozenset())

    @legacy_method(instead="await get_websocket_manager_factory().broadcast(message, exclude=users)")
    async def broadcast_to_all(self, message: Any, exclude_users: Any = None) -> int:
        """Send to every connection but those of ``exclude_users``."""
        return await self._to_all(message, frozenset(map(str, exclude_users or ())))

    @legacy_method(instead=OTHERWISE)
    async def broadcast_message(self, message: Any) -> None:
        """Send to every connection."""
        await self.manager.broadcast(message)

    @legacy_method(instead=OTHERWISE)
    async def broadcast_system_message(self, message: Any) -> None:
        """Send a message of the system to every connection."""
        await self.manager.broadcast(message)

    async def _to_all(self, message: Any, exclude: frozenset[str]) -> int:
        safe = _frame(message)
        users = [user for user in self.scope.users() if user not in exclude]
        sent = await asyncio.gather(*(self.scope.send_all(user, self.isolation.of_user(user, safe)) for user in users))
        return sum(one.took for one in sent)

    @legacy_method(instead="await manager.send_to_connection(connection_id, message)")
    async def send_message(self, connection_id: Any, message: Any = None, *details: Any, **named: Any) -> bool:
        """Send to one connection; whether it took it. An id that is a user's, not a connection's, means that user."""
        record, own = self.scope.get(connection_id), self.scope.records_of(str(connection_id))
        if record is not None and own and record.user_id != str(connection_id):
            serialization.logger.error("%r is a user's id and another user's connection: nothing is sent", str(connection_id))
            return False
        if record is not None:
            return bool(await self.scope.send_as_it_is(record, serializing.serialize_message_safely(message)))
        if not own:
            return False
        await self.manager.send_to_user(connection_id, message)
        return True

    @legacy_method(instead="await manager.emit(event_type, data)")
    async def send_event(self, connection_id: Any = None, event_type: Any = None, event_data: Any = None, **named: Any) -> bool:
        """Send an event to one connection, or to the user of that id; whether it went."""
        target = connection_id if connection_id is not None else named.get("user_id")
        body = event_data if event_data is not None else named.get("data", {})
        if isinstance(event_type, dict) and not body:
            target, event_type, body = self.own_user, target, event_type
        return await self.manager.send_message(target, event_form(event_type, body))


def _frame(message: Any) -> dict[str, Any]:
    # Through the module: tests replace the function there.
    plain = serializing.serialize_message_safely(message)
    return plain if isinstance(plain, dict) else {"data": plain}
