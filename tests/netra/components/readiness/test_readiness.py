"""WebSockets are served only when what they need is up, and what is missing is named."""

from __future__ import annotations

import asyncio
import inspect
from types import SimpleNamespace
from unittest.mock import AsyncMock, patch

import pytest

from compat.netra.components import environment
from compat.netra.components.readiness import gcp_readiness, service_readiness
from compat.netra.components.readiness.gcp_readiness import (
    GCPReadinessState,
    GCPWebSocketInitializationValidator,
    ServiceReadinessCheck,
    create_gcp_websocket_validator,
    gcp_websocket_readiness_check,
    gcp_websocket_readiness_guard,
)
from compat.netra.components.readiness.service_readiness import (
    AdaptiveTimeout,
    ServiceCriticality,
    ServiceReadinessConfig,
    ServiceReadinessLevel,
    ServiceReadinessValidator,
    get_websocket_service_health,
    websocket_readiness_guard,
)

BRIDGE = SimpleNamespace(notify_agent_started=1, notify_agent_completed=1, notify_tool_executing=1)
UP = {
    "db_session_factory": object(),
    "redis_manager": SimpleNamespace(is_connected=True),
    "auth_validation_complete": True,
    "agent_supervisor": object(),
    "thread_service": object(),
    "agent_websocket_bridge": BRIDGE,
    "startup_complete": True,
    "startup_phase": "complete",
}
QUICK = AdaptiveTimeout(base_timeout=1, retry_count=2, retry_delay=0.001)


def application(**changes: object) -> SimpleNamespace:
    return SimpleNamespace(**{**UP, **changes})


def variables(**values: str) -> SimpleNamespace:
    return SimpleNamespace(get=values.get, get_environment_name=lambda: values.get("ENVIRONMENT", "development"))


def validator(app_state: object = None, **values: str) -> GCPWebSocketInitializationValidator:
    with patch.object(gcp_readiness, "get_env", lambda: variables(**values)):
        return create_gcp_websocket_validator(app_state)


def ask(made: GCPWebSocketInitializationValidator, seconds: float = 30.0):
    """The whole question, without its pauses."""
    with patch("asyncio.sleep", AsyncMock()):
        return asyncio.run(made.validate_gcp_readiness_for_websocket(seconds))


def test_outside_of_the_cloud_nothing_is_asked() -> None:
    made = validator(ENVIRONMENT="development")
    result = ask(made)
    assert (result.ready, result.state, result.failed_services) == (True, GCPReadinessState.WEBSOCKET_READY, [])
    assert result.warnings == ["Skipped GCP validation for non-GCP environment"]
    assert result.details == {"environment": "development", "gcp_detected": False}


@pytest.mark.parametrize(
    ("values", "cloud", "run"),
    [
        ({"ENVIRONMENT": "staging"}, True, False),
        ({"ENVIRONMENT": "production"}, True, False),
        ({"K_SERVICE": "backend"}, True, True),
        ({"GOOGLE_CLOUD_PROJECT": "p"}, True, False),
        ({"GAE_APPLICATION": "a"}, True, False),
        ({"ENVIRONMENT": "test"}, False, False),
    ],
)
def test_what_says_that_this_is_the_cloud(values: dict, cloud: bool, run: bool) -> None:
    made = validator(**values)
    assert (made.is_gcp_environment, made.is_cloud_run, made.current_state.value) == (cloud, run, "unknown")


@pytest.mark.parametrize(
    ("values", "timeouts"),
    [
        ({"ENVIRONMENT": "production"}, (1.0, 1.2, 8.0)),
        ({"ENVIRONMENT": "staging"}, (0.7, 1.1, 5.0)),
        ({"ENVIRONMENT": "development"}, (0.3, 1.0, 3.0)),
        ({"ENVIRONMENT": "test"}, (0.3, 1.0, 2.0)),
        ({"ENVIRONMENT": "production", "K_SERVICE": "x"}, (1.5, 1.2, 9.6)),
        ({"ENVIRONMENT": "staging", "K_SERVICE": "x"}, (1.05, 1.1, 6.0)),
        ({"ENVIRONMENT": "test", "K_SERVICE": "x"}, (0.3, 1.0, 2.0)),
    ],
)
def test_timeouts_of_an_environment(values: dict, timeouts: tuple) -> None:
    made = validator(**values)
    assert (made.timeout_multiplier, made.safety_margin, made.max_total_timeout) == pytest.approx(timeouts)
    assert made._get_optimized_timeout(1000) == pytest.approx(timeouts[2])
    assert made._get_optimized_timeout(0.0) == (0.5 if "K_SERVICE" in values else 0.0)


