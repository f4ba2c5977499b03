"""The legacy factory functions, sync in some releases and async in others: their results serve both kinds of caller."""

from __future__ import annotations

import asyncio
import inspect
import threading
import time
import uuid
from dataclasses import dataclass, field
from datetime import datetime, timezone
from types import SimpleNamespace
from typing import Any, TypeVar

from compat.canonical.errors import FactoryInitializationError
from compat.canonical.factory import isolation_key
from compat.shim import dual

from ..testing_mode import is_testing
from .managers import websocket_manager as managers
from .managers.manager_types import WebSocketManagerMode

T = TypeVar("T")
NO_CONTEXT = (
    "WebSocket manager creation requires valid UserExecutionContext. Import-time initialization is prohibited. "
    "Use request-scoped factory pattern instead. See User Context Architecture documentation for proper implementation."
)


def _manager(user_context: Any, mode: Any = WebSocketManagerMode.UNIFIED) -> Any:
    # Through the module: tests replace the class there.
    return managers.UnifiedWebSocketManager(mode=mode, user_context=user_context)


def _by_factory(user_context: Any) -> Any:
    """The manager of a context, by the check and the factory that a test has put in the place of ours."""
    if validate_ssot_user_context is not _OWN_CHECK:
        validate_ssot_user_context(user_context)
    if get_websocket_manager_factory is not _OWN_FACTORY:
        return get_websocket_manager_factory().create_manager(user_context)
    return _manager(user_context)


def _required(user_context: Any, user_id: Any = None) -> Any:
    if user_context is None and user_id is not None:
        user_context = SimpleNamespace(user_id=str(user_id), thread_id=None, request_id=None)
    if user_context is None:
        raise ValueError(NO_CONTEXT)
    return user_context


def looks_async(function: T) -> T:
    """Mark a function whose result may be awaited as a coroutine function: ``mock.patch`` then makes an AsyncMock of it."""
    marker = getattr(asyncio.coroutines, "_is_coroutine", None)
    if marker is not None:
        function._is_coroutine = marker  # type: ignore[attr-defined]
    mark = getattr(inspect, "markcoroutinefunction", None)  # 3.12
    return mark(function) if mark is not None else function


@looks_async
@dual
def get_websocket_manager(user_context: Any = None, mode: Any = WebSocketManagerMode.UNIFIED, **unused: Any) -> Any:
    """The manager of ``user_context``'s user; in tests, without one, a manager for a user made up on the spot."""
    if is_testing():
        return create_test_fallback_manager(user_context)
    return _manager(_required(user_context), mode)


@looks_async
@dual
def get_package_websocket_manager(user_context: Any = None, mode: Any = WebSocketManagerMode.UNIFIED) -> Any:
    """As :func:`get_websocket_manager`, with a context always."""
    return _manager(_required(user_context), mode)


@dual
def get_shared_websocket_manager(user_context: Any = None, *unused: Any, **ignored: Any) -> Any:
    """The manager of before there were contexts: one object, each user's connections apart."""
    return managers.SharedWebSocketManager(user_context=user_context)


@dual
def create_websocket_manager(user_context: Any = None, user_id: Any = None, **unused: Any) -> Any:
    """The manager of ``user_context``'s user."""
    return _manager(_required(user_context, user_id))


@looks_async
@dual
def create_isolated_websocket_manager(user_context: Any = None, user_id: Any = None, **unused: Any) -> Any:
    """As :func:`create_websocket_manager`, where that was a coroutine function."""
    return _by_factory(_required(user_context, user_id))


def create_websocket_manager_sync(user_context: Any = None, **unused: Any) -> Any:
    """The manager of ``user_context``'s user."""
    return _by_factory(_required(user_context))


def create_test_user_context() -> Any:
    """A context for a user that nobody else has; for tests."""
    token = uuid.uuid4().hex[:8]
    return SimpleNamespace(
        user_id=f"test_user_1_{token}",
        thread_id=f"test_thread_1_{token}",
        run_id=f"test_run_1_{token}",
        request_id=f"test_request_1_{token}",
        is_test=True,
    )


def create_test_fallback_manager(user_context: Any) -> Any:
    """A manager for a test's context; for a made-up user where it names none."""
    return _manager(user_context if getattr(user_context, "user_id", None) else create_test_user_context())


async def check_websocket_service_available(host: str = "127.0.0.1", port: int = 8000, timeout: float = 1.0) -> bool:
    """Whether a server answers on ``host:port`` within ``timeout`` seconds."""
    try:
        _, writer = await asyncio.wait_for(asyncio.open_connection(host, port), timeout)
    except (OSError, asyncio.TimeoutError):
        return False
    writer.close()
    return True


@dataclass
class FactoryMetrics:
    """What a factory has done so far."""

    managers_created: int = 0
    managers_active: int = 0
    managers_cleaned_up: int = 0
    users_with_active_managers: int = 0
    resource_limit_hits: int = 0
    total_connections_managed: int = 0
    security_violations_detected: int = 0
    average_manager_lifetime_seconds: float = 0.0


@dataclass
class ManagerMetrics:
    """What one manager has done so far."""

    connections_managed: int = 0
    messages_sent_total: int = 0
    messages_failed_total: int = 0
    last_activity: datetime | None = None
    manager_age_seconds: float = 0.0
    cleanup_scheduled: bool = False

    def to_dict(self) -> dict[str, Any]:
        """All values, times as ISO 8601 text."""
        return {**vars(self), "last_activity": self.last_activity.isoformat() if self.last_activity else None}


