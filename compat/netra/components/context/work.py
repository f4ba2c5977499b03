"""Work done in a user's latest context: events sent, agents run, queries executed."""

from __future__ import annotations

import inspect
from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import Any, Optional

from .isolation import InvalidContextError
from .user import UserExecutionContext


class ContextWork(ABC):
    """The part of a context manager that does something for a user."""

    run_agent: Optional[Callable[..., Any]]

    @abstractmethod
    def _latest_of(self, user_id: str) -> UserExecutionContext:
        """The context that was held last of a user's."""

    async def notify_context_change(self, user_id: str, event_type: str) -> None:
        """Tell the user's connections that their context changed."""
        context = self._latest_of(user_id)
        await self.send_event(user_id, "context_changed", {"change": event_type, "request_id": context.request_id})

    async def send_event(self, user_id: str, event_name: str, event_data: dict[str, Any]) -> None:
        """Send an event to the user's own connections, and to nobody else's."""
        from compat.canonical import factory

        await factory.get_websocket_manager(self._latest_of(user_id)).emit(event_name, event_data)

    async def execute_with_agent(self, user_id: str, agent_name: str, parameters: dict[str, Any]) -> Any:
        """Run an agent in the user's latest context by ``run_agent(context, agent_name, parameters)``, sync or async.

        Raises RuntimeError where the manager was given no ``run_agent``.
        """
        if self.run_agent is None:
            raise RuntimeError("no agents to run: give UserContextManager(run_agent=...) the function that runs them")
        result = self.run_agent(self._latest_of(user_id), agent_name, parameters)
        return await result if inspect.isawaitable(result) else result

    async def execute_in_transaction(self, user_id: str, query: str) -> Any:
        """Execute a query on the session of the user's latest context; committed, or rolled back if it fails."""
        session = self._latest_of(user_id).db_session
        if session is None:
            raise InvalidContextError(f"the context of user {user_id!r} has no database session")
        try:
            result = await session.execute(query)
            await session.commit()
        except BaseException:
            await session.rollback()
            raise
        return result