def test_checks_in_the_cloud_and_elsewhere() -> None:
    made = validator(ENVIRONMENT="staging")

    def table() -> dict:
        return {n: (c.timeout_seconds, c.retry_count, c.retry_delay, c.is_critical) for n, c in made.readiness_checks.items()}

    assert table() == {
        "database": (3.0, 4, 1.0, False),
        "redis": (1.5, 3, 0.5, False),
        "auth_validation": (2.0, 2, 0.5, False),
        "agent_supervisor": (2.0, 3, 0.5, True),
        "websocket_bridge": (1.0, 2, 0.5, True),
        "websocket_integration": (1.0, 2, 0.5, False),
    }
    made.update_environment_configuration("DEVELOPMENT", False)
    assert (made.environment, made.max_total_timeout) == ("development", 3.0)
    assert table() == {
        "database": (5.0, 3, 1.0, True),
        "redis": (3.0, 3, 1.0, True),
        "auth_validation": (5.0, 2, 0.5, True),
        "agent_supervisor": (8.0, 4, 1.0, True),
        "websocket_bridge": (3.0, 2, 0.5, True),
        "websocket_integration": (5.0, 2, 0.5, True),
    }


def test_an_application_that_is_up_is_ready() -> None:
    made = validator(application(), ENVIRONMENT="production")
    result = ask(made)
    assert result.ready and result.failed_services == [] and made.current_state is GCPReadinessState.WEBSOCKET_READY
    assert result.details == {
        "environment": "production", "is_cloud_run": False, "gcp_detected": True,
        "validation_phases_completed": "websocket_ready", "total_checks": 6, "failed_check_count": 0,
    }  # fmt: skip
    with patch("asyncio.sleep", AsyncMock()):
        assert asyncio.run(made.validate_gcp_readiness()) is True


@pytest.mark.parametrize(
    ("change", "failed"),
    [
        ({"db_session_factory": None}, ["database"]),
        ({"redis_manager": SimpleNamespace(is_connected=False)}, ["redis"]),
        ({"auth_validation_complete": False}, ["auth_validation"]),
        ({"thread_service": None}, ["agent_supervisor"]),
        ({"agent_websocket_bridge": object()}, ["websocket_bridge"]),
        ({"startup_failed": True}, ["startup_phase_timeout"]),
        ({"startup_phase": "cache"}, ["startup_phase_timeout"]),
    ],
)
def test_what_is_missing_is_named(change: dict, failed: list[str]) -> None:
    made = validator(application(**change), ENVIRONMENT="production")
    made.max_total_timeout = 0.05
    for check in made.readiness_checks.values():
        check.retry_count = 0
    result = ask(made)
    assert (result.ready, result.state, result.failed_services) == (False, GCPReadinessState.FAILED, failed)


def test_start_up_that_does_not_come_is_told_with_its_phase() -> None:
    made = validator(application(startup_phase="cache"), ENVIRONMENT="production")
    made.max_total_timeout = 0.05
    details = ask(made).details
    assert details == {
        "race_condition_detected": True, "current_phase": "cache", "minimum_required_phase": "services", "startup_timeout": 0.05 * 0.3 * 1.2,
    }  # fmt: skip
    made = validator(SimpleNamespace(), ENVIRONMENT="staging")
    made.max_total_timeout = 0.05
    result = ask(made)
    assert result.failed_services == ["app_state_timeout"]
    assert set(result.details) == {"app_state_race_condition_detected", "app_state_timeout", "issue_586_phase_3"}


def test_an_unknown_phase_is_not_waited_for_in_the_cloud(caplog) -> None:
    made = validator(SimpleNamespace(), ENVIRONMENT="staging")
    made.max_total_timeout = 0.01
    ask(made)
    assert [text for text in caplog.messages if "ISSUE #919 FIX" in text] == [
        "ISSUE #919 FIX: the startup phase is unknown on Google Cloud, it is not waited for"
    ]


def test_in_staging_redis_may_be_late_and_what_is_not_known_counts_as_there() -> None:
    made = validator(application(redis_manager=None, db_session_factory=None), ENVIRONMENT="staging")
    made.readiness_checks["redis"].retry_count = 0
    result = ask(made)
    assert (result.ready, result.warnings) == (True, ["Redis connection delayed - operating in degraded mode"])


