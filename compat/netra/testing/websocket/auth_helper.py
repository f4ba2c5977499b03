"""Signing in, in tests: tokens that hold and tokens that do not, and what a server says to each."""

from __future__ import annotations

import time
import uuid
from collections.abc import Callable
from dataclasses import dataclass, field
from enum import Enum
from typing import Any, Optional

from ..users import TestUser, create_test_jwt_token, create_test_user
from .client import DEFAULT_URL, WebSocketTestClient
from .real import RealWebSocketTestClient, SecurityError, create_authenticated_websocket_client

__all__ = [
    "AuthenticationScenario",
    "CachedToken",
    "JWTTokenCache",
    "SecurityError",
    "TestUserContext",
    "WebSocketAuthConfig",
    "WebSocketAuthHelper",
    "WebSocketAuthenticationTester",
    "WebSocketConnectionPool",
    "create_authenticated_websocket_client",
    "run_websocket_authentication_security_tests",
]

TestUserContext = TestUser


@dataclass
class WebSocketAuthConfig:
    """Where to sign in, and how long a token holds."""

    websocket_url: str = DEFAULT_URL
    jwt_secret: Optional[str] = None
    token_expiry_minutes: float = 30
    connection_timeout: float = 10.0
    default_permissions: list[str] = field(default_factory=lambda: ["read", "write"])


class WebSocketAuthHelper:
    """Users with tokens, and clients that carry them."""

    def __init__(self, config: Optional[WebSocketAuthConfig] = None, environment: str = "test") -> None:
        self.config = config or WebSocketAuthConfig()
        self.environment = environment

    def create_test_jwt_token(self, user_id: str = "test-user", exp_minutes: Optional[float] = None, **claims: Any) -> str:
        """A token of a user; negative minutes make one that has expired."""
        minutes = self.config.token_expiry_minutes if exp_minutes is None else exp_minutes
        permissions = claims.get("permissions", self.config.default_permissions)
        return create_test_jwt_token(user_id, claims.get("email"), permissions, minutes, self.config.jwt_secret)

    create_token = generate_test_token = create_test_jwt_token

    async def create_test_user_context(self, user_id: Optional[str] = None, **fields: Any) -> TestUser:
        """A user with a token."""
        return create_test_user(user_id, permissions=list(self.config.default_permissions), **fields)

    create_test_user = create_test_user_context

    def get_websocket_headers(self, token: Optional[str] = None, user_id: str = "test-user") -> dict[str, str]:
        """The headers that sign a client in."""
        return {"Authorization": f"Bearer {token or self.create_test_jwt_token(user_id)}", "X-User-ID": user_id}

    get_auth_headers = create_auth_headers = get_websocket_headers

    def get_subprotocols(self, token: str) -> list[str]:
        """The subprotocols that sign a browser in, which cannot send headers."""
        from base64 import urlsafe_b64encode

        return ["jwt-auth", f"jwt.{urlsafe_b64encode(token.encode()).decode().rstrip('=')}"]

    async def connect_authenticated_websocket(
        self, user_id: str = "test-user", token: Optional[str] = None
    ) -> WebSocketTestClient:
        """A connected client of the user. ConnectionError if it cannot connect."""
        client = WebSocketTestClient(
            self.config.websocket_url, user_id, self.get_websocket_headers(token, user_id), user_id=user_id
        )
        if not await client.connect(self.config.connection_timeout):
            raise ConnectionError(f"Client of {user_id} cannot connect to {client.url}: {client.last_error}")
        return client

    create_authenticated_connection = connect_authenticated_websocket


class AuthenticationScenario(Enum):
    """Tokens that hold, and the ways in which they do not."""

    VALID_TOKEN = "valid_token"
    EXPIRED_TOKEN = "expired_token"
    INVALID_SIGNATURE = "invalid_signature"
    MALFORMED_TOKEN = "malformed_token"
    MISSING_TOKEN = "missing_token"


@dataclass
class CachedToken:
    """A token and the Unix second in which it expires."""

    token: str
    expires_at: float
    user_id: str = ""

    def is_expired(self, leeway: float = 5.0) -> bool:
        """Whether it has expired, or will within so many seconds."""
        return time.time() >= self.expires_at - leeway

    @property
    def is_valid(self) -> bool:
        """Whether it still holds."""
        return not self.is_expired()


