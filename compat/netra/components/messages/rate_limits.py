"""Limits on how often a client may connect and send; sliding windows, bounded memory, seconds throughout."""

from __future__ import annotations

import time
from collections import OrderedDict, deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from compat.netra.components.bounded import Newest
from compat.netra.components.process_wide import only

from ..connections.connection_utils import check_rate_limit
from ..environment.reading import read_variable

__all__ = [
    "AdaptiveRateLimiter",
    "RateLimitConfig",
    "RateLimitExceededException",
    "RateLimiter",
    "UserRateLimitState",
    "WebSocketRateLimiter",
    "check_connection_rate_limit",
    "check_rate_limit",
    "get_rate_limit_for_environment",
    "get_rate_limiter",
    "get_staging_optimized_timeouts",
]


class RateLimitExceededException(Exception):
    """A client went over its limit; ``retry_after`` in seconds, None where unknown."""

    def __init__(self, message: str, retry_after: float | None = None) -> None:
        super().__init__(message)
        self.retry_after = retry_after


@dataclass
class RateLimitConfig:
    """Limits of one endpoint."""

    max_connections_per_ip: int = 10
    max_messages_per_minute: int = 100
    max_messages_per_hour: int = 1000
    connection_backoff_seconds: float = 5.0
    message_backoff_seconds: float = 60.0


@dataclass
class UserRateLimitState:
    """How much of the limits a user has used."""

    user_id: str
    connection_count: int = 0
    messages_this_minute: int = 0
    messages_this_hour: int = 0
    last_message_time: float | None = None
    last_connection_time: float | None = None
    is_rate_limited: bool = False
    backoff_until: float | None = None


