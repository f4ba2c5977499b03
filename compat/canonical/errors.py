"""Every exception of the canonical core.

CanonicalError (Exception)
├── SSotValidationError              a manager was built or used against the rules of isolation
│   ├── FactoryBypassDetected        the manager class was called; use get_websocket_manager()
│   └── UserIsolationViolation       no user, or another user than the manager's
├── ResourceLimitExceeded            a declared limit is reached: managers, connections, streams
├── Undelivered                      a critical event is neither delivered nor kept for replay
├── FactoryInitializationError (RuntimeError)
├── WebSocketComponentError (RuntimeError)
├── ManagerClosed (RuntimeError)     a closed manager was asked to send or to take a connection
├── BackplaneUnavailable (ConnectionError)
└── SettingsError (ValueError)       settings contradict each other or are unsafe; names every fault
"""

from __future__ import annotations

from collections.abc import Iterable


class CanonicalError(Exception):
    """Base of every exception that the canonical core raises on its own account."""


class SSotValidationError(CanonicalError):
    """A manager was built or used against the rules that keep users apart."""


class FactoryBypassDetected(SSotValidationError):
    """The manager class was called instead of its factory."""


class UserIsolationViolation(SSotValidationError):
    """There is no user to work for, or it is another one than the manager's."""


class ResourceLimitExceeded(CanonicalError):
    """A declared limit is reached; ``resource`` names it, ``limit`` is its value, ``user_id`` whose, if one user's."""

    def __init__(self, resource: str, limit: int, user_id: str | None = None, remedy: str = "") -> None:
        self.resource, self.limit, self.user_id, self.remedy = resource, limit, user_id, remedy
        super().__init__(resource, limit, user_id, remedy)

    def __str__(self) -> str:
        whose = "" if self.user_id is None else f" for user {self.user_id!r}"
        tail = f" {self.remedy}" if self.remedy else ""
        return f"limit of {self.limit} {self.resource}{whose} is reached.{tail}"


class Undelivered(CanonicalError):
    """A critical event reached nobody and is not kept: the caller must send it again or report it.

    ``uncertain``: its acceptance was not confirmed in time, and sent again it may arrive twice.
    """

    def __init__(self, user_id: str, event_type: str, reason: str, uncertain: bool = False) -> None:
        self.user_id, self.event_type, self.reason, self.uncertain = user_id, event_type, reason, uncertain
        super().__init__(user_id, event_type, reason, uncertain)

    def __str__(self) -> str:
        what = f"{self.event_type} for user {self.user_id!r}"
        if self.uncertain:
            return f"{what} may be neither delivered nor kept: {self.reason}. Send it again where twice does no harm."
        return f"{what} is neither delivered nor kept: {self.reason}. Send it again."


class FactoryInitializationError(CanonicalError, RuntimeError):
    """A factory could not be built."""


class WebSocketComponentError(CanonicalError, RuntimeError):
    """A part of the WebSocket core cannot do its work."""


class ManagerClosed(CanonicalError, RuntimeError):
    """The manager is closed; ask get_websocket_manager() for the user's present one."""

    def __init__(self, user_id: str) -> None:
        self.user_id = user_id
        super().__init__(user_id)

    def __str__(self) -> str:
        return f"the manager of user {self.user_id!r} is closed; ask get_websocket_manager(context) for the present one"


class BackplaneUnavailable(CanonicalError, ConnectionError):
    """The backplane does not answer, or refuses.

    What was to be published has not been accepted; with ``uncertain`` it was on its way when the answer failed to come, and
    nobody here knows.
    """

    def __init__(self, reason: str = "", *, uncertain: bool = False) -> None:
        self.uncertain = uncertain
        super().__init__(reason)


class SettingsError(CanonicalError, ValueError):
    """Settings contradict each other or are unsafe; ``faults`` holds every one found."""

    def __init__(self, faults: Iterable[str]) -> None:
        self.faults = tuple(faults)
        super().__init__(self.faults)

    def __str__(self) -> str:
        return "settings cannot be used: " + "; ".join(self.faults)


__all__ = [
    "BackplaneUnavailable",
    "CanonicalError",
    "FactoryBypassDetected",
    "FactoryInitializationError",
    "ManagerClosed",
    "ResourceLimitExceeded",
    "SSotValidationError",
    "SettingsError",
    "Undelivered",
    "UserIsolationViolation",
    "WebSocketComponentError",
]
