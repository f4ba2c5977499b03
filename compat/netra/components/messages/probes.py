"""Answers to the messages by which a deployment is probed from outside."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from .handlers import RespondingHandler, send_response, shown
from .message_types import MessageType

if TYPE_CHECKING:
    from .message_models import WebSocketMessage


class E2EAgentHandler(RespondingHandler):
    """Answers probes; an answer claims no agent's work."""

    def __init__(self) -> None:
        super().__init__(
            [
                MessageType.AGENT_TASK,
                MessageType.AGENT_STATUS_REQUEST,
                MessageType.BROADCAST_TEST,
                MessageType.DIRECT_MESSAGE,
                MessageType.RESILIENCE_TEST,
                MessageType.RECOVERY_TEST,
            ]
        )

    async def respond(self, user_id: str, websocket: Any, message: WebSocketMessage) -> bool:
        if not self.can_handle(message.type):
            return False
        for kind, data in _probe_answers(message):
            await send_response(websocket, kind, data)
        return True


def _probe_answers(message: WebSocketMessage) -> list[tuple[MessageType, dict[str, Any]]]:
    if message.type is MessageType.AGENT_TASK:
        task = {"task_id": message.payload.get("task_id", "unknown")}
        chunk = {"chunk": "Hello, this is a test response chunk", "chunk_index": 0}
        return [
            (MessageType.AGENT_TASK_ACK, {**task, "status": "acknowledged"}),
            (MessageType.AGENT_RESPONSE_CHUNK, {**task, **chunk}),
            (MessageType.AGENT_RESPONSE_COMPLETE, {**task, "status": "completed", "total_chunks": 1}),
        ]
    if message.type is MessageType.AGENT_STATUS_REQUEST:
        return [(MessageType.AGENT_STATUS_UPDATE, {"active_agents": [], "total_agents": 0, "timestamp": time.time()})]
    if message.type in (MessageType.RESILIENCE_TEST, MessageType.RECOVERY_TEST):
        said = {"content": "Resilience test acknowledged", "original_type": shown(message.type)}
        return [(MessageType.SYSTEM_MESSAGE, said)]
    return [(message.type, {"status": "received", "echo": message.payload, "timestamp": time.time()})]
