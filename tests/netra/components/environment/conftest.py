"""The one environment as a test context has it, isolated or not, and given back as it was."""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest

from compat.netra.components.environment import IsolatedEnvironment, get_env

NAMING = ("ENVIRONMENT", "GCP_PROJECT_ID", "GOOGLE_CLOUD_PROJECT", "K_SERVICE", "TESTING", "TEST_MODE")


@pytest.fixture
def env(monkeypatch: pytest.MonkeyPatch) -> Iterator[IsolatedEnvironment]:
    """The one environment, reset, not isolated."""
    for name in NAMING:
        monkeypatch.delenv(name, raising=False)
    one = get_env()
    before, process = one.snapshot(), dict(os.environ)
    one.complete_reset_for_testing()
    yield one
    one.complete_reset_for_testing()
    one.restore(before)
    for name in os.environ.keys() - process.keys():
        del os.environ[name]
    os.environ.update({name: value for name, value in process.items() if name != "PYTEST_CURRENT_TEST"})


@pytest.fixture
def isolated(env: IsolatedEnvironment) -> IsolatedEnvironment:
    """The one environment, isolated."""
    env.enable_isolation()
    return env
