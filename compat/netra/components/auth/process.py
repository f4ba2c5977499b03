"""The authenticator and the session book of this process: whatever lets clients in counts failures in one place."""

from __future__ import annotations

import threading
from collections.abc import Mapping

from compat.canonical.auth.authenticator import Authenticator, get_authenticator
from compat.canonical.core.logged import get_logger

from ..environment.reading import Variables
from .sessions import SessionBook

logger = get_logger(__name__)

_VARIABLES = (
    "JWT_SECRET_KEY",
    "JWT_SECRET_KEY_PREVIOUS",
    "JWT_JWKS",
    "JWT_ALGORITHMS",
    "JWT_ISSUER",
    "JWT_AUDIENCE",
    "ALLOWED_ORIGINS",
)


class _Process:
    """One authenticator whose keys, rules and origins follow the variables; its counts and its limiter stay."""

    def __init__(self) -> None:
        self.sessions = SessionBook()
        self._lock = threading.Lock()
        self._authenticator: Authenticator | None = None
        self._read: tuple[str, ...] = ()
        self._fixed = False

    def authenticator(self, fixed: Mapping[str, str] | None) -> Authenticator:
        with self._lock:
            known = self._authenticator
            if known is not None and self._fixed and fixed is None:
                return known
            variables: Mapping[str, str] = Variables() if fixed is None else fixed
            read = tuple(variables.get(name) or "" for name in _VARIABLES)
            if known is None or read != self._read:
                made = _configured(variables)
                if known is None:
                    known = self._authenticator = made
                else:
                    known.keys, known.rules, known.origins = made.keys, made.rules, made.origins
                self._read = read
            self._fixed = fixed is not None
            return known


def _configured(variables: Mapping[str, str]) -> Authenticator:
    try:
        return get_authenticator(variables)
    except ValueError as error:
        logger.error("no token will be accepted: %s", error)
        return Authenticator()


_process = _Process()


def process_authenticator(variables: Mapping[str, str] | None = None) -> Authenticator:
    """Return the authenticator of this process; it lets nobody in while the variables cannot be used.

    Its keys, rules and origins are those of the environment at each call, or from now on those of ``variables``: a server
    gives what its settings say.
    """
    return _process.authenticator(variables)


def process_sessions() -> SessionBook:
    """Return the clients that this process has let in."""
    return _process.sessions


def reset_authentication() -> None:
    """Forget counts, failures, sessions and settings of this process. For tests: call it before or after each."""
    global _process
    _process = _Process()
