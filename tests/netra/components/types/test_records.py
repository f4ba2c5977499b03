"""Plain records of agents, speed and users: fields, defaults, and what is refused."""

from __future__ import annotations

import math
from datetime import datetime, timezone
from typing import Any

import pytest

from compat.netra.components.types.records import (
    AgentExecutionRequest,
    AgentExecutionResult,
    AgentValidationResult,
    ExtendedUser,
    PerformanceMetrics,
    TestUserData,
)


def test_requests_and_results_hold_what_they_are_given() -> None:
    before = datetime.now(timezone.utc)
    request = AgentExecutionRequest("user_1", "thread_1", {"a": 1})
    assert (request.user_id, request.request_data, request.user_permissions) == ("user_1", {"a": 1}, [])
    result = AgentExecutionResult(user_id="user_1", thread_id="thread_1", run_id="run_1", success=False, result_data={})
    assert (result.execution_metadata, result.error_message) == ({}, None)
    assert before <= request.timestamp <= result.timestamp <= datetime.now(timezone.utc)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"user_id": "alice"}, "Invalid user_id format: alice"),
        ({"thread_id": ""}, "Invalid thread_id: "),
        ({"run_id": None}, "Invalid run_id: None"),
        ({"result_data": None}, "result_data must be a dictionary, got NoneType"),
    ],
)
def test_results_need_identifiers_and_data(change: dict[str, Any], said: str) -> None:
    given = {"user_id": "user_1", "thread_id": "thread_1", "run_id": "run_1", "success": True, "result_data": {}}
    with pytest.raises(ValueError) as caught:
        AgentExecutionResult(**{**given, **change})
    assert str(caught.value) == said


def test_requests_need_data() -> None:
    with pytest.raises(ValueError, match="^request_data must be a dictionary, got NoneType$"):
        AgentExecutionRequest("user_1", "thread_1", None)  # type: ignore[arg-type]


def test_a_failed_check_makes_a_validation_invalid() -> None:
    result = AgentValidationResult(True, user_id="user_1")
    result.add_validation_check("permissions", True, "few")
    assert result.is_valid
    result.add_validation_check("limits", False)
    assert not result.is_valid
    assert result.validation_passed == {"permissions": True, "limits": False}
    assert (result.validation_warnings, result.error_message, result.execution_context) == (["few"], None, None)
    with pytest.raises(ValueError, match="^Invalid user_id format: alice$"):
        AgentValidationResult(True, user_id="alice")


def test_metrics_have_defaults() -> None:
    metrics = PerformanceMetrics()
    assert (metrics.min_response_time, metrics.max_response_time, metrics.availability) == (math.inf, 0.0, 99.9)
    assert (metrics.error_rate, metrics.success_rate, metrics.concurrent_users) == (0.0, 100.0, 1)


def test_metrics_fill_each_other() -> None:
    total = PerformanceMetrics(total_requests=8, failure_count=2, throughput_rps=5.0)
    assert (total.request_count, total.error_rate, total.success_rate) == (8, 25.0, 75.0)
    assert total.throughput_ops_per_second == 5.0
    counted = PerformanceMetrics(request_count=8, failure_count=2, throughput_ops_per_second=3.0)
    assert (counted.total_requests, counted.error_rate, counted.success_rate, counted.throughput_rps) == (8, 0.0, 100.0, 3.0)


def test_users_for_tests_are_read_as_objects_and_as_dictionaries() -> None:
    user = TestUserData.from_dict({"id": "1", "email": "a@example.com", "colour": "red"})
    assert user["id"] == user.id == user.get("id") == "1"
    assert "email" in user and "colour" not in user and user.get("colour", "none") == "none"
    assert dict(user.items())["plan_tier"] == "free" and user.values()[:2] == ["1", "a@example.com"]
    assert {**user}["auth_provider"] == "test"
    with pytest.raises(KeyError):
        user["colour"]


@pytest.mark.parametrize("email", ["", "alice", "@example.com", "a@", "a@b@c", None])
def test_users_have_an_address(email: Any) -> None:
    with pytest.raises(ValueError, match="^Invalid email format: "):
        TestUserData("1", email)


def test_extended_users_keep_what_else_is_known() -> None:
    user = ExtendedUser("1", "a@example.com", plan_tier="pro")
    assert user.plan_tier == "pro" and user.full_name is None  # type: ignore[attr-defined]
    assert user == ExtendedUser("1", "a@example.com", plan_tier="pro") != ExtendedUser("2", "a@example.com")
    assert repr(user) == "ExtendedUser(id='1', email='a@example.com')"
