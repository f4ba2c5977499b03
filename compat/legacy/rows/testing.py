"""The test framework: bases of test classes, fixtures, mocks, WebSocket clients and assertions."""

from __future__ import annotations

from compat.ledger import Module, Move, names

WHEN = {"since": "1.0", "removal": "3.0"}
F = "test_framework"
T = "compat.canonical.testing"

# What is left of the sign under the legacy package, what is right under the canonical one; names are the same.
_WHOLE = """\
base = base
base_integration_test = integration
isolated_environment_fixtures = environment_fixtures
fixtures.isolated_environment = environment_fixtures
ssot.base_test_case = base_test_case
ssot.mock_factory = mock_factory
ssot.mocks = mocks
ssot.websocket = websocket_utility
ssot.websocket_test_utility = websocket_utility
ssot.real_websocket_test_client = websocket_real
ssot.real_websocket_connection_manager = websocket_real
ssot.websocket_test_client = websocket_real
ssot.websocket_auth_helper = websocket_auth
ssot.websocket_auth_test_helpers = websocket_auth
ssot.websocket_bridge_test_helper = websocket_runs
ssot.websocket_golden_path_helpers = websocket_runs
ssot.websocket_test_infrastructure_factory = websocket_runs
websocket_helpers = websocket_helpers"""

# Other names of the same, and names that came from elsewhere: module, canonical module, words.
_WORDS = """\
ssot.websocket | websocket_utility | WebSocketTestHelper=WebSocketTestUtility websocket_test_utilities=WebSocketTestUtility
ssot.websocket | websocket_utility | RealWebSocketTestClient=WebSocketTestClient
ssot.websocket | websocket_auth | WebSocketAuthHelper
ssot.websocket | websocket_runs | WebSocketBridgeTestHelper WebSocketTestInfrastructureFactory
ssot.websocket_test_utility | websocket_utility | WebSocketTestHelper=WebSocketTestUtility
ssot.websocket_test_utility | websocket_utility | WebSocketTestManager=WebSocketTestUtility
ssot.websocket_test_utility | websocket_utility | SSotWebSocketTestUtility=WebSocketTestUtility
ssot.websocket_connection_test_utility | websocket_client | TestWebSocketConnection=MockWebSocketConnection
ssot.websocket_connection_test_utility | websocket_client | SSotWebSocketConnection=MockWebSocketConnection
ssot.websocket_test_client | websocket_client | WebSocketTestClient
ssot.real_websocket_test_client | websocket_client | WebSocketTestClient
ssot.websocket_auth_test_helpers | websocket_auth | WebSocketAuthTestHelper=WebSocketAuthHelper
websocket_helpers | websocket_helpers | WebSocketTestHelper=WebSocketTestHelpers
websocket_helpers | websocket_client | StagingWebSocketConnection=WebSocketTestClient"""

ROWS: list[Move] = [
    *(
        Module(f"{F}.{legacy}", f"{T}.{canonical}", instead=None, **WHEN)
        for legacy, canonical in (line.split(" = ") for line in _WHOLE.split("\n"))
    ),
    *(
        row
        for legacy, canonical, words in (line.split(" | ") for line in _WORDS.split("\n"))
        for row in names(f"{F}.{legacy}", f"{T}.{canonical}", words, instead=None, **WHEN)
    ),
]
