"""The sessions that keep one conversation's identifiers together."""

from __future__ import annotations

import time
from threading import Lock
from typing import Any, Optional

from compat.netra.components.bounded import Newest

HOUR_MS = 3_600_000


def now_ms() -> int:
    """Milliseconds since the epoch."""
    return int(time.time() * 1000)


class IdSessions:
    """The part of a generator that remembers thread and run of each user's conversations. Safe between threads."""

    _active_sessions: dict[str, dict[str, Any]] = Newest(100_000)
    _session_lock = Lock()

    @staticmethod
    def generate_base_id(prefix: str = "id", include_random: bool = True, random_length: int = 8) -> str:
        """Return a new identifier."""
        raise NotImplementedError

    @classmethod
    def get_or_create_user_session(
        cls,
        user_id: str,
        thread_id: Optional[str] = None,
        run_id: Optional[str] = None,
        operation: str = "session",
    ) -> dict[str, str]:
        """Return ``{"thread_id", "run_id", "request_id"}`` of the user's session on a thread; the request id is always new.

        Without ``thread_id`` it is the user's default session. A known session keeps its run unless ``run_id`` names
        another.
        """
        key, now = _session_key(user_id, thread_id), now_ms()
        with cls._session_lock:
            session = cls._active_sessions.get(key)
            if session is None:
                session = cls._active_sessions[key] = {
                    "user_id": user_id,
                    "thread_id": thread_id or cls.generate_base_id(f"thread_{operation}"),
                    "run_id": run_id or cls.generate_base_id(f"run_{operation}"),
                    "created_at": now,
                    "last_activity": now,
                    "operation": operation,
                }
            elif run_id and run_id != session["run_id"]:
                session.update(run_id=run_id, operation=f"{operation}_new_run")
            session["last_activity"] = now
            cls._active_sessions[key] = session  # the newest again
            return cls._ids_of(session)

    @classmethod
    def get_existing_session(cls, user_id: str, thread_id: str) -> Optional[dict[str, str]]:
        """Return the session's ids with a new request id, or None if the user has none on that thread."""
        with cls._session_lock:
            session = cls._active_sessions.get(_session_key(user_id, thread_id))
            return cls._ids_of(session) if session else None

    @classmethod
    def cleanup_expired_sessions(cls, max_age_hours: int = 24) -> int:
        """Forget sessions idle for longer than ``max_age_hours``; return how many."""
        oldest = now_ms() - max_age_hours * HOUR_MS
        with cls._session_lock:
            expired = [key for key, one in cls._active_sessions.items() if one.get("last_activity", one["created_at"]) < oldest]
            for key in expired:
                del cls._active_sessions[key]
        return len(expired)

    @classmethod
    def get_active_sessions_count(cls) -> int:
        """How many sessions are remembered."""
        with cls._session_lock:
            return len(cls._active_sessions)

    @classmethod
    def invalidate_user_sessions(cls, user_id: str) -> int:
        """Forget every session of one user; return how many."""
        with cls._session_lock:
            owned = [key for key, one in cls._active_sessions.items() if one["user_id"] == user_id]
            for key in owned:
                del cls._active_sessions[key]
        return len(owned)

    @classmethod
    def _ids_of(cls, session: dict[str, Any]) -> dict[str, str]:
        ids = {name: session[name] for name in ("thread_id", "run_id")}
        return {**ids, "request_id": cls.generate_base_id("req")}


def _session_key(user_id: str, thread_id: Optional[str]) -> str:
    return f"{user_id}:{thread_id or 'default'}"
