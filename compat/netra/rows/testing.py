"""The test framework: bases of test classes, fixtures, mocks, WebSocket clients and assertions."""

from __future__ import annotations

from compat.ledger import Module, Move, names

WHEN = {"since": "1.0", "removal": "3.0"}
F = "test_framework"
T = "compat.netra.testing"

# What is left of the sign under the legacy package, what is right under the canonical one; names are the same.
_WHOLE = """\
base = base
base_integration_test = integration
isolated_environment_fixtures = environment_fixtures
fixtures.isolated_environment = environment_fixtures
jwt_test_utils = users
ssot.base = ssot_base
ssot.base_test_case = base_test_case
ssot.mock_factory = mock_factory
ssot.mocks = mocks
ssot.websocket = websocket.utility
ssot.websocket_test_utility = websocket.utility
ssot.real_websocket_test_client = websocket.real
ssot.real_websocket_connection_manager = websocket.real
ssot.websocket_test_client = websocket.real
ssot.websocket_auth_helper = websocket.auth_helper
ssot.websocket_auth_test_helpers = websocket.auth_helper
ssot.websocket_bridge_test_helper = websocket.runs
ssot.websocket_golden_path_helpers = websocket.runs
ssot.websocket_test_infrastructure_factory = websocket.runs
websocket_helpers = websocket.helpers"""

# Other names of the same, and names that came from elsewhere: module, canonical module, words.
_WORDS = """\
ssot.websocket | websocket.utility | WebSocketTestHelper=WebSocketTestUtility websocket_test_utilities=WebSocketTestUtility
ssot.websocket | websocket.utility | RealWebSocketTestClient=WebSocketTestClient
ssot.websocket | websocket.auth_helper | WebSocketAuthHelper
ssot.websocket | websocket.runs | WebSocketBridgeTestHelper WebSocketTestInfrastructureFactory
ssot.websocket_test_utility | websocket.utility | WebSocketTestHelper=WebSocketTestUtility
ssot.websocket_test_utility | websocket.utility | WebSocketTestManager=WebSocketTestUtility
ssot.websocket_test_utility | websocket.utility | SSotWebSocketTestUtility=WebSocketTestUtility
ssot.websocket_connection_test_utility | websocket.client | TestWebSocketConnection=MockWebSocketConnection
ssot.websocket_connection_test_utility | websocket.client | SSotWebSocketConnection=MockWebSocketConnection
ssot.websocket_test_client | websocket.client | WebSocketTestClient
ssot.real_websocket_test_client | websocket.client | WebSocketTestClient
ssot.websocket_auth_test_helpers | websocket.auth_helper | WebSocketAuthTestHelper=WebSocketAuthHelper
websocket_helpers | websocket.helpers | WebSocketTestHelper=WebSocketTestHelpers
websocket_helpers | websocket.client | StagingWebSocketConnection=WebSocketTestClient"""

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
