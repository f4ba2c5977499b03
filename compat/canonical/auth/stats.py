"""Counts of authentication: attempts, successes, and rejections by reason."""

from __future__ import annotations

import threading
from collections import Counter
from typing import Any


class AuthStats:
    """Exact counts over threads; ``attempts == successes + failures`` at every moment it can be read."""

    __slots__ = ("_lock", "_rejections", "_successes")

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._successes = 0
        self._rejections: Counter[str] = Counter()

    def accept(self) -> None:
        """Count one success."""
        with self._lock:
            self._successes += 1

    def reject(self, reason: str) -> None:
        """Count one failure under its reason, e.g. ``"expired"``."""
        with self._lock:
            self._rejections[reason] += 1

    @property
    def successes(self) -> int:
        """How many authentications succeeded."""
        return self._successes

    @property
    def failures(self) -> int:
        """How many were rejected."""
        with self._lock:
            return sum(self._rejections.values())

    @property
    def attempts(self) -> int:
        """How many were tried."""
        with self._lock:
            return self._successes + sum(self._rejections.values())

    def snapshot(self) -> dict[str, Any]:
        """Return all counts of one moment: attempts, successes, failures, success_rate_percent, rejections."""
        with self._lock:
            successes, rejections = self._successes, dict(self._rejections)
        failures = sum(rejections.values())
        attempts = successes + failures
        return {
            "attempts": attempts,
            "successes": successes,
            "failures": failures,
            "success_rate_percent": round(100 * successes / attempts, 2) if attempts else 0.0,
            "rejections": rejections,
        }

    def reset(self) -> None:
        """Begin again from zero."""
        with self._lock:
            self._successes = 0
            self._rejections.clear()
