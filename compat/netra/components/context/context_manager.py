"""Contexts held by key: bounded per user and in all, expiring, and never handed to another user's key."""

from __future__ import annotations

import inspect
import threading
import time
from collections.abc import Callable
from datetime import datetime, timezone
from typing import Any, NamedTuple, Optional

from ..ids import generator
from . import isolation, user
from .isolation import ContextIsolationError, InvalidContextError
from .user import UserExecutionContext


class ContextNotFound(InvalidContextError, KeyError):
    """No context is held under a key, or it has expired."""

    def __str__(self) -> str:
        return str(self.args[0])


class _Held(NamedTuple):
    context: UserExecutionContext
    expires_at: float


class UserContextManager:
    """Holds user execution contexts by key.

    At most 100 contexts per user (the oldest makes room) and 10,000 in all (then InvalidContextError); each expires
    after an hour unless told otherwise. Safe between threads.
    """

    MAX_CONTEXTS_PER_USER = 100
    DEFAULT_CONTEXT_TTL = 3600
    MAX_TOTAL_CONTEXTS = 10000
    CLEANUP_INTERVAL = 300

    def __init__(
        self,
        isolation_level: str = "strict",
        cross_contamination_detection: bool = True,
        memory_isolation: bool = True,
        enable_audit_trail: bool = True,
        auto_cleanup: bool = True,
        *,
        clock: Callable[[], float] = time.monotonic,
        run_agent: Optional[Callable[..., Any]] = None,
    ) -> None:
        self.isolation_level = isolation_level
        self.cross_contamination_detection = cross_contamination_detection
        self.memory_isolation = memory_isolation
        self.enable_audit_trail = enable_audit_trail
        self.auto_cleanup = auto_cleanup
        self.run_agent = run_agent
        self._clock = clock
        self._held: dict[str, _Held] = {}
        self._by_user: dict[str, dict[str, None]] = {}
        self._trails: dict[str, list[dict[str, Any]]] = {}
        self._lock = threading.RLock()
        self._next_cleanup = clock() + self.CLEANUP_INTERVAL

    def get_context(self, context_key: str) -> UserExecutionContext:
        """Return the context under a key; ContextNotFound (an InvalidContextError and KeyError) where there is none."""
        isolation.require_identifier("context_key", context_key)
        with self._lock:
            held = self._held.get(context_key)
            if held is not None and held.expires_at <= self._clock():
                self._drop(context_key, "expired")
                held = None
            if held is None:
                raise ContextNotFound(f"Context not found: {context_key}")
            self._record(context_key, "accessed", held.context)
        if self.cross_contamination_detection:
            held.context.verify_isolation()
        return held.context

    def set_context(self, context_key: str, context: UserExecutionContext, ttl_seconds: Optional[float] = None) -> None:
        """Hold a context under a key for ``ttl_seconds``, an hour by default.

        Raises InvalidContextError for anything but a context and when all places are taken, ContextIsolationError where
        the key holds another user's context.
        """
        isolation.require_identifier("context_key", context_key)
        if not isinstance(context, UserExecutionContext):
            raise InvalidContextError(f"Expected UserExecutionContext, got: {type(context)}")
        context.verify_isolation()
        with self._lock:
            if self.auto_cleanup and self._clock() >= self._next_cleanup:
                self.cleanup_all_expired()
            present = self._held.get(context_key)
            if present is not None and present.context.user_id != context.user_id:
                raise ContextIsolationError(
                    f"key {context_key!r} holds a context of user {present.context.user_id!r}, not of {context.user_id!r}"
                )
            if present is None:
                self._make_room(context.user_id)
            ttl = self.DEFAULT_CONTEXT_TTL if ttl_seconds is None else ttl_seconds
            self._held[context_key] = _Held(context, self._clock() + ttl)
            self._by_user.setdefault(context.user_id, {})[context_key] = None
            self._record(context_key, "set", context)

    def _make_room(self, user_id: str) -> None:
        if len(self._held) >= self.MAX_TOTAL_CONTEXTS:
            self.cleanup_all_expired()
        if len(self._held) >= self.MAX_TOTAL_CONTEXTS:
            raise InvalidContextError(f"limit of {self.MAX_TOTAL_CONTEXTS} contexts is reached; clear contexts that are done")
        keys = self._by_user.get(user_id, {})
        while len(keys) >= self.MAX_CONTEXTS_PER_USER:
            self._drop(next(iter(keys)), "made room")

    def clear_context(self, context_key: str) -> bool:
        """Hold the key's context no longer; False if there was none."""
        with self._lock:
            return self._drop(context_key, "cleared")

    def _drop(self, context_key: str, event: str) -> bool:
        held = self._held.pop(context_key, None)
        if held is None:
            return False
        keys = self._by_user[held.context.user_id]
        keys.pop(context_key, None)
        if not keys:
            del self._by_user[held.context.user_id]
        self._record(context_key, event, held.context)
        if len(self._trails) > self.MAX_TOTAL_CONTEXTS:
            del self._trails[next(iter(self._trails))]
        return True

    def cleanup_all_expired(self) -> int:
        """Let go of every expired context; return how many."""
        with self._lock:
            now = self._clock()
            self._next_cleanup = now + self.CLEANUP_INTERVAL
            expired = [key for key, held in self._held.items() if held.expires_at <= now]
            return sum(self._drop(key, "expired") for key in expired)

    def validate_isolation(self, context_key: str) -> bool:
        """Return True if the key's context holds nothing but its own; ContextIsolationError otherwise."""
        return self.get_context(context_key).verify_isolation()

    def get_active_contexts(self) -> dict[str, dict[str, Any]]:
        """User, request, age and remaining seconds of each context by key."""
        with self._lock:
            now = self._clock()
            return {
                key: {
                    "user_id": held.context.user_id,
                    "thread_id": held.context.thread_id,
                    "run_id": held.context.run_id,
                    "request_id": held.context.request_id,
                    "created_at": held.context.created_at.isoformat(),
                    "expires_in_seconds": held.expires_at - now,
                }
                for key, held in self._held.items()
                if held.expires_at > now
            }

    def get_audit_trail(self, context_key: str) -> Optional[dict[str, Any]]:
        """Return ``{"context_key", "events", ...}`` of a key, also after it was cleared; None for an unknown one."""
        with self._lock:
            events = self._trails.get(context_key)
            if events is None:
                return None
            held = self._held.get(context_key)
            trail: dict[str, Any] = held.context.get_audit_trail() if held else {}
            return {**trail, "context_key": context_key, "active": held is not None, "events": [dict(e) for e in events]}

    def _record(self, context_key: str, event: str, context: UserExecutionContext) -> None:
        if not self.enable_audit_trail:
            return
        events = self._trails.setdefault(context_key, [])
        events.append({"event": event, "user_id": context.user_id, "timestamp": datetime.now(timezone.utc).isoformat()})
        del events[:-100]

    # -- contexts made and held at once -------------------------------------------------------------------------------

    def create_isolated_context(self, user_id: str, request_id: str, **kwargs: Any) -> UserExecutionContext:
        """Return a new context; thread and run ids are made where they are not among ``kwargs``."""
        thread_id, run_id, _ = generator.UnifiedIdGenerator.generate_user_context_ids(user_id, "managed")
        fields = {"thread_id": thread_id, "run_id": run_id, **kwargs}
        return user.UserExecutionContext(user_id=user_id, request_id=request_id, **fields)

    def create_context_with_unified_ids(self, user_id: str) -> UserExecutionContext:
        """Return a new context all of whose identifiers are made."""
        _, _, request_id = generator.UnifiedIdGenerator.generate_user_context_ids(user_id, "managed")
        return self.create_isolated_context(user_id, request_id)

    def create_managed_context(self, user_id: str, request_id: str, **kwargs: Any) -> UserExecutionContext:
        """Return a new context, held under ``user_id:request_id``."""
        context = self.create_isolated_context(user_id, request_id, **kwargs)
        self.set_context(f"{user_id}:{request_id}", context)
        return context

    def create_context_with_transaction(self, user_id: str) -> UserExecutionContext:
        """Return a new context marked for a transaction, held under ``user_id:request_id``; give it a session to use it."""
        _, _, request_id = generator.UnifiedIdGenerator.generate_user_context_ids(user_id, "transaction")
        return self.create_managed_context(user_id, request_id, agent_context={"transactional": True})

    def _latest_of(self, user_id: str) -> UserExecutionContext:
        with self._lock:
            keys = list(self._by_user.get(user_id, ()))
        if not keys:
            raise ContextNotFound(f"No context of user {user_id!r} is held; set one first")
        return self.get_context(keys[-1])

    # -- work done for a user's latest context ------------------------------------------------------------------------

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

    async def cleanup_context(self, context_key: str) -> None:
        """Run the cleanup callbacks of a key's context and hold it no longer; nothing happens where there is none."""
        with self._lock:
            held = self._held.get(context_key)
            self._drop(context_key, "cleaned up")
        if held is not None:
            await held.context.cleanup()

    def cleanup_all_contexts(self) -> int:
        """Hold no context any longer; return how many there were."""
        with self._lock:
            return sum(self._drop(key, "cleared") for key in list(self._held))

    def is_healthy(self) -> bool:
        """Whether there is room for a context, and every context held is isolated."""
        with self._lock:
            contexts = [held.context for held in self._held.values()]
        try:
            return len(contexts) < self.MAX_TOTAL_CONTEXTS and all(context.verify_isolation() for context in contexts)
        except ContextIsolationError:
            return False
