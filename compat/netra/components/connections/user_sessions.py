"""User sessions: which are open, whose they are, what they hold."""

from __future__ import annotations

from collections import defaultdict, deque
from datetime import datetime, timezone
from itertools import count
from typing import Any, Optional

from compat.canonical.core.logged import get_logger

logger = get_logger(__name__)

#: How many closed sessions stay readable; the oldest are forgotten.
CLOSED_KEPT = 1000


class Session(dict[str, Any]):
    """One session: ``user_id``, ``data`` and ``active``. What is in the data can be read from the session itself, too."""

    def __init__(self, session_id: str, user_id: str, data: dict[str, Any]) -> None:
        super().__init__(user_id=user_id, data=data, active=True)
        self.session_id = session_id
        self.created_at = datetime.now(timezone.utc)

    def __missing__(self, key: str) -> Any:
        if key in ("session_id", "created_at"):
            return getattr(self, key)
        return self["data"][key]

    def __contains__(self, key: object) -> bool:
        return super().__contains__(key) or key in ("session_id", "created_at") or key in self["data"]

    def get(self, key: str, default: Any = None) -> Any:
        """A value of the session or of its data, or the default."""
        try:
            return self[key]
        except KeyError:
            return default


class UserSessionManager:
    """Keeps the sessions of every user; closed ones stay readable for a while."""

    def __init__(self) -> None:
        self._sessions: dict[str, Session] = {}
        self._user_sessions: defaultdict[str, set[str]] = defaultdict(set)
        self._closed: deque[str] = deque()
        self._numbers = count()
        logger.info("UserSessionManager initialized")

    async def create_session(self, user_id: str, session_data: dict[str, Any]) -> str:
        """Open a session of a user and return its ID."""
        session_id = f"session_{user_id}_{next(self._numbers)}"
        self._sessions[session_id] = Session(session_id, user_id, dict(session_data or {}))
        self._user_sessions[user_id].add(session_id)
        logger.info(f"Created session {session_id} for user {user_id}")
        return session_id

    async def get_session(self, session_id: str) -> Optional[dict[str, Any]]:
        """The session, closed or not, or None."""
        return self._sessions.get(session_id)

    async def get_user_sessions(self, user_id: str) -> set[str]:
        """IDs of the user's open sessions, in a set of the caller's own."""
        return set(self._user_sessions.get(user_id, ()))

    async def update_session(self, session_id: str, data: dict[str, Any]) -> bool:
        """Merge data into a session's. False if there is no such session."""
        session = self._sessions.get(session_id)
        if session is None:
            logger.warning(f"Cannot update session {session_id}: not found")
            return False
        session["data"].update(data)
        return True

    async def close_session(self, session_id: str) -> bool:
        """Close a session. False if there is no open one of that ID."""
        session = self._sessions.get(session_id)
        if session is None or not session["active"]:
            logger.warning(f"Cannot close session {session_id}: not found")
            return False
        session["active"] = False
        owned = self._user_sessions[session["user_id"]]
        owned.discard(session_id)
        if not owned:
            del self._user_sessions[session["user_id"]]
        self._closed.append(session_id)
        if len(self._closed) > CLOSED_KEPT:
            self._sessions.pop(self._closed.popleft(), None)
        logger.info(f"Closed session {session_id}")
        return True

    async def is_session_active(self, session_id: str) -> bool:
        """Whether the session is open."""
        session = self._sessions.get(session_id)
        return session is not None and bool(session["active"])

    def clear_all_sessions(self) -> None:
        """Forget every session of every user."""
        self._sessions.clear()
        self._user_sessions.clear()
        self._closed.clear()
        logger.info("All sessions cleared")