def test_early_phases_put_agents_and_sockets_off() -> None:
    made = validator(application(), ENVIRONMENT="staging")
    answers = {}
    for phase in ("init", "cache", "services", "websocket", "unknown"):
        made.app_state.startup_phase = phase
        answers[phase] = (
            made._validate_agent_supervisor_readiness(),
            made._validate_websocket_bridge_readiness(),
            made._validate_websocket_integration_readiness(),
        )
    assert answers == {
        "init": (False, False, False), "cache": (False, False, False), "services": (True, True, False),
        "websocket": (True, True, True), "unknown": (True, True, True),
    }  # fmt: skip
    made.app_state.startup_complete = False
    assert made._validate_websocket_integration_readiness() is False
    made.app_state.startup_phase = "finalize"
    assert made._validate_websocket_integration_readiness() is True


def test_redis_is_asked_by_a_coroutine_and_without_waiting() -> None:
    assert inspect.iscoroutinefunction(GCPWebSocketInitializationValidator._validate_redis_readiness)
    made = validator(application(redis_manager=object()), ENVIRONMENT="test")
    assert made._check_redis_ready() and made._check_database_ready() and made._check_auth_system_ready()

    async def scenario() -> bool:
        return made._check_redis_ready()

    assert asyncio.run(scenario()) is True
    made.app_state = None
    assert not made._check_redis_ready() and not made._check_auth_system_ready()


def test_a_group_of_services_is_told_with_each_failure() -> None:
    made = validator(application(db_session_factory=None), ENVIRONMENT="test")
    made.readiness_checks["database"].retry_count = 0

    def broken() -> bool:
        raise RuntimeError("broken")

    with patch.object(made, "_validate_single_service", AsyncMock(side_effect=[False, RuntimeError("broken"), True])):
        answer = asyncio.run(made._validate_service_group(["database", "redis", "auth_validation", "mail"], 2.0))
    details = answer.pop("detailed_failures")
    assert answer == {
        "success": False, "failed": ["database", "redis", "mail"], "success_count": 1, "total_count": 4, "environment": "test",
        "validation_summary": "1/4 services ready",
    }  # fmt: skip
    assert details["database"].pop("elapsed_time") < 60
    assert details == {
        "database": {
            "error": "service_not_ready", "description": "Database session factory", "timeout_used": 2.0, "retry_count": 0,
            "is_critical": True,
        },
        "redis": {"error": "validation_exception", "exception": "broken", "is_critical": True},
        "mail": {"error": "configuration_missing"},
    }  # fmt: skip


def test_a_service_is_asked_again_after_growing_pauses() -> None:
    made = validator(ENVIRONMENT="test")
    check = ServiceReadinessCheck("x", lambda: False, 60, 20, 1.0)
    with patch("asyncio.sleep", AsyncMock()) as sleep:
        assert asyncio.run(made._validate_single_service(check, 60)) is False
    pauses = [call.args[0] for call in sleep.await_args_list]
    assert len(pauses) == 9 and 0.9 <= pauses[0] <= 1.1 and 1.8 <= pauses[1] <= 2.2 and pauses[3:] == [5.0] * 6
    answers = iter([RuntimeError(), False, True])

    def answer() -> bool:
        said = next(answers)
        if isinstance(said, Exception):
            raise said
        return said

    with patch("asyncio.sleep", AsyncMock()):
        assert asyncio.run(made._validate_single_service(ServiceReadinessCheck("x", answer), 60)) is True


def test_what_goes_wrong_in_asking_is_an_answer() -> None:
    made = validator(application(), ENVIRONMENT="production")
    with patch.object(made, "_validate_service_group", AsyncMock(side_effect=RuntimeError("broken"))):
        result = ask(made)
    assert (result.failed_services, result.details) == (["validation_error"], {"error": "broken"})
    with patch.object(made, "_validate_service_group", AsyncMock(side_effect=asyncio.TimeoutError())):
        result = ask(made)
    assert (result.failed_services, result.state) == (["timeout"], GCPReadinessState.FAILED)


def test_the_logger_is_taken_when_a_validator_is_made() -> None:
    with patch.object(gcp_readiness, "central_logger") as loggers:
        assert validator(ENVIRONMENT="test").logger is loggers.get_logger.return_value


def test_the_guard_refuses_through_the_function_that_makes_validators() -> None:
    async def scenario() -> None:
        async with gcp_websocket_readiness_guard(None, timeout=5):
            pytest.fail("the body must not run")

    made = AsyncMock()
    made.validate_gcp_readiness_for_websocket.return_value = SimpleNamespace(ready=False, failed_services=["database", "redis"])
    text = (
        "GCP WebSocket readiness validation failed. Failed services: database, redis. "
        "Rejecting WebSocket connection to prevent 1011 errors."
    )
    maker = patch.object(gcp_readiness, "create_gcp_websocket_validator", return_value=made)
    with maker, pytest.raises(RuntimeError) as caught:
        asyncio.run(scenario())
    assert str(caught.value) == text
    made.validate_gcp_readiness_for_websocket.assert_awaited_once_with(5)


