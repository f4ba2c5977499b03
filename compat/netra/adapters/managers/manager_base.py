"""Everything legacy managers do, and the attributes that legacy code reads off them: views on the users' canonical managers."""

from __future__ import annotations

import asyncio
import weakref
from collections.abc import Mapping
from datetime import datetime, timezone
from types import SimpleNamespace
from typing import Any

from compat.netra.components.connections import manager_validation
from compat.netra.components.connections.background_tasks import MonitoredTasks
from compat.netra.components.events.delivery_tracker import EventDeliveryTracker
from compat.netra.components.locks import make_lock
from compat.shim import dual

from .aliases import OlderMethods
from .connections import ConnectionMethods
from .construction import chosen
from .live_dicts import UserQueues, View
from .manager_types import RegistryCompat, WebSocketManagerMode
from .receiving import ReceivingMethods
from .reports import ReportMethods
from .sending import SendingMethods
from .user_managers import Scope

COUNTERS = ("total_events_sent", "events_delivered", "contamination_prevented", "queue_overflows", "auth_token_reuse_detected")


class _Own:
    """An attribute kept on the legacy object itself, whatever the canonical class has under its name."""

    def __get__(self, instance: Any, owner: Any = None) -> Any:
        if instance is None:
            return self
        raise AttributeError("not set")


def _is_connection(value: Any) -> bool:
    ids = (getattr(value, "connection_id", None), getattr(value, "user_id", None))
    return hasattr(value, "websocket") and all(isinstance(one, str) and one for one in ids)