class JWTTokenCache:
    """Tokens by user, signed again when they expire."""

    def __init__(self, minutes: float = 30, sign: Callable[..., str] = create_test_jwt_token) -> None:
        self.minutes = minutes
        self._sign = sign
        self._tokens: dict[str, CachedToken] = {}
        self.hits = self.misses = 0

    def get_token(self, user_id: str) -> str:
        """A token of the user that holds."""
        cached = self._tokens.get(user_id)
        if cached is not None and cached.is_valid:
            self.hits += 1
            return cached.token
        self.misses += 1
        token = self._sign(user_id, exp_minutes=self.minutes)
        self._tokens[user_id] = CachedToken(token, time.time() + self.minutes * 60, user_id)
        return token

    def invalidate(self, user_id: str) -> None:
        """Forget a user's token."""
        self._tokens.pop(user_id, None)

    def clear(self) -> None:
        """Forget every token."""
        self._tokens.clear()

    def get_stats(self) -> dict[str, int]:
        """Counts."""
        return {"size": len(self._tokens), "hits": self.hits, "misses": self.misses}


class WebSocketConnectionPool:
    """At most so many connected clients, by user; one that has ended is made anew."""

    def __init__(self, backend_url: str = DEFAULT_URL, max_connections: int = 10) -> None:
        self.backend_url = backend_url
        self.max_connections = max_connections
        self._clients: dict[str, RealWebSocketTestClient] = {}

    async def get_connection(self, user_id: str) -> RealWebSocketTestClient:
        """The user's client. RuntimeError when the pool is full, ConnectionError if it cannot connect."""
        client = self._clients.get(user_id)
        if client is not None and client.is_connected:
            return client
        if client is None and len(self._clients) >= self.max_connections:
            raise RuntimeError(f"The pool holds {self.max_connections} connections: close one first")
        client = RealWebSocketTestClient(self.backend_url, user_id)
        await client.authenticate_with_user()
        if not await client.connect():
            raise ConnectionError(f"Client of {user_id} cannot connect to {client.url}: {client.last_error}")
        self._clients[user_id] = client
        return client

    async def release_connection(self, user_id: str) -> None:
        """Close and forget the user's client."""
        client = self._clients.pop(user_id, None)
        if client is not None:
            await client.disconnect()

    async def close_all(self) -> None:
        """Close and forget every client."""
        for user_id in list(self._clients):
            await self.release_connection(user_id)

    def __len__(self) -> int:
        return len(self._clients)


class WebSocketAuthenticationTester:
    """Tries every scenario on a server and says what it accepted."""

    def __init__(self, backend_url: str = DEFAULT_URL, config: Optional[WebSocketAuthConfig] = None) -> None:
        self.helper = WebSocketAuthHelper(config or WebSocketAuthConfig(websocket_url=backend_url))
        self.backend_url = backend_url
        self.results: list[dict[str, Any]] = []

    def create_token(self, scenario: AuthenticationScenario, user_id: Optional[str] = None) -> Optional[str]:
        """The token of a scenario; None where it has none."""
        owner = user_id or str(uuid.uuid4())
        if scenario is AuthenticationScenario.MISSING_TOKEN:
            return None
        if scenario is AuthenticationScenario.MALFORMED_TOKEN:
            return "not.a.token"
        if scenario is AuthenticationScenario.INVALID_SIGNATURE:
            return create_test_jwt_token(owner, secret="another secret, that the server does not know of")
        return self.helper.create_test_jwt_token(owner, -5 if scenario is AuthenticationScenario.EXPIRED_TOKEN else None)

    async def run_scenario(self, scenario: AuthenticationScenario, user_id: Optional[str] = None) -> dict[str, Any]:
        """Connect with the scenario's token; ``passed`` if the server did what it should."""
        token = self.create_token(scenario, user_id)
        client = WebSocketTestClient(self.backend_url, token=token)
        accepted = await client.connect(self.helper.config.connection_timeout)
        await client.disconnect()
        expected = scenario is AuthenticationScenario.VALID_TOKEN
        result = {
            "scenario": scenario.value,
            "accepted": accepted,
            "expected": expected,
            "passed": accepted is expected,
            "error": str(client.last_error) if client.last_error else None,
        }
        self.results.append(result)
        return result

    test_authentication_scenario = run_scenario

    async def run_all_scenarios(self) -> list[dict[str, Any]]:
        """Every scenario."""
        return [await self.run_scenario(scenario) for scenario in AuthenticationScenario]

    def assert_secure(self) -> None:
        """SecurityError if the server has accepted what it must not."""
        wrong = [result["scenario"] for result in self.results if result["accepted"] and not result["expected"]]
        if wrong:
            raise SecurityError(f"The server accepts: {', '.join(wrong)}")


async def run_websocket_authentication_security_tests(backend_url: str = DEFAULT_URL) -> dict[str, Any]:
    """Try every scenario on a server. SecurityError if it accepts what it must not."""
    tester = WebSocketAuthenticationTester(backend_url)
    results = await tester.run_all_scenarios()
    tester.assert_secure()
    return {"total": len(results), "passed": sum(result["passed"] for result in results), "results": results}
