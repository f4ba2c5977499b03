"""The migration adapter of the singleton era: one object for all, each user behind a manager of their own."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

from compat.netra.components.bounded import Newest
from compat.netra.components.process_wide import only
from compat.netra.components.types import ensure_user_id

from .manager_factory import create_websocket_manager_sync
from .managers.websocket_manager import SharedWebSocketManager


class WebSocketManagerAdapter:
    """The singleton's methods; every call is counted by name."""

    def __init__(self) -> None:
        self._managers: dict[str, Any] = Newest()
        self._calls: dict[str, int] = {}

    def _used(self, method: str) -> None:
        self._calls[method] = self._calls.get(method, 0) + 1

    def _of(self, user_id: str, connection_id: Any = None) -> Any:
        user = ensure_user_id(user_id)
        if user not in self._managers:
            context = SimpleNamespace(user_id=user, thread_id=None, request_id=None, websocket_client_id=connection_id)
            self._managers[user] = create_websocket_manager_sync(context)
        return self._managers[user]

    def create_isolated_manager(self, user_id: Any, connection_id: Any = None) -> Any:
        """The manager of one user, named or by their context."""
        self._used("create_isolated_manager")
        return self._of(getattr(user_id, "user_id", user_id), connection_id)

    def get_manager_by_user(self, user_id: str) -> Any:
        """The manager of one user, or None where none was made."""
        self._used("get_manager_by_user")
        return self._managers.get(user_id)

    def get_active_connections_count(self) -> int:
        """How many connections all users have."""
        self._used("get_active_connections_count")
        return sum(manager.get_connection_count() for manager in self._managers.values())

    def get_manager(self) -> Any:
        """A manager that reaches each user by the ``user_id`` of the call."""
        self._used("get_manager")
        return SharedWebSocketManager()

    async def connect_user(self, user_id: str, websocket: Any, connection_metadata: Any = None) -> str:
        """Connect a user; the connection's id."""
        self._used("connect_user")
        return str(await self._of(user_id).connect_user(user_id, websocket, connection_metadata=connection_metadata))

    async def disconnect_user(self, user_id: str, websocket: Any, code: int = 1000, reason: str = "Normal closure") -> None:
        """Disconnect a user's socket."""
        self._used("disconnect_user")
        await self._of(user_id).disconnect_user(user_id, websocket, code, reason)

    def get_user_connections(self, user_id: str) -> set[str]:
        """The ids of a user's connections."""
        self._used("get_user_connections")
        return set(self._of(user_id).get_user_connections(user_id))

    async def send_to_user(self, user_id: str, message: dict[str, Any]) -> None:
        """Send to a user."""
        self._used("send_to_user")
        await self._of(user_id).send_to_user(user_id, message)

    async def send_to_connection(self, connection_id: str, message: dict[str, Any]) -> bool:
        """Send to a connection of any user this object connected."""
        self._used("send_to_connection")
        for manager in self._managers.values():
            if manager.get_connection(connection_id) is not None:
                return bool(await manager.send_message(connection_id, message))
        return False

    async def broadcast_to_all(self, message: dict[str, Any], exclude_users: set[str] | None = None) -> None:
        """Send to every user this object connected."""
        self._used("broadcast_to_all")
        for user, manager in list(self._managers.items()):
            if user not in (exclude_users or ()):
                await manager.broadcast(message)

    async def get_stats(self) -> dict[str, Any]:
        """Connections by user, and what the adapter was called for."""
        counts = {user: manager.get_connection_count() for user, manager in self._managers.items()}
        return {
            "total_connections": sum(counts.values()),
            "unique_users": len([count for count in counts.values() if count]),
            "connections_by_user": counts,
            "migration_adapter_stats": self.get_adapter_metrics(),
            "migration_status": {
                "is_legacy_adapter": True,
                # Warnings are issued, and counted, where the legacy names are used: see `compat report`.
                "warnings_issued": 0,
                "unique_warning_sites": 0,
                "recommended_action": "get_websocket_manager(context)",
            },
        }

    def get_adapter_metrics(self) -> dict[str, Any]:
        """How often the singleton's methods were called, and how many users have managers of their own."""
        calls, managers = sum(self._calls.values()), len(self._managers)
        return {
            "legacy_usage_stats": {
                "singleton_calls": calls,
                "contexts_created": managers,
                "managers_created": managers,
                "warnings_issued": 0,
            },
            "active_isolated_managers": managers,
            "total_contexts_created": managers,
            "warning_sites_detected": 0,
            "migration_progress": {
                "total_legacy_calls": calls,
                "isolated_managers_in_use": managers,
                "security_improvement": f"{managers} users have managers of their own",
            },
            "recommendations": [
                "Call get_websocket_manager(context) with the user's context.",
                "Pass the manager on instead of asking for a global one.",
                "Make the context where the request comes in.",
                "Run `compat scan` for the uses that are left.",
            ],
        }


_adapter: WebSocketManagerAdapter | None = None


def get_legacy_websocket_manager() -> WebSocketManagerAdapter:
    """The adapter of this process."""
    return only(globals(), "_adapter", WebSocketManagerAdapter)


def migrate_singleton_usage(user_context: Any) -> Any:
    """The manager of ``user_context``'s user: what the singleton's callers want."""
    return create_websocket_manager_sync(user_context)
