"""What legacy code reaches on a manager beside its methods: attributes, and the methods that begin with an underscore."""

from __future__ import annotations

import asyncio
import weakref
from collections.abc import Mapping
from datetime import datetime
from operator import attrgetter
from types import SimpleNamespace
from typing import Any

from compat.netra.components.connections import manager_validation
from compat.netra.components.events.business_events import business_event
from compat.netra.components.locks import make_lock
from compat.netra.components.messages import serializing
from compat.shim import dual

from .construction import chosen
from .live_dicts import View
from .manager_types import RegistryCompat, WebSocketManagerMode
from .parts.whole import Parts
from .user_managers import Scope


class _Own:
    """An attribute kept on the legacy object itself, whatever the canonical class has under its name."""

    def __get__(self, instance: Any, owner: Any = None) -> Any:
        if instance is None:
            return self
        raise AttributeError("not set")


def held(path: str) -> Any:
    """An attribute whose value a part has: ``path`` from the manager to it. Set there too."""
    holder, _, name = path.rpartition(".")
    where = attrgetter(holder)

    def put(self: Any, value: Any) -> None:
        setattr(where(self), name, value)

    return property(attrgetter(path), put)


class ReachedNames:
    """Attributes and underscored methods of a manager; its public methods are those of its parts."""

    _parts: Parts
    _scope: Scope

    mode = user_context = config = registry = connection_registry = core = _Own()
    user_id = thread_id = request_id = on_event_emitted = _connection_pool = _lock = _Own()

    _connection_error_count = held("_scope.undelivered.error_counts")
    _last_error_time = held("_scope.undelivered.last_errors")
    _error_recovery_enabled = held("_scope.undelivered.enabled")
    _undelivered = held("_scope.undelivered")
    _rooms = held("_scope.rooms")
    _tasks = held("_parts.reports.tasks")
    _background_tasks = held("_parts.reports.tasks.tasks")
    _task_failures = held("_parts.reports.tasks.failures")
    _task_registry = held("_parts.reports.tasks.recipes")
    _task_last_restart = held("_parts.reports.tasks.last_restart")
    _shutdown_requested = held("_parts.reports.tasks.shutdown_requested")
    _health_check_failures = held("_parts.reports.tasks.check_failures")
    _last_health_check = held("_parts.reports.tasks.last_check")
    _monitoring_enabled = held("_parts.reports.tasks.enabled")
    _created_at: datetime = held("_parts.reports.created_at")
    _delivery = held("_parts.delivery")
    _event_isolation_tokens = held("_parts.isolation.tokens")
    _user_event_queues = held("_parts.isolation.queues")
    _cross_user_detection = held("_parts.isolation.violations")
    _event_queue_stats = held("_parts.isolation.stats")
    _user_connection_locks = held("_parts.connections.locks")

    @property
    def _connections(self) -> View:
        """Connections by id."""
        return self._parts.connections.views.by_id.fresh()

    @_connections.setter
    def _connections(self, records: Mapping[str, Any]) -> None:
        self._parts.connections.clear_all_connections()
        self._parts.connections.views.by_id.fresh().update(records)

    connections = _connections

    @property
    def _user_connections(self) -> View:
        """Connection ids by user."""
        return self._parts.connections.views.ids.fresh()

    @_user_connections.setter
    def _user_connections(self, wanted: Mapping[str, Any]) -> None:
        self._parts.connections.views.set_ids(wanted)

    user_connections = _user_connections

    @property
    def active_connections(self) -> View:
        """Connection records by user."""
        return self._parts.connections.views.records.fresh()

    @active_connections.setter
    def active_connections(self, wanted: Mapping[str, Any]) -> None:
        self._parts.connections.views.set_records(wanted)

    @property
    def _connection_ids(self) -> set[str]:
        """The ids of every connection."""
        return set(self._connections)

    @property
    def connection_manager(self) -> Any:
        """The manager itself."""
        return self

    @property
    def _connection_manager(self) -> Any:
        return self

    @property
    def _user_context(self) -> Any:
        return self.user_context

    @property
    def _is_active(self) -> bool:
        return self._scope.is_alive()

    @_is_active.setter
    def _is_active(self, value: bool) -> None:
        self._scope.set_alive(value)

    @property
    def _message_recovery_queue(self) -> dict[str, list[dict[str, Any]]]:
        """What waits for each user's next connection, and was not sent by the canonical server meanwhile."""
        for user in list(self._scope.undelivered.messages):
            self._scope.forget_delivered(user)
        return self._scope.undelivered.messages

    @_message_recovery_queue.setter
    def _message_recovery_queue(self, messages: dict[str, list[dict[str, Any]]]) -> None:
        self._scope.undelivered.messages = messages

    # -- methods that begin with an underscore, and that legacy code calls or replaces nevertheless

    async def _get_user_connection_lock(self, user_id: str) -> asyncio.Lock:
        return self._parts.connections.lock_of(user_id)

    async def _store_failed_message(self, user_id: str, message: dict[str, Any], failure_reason: str) -> None:
        self._scope.undelivered.keep(str(user_id), message, failure_reason)

    async def _process_queued_messages(self, user_id: str) -> None:
        await self._parts.receiving.process_recovery_queue(user_id)

    async def _emit_connection_error_notification(self, user_id: str, event_type: str) -> None:
        await self._parts.critical.tell_of_lost_event(user_id, event_type)

    async def _emit_system_error_notification(self, user_id: str, event_type: str, error_details: Any = None) -> None:
        await self._parts.critical.tell_of_failure(user_id, event_type, error_details)

    async def _notify_event_listeners(self, event: dict[str, Any]) -> None:
        await self._parts.critical.notify_listeners(event)

    def _process_business_event(self, event_type: str, data: dict[str, Any]) -> dict[str, Any]:
        return business_event(event_type, data)

    def _validate_user_isolation(self, user_id: Any, operation: str = "unknown") -> bool:
        return self._parts.isolation.validate_user(user_id, operation)

    def _prevent_cross_user_event_bleeding(self, event: dict[str, Any], user_id: Any) -> dict[str, Any]:
        return self._parts.isolation.marked(event, user_id)

    def _get_connection_diagnostics(self, connection: Any) -> dict[str, Any]:
        return self._parts.isolation.diagnostics(connection)

    def _serialize_message_safely(self, message: Any) -> Any:
        return serializing.serialize_message_safely(message)

    async def _serialize_message_safely_async(self, message: Any) -> Any:
        return serializing.serialize_message_safely(message)

    # -- how one is made

    _instance: Any = None

    @classmethod
    def get_instance(cls, *args: Any, **kwargs: Any) -> Any:
        """A manager as the singleton was: it reaches each user by the ``user_id`` of the call."""
        return cls(*args, **kwargs)

    @classmethod
    def create_for_user(cls, user_context: Any, **unused: Any) -> Any:
        """The manager of one user."""
        return cls(user_context=user_context)  # type: ignore[call-arg]

    @classmethod
    @dual
    def create_manager(cls, user_context: Any = None, *unused: Any, **ignored: Any) -> Any:
        """The manager of ``user_context``'s user, awaited or not."""
        return cls(user_context=user_context)  # type: ignore[call-arg]

    def _begin(self, strict: bool, mode: Any, context: Any, config: Any, token: Any) -> None:
        """What construction does; ``mode`` was the first argument, where some callers pass a context."""
        if context is None and getattr(mode, "user_id", None):
            mode, context = WebSocketManagerMode.UNIFIED, mode
        factory, context, owner = chosen(strict, context, token)
        kind: Any = type(self)
        kind.__compat_prepare__()
        canonical = factory.get(SimpleNamespace(user_id=str(context.user_id), thread_id=None)) if context is not None else None
        object.__setattr__(self, "canonical", canonical)
        self._set_up(Scope(factory, owner), context, config)
        if token is not None:
            # Through the module: tests replace the function there.
            manager_validation.validate_websocket_manager_creation(
                manager_instance=self, user_context=context, creation_method="factory_authorized"
            )

    def _set_up(self, scope: Scope, context: Any, config: Any) -> None:
        face: Any = self
        own = {
            "_scope": scope,
            "mode": WebSocketManagerMode.UNIFIED,
            "user_context": context,
            "config": dict(config or {}),
            "user_id": getattr(context, "user_id", None),
            "thread_id": getattr(context, "thread_id", None),
            "request_id": getattr(context, "request_id", None),
            "connection_registry": {},
            "core": SimpleNamespace(room_manager=scope.rooms),
            "on_event_emitted": None,
            "_connection_pool": weakref.WeakValueDictionary(),
            "_event_listeners": [],
            "_transaction_coordinator": None,
            "_event_delivery_tracking": {},
            "_connection_infos": {},
            "_lock": make_lock(),
            "_connection_lock_creation_lock": make_lock(),
            "_parts": Parts(face, scope),
            "registry": RegistryCompat(self),
        }
        for name, value in own.items():
            object.__setattr__(self, name, value)
