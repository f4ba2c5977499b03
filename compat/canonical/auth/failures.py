"""A bound on failed authentications per client address, so that a key cannot be searched for over the network."""

from __future__ import annotations

import threading
import time
from collections import OrderedDict, deque
from collections.abc import Callable


class FailureLimiter:
    """Blocks an address after ``limit`` failures within ``window`` seconds, until the oldest of them has aged.

    Memory is bounded: at most ``limit`` times per address and ``max_addresses`` addresses, the longest idle one is
    forgotten first. ``limit=0`` turns the limiter off.
    """

    def __init__(
        self,
        limit: int = 20,
        window: float = 60.0,
        *,
        max_addresses: int = 10_000,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        if limit < 0 or window <= 0 or max_addresses < 1:
            raise ValueError(f"limit {limit!r} must be >= 0, window {window!r} > 0, max_addresses {max_addresses!r} >= 1")
        self.limit = limit
        self.window = window
        self._max_addresses = max_addresses
        self._clock = clock
        self._failures: OrderedDict[str, deque[float]] = OrderedDict()
        self._lock = threading.Lock()

    def retry_after(self, address: str) -> float:
        """Return the seconds until the address may try again; 0.0 if it may now."""
        if not self.limit:
            return 0.0
        with self._lock:
            times = self._failures.get(address)
            if times is None or len(times) < self.limit:
                return 0.0
            return max(0.0, times[0] + self.window - self._clock())

    def record(self, address: str) -> None:
        """Note one failure of the address."""
        if not self.limit:
            return
        with self._lock:
            times = self._failures.get(address)
            if times is None:
                times = self._failures[address] = deque(maxlen=self.limit)
            times.append(self._clock())
            self._failures.move_to_end(address)
            while len(self._failures) > self._max_addresses:
                self._failures.popitem(last=False)

    def __len__(self) -> int:
        return len(self._failures)
