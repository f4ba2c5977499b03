"""Who was authenticated, and the exception for who was not."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Identity:
    """The user a token speaks for; ``expires_at`` in seconds since the epoch, None for never."""

    user_id: str
    claims: Mapping[str, Any] = field(default_factory=dict)
    expires_at: float | None = None
    source: str = ""


class AuthenticationFailed(Exception):
    """A connection is not let in; ``reason`` is a stable word, the message is safe to show, ``close_code`` to close with."""

    def __init__(self, reason: str, message: str, *, close_code: int = 1008) -> None:
        super().__init__(message)
        self.reason = reason
        self.close_code = close_code