KEYS = {
    "websocket_ready", "state", "elapsed_time", "failed_services", "warnings", "gcp_environment", "cloud_run", "bypass_active",
    "environment",
}  # fmt: skip


def check(app_state: object, result: object = None, **values: str):
    made = SimpleNamespace(
        is_gcp_environment=True,
        is_cloud_run=False,
        validate_gcp_readiness_for_websocket=AsyncMock(return_value=result),
    )
    maker = patch.object(gcp_readiness, "create_gcp_websocket_validator", return_value=made)
    with maker, patch.object(environment, "get_env", lambda: variables(**values)):
        return asyncio.run(gcp_websocket_readiness_check(app_state))


def test_a_health_endpoint_in_staging_may_be_told_to_look_away() -> None:
    ready, details = check(None, ENVIRONMENT="staging", BYPASS_WEBSOCKET_READINESS_STAGING="true")
    assert ready and set(details) == {*KEYS, "bypass_reason"} and len(details["warnings"]) == 1
    assert (details["state"], details["bypass_active"]) == ("bypassed_for_staging", True)
    assert details["bypass_reason"] == "staging_connectivity_remediation"


@pytest.mark.parametrize(
    ("where", "failed", "phase", "ready"),
    [
        ("staging", ["redis"], "complete", True),
        ("staging", [], "complete", True),
        ("staging", ["database"], "unknown", True),
        ("staging", ["database"], "complete", False),
        ("production", ["redis"], "complete", False),
    ],
)
def test_a_health_endpoint_in_staging_overlooks_little(where: str, failed: list, phase: str, ready: bool) -> None:
    result = gcp_readiness.GCPReadinessResult(False, GCPReadinessState.FAILED, 1.0, failed, [], {})
    answer, details = check(SimpleNamespace(startup_phase=phase), result, ENVIRONMENT=where)
    assert (answer, details["websocket_ready"]) == (ready, ready)
    if ready:
        more = {"graceful_degradation", "original_ready", "degradation_reason"}
        assert set(details) == {*KEYS, *more} and details["state"] == "degraded_but_functional"
        assert details["degradation_reason"] == "staging_health_check_graceful_override"
    else:
        assert set(details) == KEYS and details["state"] == "failed"


# -- services, one by one


def services() -> ServiceReadinessValidator:
    made = ServiceReadinessValidator(application(), environment="test")
    made.service_configs.clear()
    return made


def config(name: str, check, criticality=ServiceCriticality.CRITICAL, **more) -> ServiceReadinessConfig:
    return ServiceReadinessConfig(name, check, criticality, QUICK, **more)


def test_the_services_that_are_registered() -> None:
    made = ServiceReadinessValidator(None, "staging")
    assert {
        name: (
            one.timeout_config.base_timeout, one.timeout_config.max_timeout, one.timeout_config.retry_count,
            one.criticality.value, one.dependencies, one.graceful_degradation_handler is not None,
        )
        for name, one in made.service_configs.items()
    } == {
        "database": (15, 45, 3, "critical", [], True),
        "redis": (10, 60, 5, "critical", [], True),
        "auth_system": (10, 30, 3, "critical", [], True),
        "agent_supervisor": (20, 60, 5, "critical", ["database", "redis", "auth_system"], True),
        "thread_service": (15, 45, 3, "critical", ["database", "auth_system"], False),
        "websocket_bridge": (10, 30, 3, "important", ["agent_supervisor"], True),
    }  # fmt: skip
    supervisor = made.service_configs["agent_supervisor"]
    assert supervisor.timeout_config.get_effective_timeout("staging", supervisor.criticality) == 60
    assert (made.validation_cache, made.last_validation_time, made.cache_ttl, made.degraded_services) == ({}, 0.0, 30.0, {})


def test_redis_answers_a_ping_where_it_has_a_client() -> None:
    made = ServiceReadinessValidator(application(), "test")
    made.app_state.redis_manager = SimpleNamespace(is_connected=True, _client=AsyncMock())
    assert asyncio.run(made._validate_redis_service()) is True
    made.app_state.redis_manager._client.ping.assert_awaited_once_with()
    made.app_state.redis_manager = object()
    assert asyncio.run(made._validate_redis_service()) is True
    made.app_state.redis_manager = SimpleNamespace(is_connected=False)
    assert asyncio.run(made._validate_redis_service()) is False


