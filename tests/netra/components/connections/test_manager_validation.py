"""Managers built past the factory or used for a foreign user are found."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from compat.canonical.errors import FactoryBypassDetected, UserIsolationViolation
from compat.netra.components.connections.manager_validation import ManagerValidator


class Manager:
    def __init__(self, user: str | None = None) -> None:
        self.user_context = SimpleNamespace(user_id=user) if user else None


def test_a_manager_made_for_a_user_by_the_factory_is_right() -> None:
    validator, manager = ManagerValidator(), Manager("user_1")
    assert validator.validate_manager_creation(manager, manager.user_context, "factory") is True
    summary = validator.get_validation_summary()
    assert (summary["active_managers"], summary["unique_users"], summary["total_violations"]) == (1, 1, 0)


def test_faults_are_logged_and_counted() -> None:
    validator, manager = ManagerValidator(), Manager("user_1")
    assert validator.validate_manager_creation(manager, None, "factory") is False
    assert validator.validate_manager_creation(manager, manager.user_context, "direct") is False
    assert validator.validate_user_isolation(manager, "user_1") is True
    assert validator.validate_user_isolation(manager, "user_2", "send") is False
    assert [one["error"] for one in validator.get_validation_summary()["violations"]] == [
        "UserIsolationViolation",
        "FactoryBypassDetected",
        "UserIsolationViolation",
    ]


def test_strict_raises() -> None:
    validator, manager = ManagerValidator(strict=True), Manager("user_1")
    with pytest.raises(FactoryBypassDetected):
        validator.validate_manager_creation(manager, manager.user_context, "bypass")
    with pytest.raises(UserIsolationViolation, match="Operation 'send' for user user_2 reached the manager of user user_1"):
        validator.validate_user_isolation(manager, "user_2", "send")


def test_the_factory_is_found_on_a_stack() -> None:
    validator = ManagerValidator()
    assert validator.detect_factory_bypass(["  in main"]) is True
    assert validator.detect_factory_bypass(["  in get_websocket_manager"]) is False


def test_managers_that_are_gone_are_not_counted() -> None:
    validator = ManagerValidator()
    validator.validate_manager_creation(Manager("user_1"), SimpleNamespace(user_id="user_1"), "factory")
    import gc

    gc.collect()
    assert validator.get_validation_summary()["active_managers"] == 0