class ManagerMethods(ConnectionMethods, SendingMethods, ReceivingMethods, ReportMethods, OlderMethods):
    """Everything legacy managers do, and the attributes that legacy code reads off them."""

    mode = user_context = config = registry = connection_registry = core = _Own()
    user_id = thread_id = request_id = on_event_emitted = _connection_pool = _lock = _Own()

    @property
    def _connections(self) -> View:
        """Connections by id."""
        return self._views[0].fresh()

    @_connections.setter
    def _connections(self, records: Mapping[str, Any]) -> None:
        self.clear_all_connections()
        self._views[0].fresh().update(records)

    @property
    def connections(self) -> View:
        """Connections by id."""
        return self._connections

    @property
    def _user_connections(self) -> View:
        """Connection ids by user."""
        return self._views[1].fresh()

    @_user_connections.setter
    def _user_connections(self, wanted: Mapping[str, Any]) -> None:
        for user in self._scope.users():
            self._keep_only(user, wanted.get(user, ()))
        self._views[1].drop_beside()
        view = self._views[1].fresh()
        view.update({user: ids for user, ids in wanted.items() if user not in view})

    user_connections = _user_connections

    @property
    def active_connections(self) -> View:
        """Connection records by user."""
        return self._views[2].fresh()

    def _keep_only(self, user: str, wanted: Any) -> None:
        for connection_id in self._scope.ids_of(user) - set(wanted):
            self._detach(connection_id, user)

    def _make_views(self, scope: Scope) -> list[View]:
        def by_user(read: Any) -> Any:
            return lambda: {user: read(user) for user in scope.users()}

        return [
            View(scope.records, scope.version, self._put, self._detach),
            View(by_user(scope.ids_of), scope.version, self._put_ids, lambda user: self._keep_only(user, ())),
            View(by_user(scope.records_of), scope.version, self._replace, lambda user: self._keep_only(user, ())),
        ]

    _views: list[View]

    # What each view does with a value that is set: False for one that is no connection, which the view then keeps itself.

    def _put(self, connection_id: str, record: Any) -> bool:
        if not _is_connection(record):
            return False
        if record.connection_id != connection_id:
            record.connection_id = connection_id
        self._attach(record)
        return True

    def _put_ids(self, user: str, wanted: Any) -> bool:
        known = self._scope.ids_of(user)
        if not known or not isinstance(wanted, (set, frozenset, list, tuple)) or not known.issuperset(wanted):
            return False
        self._keep_only(user, wanted)
        return True

    def _replace(self, user: str, records: Any) -> bool:
        if not isinstance(records, (list, tuple)) or not all(map(_is_connection, records)):
            return False
        self._keep_only(user, ())
        for record in records:
            self._attach(record)
        return True

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
        return bool(self._scope.is_alive())

    @_is_active.setter
    def _is_active(self, value: bool) -> None:
        self._scope._closed = not value

    @property
    def _message_recovery_queue(self) -> dict[str, list[dict[str, Any]]]:
        return self._undelivered.messages

    @_message_recovery_queue.setter
    def _message_recovery_queue(self, messages: dict[str, list[dict[str, Any]]]) -> None:
        self._undelivered.messages = messages

    @property
    def _connection_error_count(self) -> dict[str, int]:
        return self._undelivered.error_counts

    @property
    def _last_error_time(self) -> dict[str, datetime]:
        return self._undelivered.last_errors

    @property
    def _error_recovery_enabled(self) -> bool:
        return self._undelivered.enabled

    @_error_recovery_enabled.setter
    def _error_recovery_enabled(self, value: bool) -> None:
        self._undelivered.enabled = value

    @property
    def _background_tasks(self) -> dict[str, Any]:
        return self._tasks.tasks

    @property
    def _task_failures(self) -> dict[str, int]:
        return self._tasks.failures

    @property
    def _task_registry(self) -> dict[str, Any]:
        return self._tasks.recipes

    @property
    def _task_last_restart(self) -> dict[str, str]:
        return self._tasks.last_restart

    @property
    def _shutdown_requested(self) -> bool:
        return self._tasks.shutdown_requested

    @_shutdown_requested.setter
    def _shutdown_requested(self, value: bool) -> None:
        self._tasks.shutdown_requested = value

    @property
    def _health_check_failures(self) -> int:
        return self._tasks.check_failures

    @_health_check_failures.setter
    def _health_check_failures(self, value: int) -> None:
        self._tasks.check_failures = value

    @property
    def _last_health_check(self) -> datetime:
        return self._tasks.last_check

    @_last_health_check.setter
    def _last_health_check(self, value: datetime) -> None:
        self._tasks.last_check = value

    @property
    def _monitoring_enabled(self) -> bool:
        return self._tasks.enabled

    @_monitoring_enabled.setter
    def _monitoring_enabled(self, value: bool) -> None:
        self._tasks.enabled = value

    async def _get_user_connection_lock(self, user_id: str) -> asyncio.Lock:
        lock = self._user_connection_locks.get(user_id)
        if lock is None:
            lock = self._user_connection_locks[user_id] = make_lock()
        return lock

    _user_connection_locks: dict[str, asyncio.Lock]

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

    @property
    def _connection_ids(self) -> set[str]:
        """The ids of every connection."""
        return set(self._connections)

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
            "_rooms": scope.rooms,
            "_undelivered": scope.undelivered,
            "_views": self._make_views(scope),
            "_tasks": MonitoredTasks(),
            "_delivery": EventDeliveryTracker(),
            "_created_at": datetime.now(timezone.utc),
            "_connection_pool": weakref.WeakValueDictionary(),
            "_event_listeners": [],
            "_transaction_coordinator": None,
            "_event_isolation_tokens": {},
            "_event_delivery_tracking": {},
            "_user_event_queues": UserQueues(),
            "_cross_user_detection": {},
            "_connection_infos": {},
            "_event_queue_stats": dict.fromkeys(COUNTERS, 0),
            "_user_connection_locks": {},
            "_lock": make_lock(),
            "_connection_lock_creation_lock": make_lock(),
        }
        for name, value in own.items():
            object.__setattr__(self, name, value)
        object.__setattr__(self, "registry", RegistryCompat(self))