def test_a_service_is_asked_again_until_it_is_ready_and_remembered() -> None:
    made, answers = services(), iter([False, RuntimeError("starting"), ServiceReadinessLevel.DEGRADED])

    def check() -> object:
        answer = next(answers)
        if isinstance(answer, Exception):
            raise answer
        return answer

    made.register_service(config("database", check))
    result = asyncio.run(made.validate_service("database"))
    assert (result.ready, result.attempts, result.level) == (True, 3, ServiceReadinessLevel.DEGRADED)
    assert made.validation_cache == {"database": (True, made.last_validation_time)}
    again = asyncio.run(made.validate_service("database"))
    assert (again.ready, again.attempts) == (True, 0)


def test_only_a_service_that_is_not_critical_degrades_and_stays_not_ready(caplog) -> None:
    async def scenario() -> None:
        made = services()
        made.register_service(
            config("cache", lambda: False, ServiceCriticality.IMPORTANT, graceful_degradation_handler=AsyncMock())
        )
        made.register_service(config("database", lambda: False, graceful_degradation_handler=AsyncMock()))
        made.register_service(config("search", lambda: True, ServiceCriticality.OPTIONAL, dependencies=["database"]))
        assert made._order_services_by_dependencies(["search", "cache", "database"]) == ["database", "search", "cache"]
        group = await made.validate_service_group(["cache", "search", "database"], "all", fail_fast_on_critical=False)
        assert (group.overall_ready, group.ready_services, group.critical_failures) == (False, 1, ["database"])
        assert group.degraded_services == ["cache"] and group.graceful_degradation_active
        cache, database = group.service_results["cache"], group.service_results["database"]
        assert (cache.ready, cache.level, cache.degradation_applied) == (False, ServiceReadinessLevel.DEGRADED, True)
        assert (database.level, database.degradation_applied) == (ServiceReadinessLevel.FAILED, False)
        assert list(made.degraded_services) == ["cache"]
        health = await made.get_health_status()
        assert list(health) == [
            "overall_healthy", "environment", "services", "degraded_services", "last_validation", "cache_size",
            "critical_failures",
        ]  # fmt: skip
        assert list(health["services"]["database"]) == [
            "ready", "level", "criticality", "elapsed_time", "attempts", "degradation_applied", "error_message",
        ]  # fmt: skip
        assert (health["overall_healthy"], health["critical_failures"], health["cache_size"]) == (False, ["database"], 3)
        made.validation_cache.clear()
        assert list((await made.validate_service_group(["database", "cache"])).service_results) == ["database"]
        unknown = await made.validate_service("mail")
        assert (unknown.ready, unknown.level.value, unknown.error_message) == (
            False, "unknown", "Service 'mail' not registered",
        )  # fmt: skip

    asyncio.run(scenario())
    assert "Dependency 'database' of service 'search' is not ready" in caplog.messages


def test_timeouts_by_environment_and_criticality() -> None:
    timing = AdaptiveTimeout(base_timeout=10, max_timeout=40)
    assert timing.get_effective_timeout("test", ServiceCriticality.IMPORTANT) == 6
    assert timing.get_effective_timeout("STAGING", ServiceCriticality.CRITICAL) == 30
    assert timing.get_effective_timeout("production", ServiceCriticality.CRITICAL) == 40
    assert timing.get_effective_timeout("elsewhere", ServiceCriticality.OPTIONAL) == 8


def test_the_guard_tells_what_is_ready_and_runs_its_body_anyway() -> None:
    async def scenario() -> None:
        with patch.object(service_readiness, "get_env", lambda: variables(ENVIRONMENT="test")):
            async with websocket_readiness_guard(application()) as answer:
                assert list(answer) == [
                    "ready", "degradation_active", "critical_failures", "degraded_services", "service_results", "elapsed_time",
                ]  # fmt: skip
                assert (answer["ready"], len(answer["service_results"])) == (True, 5)
            ready, health = await get_websocket_service_health(application())
            assert ready and health["overall_healthy"]
            with patch("asyncio.sleep", AsyncMock()):
                async with websocket_readiness_guard(application(db_session_factory=None)) as answer:
                    assert (answer["ready"], answer["critical_failures"]) == (False, ["database"])
        with patch.object(service_readiness, "create_service_readiness_validator", side_effect=RuntimeError("broken")):
            async with websocket_readiness_guard(None) as answer:
                assert (answer["ready"], answer["degradation_active"]) == (False, True)
                assert (answer["critical_failures"], answer["error"]) == (["validation_error"], "broken")

    asyncio.run(scenario())
