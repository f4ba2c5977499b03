"""Check managers for the two faults that leak between users: built past the factory, or used for a foreign user."""

from __future__ import annotations

import threading
import traceback
import weakref
from collections import deque
from datetime import datetime, timezone
from typing import Any

from compat.canonical.core.logged import get_logger
from compat.canonical.errors import SSotValidationError, UserIsolationViolation
from compat.netra.components.bounded import Newest

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
        self._managers_by_user: dict[str, weakref.WeakSet[Any]] = Newest()
        self._passed = self._failed = 0
        self._recent: deque[dict[str, Any]] = deque(maxlen=10)

    def validate_manager_creation(
        self, manager_instance: Any, user_context: Any = None, creation_method: str = "unknown"
    ) -> bool:
        """Record a new manager; False if it has no user, is of another kind, or is not its user's only one.

        Raises
        ------
        SSotValidationError
            In strict mode, instead of False.
        """
        if not self.validation_enabled:
            return True
        user_id = getattr(user_context, "user_id", None)
        issues = []
        if user_context is None:
            issues.append("No user context provided - potential user isolation violation")
        if not any(kind.__name__ == "UnifiedWebSocketManager" for kind in type(manager_instance).__mro__):
            issues.append(f"Manager is not a UnifiedWebSocketManager: {type(manager_instance).__name__}")
        with self._lock:
            _remember(self._managers, manager_instance)
            if user_id is not None:
                own = self._managers_by_user.setdefault(str(user_id), weakref.WeakSet())
                if any(one is not manager_instance for one in own):
                    issues.append(f"Multiple manager instances for user {user_id} - potential duplication")
                _remember(own, manager_instance)
        self._note(creation_method, user_context is not None, issues)
        for issue in issues:
            logger.warning(f"SSOT validation: {issue}")
        if issues and self.strict_mode:
            raise SSotValidationError(f"SSOT validation failed: {'; '.join(issues)}")
        return not issues

    def _note(self, method: str, has_user_context: bool, issues: list[str]) -> None:
        with self._lock:
            self._failed += bool(issues)
            self._passed += not issues
            self._recent.append(
                {
                    "timestamp": datetime.now(timezone.utc).isoformat(),
                    "creation_method": method,
                    "has_user_context": has_user_context,
                    "issues": issues,
                    "passed": not issues,
                }
            )

    def validate_user_isolation(self, manager_instance: Any, user_id: Any, operation: str = "unknown") -> bool:
        """Whether ``manager_instance`` may serve ``user_id``: it belongs to that user, or to none yet.

        Raises
        ------
        UserIsolationViolation
            In strict mode, if the manager belongs to another user.
        """
        owner = getattr(getattr(manager_instance, "user_context", None), "user_id", None)
        if owner is None or not isinstance(owner, str) or owner == str(user_id):
            self._note(operation, owner is not None, [])
            return True
        text = f"Operation {operation!r} for user {user_id} reached the manager of user {owner}"
        self._note(operation, True, [text])
        logger.warning(f"SSOT validation: {text}")
        if self.strict_mode:
            raise UserIsolationViolation(text)
        return False

    def detect_factory_bypass(self, creation_stack: list[str] | None = None) -> bool:
        """Whether no factory function stands in ``creation_stack``.

        Lines as ``traceback.format_stack`` makes them; the current stack by default.
        """
        lines = creation_stack if creation_stack is not None else traceback.format_stack()
        return not any(method in line for line in lines for method in FACTORY_METHODS)

    def get_validation_summary(self) -> dict[str, Any]:
        """Return counts of validations, managers and users, and what failed among the last ten."""
        with self._lock:
            total = self._passed + self._failed
            return {
                "total_validations": total,
                "passed_validations": self._passed,
                "failed_validations": self._failed,
                "success_rate": self._passed / total if total else 0.0,
                "active_managers": len(self._managers),
                "tracked_users": sum(1 for managers in self._managers_by_user.values() if len(managers)),
                "strict_mode": self.strict_mode,
                "validation_enabled": self.validation_enabled,
                "recent_issues": [one for one in self._recent if not one["passed"]],
            }


def _remember(managers: weakref.WeakSet[Any], manager: object) -> None:
    try:
        managers.add(manager)
    except TypeError:  # an object without weak references or hash cannot be remembered, only judged
        logger.debug("%s cannot be remembered", type(manager).__name__)


_ssot_validator = ManagerValidator()


def validate_websocket_manager_creation(
    manager_instance: Any, user_context: Any = None, creation_method: str = "unknown"
) -> bool:
    """Whether a new manager was made as it should be; logged if not, raised in strict mode."""
    return _ssot_validator.validate_manager_creation(manager_instance, user_context, creation_method)


def validate_user_isolation(manager_instance: Any, user_id: Any, operation: str = "unknown") -> bool:
    """Whether a manager may serve a user; logged if not, raised in strict mode."""
    return _ssot_validator.validate_user_isolation(manager_instance, user_id, operation)


def enable_strict_validation(enabled: bool = True) -> None:
    """Raise violations instead of logging them."""
    _ssot_validator.strict_mode = enabled


def get_ssot_validation_summary() -> dict[str, Any]:
    """Counts of validations, managers and users, and what failed of late."""
    return _ssot_validator.get_validation_summary()
