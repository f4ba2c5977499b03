"""What an agent bridge says beside the five events: errors, deaths, progress, the caller's own; one attempt each."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import datetime, timezone
from typing import Any

from ..connections.manager_calls import is_mock, settled
from . import delivery
from .delivery import Delivery
from .run_ids import is_valid_run
from .sanitising import (
    death_message,
    sanitize_custom_data,
    sanitize_error_context,
    sanitize_error_message,
    sanitize_fields,
    sanitize_parameters,
    sanitize_progress,
    sanitize_result,
)


class Notices(Delivery):
    """Each method makes one message and hands it over: fields of the agent are under ``data``, ids beside it.

    Parameters, results, errors and progress are sanitised: what agents hand to each other is not all for a client.
    """

    _sanitize_parameters = staticmethod(sanitize_parameters)
    _sanitize_error_message = staticmethod(sanitize_error_message)
    _sanitize_error_context = staticmethod(sanitize_error_context)
    _sanitize_progress_data = staticmethod(sanitize_progress)
    _sanitize_custom_data = staticmethod(sanitize_custom_data)
    _get_user_friendly_death_message = staticmethod(death_message)

    @staticmethod
    def _sanitize_result(result: Any) -> Any:
        if result and not hasattr(result, "items"):
            raise AttributeError(f"{type(result).__name__!r} object has no attribute 'items'")
        return sanitize_result(result)

    def _shown(self, result: Any) -> Any:
        """What a client sees of a result; of one that is no dict as well."""
        return self._sanitize_result(result) if isinstance(result, dict) else sanitize_result(result)

    @staticmethod
    def _validate_event_context(run_id: Any, event_type: str, agent_name: Any = None) -> bool:
        if is_valid_run(run_id):
            return True
        delivery.logger.error(
            "%s of agent %r names no run (%r): it could reach anybody, and is not sent", event_type, agent_name, run_id
        )
        return False

    async def register_run_thread_mapping(self, run_id: str, thread_id: str, metadata: dict[str, Any] | None = None) -> bool:
        """Remember which thread a run reports to."""
        raise NotImplementedError

    async def _event(
        self,
        event_type: str,
        run_id: Any,
        agent_name: Any,
        data: Callable[[], dict[str, Any]],
        user_context: Any,
        trace: Any,
        given: dict[str, Any],
        *,
        attempts: int = 3,
        by_context: bool = False,
    ) -> bool:
        raise NotImplementedError

    async def notify_agent_error(
        self,
        run_id: str,
        agent_name: str,
        error: str,
        error_context: dict[str, Any] | None = None,
        trace_context: dict[str, Any] | None = None,
    ) -> bool:
        """Send ``agent_error``."""

        def data() -> dict[str, Any]:
            return {
                "status": "error",
                "error_message": self._sanitize_error_message(error),
                "error_context": self._sanitize_error_context(error_context),
                "message": f"{agent_name} encountered an issue processing your request",
            }

        return await self._notice("agent_error", run_id, agent_name, data, trace=trace_context)

    async def notify_agent_death(
        self, run_id: str, agent_name: str, death_cause: str, death_context: dict[str, Any] | None = None
    ) -> bool:
        """Send ``agent_death``: the agent will not answer any more."""

        def data() -> dict[str, Any]:
            return {
                "status": "dead",
                "death_cause": death_cause,
                "death_context": death_context or {},
                "message": self._get_user_friendly_death_message(death_cause, agent_name),
                "recovery_action": "refresh_required",
            }

        return await self._notice("agent_death", run_id, agent_name, data, named=True)

    async def notify_progress_update(self, run_id: str, agent_name: str, progress: dict[str, Any]) -> bool:
        """Send ``progress_update``."""

        def data() -> dict[str, Any]:
            shown = self._sanitize_progress_data(progress)
            said = shown.get("message") if isinstance(shown, dict) else None
            return {"status": "progress", "progress_data": shown, "message": said or f"{agent_name} is making progress"}

        return await self._notice("progress_update", run_id, agent_name, data)

    async def notify_custom(self, run_id: str, agent_name: str, notification_type: str, data: dict[str, Any]) -> bool:
        """Send a notification of the caller's own type."""
        return await self._notice(notification_type, run_id, agent_name, lambda: self._sanitize_custom_data(data))

    async def _made(
        self,
        kind: str,
        run_id: Any,
        agent_name: Any,
        data: Callable[[], dict[str, Any]],
        context: Any,
        trace: Any,
        *,
        thread_id: str | None = None,
        to_user: bool = False,
    ) -> tuple[Any, str | None, dict[str, Any]] | None:
        """Manager, thread and message of a notification, its user's id in it where ``to_user``.

        None where it must not go, or cannot be made; the log says why.
        """
        if not self._validate_event_context(run_id, kind, agent_name):
            return None
        manager = self._manager_or_none(context, kind, run_id)
        if manager is None:
            return None
        try:
            if thread_id is None and not self._reaches_its_user(manager, context):
                thread_id = await settled(self._resolve_thread_id_from_run_id(run_id))
            user = {"user_id": getattr(context, "user_id", None) or thread_id} if to_user else {}
            message = {"type": kind, "run_id": run_id, **user, "agent_name": agent_name, "timestamp": now(), "data": data()}
        except Exception as error:
            delivery.logger.error("%s of run %s failed: %s", kind, run_id, error)
            return None
        if trace:
            message["trace"] = trace
        return manager, thread_id, message

    async def _sent(self, manager: Any, context: Any, thread_id: Any, message: dict[str, Any], named: bool = False) -> Any:
        """What the manager answers to one attempt; False, and a line in the log, where it raises."""
        try:
            return await self._hand_over(manager, context, thread_id, message, named)
        except Exception as error:
            delivery.logger.error("%s of run %s failed: %s", message["type"], message["run_id"], error)
            return False

    async def _notice(
        self, kind: str, run_id: Any, agent_name: Any, data: Any, *, trace: Any = None, named: bool = False
    ) -> bool:
        made = await self._made(kind, run_id, agent_name, data, self.user_context, trace)
        if made is None:
            return False
        manager, thread_id, message = made
        answer: bool = await self._sent(manager, self.user_context, thread_id, message, named)
        return answer

    async def emit_agent_event(
        self,
        event_type: str,
        data: dict[str, Any],
        run_id: Any = None,
        agent_name: str | None = None,
        thread_id: str | None = None,
    ) -> bool:
        """Send any agent event; False without a run or a thread, for nobody could be told."""
        body = data or {}
        run_id = run_id or body.get("run_id") or getattr(self.user_context, "run_id", None) or thread_id
        if not is_valid_run(run_id):
            delivery.logger.warning("%s has neither run nor thread; not sent", event_type)
            return False
        if thread_id:
            await self.register_run_thread_mapping(run_id, thread_id)
        agent = agent_name if agent_name is not None else body.get("agent_name")
        return await self._event(
            event_type, run_id, agent, lambda: sanitize_fields(body), None, None, dict(body), attempts=1, by_context=not thread_id
        )

    async def emit_event(self, context: Any, event_type: str, event_data: dict[str, Any] | None) -> bool:
        """Send an event to the thread of ``context``; False where that names no user, no thread, or a run that is none."""
        user_id, thread_id = getattr(context, "user_id", None), getattr(context, "thread_id", None)
        if user_id is None or thread_id is None or not event_type:
            delivery.logger.warning("%s has no context with a user and a thread; not sent", event_type)
            return False
        run_id = getattr(context, "run_id", None)
        if run_id is not None and not is_mock(run_id) and not self._validate_event_context(run_id, event_type):
            return False
        manager = self._manager_or_none(context, event_type, run_id)
        if manager is None:
            return False
        message = {
            "type": event_type,
            "data": event_data,
            "timestamp": now(),
            "thread_id": thread_id,
            "user_id": user_id,
            "message_id": f"msg_{time.time()}",
        }
        try:
            return await self._hand_over(manager, context, thread_id, message) is not False
        except Exception as error:
            delivery.logger.error("%s of user %s failed: %s", event_type, user_id, error)
            return False

    def _manager_or_none(self, context: Any, event_type: str, run_id: Any) -> Any:
        try:
            manager = self._manager_of(context)
        except Exception as error:
            delivery.logger.error("%s of run %s failed: %s", event_type, run_id, error)
            return None
        if manager is None:
            delivery.logger.warning("no manager for run %s; %s not sent", run_id, event_type)
        return manager


def now() -> str:
    return datetime.now(timezone.utc).isoformat()
