"""What clients say to a legacy manager, and what waited for them until they were there again."""

from __future__ import annotations

import json
from typing import Any

from compat.canonical.core import serialization
from compat.netra.components.events.delivery_tracker import EventDeliveryTracker
from compat.netra.components.events.undelivered import recovered
from compat.shim import legacy_method

from .. import looked_up
from ..manager_types import OTHERWISE
from ..user_managers import Scope
from .part import Face, ManagerPart

CONFIRMATIONS = ("event_confirmation", "event_ack", "event_received", "ack", "message_ack", "confirmation")


class Receiving(ManagerPart):
    """What takes messages in, and what sends those that were kept."""

    def __init__(self, manager: Face, scope: Scope, delivery: EventDeliveryTracker) -> None:
        super().__init__(manager, scope)
        self.delivery = delivery

    @legacy_method(instead=OTHERWISE)
    async def handle_message(self, user_id: Any = None, websocket: Any = None, message: Any = None, **named: Any) -> bool:
        """Take in a client's message; True once it was taken."""
        await self.manager.process_incoming_message(user_id, message if message is not None else named.get("message_data", {}))
        return True

    @legacy_method(instead=OTHERWISE)
    async def handle_event_confirmation(self, user_id: Any, message: Any) -> bool:
        """Note a client's confirmation, or its failure; False where it names no event that is followed."""
        if not isinstance(message, dict) or message.get("type", "confirmation") not in CONFIRMATIONS:
            return False
        event_id = message.get("event_id") or message.get("message_id")
        if not event_id:
            return False
        status = message.get("status", "confirmed")
        if status == "failed":
            return bool(self.delivery.mark_event_failed(str(event_id), str(message.get("error", "unknown error"))))
        return status == "confirmed" and bool(self.delivery.mark_event_confirmed(str(event_id)))

    @legacy_method(instead=OTHERWISE)
    async def process_incoming_message(self, user_id: Any, message: Any) -> bool:
        """Take in a client's message, text or dict; whether it was understood."""
        if isinstance(message, (str, bytes)):
            try:
                message = json.loads(message)
            except ValueError:
                return False
        if not isinstance(message, dict):
            return False
        if message.get("type") in CONFIRMATIONS:
            return await self.manager.handle_event_confirmation(user_id, message)
        return True

    @legacy_method(instead=OTHERWISE)
    async def attempt_message_recovery(self, user_id: str) -> int:
        """Send what waits for the user; how many went. Given up after three attempts."""
        user = str(user_id)
        if (
            not self.scope.undelivered.enabled
            or not self.scope.undelivered.messages.get(user)
            or not self.manager.is_connection_active(user)
        ):
            return 0
        await self.scope.flush(user)
        waiting, sent = self.scope.undelivered.take(user), 0
        for index, message in enumerate(waiting):
            try:
                await self.manager.send_to_user(user, recovered(message, why=True))
            except Exception as error:
                serialization.logger.error("recovery for user %s stopped: %s", user, error)
                self.scope.undelivered.put_back(user, waiting[index:])
                break
            sent += 1
        return sent

    @legacy_method(instead=OTHERWISE)
    async def process_recovery_queue(self, user_id: str) -> None:
        """Send what waits for the user, as it was, once the new connection has had time to settle."""
        await looked_up.asyncio.sleep(0.1)
        await self.scope.flush(str(user_id))
        for message in self.scope.undelivered.take(str(user_id)):
            await self.manager.send_to_user(user_id, recovered(message))