@dataclass
class _Made:
    manager: Any
    user_id: str
    since: float = field(default_factory=time.monotonic)


class WebSocketManagerFactory:
    """Managers by user and request, each over the user's canonical manager; bounded by user."""

    def __init__(self, max_managers_per_user: int = 20, connection_timeout_seconds: int = 1800, **unused: Any) -> None:
        self.max_managers_per_user = max_managers_per_user
        self.connection_timeout_seconds = connection_timeout_seconds
        self._active_managers: dict[str, _Made] = {}
        self._metrics = FactoryMetrics()

    @dual
    def create_manager(self, user_context: Any = None, *unused: Any, **ignored: Any) -> Any:
        """The manager of this context; the same one for the same context."""
        return self._made_for(_required(user_context))

    create = create_websocket_manager = get_websocket_manager = create_manager

    @dual
    def create_isolated_manager(
        self, user_context: Any = None, connection_id: Any = None, *unused: Any, user_id: Any = None, **ignored: Any
    ) -> Any:
        """The manager of a context, or of a user's one connection."""
        given = user_id if user_context is None else user_context
        if isinstance(given, str):
            given = SimpleNamespace(user_id=given, thread_id=None, request_id=connection_id)
        return self._made_for(_required(given))

    def _made_for(self, user_context: Any) -> Any:
        key = self._key(user_context)
        made = self._active_managers.get(key)
        if made is None:
            mine = [one for one in self._active_managers.values() if one.user_id == user_context.user_id]
            if len(mine) >= self.max_managers_per_user:
                self._metrics.resource_limit_hits += 1
                limit = f"the maximum number of WebSocket managers ({self.max_managers_per_user})"
                raise RuntimeError(f"User {user_context.user_id} has reached {limit}")
            made = self._active_managers[key] = _Made(_manager(user_context), user_context.user_id)
            self._metrics.managers_created += 1
        return made.manager

    def get_manager(self, key: Any) -> Any:
        """The manager of an isolation key or a context, or None."""
        made = self._active_managers.get(key if isinstance(key, str) else self._key(key))
        return made.manager if made is not None else None

    def get_manager_by_user(self, user_id: str) -> Any:
        """A user's manager, or None."""
        return next((made.manager for made in self._active_managers.values() if made.user_id == user_id), None)

    async def cleanup_manager(self, key: Any) -> bool:
        """Shut one manager down; False for an unknown one."""
        made = self._active_managers.pop(key if isinstance(key, str) else self._key(key), None)
        if made is None:
            return False
        await made.manager.shutdown()
        self._metrics.managers_cleaned_up += 1
        return True

    def get_active_connections_count(self) -> int:
        """How many connections all managers have; those of one user share theirs."""
        by_user = {made.user_id: made.manager for made in self._active_managers.values()}
        return sum(manager.get_connection_count() for manager in by_user.values())

    async def enforce_resource_limits(self, user_id: str) -> bool:
        """Whether the user may have one more manager."""
        mine = [made for made in self._active_managers.values() if made.user_id == user_id]
        return len(mine) < self.max_managers_per_user

    def get_factory_stats(self) -> dict[str, Any]:
        """Counts, limits and managers by user."""
        by_user: dict[str, int] = {}
        for made in self._active_managers.values():
            by_user[made.user_id] = by_user.get(made.user_id, 0) + 1
        metrics = {
            **vars(self._metrics),
            "managers_active": len(self._active_managers),
            "users_with_active_managers": len(by_user),
        }
        return {
            "factory_metrics": metrics,
            "current_state": {"active_managers": len(self._active_managers), "users_with_managers": len(by_user)},
            "configuration": {
                "max_managers_per_user": self.max_managers_per_user,
                "connection_timeout_seconds": self.connection_timeout_seconds,
            },
            "user_distribution": by_user,
            "active_managers": len(self._active_managers),
        }

    get_stats = get_factory_stats

    async def shutdown(self) -> None:
        """Shut every manager down."""
        for key in list(self._active_managers):
            await self.cleanup_manager(key)

    def _key(self, context: Any) -> str:
        key = isolation_key(context)
        return ":".join([key.user_id, str(key.thread_id), str(getattr(context, "request_id", None))])


# Tests put None here to begin anew.
_factory_instance: WebSocketManagerFactory | None = None
_factory_lock = threading.Lock()


def get_websocket_manager_factory() -> WebSocketManagerFactory:
    """This process's legacy factory. It holds users' managers apart by their contexts."""
    global _factory_instance
    with _factory_lock:
        if _factory_instance is None:
            _factory_instance = WebSocketManagerFactory()
        return _factory_instance


def validate_websocket_component_health(user_context: Any = None) -> dict[str, Any]:
    """Whether managers can be made for ``user_context``."""
    errors = []
    try:
        if user_context is not None:
            isolation_key(user_context)
    except Exception as error:
        errors.append(str(error))
    return {
        "healthy": not errors,
        "components": {"factory": "healthy", "user_context": "healthy" if not errors else "unhealthy"},
        "failed_components": ["user_context"] if errors else [],
        "errors": errors,
        "timestamp": datetime.now(timezone.utc).isoformat(),
    }


def validate_ssot_user_context(user_context: Any) -> None:
    """Refuse what is no context.

    Raises
    ------
    FactoryInitializationError
        Says what is wrong with it.
    """
    try:
        isolation_key(user_context)
    except Exception as error:
        raise FactoryInitializationError(f"SSOT context validation failed: {error}") from error


_OWN_CHECK, _OWN_FACTORY = validate_ssot_user_context, get_websocket_manager_factory
