"""Messages of one connection that want an acknowledgement: queued, sent, received once, acknowledged."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import datetime
from itertools import islice
from typing import Any, Optional

from compat.canonical.core.logged import get_logger
from compat.netra.components.bounded import Newest

from ..events.recovery_types import MessageState
from ..ids.generator import UnifiedIdGenerator

logger = get_logger(__name__)

#: How many received IDs are remembered, to recognise a message that comes twice; over so many, half of them are forgotten.
REMEMBERED_IDS = 10_000


class WebSocketMessageHandler:
    """Queues, sends and receives the messages of one connection.

    ``on_message(connection_id, message)``, a coroutine function, is called once per received message that is neither an
    acknowledgement nor a pong.
    """

    def __init__(self) -> None:
        self.pending_messages: list[MessageState] = []
        self.sent_messages: dict[str, MessageState] = Newest()
        self.received_messages: set[Any] = set()
        self.on_message: Optional[Callable[[str, dict[str, Any]], Any]] = None

    def create_message_state(self, message: dict[str, Any], message_id: str, require_ack: bool) -> MessageState:
        """Return the state of a message that is about to be sent; its time is local, without a zone."""
        return MessageState(message_id=message_id, content=message, timestamp=datetime.now(), ack_required=require_ack)

    def queue_pending_message(self, message_state: MessageState, max_pending: int) -> bool:
        """Keep a message until it can be sent, unless ``max_pending`` wait already. False either way: it is not sent yet."""
        if self._can_queue_message(max_pending):
            return self._add_to_queue(message_state)
        return self._handle_queue_full(message_state)

    def _can_queue_message(self, max_pending: int) -> bool:
        return len(self.pending_messages) < max_pending

    def _add_to_queue(self, message_state: MessageState) -> bool:
        self.pending_messages.append(message_state)
        logger.debug(f"Message queued: {message_state.message_id}")
        return False

    def _handle_queue_full(self, message_state: MessageState) -> bool:
        logger.warning(f"Pending message queue full, dropping: {message_state.message_id}")
        return False

    async def execute_message_send(self, websocket: Any, message_state: MessageState) -> bool:
        """Send the content of one message as JSON text; one that wants an acknowledgement is remembered until it comes.

        What the socket or the encoder raises goes through.
        """
        await websocket.send(json.dumps(message_state.content))
        self._track_sent_message_if_required(message_state)
        logger.debug(f"Message sent: {message_state.message_id}")
        return True

    def _track_sent_message_if_required(self, message_state: MessageState) -> None:
        if message_state.ack_required:
            self.sent_messages[message_state.message_id] = message_state

    async def process_received_message(self, message: dict[str, Any], connection_id: str) -> None:
        """Take note of an acknowledgement, pass over a pong, or hand the message to ``on_message``, once per message ID."""
        message_id, message_type = message.get("id"), message.get("type")
        if self._is_ack_message(message_type, message_id):
            self.handle_acknowledgment(message_id)  # type: ignore[arg-type]
        elif not self._is_pong_message(message_type):
            await self._handle_regular_message(message, message_id, connection_id)

    def _is_ack_message(self, message_type: Any, message_id: Any) -> bool:
        return message_type == "ack" and message_id is not None

    def _is_pong_message(self, message_type: Any) -> bool:
        return bool(message_type == "pong")

    async def _handle_regular_message(self, message: dict[str, Any], message_id: Any, connection_id: str) -> None:
        if self._is_duplicate_message(message_id):
            return
        self._record_received_message(message_id)
        if self.on_message:
            await self.on_message(connection_id, message)

    def _is_duplicate_message(self, message_id: Any) -> bool:
        if message_id and message_id in self.received_messages:
            logger.debug(f"Duplicate message ignored: {message_id}")
            return True
        return False

    def _record_received_message(self, message_id: Any) -> None:
        if not message_id:
            return
        self.received_messages.add(message_id)
        if len(self.received_messages) > REMEMBERED_IDS:
            # The newest stays: it is the likeliest to come again.
            others = (one for one in self.received_messages if one != message_id)
            self.received_messages = {message_id, *islice(others, REMEMBERED_IDS // 2 - 1)}

    def handle_acknowledgment(self, message_id: str) -> None:
        """Mark a sent message acknowledged and forget it; an unknown ID is ignored."""
        state = self.sent_messages.pop(message_id, None)
        if state is not None:
            state.acknowledged = True
            logger.debug(f"Message acknowledged: {message_id}")

    async def send_acknowledgment(self, websocket: Any, message_id: str) -> None:
        """Tell the peer that a message has arrived; a refused socket is logged, not raised."""
        await self._send_ack_message(websocket, self._create_ack_message(message_id))

    def _create_ack_message(self, message_id: str) -> dict[str, Any]:
        return {"type": "ack", "id": message_id, "timestamp": datetime.now().isoformat()}

    async def _send_ack_message(self, websocket: Any, ack_message: dict[str, Any]) -> None:
        try:
            await websocket.send(json.dumps(ack_message))
        except Exception as error:
            logger.warning(f"Failed to send acknowledgment: {error}")

    def generate_message_id(self) -> str:
        """Return a new identifier, of the generator's plain form."""
        return UnifiedIdGenerator.generate_base_id("websocket_message")

    def get_pending_count(self) -> int:
        """How many messages wait to be sent."""
        return len(self.pending_messages)

    def get_unacked_count(self) -> int:
        """How many sent messages still want their acknowledgement."""
        return len(self.sent_messages)

    def clear_pending_messages(self) -> None:
        """Forget every message that waits to be sent."""
        self.pending_messages.clear()

    def get_pending_messages_copy(self) -> list[MessageState]:
        """The waiting messages, in a list of the caller's own."""
        return self.pending_messages.copy()
