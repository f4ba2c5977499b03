"""Where the streams of users who have just joined stand: asked for many users in one round trip."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any, Callable, NamedTuple

from ..core.events import Position
from ..core.logged import get_logger
from ..errors import BackplaneUnavailable
from .link import backoff

logger = get_logger(__name__)

_AT_ONCE = 64


class Place(NamedTuple):
    """How far a user's events have come here: the last one's position, and the token it has in the stream."""

    position: Position
    token: str


class Placer:
    """Finds the place of each user it is given, soon.

    A subscription is confirmed in the loop that reads events; to ask there, user by user, would hold up all who come after,
    and in a storm of reconnections the last of them beyond every time limit. ``find(users)`` returns their places in one request;
    ``settle(user, place)`` is told of each.
    """

    def __init__(self, find: Callable[[Sequence[str]], Any], settle: Callable[[str, Place], None]) -> None:
        self._find, self._settle = find, settle
        self._wanted: dict[str, None] = {}
        self._wake: asyncio.Event | None = None

    def want(self, user_id: str) -> None:
        """Find this user's place."""
        self._wanted[user_id] = None
        if self._wake is not None:
            self._wake.set()

    async def run(self) -> None:
        """Find places until cancelled; what Redis does not tell is asked again."""
        self._wake, attempt = asyncio.Event(), 0
        while True:
            if not self._wanted:
                self._wake.clear()
                await self._wake.wait()
            users = [user for user, _ in zip(self._wanted, range(_AT_ONCE))]
            try:
                places = await self._find(users)
            except BackplaneUnavailable as exc:
                logger.debug("the places of %d users are not known yet: %s", len(users), exc)
                await asyncio.sleep(backoff(attempt))
                attempt += 1
                continue
            attempt = 0
            for user, place in zip(users, places):
                self._wanted.pop(user, None)
                self._settle(user, place)
