"""The clients that were let in: who they are and since when, bounded in number."""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Session:
    """One client that was let in; ``user_id`` is None for one that has not said who it is."""

    client_id: str
    user_id: str | None = None
    opened_at: float = field(default_factory=time.time)


class SessionBook:
    """The open sessions by client; opening a client again replaces its session."""

    def __init__(self, limit: int = 100_000) -> None:
        self.limit = limit
        self._sessions: dict[str, Session] = {}
        self._lock = threading.Lock()

    def open(self, client_id: str, user_id: str | None = None) -> Session:
        """Register a client. Raises ``ValueError`` for an empty ID, ``OverflowError`` beyond the limit."""
        if not client_id or not isinstance(client_id, str):
            raise ValueError(f"client_id must be a non-empty string, got {client_id!r}")
        session = Session(client_id, user_id)
        with self._lock:
            if client_id not in self._sessions and len(self._sessions) >= self.limit:
                raise OverflowError(f"{self.limit} sessions are open; close some or raise SessionBook(limit=...)")
            self._sessions[client_id] = session
        return session

    def close(self, client_id: str) -> Session | None:
        """Forget a client; return its session, None if it had none."""
        with self._lock:
            return self._sessions.pop(client_id, None)

    def get(self, client_id: str) -> Session | None:
        """Return the session of a client, None if it has none."""
        return self._sessions.get(client_id)

    def users(self) -> set[str]:
        """Return the users with an open session."""
        with self._lock:
            return {session.user_id for session in self._sessions.values() if session.user_id is not None}

    def __contains__(self, client_id: object) -> bool:
        return client_id in self._sessions

    def __len__(self) -> int:
        return len(self._sessions)
