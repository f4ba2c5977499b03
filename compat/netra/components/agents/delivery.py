"""How an agent bridge delivers: by the manager it was given, or to the sockets of the user; tried again, recorded, tracked."""

from __future__ import annotations

import asyncio
from datetime import datetime, timezone
from typing import Any

from compat.canonical.core.logged import get_logger
from compat.canonical.factory import get_websocket_manager as get_websocket_manager  # Tests replace it here.
from compat.netra.components.bounded import append

from ..connections.manager_calls import is_canonical, notify_user, settled
from ..events.delivery_tracker import EventPriority, get_event_delivery_tracker

logger = get_logger(__name__)

EVENT_TRACKER_AVAILABLE = True


class Delivery:
    """The part of a bridge that sends; a given manager is called by ``send_to_thread`` and by nothing else."""

    user_context: Any
    _websocket_manager: Any
    _shutdown: bool
    _event_history: list[dict[str, Any]]

    async def _resolve_thread_id_from_run_id(self, run_id: Any) -> str:
        raise NotImplementedError

    def _manager_of(self, context: Any) -> Any:
        """The manager of the bridge, but none of one user's own for another user; else that of the context's user."""
        manager, user_id = self._websocket_manager, getattr(context, "user_id", None)
        if manager is not None and not (is_canonical(manager) and user_id not in (None, manager.user_id)):
            return manager
        return None if user_id is None or self._shutdown else get_websocket_manager(context)

    def _reaches_its_user(self, manager: Any, context: Any) -> bool:
        """Whether the user's sockets are known without a thread: the manager is the user's own."""
        return is_canonical(manager) and getattr(context, "user_id", None) is not None

    async def _hand_over(self, manager: Any, context: Any, thread_id: Any, message: dict[str, Any], named: bool = False) -> Any:
        return await notify_user(manager, getattr(context, "user_id", None), thread_id, message, named=named)

    async def _try(self, send: Any, event_type: str, of: str, attempts: int = 3) -> bool:
        """Try to send until the manager says that it did.

        Raises
        ------
        RuntimeError
            After the last attempt: an event that users wait for must not get lost in silence.
        """
        last = "WebSocket send_to_thread returned False"
        for attempt in range(attempts):
            try:
                if await send():
                    return True
                last = "WebSocket send_to_thread returned False"
            except Exception as error:
                last = str(error)
            logger.warning("%s (%s): attempt %d of %d failed: %s", event_type, of, attempt + 1, attempts, last)
            if attempt + 1 < attempts:
                await asyncio.sleep(1.0 * 2**attempt)
        raise RuntimeError(
            f"CRITICAL event delivery failure:  ALERT:  CRITICAL: {event_type} delivery failed after {attempts} attempts "
            f"({of}). Last error: {last}"
        )

    async def _send_with_retry(
        self, user_id: str, notification: dict[str, Any], event_type: str, run_id: str, max_retries: int = 3
    ) -> bool:
        """Send a notification to the thread of a run, in up to ``max_retries`` attempts."""
        context = self.user_context
        if getattr(context, "user_id", None) != user_id:
            context = None
        manager = self._manager_of(context)
        if manager is None:
            logger.warning("no manager for run %s; %s not sent", run_id, event_type)
            return False

        async def send() -> Any:
            own = self._reaches_its_user(manager, context)
            thread_id = None if own else await settled(self._resolve_thread_id_from_run_id(run_id))
            return await self._hand_over(manager, context, thread_id, notification)

        return await self._try(send, event_type, f"run_id={run_id}", max_retries)

    def _track_event_for_tests(self, event_type: str, event_data: dict[str, Any]) -> None:
        append(self._event_history, event_data)

    def _record(self, event_type: str, run_id: str, agent_name: Any, user_id: Any, success: bool, given: dict[str, Any]) -> None:
        entry = {
            "event_type": event_type,
            "type": event_type,
            "run_id": run_id,
            "agent_name": agent_name,
            "user_id": user_id,
            "success": success,
            "timestamp": datetime.now(timezone.utc).isoformat(),
            **given,
        }
        self._track_event_for_tests(event_type, entry)

    @staticmethod
    def _follow(message: dict[str, Any], user_id: Any, thread_id: Any) -> str | None:
        """Follow an event in the process's tracker; its id there."""
        if not EVENT_TRACKER_AVAILABLE:
            return None
        tracker = get_event_delivery_tracker()
        return tracker.track_event(
            message["type"], str(user_id), message["run_id"], thread_id, message["data"], EventPriority.CRITICAL
        )

    @staticmethod
    def _outcome(event_id: str | None, error: str | None = None) -> None:
        if event_id is None:
            return
        tracker = get_event_delivery_tracker()
        if error is None:
            tracker.mark_event_sent(event_id)
        else:
            tracker.mark_event_failed(event_id, error)
