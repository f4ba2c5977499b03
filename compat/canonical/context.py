"""The execution context: whose work is done, for which thread, run and request."""

from __future__ import annotations

import secrets
from dataclasses import dataclass, field

from .errors import UserIsolationViolation


def _new_request_id() -> str:
    return f"req_{secrets.token_hex(8)}"


@dataclass(frozen=True)
class UserExecutionContext:
    """One user's unit of work. Frozen; compared and hashed by its four identifiers.

    The factory reads ``user_id`` and ``thread_id``; any object with these attributes serves as well. ``thread_id`` and
    ``run_id`` may be None: the context then stands for all of the user's threads.

    Raises
    ------
    UserIsolationViolation
        an identifier is no non-empty string
    """

    user_id: str
    thread_id: str | None = None
    run_id: str | None = None
    request_id: str = field(default_factory=_new_request_id)

    def __post_init__(self) -> None:
        for name in ("user_id", "thread_id", "run_id", "request_id"):
            value = getattr(self, name)
            is_optional = value is None and name in ("thread_id", "run_id")
            if not is_optional and (not isinstance(value, str) or not value.strip()):
                raise UserIsolationViolation(f"{name} must be a non-empty string, not {value!r}")
