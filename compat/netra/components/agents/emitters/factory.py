"""Where emitters come from: the factory and the pool."""

from __future__ import annotations

import contextlib
import time
from collections import OrderedDict, deque
from typing import Any

from .sign_in import AuthenticationWebSocketEmitter
from .unified import UnifiedWebSocketEmitter


class WebSocketEmitterFactory:
    """Makes emitters; an instance also counts the ones it made."""

    def __init__(self) -> None:
        # Of the last ones: emitters are made for every request.
        self._made: deque[UnifiedWebSocketEmitter] = deque(maxlen=1000)
        self._count = 0

    @staticmethod
    def create_emitter(
        manager: Any, user_id: str, context: Any = None, performance_mode: bool = False
    ) -> UnifiedWebSocketEmitter:
        """Return an emitter for ``user_id``."""
        return UnifiedWebSocketEmitter(manager, user_id, context, performance_mode)

    @staticmethod
    def create_scoped_emitter(manager: Any, context: Any) -> UnifiedWebSocketEmitter:
        """Return an emitter for the user of ``context``; a ValueError without one."""
        if context is None:
            raise ValueError("Valid UserExecutionContext required for scoped emitter")
        return UnifiedWebSocketEmitter(manager, context.user_id, context, performance_mode=True)

    @staticmethod
    def create_emitter_for(
        manager: Any = None,
        user: Any = None,
        context: Any = None,
        *,
        user_id: Any = None,
        user_context: Any = None,
        websocket_manager: Any = None,
        performance_mode: bool = True,
    ) -> UnifiedWebSocketEmitter:
        """Return an emitter for a user, named by an ID or by the context that holds it; a ValueError without either."""
        context = context or user_context
        user = user_id or user
        if context is None and hasattr(user, "user_id"):
            context = user
        owner = getattr(context, "user_id", None) if user is context else user or getattr(context, "user_id", None)
        return UnifiedWebSocketEmitter(websocket_manager or manager, owner, context, performance_mode)

    @staticmethod
    def create_performance_emitter(manager: Any, user_id: str, context: Any = None) -> UnifiedWebSocketEmitter:
        """Return an emitter that retries once, quickly."""
        return UnifiedWebSocketEmitter(manager, user_id, context, performance_mode=True)

    @staticmethod
    def create_auth_emitter(manager: Any, user_id: str, context: Any = None) -> AuthenticationWebSocketEmitter:
        """Return an emitter for the sign-in events."""
        return AuthenticationWebSocketEmitter(manager, user_id, context)

    def make(self, manager: Any, user_id: str, context: Any = None) -> UnifiedWebSocketEmitter:
        """Return an emitter that this factory's statistics include."""
        emitter = self.create_emitter(manager, user_id, context)
        self._made.append(emitter)
        self._count += 1
        return emitter

    def get_stats(self) -> dict[str, Any]:
        """Return how many emitters were made here, and totals over the last thousand of them."""
        return {
            "emitters_created": self._count,
            "total_events": sum(emitter.metrics.total_events for emitter in self._made),
            "error_count": sum(emitter.metrics.error_count for emitter in self._made),
        }

    def get_performance_stats(self) -> dict[str, Any]:
        """Return totals and how many emitters run in performance mode."""
        return {**self.get_stats(), "performance_mode_emitters": sum(emitter.performance_mode for emitter in self._made)}

    def get_error_handling_stats(self) -> dict[str, Any]:
        """Return errors and retries over the emitters made here."""
        return {
            "error_count": sum(emitter.metrics.error_count for emitter in self._made),
            "retry_count": sum(emitter.metrics.retry_count for emitter in self._made),
        }

    async def cleanup(self) -> None:
        """Clean up every emitter made here."""
        for emitter in self._made:
            await emitter.cleanup()
        self._made.clear()
        self._count = 0


class WebSocketEmitterPool:
    """Keeps up to ``max_size`` emitters, one per user; the longest unused goes first."""

    def __init__(self, manager: Any, max_size: int = 100) -> None:
        if max_size < 1:
            raise ValueError(f"max_size must be at least 1, not {max_size}")
        self.manager = manager
        self.max_size = max_size
        self._pool: OrderedDict[str, UnifiedWebSocketEmitter] = OrderedDict()
        self._counts = {"acquisitions": 0, "releases": 0, "cache_hits": 0, "cache_misses": 0, "evicted": 0}

    async def acquire(self, user_id: str, context: Any = None) -> UnifiedWebSocketEmitter:
        """Return the emitter of this user, made if there is none; give it back with :meth:`release`.

        One that is in use for another run stays with that run: the other is served by an emitter that is not kept.
        """
        key = str(user_id)
        self._counts["acquisitions"] += 1
        emitter = self._pool.get(key)
        taken = emitter is not None and emitter.in_use and context is not None and emitter.context is not context
        if emitter is None or taken:
            self._counts["cache_misses"] += 1
            emitter = UnifiedWebSocketEmitter(self.manager, user_id, context)
            if not taken:
                await self._make_room()
                self._pool[key] = emitter
        else:
            self._counts["cache_hits"] += 1
            if context is not None:
                emitter.set_context(context)
        if not taken:
            self._pool.move_to_end(key)
        await emitter.acquire()
        return emitter

    async def release(self, emitter: UnifiedWebSocketEmitter) -> None:
        """Give an emitter back; it stays for the user's next event."""
        self._counts["releases"] += 1
        await emitter.release()

    async def cleanup_inactive_emitters(self, max_age_seconds: float = 300) -> int:
        """Drop emitters that have sent, but nothing for ``max_age_seconds``; how many went."""
        oldest = time.monotonic() - max_age_seconds
        stale = [
            key
            for key, emitter in self._pool.items()
            if emitter.metrics.last_event_time is not None and not emitter.in_use and emitter.last_activity <= oldest
        ]
        for key in stale:
            await self._pool.pop(key).cleanup()
        self._counts["evicted"] += len(stale)
        return len(stale)

    def get_statistics(self) -> dict[str, Any]:
        """Return the pool's size and what went through it, under the names of every release."""
        counts = self._counts
        acquired, reused = counts["acquisitions"], counts["cache_hits"]
        return {
            "pool_size": len(self._pool),
            "max_size": self.max_size,
            "acquisitions": acquired,
            "releases": counts["releases"],
            "cache_hits": reused,
            "cache_misses": counts["cache_misses"],
            "active_emitters": sum(emitter.in_use for emitter in self._pool.values()),
            "total_acquired": acquired,
            "total_created": counts["cache_misses"],
            "total_reused": reused,
            "total_evicted": counts["evicted"],
            "total_released": counts["releases"],
            "reuse_rate": reused / acquired if acquired else 0.0,
        }

    async def shutdown(self) -> None:
        """Clean up every emitter; the pool can be used again."""
        while self._pool:
            _, emitter = self._pool.popitem()
            with contextlib.suppress(Exception):
                await emitter.cleanup()

    async def _make_room(self) -> None:
        while len(self._pool) >= self.max_size:
            idle = next((key for key, emitter in self._pool.items() if not emitter.in_use), next(iter(self._pool)))
            await self._pool.pop(idle).cleanup()
            self._counts["evicted"] += 1
