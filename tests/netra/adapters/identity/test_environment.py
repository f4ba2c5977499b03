"""The environment as legacy code reads, isolates and patches it."""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import Any, Callable
from unittest import mock

import pytest

from compat.netra.components import environment

SHARED = "shared.isolated_environment"
Read = Callable[[str], Any]


@pytest.fixture
def env(old: Read) -> Iterator[Any]:
    one = old(f"{SHARED}:get_env")()
    before = one.snapshot()
    one.reset()
    yield one
    one.reset()
    one.restore(before)


@pytest.mark.parametrize(
    "module",
    [
        SHARED,
        "dev_launcher.isolated_environment",
        "netra_backend.app.core.isolated_environment",
        "auth_service.auth_core.isolated_environment",
        "analytics_service.analytics_core.isolated_environment",
    ],
)
def test_every_path_hands_out_the_one_environment(old: Read, module: str) -> None:
    assert old(f"{module}:get_env")() is environment.get_env()
    assert old(f"{module}:IsolatedEnvironment") is environment.IsolatedEnvironment
    assert old(f"{module}:_global_env") is environment.get_env()


def test_the_usual_dance_of_a_test(env: Any) -> None:
    env.enable_isolation()
    env.set("COMPAT_TEST_VARIABLE", "1", source="test")
    assert env.get("COMPAT_TEST_VARIABLE") == "1"
    assert "COMPAT_TEST_VARIABLE" not in os.environ
    env.disable_isolation(restore_original=True)
    assert env.get("COMPAT_TEST_VARIABLE") is None


def test_a_patched_get_env_is_asked_by_canonical_code(old: Read) -> None:
    with mock.patch("shared.isolated_environment.get_env") as door:
        door.return_value.get.side_effect = lambda key, default=None: {"A": "patched"}.get(key, default)
        assert environment.getenv("A") == "patched"
        assert old(f"{SHARED}:getenv")("A") == "patched"
        assert environment.get_env is door
    assert environment.get_env is not door


def test_a_name_and_a_default_may_be_asked_at_once(old: Read, env: Any) -> None:
    env.enable_isolation()
    env.set("COMPAT_TEST_VARIABLE", "1")
    assert old(f"{SHARED}:get_env")("COMPAT_TEST_VARIABLE") == "1"
    assert old(f"{SHARED}:get_env")("COMPAT_TEST_NONE", "default") == "default"


def test_values_are_masked(old: Read) -> None:
    mask = old(f"{SHARED}:_mask_sensitive_value")
    assert mask("API_KEY", "secret123") == "sec***"
    assert mask("API_KEY", "abc") == "***"
    assert mask("HOST", "localhost") == "localhost"
    assert mask("TEXT", "x" * 60) == "x" * 50 + "..."


def test_a_patched_subprocess_is_never_asked(env: Any) -> None:
    with mock.patch(f"{SHARED}.subprocess.run") as run:
        env.enable_isolation()
        env.set("COMPAT_TEST_VARIABLE", "$(date) `date` ${HOME}")
        assert env.get("COMPAT_TEST_VARIABLE") == "$(date) `date` ${HOME}"
    run.assert_not_called()


def test_loggers(old: Read, caplog: pytest.LogCaptureFixture) -> None:
    logger = old("shared.logging.unified_logging_ssot:get_logger")("compat.test.legacy")
    logger.warning("token=abc")
    assert caplog.records[-1].getMessage() == "token=***REDACTED***"
    assert old("netra_backend.app.logging_config:central_logger").get_logger("compat.test.legacy") is logger
