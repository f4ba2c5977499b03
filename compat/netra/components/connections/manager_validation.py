"""Check managers for the two faults that leak between users: built past the factory, or used for a foreign user."""

from __future__ import annotations

import threading
import traceback
import weakref
from datetime import datetime, timezone
from typing import Any

from compat.canonical.core.logged import get_logger
from compat.canonical.errors import FactoryBypassDetected, SSotValidationError, UserIsolationViolation

logger = get_logger(__name__)

FACTORY_METHODS = frozenset(
    {"factory", "get_websocket_manager", "create_websocket_manager", "get_websocket_manager_factory", "create_isolated_manager"}
)


class ManagerValidator:
    """Remembers which managers exist for which user, and judges new ones and their use.

    Not strict, a violation is logged and the check returns False; strict, it raises.
    """

    def __init__(self, *, strict: bool = False) -> None:
        self.strict_mode = strict
        self.validation_enabled = True
        self._lock = threading.Lock()
        self._managers: weakref.WeakSet[Any] = weakref.WeakSet()
        self._managers_by_user: dict[str, weakref.WeakSet[Any]] = {}
        self._counts = {"checks": 0, "violations": 0}
        self._recent: list[dict[str, Any]] = []

    def validate_manager_creation(
        self, manager_instance: Any, user_context: Any = None, creation_method: str = "unknown"
    ) -> bool:
        """Record a new manager; False (strict: raise) if it has no user, or was built past the factory.

        Raises
        ------
        UserIsolationViolation, FactoryBypassDetected
            In strict mode.
        """
        user_id = getattr(user_context, "user_id", None)
        with self._lock:
            self._counts["checks"] += 1
            _remember(self._managers, manager_instance)
            if user_id is not None:
                _remember(self._managers_by_user.setdefault(str(user_id), weakref.WeakSet()), manager_instance)
        if creation_method in ("direct", "direct_instantiation", "bypass"):
            return self._violated(
                FactoryBypassDetected("Direct instantiation not allowed. Use get_websocket_manager() factory function."), user_id
            )
        if user_id is None:
            return self._violated(UserIsolationViolation("UserExecutionContext required for proper user isolation"), user_id)
        if creation_method == "unknown" and self.detect_factory_bypass():
            logger.debug("manager of user %s made outside the factory functions", user_id)
        return True

    def validate_user_isolation(self, manager_instance: Any, user_id: Any, operation: str = "unknown") -> bool:
        """Whether ``manager_instance`` may serve ``user_id``: it belongs to that user, or to none yet.

        Raises
        ------
        UserIsolationViolation
            In strict mode, if the manager belongs to another user.
        """
        with self._lock:
            self._counts["checks"] += 1
        owner = getattr(getattr(manager_instance, "user_context", None), "user_id", None)
        if owner is None or not isinstance(owner, str) or owner == str(user_id):
            return True
        return self._violated(
            UserIsolationViolation(f"Operation {operation!r} for user {user_id} reached the manager of user {owner}"), user_id
        )

    def detect_factory_bypass(self, creation_stack: list[str] | None = None) -> bool:
        """Whether no factory function stands in ``creation_stack``.

        Lines as ``traceback.format_stack`` makes them; the current stack by default.
        """
        lines = creation_stack if creation_stack is not None else traceback.format_stack()
        return not any(method in line for line in lines for method in FACTORY_METHODS)

    def get_validation_summary(self) -> dict[str, Any]:
        """Return counts of managers, users, checks and violations, and the ten latest violations."""
        with self._lock:
            users = {user: len(managers) for user, managers in self._managers_by_user.items() if len(managers)}
            return {
                "validation_enabled": self.validation_enabled,
                "strict_mode": self.strict_mode,
                "active_managers": len(self._managers),
                "total_manager_instances": len(self._managers),
                "unique_users": len(users),
                "users_with_managers": len(users),
                "duplicate_managers": sum(1 for count in users.values() if count > 1),
                "total_checks": self._counts["checks"],
                "total_violations": self._counts["violations"],
                "violations": list(self._recent),
                "timestamp": datetime.now(timezone.utc).isoformat(),
            }

    def _violated(self, error: SSotValidationError, user_id: object) -> bool:
        with self._lock:
            self._counts["violations"] += 1
            self._recent = [*self._recent[-9:], {"error": type(error).__name__, "message": str(error), "user_id": str(user_id)}]
        logger.warning("%s: %s", type(error).__name__, error)
        if self.strict_mode:
            raise error
        return False


def _remember(managers: weakref.WeakSet[Any], manager: object) -> None:
    try:
        managers.add(manager)
    except TypeError:  # an object without weak references or hash cannot be remembered, only judged
        logger.debug("%s cannot be remembered", type(manager).__name__)
