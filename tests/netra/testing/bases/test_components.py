"""Tests, bases, configuration and the parts around a connection, by their legacy paths."""

from __future__ import annotations

import asyncio
import importlib
import warnings
from unittest.mock import AsyncMock, patch

import pytest

from compat.ledger import Ledger
from compat.netra.rows import components, configuration, docker, testing
from compat.shim import install

CORE = "netra_backend.app.websocket_core"


@pytest.fixture
def served():
    ledger = Ledger("netra", version="1.0.0", docs="MIGRATION.md")
    for family in (components, configuration, docker, testing):
        ledger += family.ROWS
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        with install(ledger):
            yield ledger


def test_a_replaced_logger_is_the_one_that_is_used(served: Ledger) -> None:
    path = "netra_backend.app.core.websocket_message_handler"
    handler = importlib.import_module(path).WebSocketMessageHandler()
    socket = AsyncMock()
    socket.send.side_effect = ConnectionError("gone")
    with patch(f"{path}.logger") as logger:
        asyncio.run(handler.send_acknowledgment(socket, "m1"))
    logger.warning.assert_called_once_with("Failed to send acknowledgment: gone")


def test_a_replaced_environment_decides_what_is_asked(served: Ledger) -> None:
    path = f"{CORE}.gcp_initialization_validator"
    with patch(f"{path}.get_env") as get_env:
        get_env.return_value.get.side_effect = {}.get
        get_env.return_value.get_environment_name.return_value = "production"
        validator = importlib.import_module(path).create_gcp_websocket_validator()
    assert (validator.is_gcp_environment, validator.is_cloud_run) == (True, False)


def test_a_replaced_environment_decides_the_configuration(served: Ledger) -> None:
    path = "netra_backend.app.core.configuration.base"
    with patch(f"{path}.IsolatedEnvironment") as environment:
        environment.return_value.get_all.return_value = {"ENVIRONMENT": "production"}
        assert importlib.import_module(path).UnifiedConfigManager().is_production()


def test_a_replaced_function_is_the_one_that_others_call(served: Ledger) -> None:
    path = "netra_backend.app.core.configuration.database"
    module = importlib.import_module(path)
    with patch(f"{path}.get_unified_config") as config:
        config.return_value.database_url = "postgresql://u:p@db/netra"
        assert module.get_database_url() == "postgresql://u:p@db/netra"
