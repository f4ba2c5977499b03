"""Tell users what their agents do: a bridge from runs and threads to the manager of the user they belong to."""

from __future__ import annotations

import asyncio
import time
from datetime import datetime, timezone
from typing import Any, ClassVar

from compat.canonical.core.logged import get_logger
from compat.canonical.factory import get_websocket_manager

from ..connections.manager_calls import emit_critical, settled
from .agent_notifier import RequestScopedOrchestrator, WebSocketNotifier
from .bridge_types import HealthStatus, IntegrationConfig, IntegrationMetrics, IntegrationResult, IntegrationState
from .notification_kinds import Clean, Notifications
from .sanitising import sanitize_fields
from .unified_emitter import UnifiedWebSocketEmitter

logger = get_logger(__name__)


def _now() -> datetime:
    return datetime.now(timezone.utc)


class AgentWebSocketBridge(Notifications):
    """Sends agent notifications of one user's runs; every ``notify_*`` returns whether the event was handed over.

    Without ``user_context`` the bridge serves whoever a notification names: its ``user_context``, or the thread that its
    run was registered for.
    """

    WebSocketNotifier: ClassVar[Any] = WebSocketNotifier

    def __init__(self, user_context: Any = None, config: IntegrationConfig | None = None) -> None:
        self.user_context = user_context
        self.config = config or IntegrationConfig()
        self.state = IntegrationState.UNINITIALIZED
        self.metrics = IntegrationMetrics()
        self.created_at = _now()
        self._websocket_manager: Any = None
        self._registry: Any = None
        self._observers: list[Any] = []
        self._threads: dict[str, tuple[str, dict[str, Any]]] = {}
        self._resolved = {"registered": 0, "from_id": 0, "unresolved": 0}
        self._failures = 0
        self._closed = False
        self._given = False

    @property
    def user_id(self) -> str | None:
        """The user this bridge belongs to, if it belongs to one."""
        return getattr(self.user_context, "user_id", None)

    @property
    def websocket_manager(self) -> Any:
        """The manager of the bridge's own user; None until integrated."""
        return self._websocket_manager

    @websocket_manager.setter
    def websocket_manager(self, manager: Any) -> None:
        required = ("emit_critical_event", "send_to_thread", "send_to_user")
        if manager is not None and not any(hasattr(manager, name) for name in required):
            raise ValueError(f"websocket_manager needs one of {', '.join(required)}; {type(manager).__name__} has none")
        self._websocket_manager = manager
        self._given = manager is not None

    @property
    def registry(self) -> Any:
        """The agent registry this bridge reports for."""
        return self._registry

    @registry.setter
    def registry(self, registry: Any) -> None:
        self._registry = registry

    async def ensure_integration(
        self, supervisor: Any = None, registry: Any = None, force_reinit: bool = False
    ) -> IntegrationResult:
        """Connect manager and registry; does nothing when that is done already, unless ``force_reinit``."""
        if self.state is IntegrationState.ACTIVE and not force_reinit:
            return IntegrationResult(True, self.state)
        started = time.monotonic()
        self.metrics.total_initializations += 1
        self.state = IntegrationState.INITIALIZING
        if registry is not None:
            self._registry = registry
        elif supervisor is not None:
            self._registry = getattr(supervisor, "registry", self._registry)
        try:
            if self.user_context is not None and not self._given and (self._websocket_manager is None or force_reinit):
                self._websocket_manager = get_websocket_manager(self.user_context)
        except Exception as error:
            self.metrics.failed_initializations += 1
            self.state = IntegrationState.FAILED
            return IntegrationResult(False, self.state, str(error), _since(started))
        self.state = IntegrationState.ACTIVE
        self._closed = False
        self.metrics.successful_initializations += 1
        self.metrics.current_uptime_start = _now()
        return IntegrationResult(True, self.state, None, _since(started))

    async def recover_integration(self) -> IntegrationResult:
        """Integrate again, up to ``config.recovery_max_attempts`` times with growing delays."""
        started = time.monotonic()
        result = IntegrationResult(False, self.state)
        for attempt in range(max(1, self.config.recovery_max_attempts)):
            self.metrics.recovery_attempts += 1
            result = await self.ensure_integration(force_reinit=True)
            if result.success:
                self.metrics.successful_recoveries += 1
                self._failures = 0
                break
            await asyncio.sleep(min(self.config.recovery_base_delay_s * 2**attempt, self.config.recovery_max_delay_s))
        return IntegrationResult(result.success, self.state, result.error, _since(started), recovery_attempted=True)

    async def health_check(self) -> HealthStatus:
        """Look at manager and registry once, and tell the observers."""
        self.metrics.health_checks_performed += 1
        manager_healthy = self._websocket_manager is not None or self.user_context is None
        integrated = self.state in (IntegrationState.ACTIVE, IntegrationState.DEGRADED)
        healthy = manager_healthy and integrated
        self._failures = 0 if healthy else self._failures + 1
        status = HealthStatus(
            state=self.state,
            websocket_manager_healthy=manager_healthy and integrated,
            registry_healthy=self._registry is not None or integrated,
            last_health_check=_now(),
            consecutive_failures=self._failures,
            total_recoveries=self.metrics.successful_recoveries,
            uptime_seconds=self._uptime(),
            error_message=None if healthy else f"bridge is {self.state.value}",
        )
        for observer in list(self._observers):
            changed = getattr(observer, "on_component_health_change", None)
            if callable(changed):
                await settled(changed("agent_websocket_bridge", {"healthy": healthy, "state": self.state.value}))
        return status

    async def get_health_status(self) -> dict[str, Any]:
        """Return a health check as plain data."""
        status = await self.health_check()
        return {
            "healthy": status.error_message is None,
            "state": status.state.value,
            "websocket_manager_healthy": status.websocket_manager_healthy,
            "registry_healthy": status.registry_healthy,
            "timestamp": status.last_health_check.timestamp(),
            "last_health_check": status.last_health_check.isoformat(),
            "consecutive_failures": status.consecutive_failures,
            "total_recoveries": status.total_recoveries,
            "uptime_seconds": status.uptime_seconds,
            "error_message": status.error_message,
        }

    async def get_metrics(self) -> dict[str, Any]:
        """Return what the bridge has done so far."""
        metrics = self.metrics
        return {
            "total_initializations": metrics.total_initializations,
            "successful_initializations": metrics.successful_initializations,
            "failed_initializations": metrics.failed_initializations,
            "recovery_attempts": metrics.recovery_attempts,
            "successful_recoveries": metrics.successful_recoveries,
            "health_checks_performed": metrics.health_checks_performed,
            "success_rate": metrics.successful_initializations / max(1, metrics.total_initializations),
            "current_state": self.state.value,
            "registered_observers": len(self._observers),
            "uptime_seconds": self._uptime(),
        }

    async def get_status(self) -> dict[str, Any]:
        """Return state, health, metrics and dependencies in one."""
        return {
            "state": self.state.value,
            "health": await self.get_health_status(),
            "metrics": await self.get_metrics(),
            "config": dict(vars(self.config)),
            "dependencies": {
                "websocket_manager_available": self._websocket_manager is not None,
                "registry_available": self._registry is not None,
            },
        }

    def register_monitor_observer(self, observer: Any) -> None:
        """Tell ``observer.on_component_health_change(name, health)`` after each health check."""
        if observer not in self._observers:
            self._observers.append(observer)

    def remove_monitor_observer(self, observer: Any) -> None:
        """Stop telling ``observer``."""
        if observer in self._observers:
            self._observers.remove(observer)

    async def shutdown(self) -> None:
        """Let go of manager, registry, observers and mappings; the bridge can be integrated again."""
        self._closed = True
        self.state = IntegrationState.UNINITIALIZED
        self._websocket_manager = self._registry = None
        self._given = False
        self._observers.clear()
        self._threads.clear()

    async def register_run_thread_mapping(self, run_id: str, thread_id: str, metadata: dict[str, Any] | None = None) -> bool:
        """Remember which thread a run reports to."""
        if not run_id or not thread_id:
            return False
        self._threads[run_id] = (thread_id, dict(metadata or {}))
        return True

    async def unregister_run_mapping(self, run_id: str) -> bool:
        """Forget a run; whether it was known."""
        return self._threads.pop(run_id, None) is not None

    async def get_thread_registry_status(self) -> dict[str, Any]:
        """Return how many runs are mapped, and how."""
        return {"active_mappings": len(self._threads), "total_runs": len(self._threads), **self._resolved}

    def get_resolution_metrics(self) -> dict[str, Any]:
        """Return how threads of runs were found."""
        total = sum(self._resolved.values())
        found = total - self._resolved["unresolved"]
        return {**self._resolved, "total_resolutions": total, "success_rate": found / total if total else 1.0}

    def extract_thread_id(self, run_id: str) -> str:
        """Return the thread of a run: as registered, or as its id says (``run_<thread>_<number>_<hex>``), or the run id."""
        if run_id in self._threads:
            self._resolved["registered"] += 1
            return self._threads[run_id][0]
        parts = run_id.split("_")
        if "thread" in parts:
            inner = parts[parts.index("thread") :]
            self._resolved["from_id"] += 1
            return "_".join(inner[:-2] if len(inner) > 3 and parts[0] == "run" else inner)
        self._resolved["unresolved"] += 1
        return run_id

    async def create_user_emitter(
        self,
        user_context: Any = None,
        user_id: str | None = None,
        thread_id: str | None = None,
        connection_id: str | None = None,
    ) -> UnifiedWebSocketEmitter:
        """Return an emitter for one user's events.

        Raises
        ------
        ValueError
            If neither a context nor a manager with a user id is there.
        """
        context = user_context if user_context is not None else self.user_context
        if context is None and (user_id is None or self._websocket_manager is None):
            raise ValueError("create_user_emitter needs a user_context: UserExecutionContext(user_id=, thread_id=, run_id=)")
        manager = self._manager_of(context)
        return UnifiedWebSocketEmitter(manager, user_id or context.user_id, context)

    @classmethod
    async def create_user_emitter_from_ids(
        cls, user_id: str, thread_id: str, run_id: str, websocket_connection_id: str | None = None
    ) -> UnifiedWebSocketEmitter:
        """Return an emitter for the user, thread and run of these ids."""
        from ..context import UserExecutionContext

        context = UserExecutionContext(
            user_id=user_id, thread_id=thread_id, run_id=run_id, websocket_client_id=websocket_connection_id
        )
        return await cls.create_scoped_emitter(context)

    @staticmethod
    async def create_scoped_emitter(user_context: Any) -> UnifiedWebSocketEmitter:
        """Return an emitter for the user of ``user_context``."""
        return UnifiedWebSocketEmitter(get_websocket_manager(user_context), user_context.user_id, user_context)

    async def create_execution_orchestrator(self, user_id: str, agent_type: str) -> RequestScopedOrchestrator:
        """Return what runs one agent for one user and reports on it."""
        context = self.user_context
        if context is None or context.user_id != user_id:
            from ..context import UserExecutionContext

            context = UserExecutionContext.from_request(
                user_id=user_id, thread_id=f"thread_{agent_type}_1", run_id=f"run_{agent_type}_1"
            )
        return RequestScopedOrchestrator(context, await self.create_scoped_emitter(context), self)

    def _uptime(self) -> float:
        if self.state is not IntegrationState.ACTIVE:
            return 0.0
        return (_now() - self.metrics.current_uptime_start).total_seconds()

    def _manager_of(self, context: Any) -> Any:
        """The manager set by hand, else that of the notification's own user: one user's manager is never used for another."""
        if self._websocket_manager is not None and (self._given or context is self.user_context):
            return self._websocket_manager
        if context is None or self._closed:
            return None
        return get_websocket_manager(context)

    async def _notify(
        self,
        event_type: str,
        run_id: Any,
        details: dict[str, Any],
        user_context: Any = None,
        clean: Clean = sanitize_fields,
        runless: bool = False,
    ) -> bool:
        if not runless and not self._validate_event_context(run_id, event_type, details.get("agent_name")):
            return False
        context = user_context if user_context is not None else self.user_context
        thread_id = getattr(context, "thread_id", None) or (None if runless else self.extract_thread_id(run_id))
        user_id = getattr(context, "user_id", None)
        try:
            body = {name: value for name, value in clean(details).items() if value is not None}
            # The ids say where the event goes; what it says of them itself does not count.
            data = {"timestamp": _now().isoformat(), **body, "run_id": run_id, "thread_id": thread_id}
            if runless:
                del data["run_id"]
            if user_id is not None and "user_id" in data:
                data["user_id"] = user_id
            manager = self._manager_of(context) if user_id is not None or thread_id else None
            if manager is None:
                logger.warning("no manager for run %s; %s not sent", run_id, event_type)
                return False
            if user_id is not None:
                await emit_critical(manager, user_id, event_type, data)
                return True
            return bool(await settled(manager.send_to_thread(thread_id, {"type": event_type, **data})))
        except Exception as error:
            logger.error("%s of run %s failed: %s", event_type, run_id, error)
            return False


def create_agent_websocket_bridge(user_context: Any = None, websocket_manager: Any = None) -> AgentWebSocketBridge:
    """Return a bridge for one user, over ``websocket_manager`` or the manager that the factory makes for the user."""
    bridge = AgentWebSocketBridge(user_context)
    if websocket_manager is not None:
        bridge.websocket_manager = websocket_manager
    return bridge


def _since(started: float) -> float:
    return (time.monotonic() - started) * 1000
