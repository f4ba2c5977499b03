"""Agent chat: each question of a user is worked on step by step, and each step is shown to that user."""

from uuid import uuid4

from netra_backend.app.services.user_execution_context import UserExecutionContext
from netra_backend.app.websocket_core import WebSocketManager, create_websocket_manager, get_websocket_manager
from netra_backend.app.websocket_core.auth import AuthHandler
from netra_backend.app.websocket_core.manager import WebSocketManager as CoreManager

# One manager for everybody, as the service has always had it.
ws_manager = WebSocketManager()


class ChatService:
    """Answers questions over WebSockets."""

    def __init__(self):
        self.auth = AuthHandler()
        self.core = CoreManager()

    async def open(self, client_id, user_id):
        return await self.auth.connect(client_id, user_id)

    async def close(self, client_id):
        await self.auth.disconnect(client_id)

    async def answer(self, user_id, thread_id, question):
        context = UserExecutionContext(user_id=user_id, thread_id=thread_id, run_id=str(uuid4()), request_id=str(uuid4()))
        manager = await get_websocket_manager(context)
        await manager.emit_critical_event(user_id, "agent_started", {"agent_name": "helper", "question": question})

        same_manager = get_websocket_manager(context)
        await same_manager.emit_critical_event(user_id, "agent_thinking", {"reasoning": f"about {question!r}"})

        own_manager = create_websocket_manager(context)
        await own_manager.emit_critical_event(user_id, "tool_executing", {"tool_name": "search"})

        # The shared manager, used for one user after the other: this is where events once reached the wrong people.
        await ws_manager.emit_critical_event(user_id, "tool_completed", {"tool_name": "search", "results": 3})
        await self.core.emit_critical_event(user_id, "agent_completed", {"final_response": f"42, {user_id}"})


async def serve(users, questions):
    """Answer every question of every user, in turns, so that everybody's events interleave."""
    service = ChatService()
    for user_id in users:
        await service.open(f"client_of_{user_id}", user_id)
    for number, question in enumerate(questions):
        for user_id in users:
            await service.answer(user_id, f"thread_{user_id}_{number}", question)
    for user_id in users:
        await service.close(f"client_of_{user_id}")
