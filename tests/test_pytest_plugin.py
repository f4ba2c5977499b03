"""The pytest plugin says that the process runs tests, and takes it back."""

from __future__ import annotations

import os
import subprocess
import sys
from typing import Any

import pytest

from compat import pytest_plugin


@pytest.fixture
def config() -> Any:
    return object()


def test_it_sets_the_variable_and_restores_it(monkeypatch: pytest.MonkeyPatch, config: Any) -> None:
    monkeypatch.setattr(pytest_plugin, "_before", [])
    monkeypatch.delenv("COMPAT_TESTING", raising=False)
    monkeypatch.delenv("ENVIRONMENT", raising=False)
    pytest_plugin.pytest_configure(config)
    assert os.environ["COMPAT_TESTING"] == "1"
    pytest_plugin.pytest_unconfigure(config)
    assert "COMPAT_TESTING" not in os.environ
    pytest_plugin.pytest_unconfigure(config)


@pytest.mark.parametrize(("name", "value"), [("COMPAT_TESTING", "0"), ("ENVIRONMENT", "production"), ("ENVIRONMENT", "prod")])
def test_it_stays_off_where_told_and_in_production(monkeypatch: pytest.MonkeyPatch, config: Any, name: str, value: str) -> None:
    monkeypatch.setattr(pytest_plugin, "_before", [])
    monkeypatch.delenv("COMPAT_TESTING", raising=False)
    monkeypatch.setenv(name, value)
    pytest_plugin.pytest_configure(config)
    assert os.environ.get("COMPAT_TESTING") != "1"


def test_it_imports_nothing_else_of_the_package() -> None:
    code = """
import sys
import compat.pytest_plugin as plugin

plugin.pytest_configure(None)
plugin.pytest_unconfigure(None)
allowed = {"compat", "compat.pytest_plugin", "compat.boot"}
print(sorted(name for name in sys.modules if name.startswith("compat") and name not in allowed))
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
