"""Test bases, mocks, test clients, containers."""

from __future__ import annotations

PYTEST = (
    "Write plain pytest functions, or unittest.TestCase and unittest.IsolatedAsyncioTestCase, with "
    "monkeypatch, tmp_path and caplog."
)
MONKEYPATCH = "Use pytest's monkeypatch fixture: it undoes monkeypatch.setenv(name, value) after the test."
MOCKS = "unittest.mock.create_autospec(Original), or AsyncMock(spec=Original)"
CLIENT = (
    "Use starlette.testclient.TestClient(create_app(settings)).websocket_connect(path), or "
    "websockets.connect(url) to a server on a free port."
)
EVENTS = (
    "Use the same client as any test, and compare the types of the messages it received with compat.canonical.CRITICAL_EVENTS."
)
TOKEN = "jwt.encode(claims, secret, algorithm='HS256') of PyJWT"
DOCKER = "Use the testcontainers library, or 'docker compose up --wait' before the tests run."

TABLE = {
    "testing": PYTEST,
    "testing.environment_fixtures": MONKEYPATCH,
    "testing.mock_factory": MOCKS,
    "testing.mocks": MOCKS,
    "testing.websocket": CLIENT,
    "testing.websocket.runs": EVENTS,
    "testing.websocket.auth_helper": TOKEN,
    "components.docker": DOCKER,
}
