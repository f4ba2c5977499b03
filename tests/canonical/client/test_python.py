"""The Python client, through every scenario, and what is its own."""

from __future__ import annotations

import asyncio
import importlib.util
import pathlib
import sys
from typing import Any

import pytest

HERE = pathlib.Path(__file__).parent


def beside(name: str) -> Any:
    """A module of this folder, which is no package."""
    if "clients_under_test" not in sys.modules:
        spec = importlib.util.spec_from_loader("clients_under_test", None, is_package=True)
        package = sys.modules["clients_under_test"] = importlib.util.module_from_spec(spec)
        package.__path__ = [str(HERE)]
    return importlib.import_module(f"clients_under_test.{name}")


SCENARIOS = beside("scenarios").EVERY


@pytest.mark.parametrize("scenario", SCENARIOS, ids=lambda one: one.__name__)
def test_a_client_lives_through(scenario: Any, peer: Any) -> None:
    asyncio.run(scenario(peer))
