"""Messages of one connection that want an acknowledgement: queued, sent, received once, acknowledged."""

from __future__ import annotations

import inspect
import json
import uuid
from collections import OrderedDict
from collections.abc import Callable
from datetime import datetime, timezone
from typing import Any, Optional

from compat.canonical.core.logged import get_logger

from ..events.recovery_types import MessageState

logger = get_logger(__name__)

#: How many received IDs are remembered, to recognise a message that comes twice; over so many sent messages the
#: acknowledged ones are forgotten.
REMEMBERED_IDS = 10_000


class WebSocketMessageHandler:
    """Queues, sends and receives the messages of one connection.

    ``on_message(connection_id, message)``, sync or async, is called once per received message that is not an
    acknowledgement.
    """

    def __init__(self) -> None:
        self.pending_messages: list[MessageState] = []
        self.sent_messages: dict[str, MessageState] = {}
        self.received_messages: dict[str, datetime] = OrderedDict()
        self.on_message: Optional[Callable[[str, dict[str, Any]], Any]] = None

    def create_message_state(self, message: dict[str, Any], message_id: str, require_ack: bool) -> MessageState:
        """Return the state of a message that is about to be sent."""
        return MessageState(
            message_id=message_id, content=message, timestamp=datetime.now(timezone.utc), ack_required=require_ack
        )

    def queue_pending_message(self, message_state: MessageState, max_pending: int) -> bool:
        """Keep a message until it can be sent. False, and nothing kept, if ``max_pending`` messages wait already."""
        if len(self.pending_messages) >= max_pending:
            logger.warning(f"Pending message queue full ({max_pending}), message {message_state.message_id} not queued")
            return False
        self.pending_messages.append(message_state)
        logger.debug(f"Queued message {message_state.message_id}")
        return True

    async def execute_message_send(self, websocket: Any, message_state: MessageState) -> bool:
        """Send one message as JSON text; one that wants an acknowledgement is remembered until it comes.

        Returns False, counts a retry and logs, if the message cannot be encoded or the socket refuses it.
        """
        try:
            await websocket.send(json.dumps(_envelope(message_state)))
        except Exception as error:
            message_state.retry_count += 1
            logger.error(f"Failed to send message {message_state.message_id}: {error}")
            return False
        if message_state.ack_required:
            self.sent_messages[message_state.message_id] = message_state
            self._forget_acknowledged()
        return True

    async def process_received_message(self, message: dict[str, Any], connection_id: str) -> None:
        """Take note of an acknowledgement, or hand the message to ``on_message``, once per message ID."""
        if message.get("type") in ("ack", "acknowledgment"):
            acknowledged = message.get("message_id") or message.get("id")
            if acknowledged:
                self.handle_acknowledgment(acknowledged)
            return
        message_id = message.get("id") or message.get("message_id")
        if message_id:
            if message_id in self.received_messages:
                logger.debug(f"Duplicate message ignored: {message_id}")
                return
            self._remember(message_id)
        if self.on_message is None:
            return
        try:
            result = self.on_message(connection_id, message)
            if inspect.isawaitable(result):
                await result
        except Exception as error:
            logger.error(f"Error in message callback for {connection_id}: {error}")

    def handle_acknowledgment(self, message_id: str) -> None:
        """Mark a sent message acknowledged; an unknown ID is ignored."""
        state = self.sent_messages.get(message_id)
        if state is not None:
            state.acknowledged = True
            logger.debug(f"Message acknowledged: {message_id}")

    async def send_acknowledgment(self, websocket: Any, message_id: str) -> None:
        """Tell the peer that a message has arrived; a refused socket is logged, not raised."""
        acknowledgment = {
            "type": "ack",
            "message_id": message_id,
            "timestamp": datetime.now(timezone.utc).isoformat(),
        }
        try:
            await websocket.send(json.dumps(acknowledgment))
        except Exception as error:
            logger.error(f"Failed to send acknowledgment for {message_id}: {error}")

    def generate_message_id(self) -> str:
        """Return a new uuid4 string."""
        return str(uuid.uuid4())

    def get_pending_count(self) -> int:
        """How many messages wait to be sent."""
        return len(self.pending_messages)

    def get_unacked_count(self) -> int:
        """How many sent messages still want their acknowledgement."""
        return sum(1 for state in self.sent_messages.values() if not state.acknowledged)

    def clear_pending_messages(self) -> None:
        """Forget every message that waits to be sent."""
        self.pending_messages.clear()

    def get_pending_messages_copy(self) -> list[MessageState]:
        """The waiting messages, in a list of the caller's own."""
        return self.pending_messages.copy()

    def _remember(self, message_id: str) -> None:
        self.received_messages[message_id] = datetime.now(timezone.utc)
        while len(self.received_messages) > REMEMBERED_IDS:
            del self.received_messages[next(iter(self.received_messages))]

    def _forget_acknowledged(self) -> None:
        if len(self.sent_messages) > REMEMBERED_IDS:
            kept = {name: state for name, state in self.sent_messages.items() if not state.acknowledged}
            self.sent_messages.clear()
            self.sent_messages.update(kept)


def _envelope(state: MessageState) -> dict[str, Any]:
    return {
        # Peers of both generations read it: the older ones look for "message_id".
        "id": state.message_id,
        "message_id": state.message_id,
        "timestamp": state.timestamp.isoformat(),
        "content": state.content,
        "ack_required": state.ack_required,
    }
