"""Hands what users write to the service that runs their agents, with a context, a manager and a session of its own."""

from __future__ import annotations

import inspect
import time
from typing import TYPE_CHECKING, Any

from compat.canonical.core.logged import get_logger
from compat.canonical.factory import get_websocket_manager

from ..connections.manager_calls import is_canonical
from ..messages.handlers import BaseMessageHandler
from ..messages.message_types import MessageType
from .service_registry import (
    ServiceNotConfigured,
    get_request_scoped_db_session,
    get_user_execution_context,
    get_websocket_scoped_supervisor,
)

if TYPE_CHECKING:
    from ..messages.message_models import WebSocketMessage

__all__ = ["AgentMessageHandler", "MessageHandlerService"]

logger = get_logger(__name__)

_COUNTERS = {
    MessageType.START_AGENT: "start_agent_requests",
    MessageType.USER_MESSAGE: "user_messages",
    MessageType.CHAT: "chat_messages",
}


class MessageHandlerService:
    """Runs a user's request on a supervisor, ``await supervisor.run(request, thread_id, user_id, run_id)``."""

    def __init__(self, supervisor: Any, thread_service: Any = None, websocket_manager: Any = None) -> None:
        self.supervisor = supervisor
        self.thread_service = thread_service
        self.websocket_manager = websocket_manager

    async def handle_start_agent(
        self, user_id: str, payload: dict[str, Any], db_session: Any = None, websocket: Any = None, context: Any = None
    ) -> Any:
        """Run the request in the payload; return what the supervisor returns."""
        request = payload.get("user_request") or payload.get("query") or payload.get("content") or payload.get("message") or ""
        if not request:
            raise ValueError("the message holds no request: user_request, query, content and message are empty")
        result = self.supervisor.run(
            request,
            getattr(context, "thread_id", None) or payload.get("thread_id"),
            user_id,
            getattr(context, "run_id", None) or payload.get("run_id"),
        )
        return await _resolved(result)

    handle_user_message = handle_start_agent


class AgentMessageHandler(BaseMessageHandler):
    """Handles ``start_agent``, ``user_message`` and ``chat``.

    Each request runs on a :class:`MessageHandlerService` of its own where the application has configured a supervisor,
    else on ``message_handler_service`` (``handle_start_agent`` and ``handle_user_message``).
    """

    def __init__(self, message_handler_service: Any = None, websocket: Any = None) -> None:
        super().__init__(list(_COUNTERS))
        self.message_handler_service = message_handler_service
        self.websocket = websocket
        self.processing_stats: dict[str, Any] = {
            "messages_processed": 0,
            **dict.fromkeys(_COUNTERS.values(), 0),
            "errors": 0,
            "last_processed_time": None,
        }

    async def handle_message(self, user_id: str, websocket: Any, message: WebSocketMessage) -> bool:
        """Run the message's request; return whether that succeeded. Never raises."""
        try:
            counter = _COUNTERS.get(message.type)
            if counter is None:
                return False
            self.processing_stats[counter] += 1
            await self._run(user_id, websocket, message)
        except Exception as error:
            self.processing_stats["errors"] += 1
            logger.error("%s of %s failed: %s", message.type.value, user_id, error)
            return False
        self.processing_stats["messages_processed"] += 1
        self.processing_stats["last_processed_time"] = time.time()
        return True

    async def _run(self, user_id: str, websocket: Any, message: WebSocketMessage) -> None:
        payload = message.payload
        thread_id = message.thread_id or payload.get("thread_id")
        context = get_user_execution_context(user_id=user_id, thread_id=thread_id, run_id=payload.get("run_id"))
        manager = await _resolved(get_websocket_manager(context))
        if is_canonical(manager) and thread_id:
            for connection in manager.connections.values():
                if connection.websocket is websocket:
                    manager.associate_thread(connection.connection_id, thread_id)
        sessions = get_request_scoped_db_session()
        try:
            async for db_session in sessions:
                service = await self._service(context, db_session, manager)
                started = message.type is MessageType.START_AGENT
                handle = service.handle_start_agent if started else service.handle_user_message
                await _resolved(handle(user_id=user_id, payload=payload, db_session=db_session, websocket=websocket))
                break
        finally:
            # Leaving the loop early does not release the session: that is for the garbage collector to find.
            if hasattr(sessions, "aclose"):
                await sessions.aclose()

    async def _service(self, context: Any, db_session: Any, manager: Any) -> Any:
        try:
            supervisor = await _resolved(get_websocket_scoped_supervisor(context, db_session))
        except ServiceNotConfigured:
            if self.message_handler_service is None:
                raise
            return self.message_handler_service
        return MessageHandlerService(supervisor, None, manager)

    def get_stats(self) -> dict[str, Any]:
        """Return the counts and last_processed_time (seconds since the epoch, None before the first)."""
        return dict(self.processing_stats)


async def _resolved(value: Any) -> Any:
    return await value if inspect.isawaitable(value) else value
