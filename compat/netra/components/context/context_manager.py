"""Contexts held by key: bounded per user and in all, expiring, and never handed to another user's key."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime, timezone
from typing import Any, NamedTuple, Optional

from ..ids import generator
from . import user
from .isolation import ContextIsolationError, InvalidContextError
from .user import UserExecutionContext
from .work import ContextWork


class ContextNotFound(InvalidContextError, KeyError):
    """No context is held under a key, or it has expired."""

    def __str__(self) -> str:
        return str(self.args[0])


class _Held(NamedTuple):
    context: UserExecutionContext
    ttl: float
    since: float
    set_at: float

    def is_expired(self, now: float) -> bool:
        return self.since + self.ttl <= now


class UserContextManager(ContextWork):
    """Holds user execution contexts by key.

    At most 100 contexts per user and 10,000 in all, then RuntimeError; each expires after an hour unless told otherwise.
    Safe between threads.
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
        self._facts: dict[str, dict[str, Any]] = {}
        self._operations = self._errors = 0
        self._lock = threading.RLock()
        self._next_cleanup = clock() + self.CLEANUP_INTERVAL

    def get_context(self, context_key: str) -> UserExecutionContext:
        """Return the context under a key; ContextNotFound (an InvalidContextError and KeyError) where there is none."""
        with self._counted(context_key), self._lock:
            held = self._held.get(context_key)
            if held is None:
                raise ContextNotFound(f"Context not found: {context_key}")
            if held.is_expired(self._clock()):
                self._drop(context_key, "expired")
                raise ContextNotFound(f"Context expired: {context_key}")
            self._record(context_key, "accessed", held.context)
        if self.cross_contamination_detection:
            held.context.verify_isolation()
        return held.context

    def set_context(self, context_key: str, context: UserExecutionContext, ttl_seconds: Optional[float] = None) -> None:
        """Hold a context under a key for ``ttl_seconds``, an hour by default.

        Raises InvalidContextError for anything but a context, RuntimeError when all places are taken, and
        ContextIsolationError where the key holds another user's context.
        """
        with self._counted(context_key):
            if context is None:
                raise InvalidContextError("context cannot be None")
            if not isinstance(context, UserExecutionContext):
                raise InvalidContextError(f"Expected UserExecutionContext, got: {type(context)}")
            context.verify_isolation()
            self._set(context_key, context, self.DEFAULT_CONTEXT_TTL if ttl_seconds is None else ttl_seconds)

    def _set(self, context_key: str, context: UserExecutionContext, ttl: float) -> None:
        with self._lock:
            if self.auto_cleanup and self._clock() >= self._next_cleanup:
                self.cleanup_all_expired()
            present = self._held.get(context_key)
            if present is not None and present.context.user_id != context.user_id:
                raise ContextIsolationError(
                    f"key {context_key!r} holds a context of user {present.context.user_id!r}, not of {context.user_id!r}"
                )
            if present is None:
                self._require_room(context.user_id)
            self._held[context_key] = _Held(context, ttl, self._clock(), time.time())
            self._by_user.setdefault(context.user_id, {})[context_key] = None
            self._record(context_key, "set", context)

    def _require_room(self, user_id: str) -> None:
        for _ in range(2):
            if len(self._by_user.get(user_id, ())) >= self.MAX_CONTEXTS_PER_USER:
                fault = f"User context limit exceeded for {user_id}: {self.MAX_CONTEXTS_PER_USER}"
            elif len(self._held) >= self.MAX_TOTAL_CONTEXTS:
                fault = f"System-wide context limit exceeded: {self.MAX_TOTAL_CONTEXTS}"
            else:
                return
            if not self.cleanup_all_expired():
                break
        raise RuntimeError(fault)

    @contextmanager
    def _counted(self, context_key: Any) -> Iterator[None]:
        """Count an operation on a key, and whether it failed."""
        self._operations += 1
        try:
            if not isinstance(context_key, str) or not context_key:
                raise InvalidContextError("context_key must be a non-empty string")
            yield
        except Exception:
            self._errors += 1
            raise

    def clear_context(self, context_key: str) -> bool:
        """Hold the key's context no longer; False if there was none."""
        with self._counted(context_key), self._lock:
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
            oldest = next(iter(self._trails))
            del self._trails[oldest]
            self._facts.pop(oldest, None)
        return True

    def cleanup_all_expired(self) -> int:
        """Let go of every expired context; return how many."""
        with self._lock:
            now = self._clock()
            self._next_cleanup = now + self.CLEANUP_INTERVAL
            expired = [key for key, held in self._held.items() if held.is_expired(now)]
            return sum(self._drop(key, "expired") for key in expired)

    def validate_isolation(self, context_key: str) -> bool:
        """Return True if the key's context holds nothing but its own; ContextIsolationError otherwise."""
        return self.get_context(context_key).verify_isolation()

    def get_active_contexts(self) -> dict[str, dict[str, Any]]:
        """User, lifetime and age in seconds of each context by key; ``created_at`` is seconds since the epoch."""
        with self._lock:
            now = self._clock()
            return {
                key: {
                    "user_id": held.context.user_id,
                    "created_at": held.set_at,
                    "ttl_seconds": held.ttl,
                    "age_seconds": now - held.since,
                    "has_db_session": held.context.db_session is not None,
                    "has_websocket": held.context.websocket_client_id is not None,
                }
                for key, held in self._held.items()
                if not held.is_expired(now)
            }

    def get_audit_trail(self, context_key: str) -> Optional[dict[str, Any]]:
        """Return what happened to a key's context, also after it was cleared; None for an unknown key."""
        with self._lock:
            events = self._trails.get(context_key)
            if events is None:
                return None
            return {
                "context_key": context_key,
                "context_source": "user_context_manager",
                "isolation_verified": True,
                "compliance_version": "1.0",
                "events": [dict(event) for event in events],
                "total_events": len(events),
                **self._facts.get(context_key, {}),
            }

    def _record(self, context_key: str, event: str, context: UserExecutionContext) -> None:
        if not self.enable_audit_trail:
            return
        events = self._trails.setdefault(context_key, [])
        events.append({"event": event, "user_id": context.user_id, "timestamp": datetime.now(timezone.utc).isoformat()})
        del events[:-100]
        if event == "set":
            self._facts[context_key] = {
                "context_set_at": events[-1]["timestamp"],
                "user_id": context.user_id,
                "thread_id": context.thread_id,
                "request_id": context.request_id,
                "ttl_seconds": self._held[context_key].ttl,
                "has_db_session": context.db_session is not None,
                "has_websocket": context.websocket_client_id is not None,
            }

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
        """Whether fewer than a tenth of the operations failed, and every context held is isolated."""
        with self._lock:
            contexts = [held.context for held in self._held.values()]
        try:
            all_isolated = all(context.verify_isolation() for context in contexts)
        except ContextIsolationError:
            return False
        return all_isolated and (not self._errors or self._errors / self._operations < 0.1)
