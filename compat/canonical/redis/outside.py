"""Send events to users from a process that serves nobody: a task queue's worker, a script, a scheduled job."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Iterable, Mapping
from types import TracebackType
from typing import Any

from ..core.events import Delivery, Draft
from ..errors import BackplaneUnavailable, SettingsError, WebSocketComponentError
from .layout import item_of, keys_of, roster_of
from .publisher import SCRIPT, batches, once, refusal_in


class Publisher:
    """Publishes into the streams that the workers of one Redis and ``prefix`` serve. Needs no event loop; thread-safe.

    ::

        with Publisher("redis://localhost/0") as publisher:
            publisher.send("ann", {"type": "report_ready"}, idempotency_key="report-7")
    """

    def __init__(
        self,
        url: str,
        *,
        prefix: str = "compat",
        history_events: int = 512,
        history_ttl: float = 3600.0,
        timeout: float = 5.0,
    ) -> None:
        """``prefix`` and ``history_events`` are the servers'; times in seconds. Nothing is connected before the first event."""
        try:
            from redis import Redis
        except ImportError as exc:
            raise WebSocketComponentError("publishing needs redis: pip install 'netra-compat[server]'") from exc
        try:
            self._client: Any = Redis.from_url(
                url, decode_responses=True, socket_timeout=timeout, socket_connect_timeout=timeout, protocol=2
            )
        except ValueError as exc:
            raise SettingsError([f"REDIS_URL cannot be used: {exc}"]) from exc
        self._script = self._client.register_script(SCRIPT)
        self._prefix, self._limit, self._ttl = prefix, max(1, history_events), int(history_ttl * 1000)
        self._node = f"o{os.urandom(6).hex()}"
        self._number = 0
        self._lock = threading.Lock()

    def send(
        self,
        user_id: str,
        message: Mapping[str, Any],
        *,
        thread_id: str | None = None,
        critical: bool | None = None,
        idempotency_key: str | None = None,
    ) -> Delivery:
        """Send a JSON object to a user, on whatever worker the user is, now or when coming back.

        ``idempotency_key``: sent again with the same key to the same user, it is published once, while it is in the history.

        Raises
        ------
        BackplaneUnavailable
            Redis did not take it; ``uncertain`` where it may have: send it again with an idempotency key
        """
        from redis.exceptions import RedisError

        if not isinstance(user_id, str) or not user_id.strip():
            raise ValueError(f"user_id must be a non-empty string, not {user_id!r}")
        draft = Draft(message, critical=critical, thread_id=thread_id)
        keys = keys_of(self._prefix, user_id)
        if idempotency_key is None:
            with self._lock:
                self._number += 1
                node, number = self._node, self._number
        else:
            node, number = once(idempotency_key), 1
        own = (os.urandom(6).hex(), node, self._limit, self._ttl, int(idempotency_key is not None))
        try:
            ((seq, epoch, receivers),) = self._script(keys=keys, args=[*own, number, item_of(draft)])
        except (RedisError, OSError) as exc:
            raise BackplaneUnavailable(f"Redis does not answer: {exc}", uncertain=True) from exc
        if int(receivers) < 0:
            raise BackplaneUnavailable(f"Redis refused: {epoch}")
        return Delivery(int(seq), epoch, int(receivers), True)

    def broadcast(
        self,
        message: Mapping[str, Any],
        *,
        exclude: Iterable[str] = (),
        critical: bool | None = None,
        idempotency_key: str | None = None,
    ) -> int:
        """Send a JSON object to all users who are connected somewhere, or were lately; return how many they are.

        Each gets it as an event of the own stream: numbered, kept, in order with the others. With the same
        ``idempotency_key``, whoever has got it does not get it again.

        Raises
        ------
        BackplaneUnavailable
            Redis did not take it for all; some may have got it: send it again with an idempotency key
        """
        from redis.exceptions import RedisError

        draft, left_out = Draft(message, critical=critical), frozenset(exclude)
        options = (self._limit, self._ttl)
        try:
            roster = self._client.zrangebyscore(roster_of(self._prefix), time.time(), "+inf")
            users = [user for user in roster if user not in left_out]
            for keys, arguments in batches(self._prefix, users, draft, options, idempotency_key):
                refusal = refusal_in(self._script(keys=keys, args=arguments))
                if refusal is not None:
                    raise BackplaneUnavailable(f"Redis refused: {refusal}", uncertain=True)
        except BackplaneUnavailable:
            raise
        except (RedisError, OSError) as exc:
            raise BackplaneUnavailable(f"Redis does not answer: {exc}", uncertain=True) from exc
        return len(users)

    def close(self) -> None:
        """Disconnect."""
        self._client.close()

    def __enter__(self) -> Publisher:
        return self

    def __exit__(self, kind: type[BaseException] | None, exc: BaseException | None, trace: TracebackType | None) -> None:
        self.close()
