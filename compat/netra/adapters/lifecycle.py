"""The connections of one context as older code kept them alive: through an object of its own."""

from __future__ import annotations

import time
from typing import Any


class ConnectionLifecycleManager:
    """Connections of one context: registered, kept alive by activity, removed when idle or at the end."""

    def __init__(self, user_context: Any, ws_manager: Any) -> None:
        self.user_context = user_context
        self.ws_manager = ws_manager
        self._last_seen: dict[str, float] = {}

    def register_connection(self, conn: Any) -> None:
        """Follow a connection of the context's own user.

        Raises
        ------
        ValueError
            If it is another user's.
        """
        if conn.user_id != self.user_context.user_id:
            raise ValueError(f"Connection user {conn.user_id} does not match context user {self.user_context.user_id}")
        self._last_seen[conn.connection_id] = time.monotonic()

    def health_check_connection(self, conn_id: str) -> bool:
        """Note activity; False for a connection that is not followed or gone."""
        if conn_id not in self._last_seen or self.ws_manager.get_connection(conn_id) is None:
            return False
        self._last_seen[conn_id] = time.monotonic()
        return True

    async def auto_cleanup_expired(self, max_idle_seconds: float = 1800) -> int:
        """Remove connections without activity; how many."""
        oldest = time.monotonic() - max_idle_seconds
        idle = [conn_id for conn_id, seen in self._last_seen.items() if seen <= oldest]
        for conn_id in idle:
            await self.ws_manager.remove_connection(conn_id)
            del self._last_seen[conn_id]
        return len(idle)

    async def force_cleanup_all(self) -> None:
        """Remove every connection that is followed."""
        await self.auto_cleanup_expired(-1)
