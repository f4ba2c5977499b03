"""Managers without a user, of another kind, beside another of their user, or used for a foreign user are found."""

from __future__ import annotations

import gc
from types import SimpleNamespace

import pytest

from compat.canonical.errors import SSotValidationError, UserIsolationViolation
from compat.netra.components.connections import manager_validation
from compat.netra.components.connections.manager_validation import ManagerValidator


class UnifiedWebSocketManager:
    def __init__(self, user: str | None = None) -> None:
        self.user_context = SimpleNamespace(user_id=user) if user else None


def test_a_manager_made_for_a_user_is_right() -> None:
    validator, manager = ManagerValidator(), UnifiedWebSocketManager("user_1")
    assert validator.validate_manager_creation(manager, manager.user_context, "factory") is True
    assert validator.get_validation_summary() == {
        "total_validations": 1, "passed_validations": 1, "failed_validations": 0, "success_rate": 1.0, "active_managers": 1,
        "tracked_users": 1, "strict_mode": False, "validation_enabled": True, "recent_issues": [],
    }  # fmt: skip


def test_faults_are_logged_and_kept(caplog) -> None:
    validator, manager = ManagerValidator(), UnifiedWebSocketManager("user_1")
    assert validator.validate_manager_creation(manager, None, "factory") is False
    assert validator.validate_manager_creation(object(), manager.user_context) is False
    assert validator.validate_manager_creation(manager, manager.user_context) is True
    second = UnifiedWebSocketManager("user_1")
    assert validator.validate_manager_creation(second, second.user_context, "direct") is False
    assert validator.validate_user_isolation(manager, "user_1") is True
    assert validator.validate_user_isolation(manager, "user_2", "send") is False
    summary = validator.get_validation_summary()
    assert [one["issues"] for one in summary["recent_issues"]] == [
        ["No user context provided - potential user isolation violation"],
        ["Manager is not a UnifiedWebSocketManager: object"],
        ["Multiple manager instances for user user_1 - potential duplication"],
        ["Operation 'send' for user user_2 reached the manager of user user_1"],
    ]
    assert list(summary["recent_issues"][2]) == ["timestamp", "creation_method", "has_user_context", "issues", "passed"]
    assert (summary["total_validations"], summary["failed_validations"]) == (6, 4)
    assert "SSOT validation: Multiple manager instances for user user_1 - potential duplication" in caplog.messages


def test_strict_raises() -> None:
    validator, manager = ManagerValidator(strict=True), UnifiedWebSocketManager("user_1")
    with pytest.raises(SSotValidationError, match=r"^SSOT validation failed: No user context provided"):
        validator.validate_manager_creation(manager, None)
    with pytest.raises(UserIsolationViolation, match="Operation 'send' for user user_2 reached the manager of user user_1"):
        validator.validate_user_isolation(manager, "user_2", "send")


def test_the_factory_is_found_on_a_stack() -> None:
    validator = ManagerValidator()
    assert validator.detect_factory_bypass(["  in main"]) is True
    assert validator.detect_factory_bypass(["  in get_websocket_manager"]) is False


def test_managers_that_are_gone_are_not_counted() -> None:
    validator = ManagerValidator()
    validator.validate_manager_creation(UnifiedWebSocketManager("user_1"), SimpleNamespace(user_id="user_1"), "factory")
    gc.collect()
    summary = validator.get_validation_summary()
    assert (summary["active_managers"], summary["tracked_users"]) == (0, 0)


def test_the_validator_of_the_process_can_be_made_strict(monkeypatch) -> None:
    monkeypatch.setattr(manager_validation, "_ssot_validator", ManagerValidator())
    manager_validation.enable_strict_validation()
    assert manager_validation.get_ssot_validation_summary()["strict_mode"] is True
    with pytest.raises(SSotValidationError):
        manager_validation.validate_websocket_manager_creation(UnifiedWebSocketManager())
