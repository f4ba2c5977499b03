"""Tokens that hold no more: all of a user up to a moment, or one by its ID (``jti``), each until it would have expired."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from typing import Any


class Revocations:
    """What is revoked, as every worker knows it; times in seconds since the epoch."""

    def __init__(self, clock: Callable[[], float] = time.time) -> None:
        self._clock = clock
        self._entries: dict[str, tuple[float, float]] = {}  # name -> revoked what was issued up to, until when

    def __len__(self) -> int:
        return len(self._entries)

    @staticmethod
    def name(user_id: str | None, token_id: str | None) -> str:
        """Return the name of what concerns a user, or else a token."""
        return f"t:{token_id}" if user_id is None else f"u:{user_id}"

    def add(self, name: str, value: str) -> None:
        """Take a revocation as :meth:`value` has written it; an earlier one of this name holds as long as it would have."""
        at, until = map(float, value.split(" "))
        before = self._entries.get(name, (at, until))
        self._entries[name] = max(at, before[0]), max(until, before[1])

    def value(self, name: str, seconds: float) -> str:
        """Return a revocation from now on, for so many seconds, as one text."""
        now = self._clock()
        at, until = self._entries.get(name, (now, now))
        return f"{max(now, at)!r} {max(now + seconds, until)!r}"

    def replace(self, facts: Mapping[str, str]) -> None:
        """Know these, and no others."""
        self._entries.clear()
        for name, value in facts.items():
            self.add(name, value)

    def expired(self) -> list[str]:
        """Return, and forget, the names of those that hold no longer."""
        now = self._clock()
        names = [name for name, (_, until) in self._entries.items() if until < now]
        for name in names:
            del self._entries[name]
        return names

    def cover(self, user_id: str, claims: Mapping[str, Any]) -> bool:
        """Whether a token of these claims is revoked. One that does not say when it was issued (``iat``) counts as old."""
        if not self._entries:
            return False
        now = self._clock()
        at, until = self._entries.get(f"u:{user_id}", (0.0, 0.0))
        if until >= now:
            issued = claims.get("iat")
            if isinstance(issued, bool) or not isinstance(issued, (int, float)) or issued <= at:
                return True
        return self._entries.get(f"t:{claims.get('jti')}", (0.0, 0.0))[1] >= now
