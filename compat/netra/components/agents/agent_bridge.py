"""Tell users what their agents do: a bridge from runs and threads to the manager of the user they belong to."""

from __future__ import annotations

import asyncio
import time
from datetime import datetime, timezone
from typing import Any, ClassVar

from ..connections.manager_calls import settled
from ..locks import make_lock
from . import delivery
from .agent_notifier import RequestScopedOrchestrator, WebSocketNotifier
from .bridge_reports import Reports
from .bridge_types import IntegrationConfig, IntegrationMetrics, IntegrationResult, IntegrationState
from .emitters import unified
from .notification_kinds import Notifications
from .run_threads import RunThreads


class AgentWebSocketBridge(RunThreads, Reports, Notifications):
    """Sends agent notifications of one user's runs.

    A manager that was given is told by ``send_to_thread(thread_id, notification)``. Without one, a notification goes to the
    sockets of the user of the call's context, else of the bridge's; without a user there either, to nobody.
    """

    WebSocketNotifier: ClassVar[Any] = WebSocketNotifier

    def __init__(self, user_context: Any = None, config: IntegrationConfig | None = None) -> None:
        self.user_context = user_context
        self.config = config or IntegrationConfig()
        self.state = IntegrationState.UNINITIALIZED
        self.metrics = IntegrationMetrics()
        self.created_at = datetime.now(timezone.utc)
        self.is_connected = True
        self.initialization_lock, self.recovery_lock, self.health_lock = make_lock(), make_lock(), make_lock()
        self._websocket_manager: Any = None
        self._registry: Any = None
        self._supervisor: Any = None
        self._health_check_task: asyncio.Task[Any] | None = None
        self._event_history: list[dict[str, Any]] = []
        self._initialized, self._shutdown, self._given = True, False, False
        self._begin_reports()
        self._begin_threads()

    @property
    def user_id(self) -> str | None:
        """The user this bridge belongs to, if it belongs to one."""
        return getattr(self.user_context, "user_id", None)

    @property
    def websocket_manager(self) -> Any:
        """The manager that was given, or the one of the bridge's own user; None until integrated."""
        return self._websocket_manager

    @websocket_manager.setter
    def websocket_manager(self, manager: Any) -> None:
        if manager is not None and not hasattr(manager, "send_to_thread"):
            raise ValueError(
                "Invalid websocket manager - must implement send_to_thread method. "
                "For production use, prefer factory methods for proper user isolation."
            )
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
        async with self.initialization_lock:
            if self.state is IntegrationState.ACTIVE and not force_reinit:
                return IntegrationResult(True, self.state)
            started = time.monotonic()
            self.metrics.total_initializations += 1
            self.state = IntegrationState.INITIALIZING
            self._supervisor = supervisor if supervisor is not None else self._supervisor
            self._registry = registry if registry is not None else self._registry
            try:
                if self.user_context is not None and not self._given and (self._websocket_manager is None or force_reinit):
                    self._websocket_manager = await settled(delivery.get_websocket_manager(self.user_context))
                if self._registry is None:
                    self._registry = await settled(get_agent_execution_registry())
                await self._initialize_thread_registry()
            except Exception as error:
                self.metrics.failed_initializations += 1
                self.state = IntegrationState.FAILED
                message = f"Integration initialization failed: {error}"
                delivery.logger.error("%s", message)
                return IntegrationResult(False, self.state, message, _since(started))
            self.state = IntegrationState.ACTIVE
            self._shutdown = False
            self.metrics.successful_initializations += 1
            self.metrics.current_uptime_start = datetime.now(timezone.utc)
            return IntegrationResult(True, self.state, None, _since(started))

    async def recover_integration(self) -> IntegrationResult:
        """Integrate again, up to ``config.recovery_max_attempts`` times with growing delays."""
        started = time.monotonic()
        result = IntegrationResult(False, self.state)
        async with self.recovery_lock:
            for attempt in range(max(1, self.config.recovery_max_attempts)):
                self.metrics.recovery_attempts += 1
                result = await self.ensure_integration(force_reinit=True)
                if result.success:
                    self.metrics.successful_recoveries += 1
                    self.health_status.consecutive_failures = 0
                    break
                await asyncio.sleep(min(self.config.recovery_base_delay_s * 2**attempt, self.config.recovery_max_delay_s))
        return IntegrationResult(result.success, self.state, result.error, _since(started), recovery_attempted=True)

    async def shutdown(self) -> None:
        """Let go of manager, registry, observers and mappings; the bridge can be integrated again."""
        self._shutdown = True
        self.state = IntegrationState.UNINITIALIZED
        self._websocket_manager = self._registry = self._supervisor = None
        self._given = False
        self._monitor_observers.clear()
        self._begin_threads()

    async def create_user_emitter(
        self,
        user_context: Any = None,
        user_id: str | None = None,
        thread_id: str | None = None,
        connection_id: str | None = None,
    ) -> unified.UnifiedWebSocketEmitter:
        """Return an emitter for one user's events.

        Raises
        ------
        ValueError
            If neither a context is there, the bridge's own included, nor user and thread; or the emitter cannot be made.
        """
        from ..context import UserExecutionContext

        context = user_context
        if context is None and not (user_id and thread_id):
            # A user without a thread is not a wish for the bridge's own.
            context = self.user_context if not (user_id or thread_id) else None
            if context is None:
                raise ValueError("Either user_context or (user_id + thread_id) required")
        try:
            if context is None:
                context = UserExecutionContext.from_request(
                    user_id=str(user_id), thread_id=str(thread_id), run_id=f"run_{thread_id}", websocket_client_id=connection_id
                )
            return unified.UnifiedWebSocketEmitter(self._manager_of(context), context.user_id, context)
        except Exception as error:
            raise ValueError(f"Failed to create user emitter: {error}") from error

    @classmethod
    async def create_user_emitter_from_ids(
        cls, user_id: str, thread_id: str, run_id: str, websocket_connection_id: str | None = None
    ) -> unified.UnifiedWebSocketEmitter:
        """Return an emitter for the user, thread and run of these ids.

        Raises
        ------
        ValueError
            If one of them is missing, or no context can be made of them.
        """
        from ..context import UserExecutionContext

        if not (user_id and thread_id and run_id):
            raise ValueError("user_id, thread_id, and run_id are all required")
        try:
            context = UserExecutionContext(
                user_id=user_id, thread_id=thread_id, run_id=run_id, websocket_client_id=websocket_connection_id
            )
            return await cls.create_scoped_emitter(context)
        except Exception as error:
            raise ValueError(f"Failed to create user emitter from IDs: {error}") from error

    @staticmethod
    async def create_scoped_emitter(user_context: Any) -> unified.UnifiedWebSocketEmitter:
        """Return an emitter for the user of ``user_context``."""
        manager = await settled(delivery.get_websocket_manager(user_context))
        return unified.UnifiedWebSocketEmitter(manager, user_context.user_id, user_context)

    async def create_execution_orchestrator(self, user_id: str, agent_type: str) -> RequestScopedOrchestrator:
        """Return what runs one agent for one user and reports on it."""
        context = self.user_context
        if context is None or context.user_id != user_id:
            from ..context import UserExecutionContext

            context = UserExecutionContext.from_request(
                user_id=user_id, thread_id=f"thread_{agent_type}_1", run_id=f"run_{agent_type}_1"
            )
        return RequestScopedOrchestrator(context, await self.create_scoped_emitter(context), self)


async def get_agent_execution_registry() -> Any:
    """None: a bridge is given the registry that it is to know; tests replace this one."""


def create_agent_websocket_bridge(user_context: Any = None, websocket_manager: Any = None) -> AgentWebSocketBridge:
    """Return a bridge for one user, over ``websocket_manager`` or the manager that the factory makes for the user."""
    bridge = AgentWebSocketBridge(user_context)
    if websocket_manager is not None:
        bridge.websocket_manager = websocket_manager
    return bridge


def _since(started: float) -> float:
    return (time.monotonic() - started) * 1000
