"""The configuration as legacy code patches it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Callable
from unittest import mock

import pytest

BASE = "netra_backend.app.core.configuration.base"
CONSTANTS = "netra_backend.app.core.environment_constants"
Read = Callable[[str], Any]


@pytest.fixture(autouse=True)
def fresh(old: Read) -> Iterator[None]:
    yield
    old(f"{BASE}:config_manager").reload_config(force=True)


def answers(env: mock.MagicMock, **variables: str) -> None:
    env.get.side_effect = lambda key, default=None: variables.get(key, default)


def test_every_function_asks_the_manager_that_takes_the_place_of_the_one(old: Read) -> None:
    base = old(BASE)
    with mock.patch(f"{BASE}.config_manager") as manager:
        manager.get_environment_name.return_value = "somewhere"
        assert base.get_environment() == "somewhere"
        assert base.validate_config_integrity() == (manager.validate_config_integrity.return_value, [])
        assert base.get_config() is base.get_unified_config() is manager.get_config.return_value
        assert base.reload_unified_config() is manager.reload_config.return_value
        for name in (
            "is_production",
            "is_development",
            "is_testing",
            "get_database_config",
            "get_auth_config",
            "get_redis_config",
        ):
            assert getattr(base, name)() is getattr(manager, name).return_value, name
        assert base.get_config_value("a", 1) is manager.get_config_value.return_value


@pytest.mark.parametrize("name", ["get_env", "IsolatedEnvironment"])
def test_the_environment_that_takes_the_place_of_the_one_is_asked(old: Read, name: str) -> None:
    manager = old(f"{BASE}:UnifiedConfigManager")
    with mock.patch(f"{BASE}.{name}") as door:
        answers(door.return_value, ENVIRONMENT="staging", APP_NAME="patched", OTHER="value")
        made = manager()
        assert (made.get_environment_name(), made.get_config().app_name, made.get("other")) == ("staging", "patched", "value")
    assert manager().get_environment_name() == "testing"


def test_a_patched_environment_says_where_this_runs(old: Read) -> None:
    detector = old(f"{CONSTANTS}:EnvironmentDetector")
    with mock.patch(f"{CONSTANTS}.get_env") as door:
        answers(door.return_value, K_SERVICE="netra-prod")
        assert detector.get_environment() == detector.get_cloud_run_environment() == "production"
        assert detector.is_cloud_run_unified() and not detector.is_testing_context_unified()
        answers(door.return_value, ENVIRONMENT="staging")
        assert old(f"{CONSTANTS}:is_staging")()


@pytest.mark.parametrize("name", ["get_current_environment", "EnvironmentDetector.get_environment"])
def test_the_manager_asks_the_detector(old: Read, name: str) -> None:
    with mock.patch(f"{CONSTANTS}.{name}", return_value="production"):
        assert old(f"{BASE}:UnifiedConfigManager")().is_production()


def test_the_detector_asks_what_takes_the_place_of_its_methods(old: Read, monkeypatch: pytest.MonkeyPatch) -> None:
    detector = old(f"{CONSTANTS}:EnvironmentDetector")
    monkeypatch.setenv("ENVIRONMENT", "unknown")
    with mock.patch.multiple(detector, is_testing_context=lambda: False, detect_cloud_environment=lambda: "staging"):
        assert detector.get_environment() == detector.get_environment_unified() == "staging"
    assert detector.get_environment() == "testing"


def test_the_process_is_patched_through_the_module(old: Read) -> None:
    old(BASE)
    with mock.patch.dict(f"{BASE}.os.environ", {"COMPAT_TEST_VARIABLE": "1"}):
        assert old("shared.isolated_environment:get_env")().get("COMPAT_TEST_VARIABLE") == "1"
