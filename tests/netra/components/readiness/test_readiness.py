"""WebSockets are served only when what they need is up, and what is missing is named."""

from __future__ import annotations

import asyncio
from types import SimpleNamespace
from unittest.mock import patch

import pytest

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

UP = {
    "db_session_factory": object(),
    "redis_manager": SimpleNamespace(is_connected=True),
    "auth_validation_complete": True,
    "agent_supervisor": object(),
    "thread_service": object(),
    "agent_websocket_bridge": object(),
    "startup_complete": True,
}
QUICK = AdaptiveTimeout(base_timeout=1, retry_count=2, retry_delay=0.001)


def application(**changes: object) -> SimpleNamespace:
    return SimpleNamespace(**{**UP, **changes})


@pytest.fixture
def staging():
    with patch.object(gcp_readiness, "get_env") as get_env:
        get_env.return_value.get.side_effect = {"ENVIRONMENT": "staging", "K_SERVICE": "backend"}.get
        yield


def test_outside_of_the_cloud_nothing_is_asked() -> None:
    validator = create_gcp_websocket_validator()
    validator.update_environment_configuration("development", False)
    result = asyncio.run(validator.validate_gcp_readiness_for_websocket())
    assert (result.ready, result.state) == (True, GCPReadinessState.WEBSOCKET_READY)
    assert result.warnings == ["Skipped GCP validation for non-GCP environment"]


def test_an_application_that_is_up_is_ready(staging) -> None:
    validator = create_gcp_websocket_validator(application())
    assert validator.is_gcp_environment and validator.is_cloud_run
    assert asyncio.run(validator.validate_gcp_readiness())
    assert validator.current_state is GCPReadinessState.WEBSOCKET_READY
    ready, details = asyncio.run(gcp_websocket_readiness_check(application()))
    assert ready and details["state"] == "websocket_ready" and details["failed_services"] == []


@pytest.mark.parametrize(
    ("change", "failed"),
    [
        ({"db_session_factory": None}, ["database"]),
        ({"redis_manager": SimpleNamespace(is_connected=False)}, ["redis"]),
        ({"auth_validation_complete": False}, ["auth_validation"]),
        ({"thread_service": None}, ["agent_supervisor"]),
        ({"agent_websocket_bridge": None}, ["websocket_bridge"]),
        ({"startup_complete": False}, ["websocket_integration"]),
    ],
)
def test_what_is_missing_is_named(staging, change: dict, failed: list[str]) -> None:
    validator = create_gcp_websocket_validator(application(**change))
    for check in validator.readiness_checks.values():
        check.retry_delay = 0.001
    result = asyncio.run(validator.validate_gcp_readiness_for_websocket())
    assert (result.ready, result.state, result.failed_services) == (False, GCPReadinessState.FAILED, failed)


def test_without_an_application_nothing_is_ready(staging) -> None:
    async def scenario() -> None:
        with pytest.raises(RuntimeError, match=r"^GCP WebSocket readiness validation failed. Failed services: database"):
            async with gcp_websocket_readiness_guard(None, timeout=5):
                pytest.fail("the body must not run")

    with patch.object(GCPWebSocketInitializationValidator, "_register_critical_service_checks", _quick_checks):
        asyncio.run(scenario())


def _quick_checks(self: GCPWebSocketInitializationValidator) -> None:
    checks = {"database": self._validate_database_readiness, "redis": self._validate_redis_readiness}
    self.readiness_checks = {n: ServiceReadinessCheck(n, check, 1, 0) for n, check in checks.items()}


def test_a_check_that_is_not_critical_only_warns_and_one_that_hangs_ends(staging) -> None:
    validator = create_gcp_websocket_validator(application(redis_manager=None))
    validator.readiness_checks["redis"] = ServiceReadinessCheck("redis", lambda: False, 1, 0, 0, False, "Cache")
    result = asyncio.run(validator.validate_gcp_readiness_for_websocket())
    assert result.ready and result.warnings == ["redis is not ready: Cache"]

    async def hang() -> bool:
        await asyncio.sleep(60)
        return True

    validator.readiness_checks["database"] = ServiceReadinessCheck("database", hang, 60, 0)
    result = asyncio.run(validator.validate_gcp_readiness_for_websocket(timeout_seconds=0.01))
    assert (result.ready, result.failed_services) == (False, ["timeout"])
    assert result.warnings == ["Validation timed out after 0.01s"]


def validator() -> ServiceReadinessValidator:
    made = ServiceReadinessValidator(application(), environment="test")
    made.service_configs.clear()
    return made


def config(name: str, check, criticality=ServiceCriticality.CRITICAL, **more) -> ServiceReadinessConfig:
    return ServiceReadinessConfig(name, check, criticality, QUICK, **more)


def test_a_service_is_asked_again_until_it_is_ready_and_remembered() -> None:
    made, answers = validator(), iter([False, RuntimeError("starting"), ServiceReadinessLevel.BASIC_READY])

    def check() -> object:
        answer = next(answers)
        if isinstance(answer, Exception):
            raise answer
        return answer

    made.register_service(config("database", check))
    result = asyncio.run(made.validate_service("database"))
    assert (result.ready, result.attempts, result.level) == (True, 3, ServiceReadinessLevel.BASIC_READY)
    assert asyncio.run(made.validate_service("database")) is result


def test_a_failed_service_degrades_where_it_can() -> None:
    async def scenario() -> None:
        made = validator()
        made.register_service(config("cache", lambda: False, graceful_degradation_handler=lambda: True))
        made.register_service(config("database", lambda: False))
        made.register_service(config("search", lambda: True, ServiceCriticality.OPTIONAL, dependencies=["database"]))
        group = await made.validate_service_group(["cache", "search", "database"], "all", fail_fast_on_critical=False)
        assert (group.overall_ready, group.ready_services, group.critical_failures) == (False, 0, ["database"])
        assert group.degraded_services == ["cache"] and group.graceful_degradation_active
        assert group.service_results["search"].error_message == "Dependency 'database' not ready"
        assert group.service_results["cache"].level is ServiceReadinessLevel.DEGRADED
        health = await made.get_health_status()
        assert (health["overall_health"], health["services"]["database"]["ready"]) == ("unhealthy", False)
        first = await made.validate_service_group(["database", "cache"])
        assert list(first.service_results) == ["database"]
        unknown = await made.validate_service("mail")
        assert (unknown.ready, unknown.error_message) == (False, "Service 'mail' not registered")

    asyncio.run(scenario())


def test_timeouts_by_environment_and_criticality() -> None:
    timing = AdaptiveTimeout(base_timeout=10, max_timeout=40)
    assert timing.get_effective_timeout("test", ServiceCriticality.IMPORTANT) == 5
    assert timing.get_effective_timeout("staging", ServiceCriticality.CRITICAL) == 30
    assert timing.get_effective_timeout("production", ServiceCriticality.CRITICAL) == 40
    assert timing.get_effective_timeout("development", ServiceCriticality.OPTIONAL) == 5


def test_the_guard_runs_its_body_only_when_ready() -> None:
    async def scenario() -> None:
        with patch.object(service_readiness, "get_env") as get_env:
            get_env.return_value.get.return_value = "test"
            async with websocket_readiness_guard(application()) as group:
                assert group.overall_ready and group.ready_services == 5
            ready, health = await get_websocket_service_health(application())
            assert ready and health["overall_health"] == "healthy"
            with pytest.raises(RuntimeError, match=r"^WebSocket services not ready: database$"):
                async with websocket_readiness_guard(application(db_session_factory=None)):
                    pytest.fail("the body must not run")

    asyncio.run(scenario())
