"""User sessions: which are open, whose they are, what they hold."""

from __future__ import annotations

import logging
from datetime import datetime, timezone
from itertools import count
from typing import Any, Optional

logger = logging.getLogger(__name__)


class Session(dict[str, Any]):
    """One session as a flat dictionary: ``user_id``, ``session_id``, ``created_at`` and what the caller put in it.

    ``session["data"]`` is the caller's part alone, ``session["active"]`` whether it is open, unless the caller has
    put something of his own under these keys.
    """

    OWN = frozenset({"user_id", "session_id", "created_at"})

    def __missing__(self, key: str) -> Any:
        if key == "data":
            return {name: value for name, value in self.items() if name not in self.OWN}
        if key == "active":
            return True
        raise KeyError(key)


class UserSessionManager:
    """Keeps the open sessions of every user; a closed session is forgotten."""

    def __init__(self) -> None:
        self._sessions: dict[str, Session] = {}
        self._user_sessions: dict[str, set[str]] = {}
        self._numbers = count()
        logger.info("UserSessionManager initialized")

    async def create_session(self, user_id: str, session_data: dict[str, Any]) -> str:
        """Open a session of a user and return its ID. What the data says of its owner is overruled by ``user_id``."""
        session_id = f"session_{user_id}_{next(self._numbers)}"
        session = Session(session_data or {})
        session.update(user_id=user_id, session_id=session_id, created_at=datetime.now(timezone.utc))
        self._sessions[session_id] = session
        self._user_sessions.setdefault(user_id, set()).add(session_id)
        logger.info(f"Created session {session_id} for user {user_id}")
        return session_id

    async def get_session(self, session_id: str) -> Optional[dict[str, Any]]:
        """The session, or None."""
        return self._sessions.get(session_id)

    async def get_user_sessions(self, user_id: str) -> set[str]:
        """IDs of the user's open sessions, in a set of the caller's own."""
        return set(self._user_sessions.get(user_id, ()))

    async def update_session(self, session_id: str, data: dict[str, Any]) -> bool:
        """Merge data into an open session; its owner and ID stay. False if there is no such session."""
        session = self._sessions.get(session_id)
        if session is None:
            logger.warning(f"Cannot update session {session_id}: not found")
            return False
        session.update({name: value for name, value in data.items() if name not in Session.OWN})
        return True

    async def close_session(self, session_id: str) -> bool:
        """Close and forget a session. False if there is no such session."""
        session = self._sessions.pop(session_id, None)
        if session is None:
            logger.warning(f"Cannot close session {session_id}: not found")
            return False
        owned = self._user_sessions.get(session["user_id"], set())
        owned.discard(session_id)
        if not owned:
            self._user_sessions.pop(session["user_id"], None)
        logger.info(f"Closed session {session_id}")
        return True

    async def is_session_active(self, session_id: str) -> bool:
        """Whether the session is open."""
        return session_id in self._sessions

    def clear_all_sessions(self) -> None:
        """Forget every session of every user."""
        self._sessions.clear()
        self._user_sessions.clear()
        logger.info("All sessions cleared")
