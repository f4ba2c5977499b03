"""What an operator does, on all workers at once: list connections, end them, revoke tokens."""

from __future__ import annotations

import heapq
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from ..close_codes import NORMAL, TOKEN_EXPIRED
from ..core.backplane import Answers
from ..core.logged import get_logger
from ..factory import WebSocketManagerFactory
from .session import Session

if TYPE_CHECKING:
    from ..auth import Revocations

logger = get_logger(__name__)

MOST_LISTED = 1000
MOST_REVOKED = 100_000
REVOKED = "token is revoked; authenticate again"
DAY = 86_400.0


class Control:
    """The operator's hand; ``app.state.service.control``. Raises BackplaneUnavailable where the workers cannot be asked.

    Each answer has ``workers``: how many were asked, and how many have answered within two seconds.
    """

    def __init__(self, factory: WebSocketManagerFactory) -> None:
        from ..auth import Revocations

        self.sessions: set[Session] = set()
        self.revocations: Revocations = Revocations()
        self._factory = factory
        factory.backplane.listen(self)

    @classmethod
    def of(cls, factory: WebSocketManagerFactory) -> Control:
        """Return the one of a factory, which several applications of this process may serve from."""
        if factory.control is None:
            factory.control = cls(factory)
        control: Control = factory.control
        return control

    async def connections(self, user_id: str | None = None, *, after: str = "", limit: int = 100) -> dict[str, Any]:
        """Return up to ``limit`` connections in the order of their IDs, those behind ``after``, and how many there are in all.

        ``next`` is what to give as ``after`` for those that follow; None at the end.
        """
        limit = max(1, min(limit, MOST_LISTED))
        answers = await self._consult({"do": "list", "user_id": user_id, "after": after, "limit": limit})
        found = heapq.nsmallest(limit + 1, (c for a in answers.answers for c in a["connections"]), key=_id_of)
        page = found[:limit]
        return {
            "total": sum(answer["total"] for answer in answers.answers),
            "connections": page,
            "next": page[-1]["connection_id"] if len(found) > limit else None,
            "workers": answers.workers,
        }

    async def disconnect(
        self, *, user_id: str | None = None, connection_id: str | None = None, code: int = NORMAL, reason: str = ""
    ) -> dict[str, Any]:
        """Close all connections of a user, or one; return how many were ``closed``."""
        question = {"do": "disconnect", "user_id": user_id, "connection_id": connection_id, "code": code, "reason": reason}
        return _closed(await self._consult(question))

    async def revoke(self, *, user_id: str | None = None, token_id: str | None = None, seconds: float = DAY) -> dict[str, Any]:
        """Refuse a user's tokens issued until now, or the one of this ID (``jti``), for ``seconds``; end what stands on them.

        ``seconds`` must reach to where the tokens expire by themselves. With Redis it outlives the workers, without it holds
        as long as this process.

        Raises
        ------
        ResourceLimitExceeded
            a hundred thousand are revoked already
        """
        backplane = self._factory.backplane
        name = self.revocations.name(user_id, token_id)
        value = self.revocations.value(name, seconds)
        await backplane.forget_facts(self.revocations.expired())
        await backplane.remember(name, value, MOST_REVOKED)
        return _closed(await self._consult({"do": "revoke", "name": name, "value": value}))

    def is_revoked(self, identity: Any) -> bool:
        """Whether an identity's token is revoked."""
        return self.revocations.cover(identity.user_id, getattr(identity, "claims", None) or {})

    # As the listener of the backplane

    def answer(self, question: Mapping[str, Any]) -> dict[str, Any]:
        """Do on this worker what was asked of all."""
        do = question["do"]
        if do == "list":
            return self._list(question)
        if do == "revoke":
            self.revocations.add(question["name"], question["value"])
            return {"closed": self._end_revoked()}
        chosen = self._factory.connections(question["user_id"])
        name = question["connection_id"]
        closed = 0
        for connection in chosen:
            if name is None or connection.connection_id == name:
                logger.info("connection %s of user %s is ended by the operator", connection.connection_id, connection.user_id)
                connection.condemn(int(question["code"]), str(question["reason"]))
                closed += 1
        return {"closed": closed}

    def recall(self, facts: Mapping[str, str]) -> None:
        """Take all revocations; end what stands on them."""
        self.revocations.replace(facts)
        self._end_revoked()

    def _end_revoked(self) -> int:
        revoked = [session for session in self.sessions if self.is_revoked(session.identity)]
        for session in revoked:
            session.connection.condemn(TOKEN_EXPIRED, REVOKED)
        return len(revoked)

    def _list(self, question: Mapping[str, Any]) -> dict[str, Any]:
        all_here = self._factory.connections(question["user_id"])
        after, limit = question["after"], question["limit"]
        behind = (c for c in all_here if c.connection_id > after)
        page = heapq.nsmallest(limit + 1, behind, key=lambda connection: connection.connection_id)
        return {"total": len(all_here), "connections": [_shown(connection.info()) for connection in page]}

    async def _consult(self, question: Mapping[str, Any]) -> Answers:
        return await self._factory.backplane.consult(question)


def _shown(info: dict[str, Any]) -> dict[str, Any]:
    # What an application keeps with a connection is the application's, and of any size.
    return {name: value for name, value in info.items() if name not in ("metadata", "active")}


def _id_of(connection: Mapping[str, Any]) -> str:
    return str(connection["connection_id"])


def _closed(answers: Answers) -> dict[str, Any]:
    return {"closed": sum(answer["closed"] for answer in answers.answers), "workers": answers.workers}
