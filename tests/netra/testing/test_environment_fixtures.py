"""Fixtures and context managers give a test an environment of its own and take it back."""

from __future__ import annotations

import importlib
import os
from collections.abc import Iterator

import pytest

import compat
from compat.errors import LegacyUseWarning
from compat.netra.components.environment import IsolatedEnvironment, get_env
from compat.netra.ledger import LEDGER
from compat.netra.testing import environment_fixtures
from compat.netra.testing.environment_fixtures import (
    EnvironmentPatcher,
    clean_env_context,
    isolated_env,
    patch_env,
    production_env,
    staging_env,
    temporary_env_vars,
    test_env,
)

__all__ = ["isolated_env", "production_env", "staging_env", "test_env"]


def test_the_isolated_environment(isolated_env: IsolatedEnvironment) -> None:
    assert isolated_env is get_env() and isolated_env.is_isolated()
    isolated_env.set("COMPAT_FIXTURE", "1", source="test")
    assert "COMPAT_FIXTURE" not in os.environ


def test_the_fixture_before_has_left_nothing() -> None:
    assert get_env().get("COMPAT_FIXTURE") is None and "COMPAT_FIXTURE" not in os.environ


@pytest.fixture
def something_left() -> Iterator[None]:
    before = get_env().snapshot()
    get_env().enable_isolation(refresh_vars=False)
    get_env().set("COMPAT_LEFT", "1")
    yield
    assert get_env().get("COMPAT_LEFT") == "1"
    get_env().restore(before)


def test_what_an_earlier_test_has_set_is_not_seen(something_left: None, isolated_env: IsolatedEnvironment) -> None:
    assert isolated_env.get("COMPAT_LEFT") is None


def test_isolation_and_removals_are_given_back() -> None:
    before = get_env().snapshot()
    try:
        get_env().disable_isolation(restore_original=True)
        with temporary_env_vars({"COMPAT_FIXTURE": "1"}) as env:
            assert env.is_isolated()
            env.delete("PATH")
        assert not get_env().is_isolated() and "PATH" in os.environ and "COMPAT_FIXTURE" not in os.environ
    finally:
        get_env().restore(before)


def test_the_environment_of_a_test_run(test_env: IsolatedEnvironment) -> None:
    assert (test_env.get("TESTING"), test_env.get("ENVIRONMENT")) == ("1", "testing")


def test_the_environment_of_staging(staging_env: IsolatedEnvironment) -> None:
    assert staging_env.get("ENVIRONMENT") == "staging"


def test_the_environment_of_production(production_env: IsolatedEnvironment) -> None:
    assert production_env.get("ENVIRONMENT") == "production"


def test_variables_for_a_while(isolated_env: IsolatedEnvironment) -> None:
    isolated_env.set("COMPAT_OLD", "old")
    with temporary_env_vars({"COMPAT_OLD": "new", "COMPAT_NEW": "1"}) as env:
        assert (env.get("COMPAT_OLD"), env.get("COMPAT_NEW")) == ("new", "1")
    assert (env.get("COMPAT_OLD"), env.get("COMPAT_NEW")) == ("old", None)
    with clean_env_context(clear_all=True) as env:
        assert env.get("COMPAT_OLD") is None
    assert env.get("COMPAT_OLD") == "old"


def test_the_patcher_can_be_started_and_stopped() -> None:
    patcher = EnvironmentPatcher({"COMPAT_PATCHED": "1"})
    assert patcher.start().get("COMPAT_PATCHED") == "1"
    assert patcher.original_values == {"COMPAT_PATCHED": None}
    patcher.stop()
    patcher.stop()
    assert get_env().get("COMPAT_PATCHED") is None
    with patch_env({"COMPAT_PATCHED": "2"}) as env:
        assert env.get("COMPAT_PATCHED") == "2"
    assert env.get("COMPAT_PATCHED") is None and "COMPAT_PATCHED" not in os.environ


def test_its_legacy_module_is_a_plugin() -> None:
    manager = pytest.PytestPluginManager()
    with compat.install(LEDGER), pytest.warns(LegacyUseWarning):
        manager.register(importlib.import_module("test_framework.isolated_environment_fixtures"))
    assert [impl.function for impl in manager.hook.pytest_runtest_setup.get_hookimpls()] == [
        environment_fixtures.pytest_runtest_setup
    ]