class RateLimiter:
    """At most ``max_requests`` per ``window_seconds`` for each client; who is idle longest is forgotten first."""

    def __init__(
        self,
        max_requests: int = 60,
        window_seconds: float = 60,
        *,
        max_clients: int = 10_000,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.max_requests = max_requests
        self.window_seconds = window_seconds
        self._max_clients = max_clients
        self._clock = clock
        self._times: OrderedDict[str, deque[float]] = OrderedDict()

    def is_allowed(self, client_id: str) -> bool:
        """Count one request if it is within the limit; return whether it is."""
        return self._take(client_id, self.max_requests)

    def get_remaining_quota(self, client_id: str) -> int:
        """Return how many requests the client has left now."""
        return max(0, self.max_requests - len(self._recent(client_id)))

    def retry_after(self, client_id: str) -> float:
        """Return the seconds until the client's next request is within the limit; 0.0 if it is now."""
        recent = self._recent(client_id)
        if len(recent) < self.max_requests or not recent:
            return 0.0
        return max(0.0, recent[0] + self.window_seconds - self._clock())

    def reset(self, client_id: str | None = None) -> None:
        """Forget one client, or all."""
        if client_id is None:
            self._times.clear()
        else:
            self._times.pop(client_id, None)

    def _recent(self, client_id: str) -> deque[float]:
        times = self._times.get(client_id)
        if times is None:
            return deque()
        horizon = self._clock() - self.window_seconds
        while times and times[0] <= horizon:
            times.popleft()
        return times

    def _take(self, client_id: str, limit: int) -> bool:
        recent = self._recent(client_id)
        if len(recent) >= limit:
            return False
        self._times.setdefault(client_id, deque()).append(self._clock())
        self._times.move_to_end(client_id)
        while len(self._times) > self._max_clients:
            self._times.popitem(last=False)
        return True


class AdaptiveRateLimiter(RateLimiter):
    """A limiter whose limit shrinks under load: to three quarters above 0.6, to a half above 0.8."""

    def __init__(self, base_rate: int = 100, window_seconds: int = 60, **options: Any) -> None:
        super().__init__(base_rate, window_seconds, **options)
        self.base_rate = base_rate
        self.current_rate = base_rate

    def is_allowed(self, client_id: str, current_load: float | None = None) -> bool:
        """Count one request if it is within the limit at a load of 0.0 to 1.0; return whether it is."""
        load = current_load or 0.0
        self.current_rate = int(self.base_rate * (0.5 if load > 0.8 else 0.75 if load > 0.6 else 1))
        return self._take(client_id, self.current_rate)

    def get_remaining_quota(self, client_id: str) -> int:
        """Return how many requests the client has left at the load last seen."""
        return max(0, self.current_rate - len(self._recent(client_id)))


class WebSocketRateLimiter:
    """Limits connections per address, and makes an address wait after a connection that failed."""

    def __init__(self, config: RateLimitConfig | None = None, *, clock: Callable[[], float] = time.monotonic) -> None:
        self.config = config or RateLimitConfig()
        self._clock = clock
        self._open: dict[str, int] = Newest(100_000)
        self.connection_times: OrderedDict[str, list[float]] = OrderedDict()
        self.backoff_times: OrderedDict[str, float] = OrderedDict()
        self._attempts = self._refused = self._failed = 0

    async def check_rate_limit(self, client_ip: str) -> tuple[bool, float | None]:
        """Return whether the address may connect now, and if not, in how many seconds it may try again."""
        wait = self.backoff_times.get(client_ip, 0.0) - self._clock()
        if wait <= 0 and self._open.get(client_ip, 0) >= self.config.max_connections_per_ip:
            wait = self.config.connection_backoff_seconds
        if wait > 0:
            self._refused += 1
            return False, wait
        return True, None

    async def record_connection_attempt(self, client_ip: str) -> None:
        """Note that the address begins to connect."""
        self._attempts += 1
        recent = self.connection_times.setdefault(client_ip, [])
        recent.append(self._clock())
        del recent[:-100]
        self.connection_times.move_to_end(client_ip)
        while len(self.connection_times) > 10_000:
            self.connection_times.popitem(last=False)
        self._open[client_ip] = self._open.get(client_ip, 0) + 1

    async def record_connection_complete(self, client_ip: str, success: bool) -> None:
        """Note that an attempt of the address is over; after a failed one it must wait."""
        left = self._open.get(client_ip, 0) - 1
        if left > 0:
            self._open[client_ip] = left
        else:
            self._open.pop(client_ip, None)
        if success:
            self.backoff_times.pop(client_ip, None)
            return
        self._failed += 1
        self.backoff_times[client_ip] = self._clock() + self.config.connection_backoff_seconds
        self.backoff_times.move_to_end(client_ip)
        while len(self.backoff_times) > 10_000:
            self.backoff_times.popitem(last=False)

    def get_stats(self) -> dict[str, Any]:
        """Return the counts of attempts, failures and refusals, and who is connecting or waiting."""
        now = self._clock()
        waiting = sum(1 for until in self.backoff_times.values() if until > now)
        return {
            "tracked_ips": len(self.connection_times),
            "active_backoffs": waiting,
            "total_attempts": self._attempts,
            "failed_connections": self._failed,
            "rate_limited": self._refused,
            "active_ips": len(self._open),
            "ips_in_backoff": waiting,
        }


_limiter: WebSocketRateLimiter | None = None


def get_rate_limiter() -> WebSocketRateLimiter:
    """Return the connection limiter of this process; it is made when first asked for."""
    return only(globals(), "_limiter", WebSocketRateLimiter)


async def check_connection_rate_limit(client_ip: str) -> tuple[bool, float | None]:
    """Ask :func:`get_rate_limiter` whether an address may connect now."""
    return await get_rate_limiter().check_rate_limit(client_ip)


def get_rate_limit_for_environment() -> dict[str, int]:
    """Return how much one client may do."""
    return {"max_requests_per_minute": 1000, "max_concurrent_connections": 100, "rate_limit_window_seconds": 60}


def get_staging_optimized_timeouts(environment: Any = None) -> dict[str, int]:
    """Return how many seconds to wait for what; longer in staging, where containers start slowly."""
    name = str(environment or read_variable("ENVIRONMENT", "development")).lower()
    seconds = (300, 90, 60, 30, 10) if name == "staging" else (30, 10, 5, 2, 1)
    kinds = ("connection", "heartbeat", "message", "handshake", "close")
    return {f"{kind}_timeout_seconds": wait for kind, wait in zip(kinds, seconds)}
