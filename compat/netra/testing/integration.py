"""The bases of integration tests: logging, an isolated environment, users, organisations and sessions.

PYTEST_DONT_REWRITE: what an assertion here says is part of its behaviour.
"""

from __future__ import annotations

import logging
import time
import uuid
from abc import ABC
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any, Optional

from ..components.environment import IsolatedEnvironment, get_env

#: For each kind of value, the keys of a result that show it was delivered.
VALUE_KEYS: dict[str, tuple[str, ...]] = {
    "cost_savings": (
        "cost_savings", "monthly_savings", "annual_savings", "potential_savings", "savings_amount", "cost_reduction",
        "savings",
    ),
    "insights": ("insights", "recommendations", "analysis", "findings"),
    "automation": ("automated_tasks", "automation", "workflow", "actions", "time_saved", "efficiency"),
}  # fmt: skip


@dataclass
class TestUserData:
    """A user of an integration test."""

    __test__ = False

    user_id: str
    email: str
    name: str
    metadata: dict[str, Any] = field(default_factory=dict)

    @property
    def id(self) -> str:
        """The user's ID."""
        return self.user_id

    def get(self, key: str, default: Any = None) -> Any:
        """Read a field as from a dictionary."""
        return getattr(self, key, self.metadata.get(key, default))

    def __getitem__(self, key: str) -> Any:
        found = self.get(key, _ABSENT)
        if found is _ABSENT:
            raise KeyError(key)
        return found


_ABSENT = object()


class BaseIntegrationTest(ABC):
    """Base of integration tests for pytest."""

    logger: logging.Logger = logging.getLogger(__name__)
    env: IsolatedEnvironment
    _environment_before: Optional[tuple[Any, ...]] = None

    def setup_method(self, method: Any = None) -> None:
        """Prepare one test."""
        self.setup_logging()
        self.setup_environment()

    def teardown_method(self, method: Any = None) -> None:
        """End one test."""
        self.cleanup_resources()

    def setup_logging(self) -> None:
        """Give the test a logger named after its class."""
        self.logger = logging.getLogger(type(self).__name__)

    def setup_environment(self) -> None:
        """Give the test the environment as ``self.env``, isolated."""
        self.env = get_env()
        self._environment_before = self.env.snapshot()
        if not self.env.is_isolated():
            self.env.enable_isolation()
        self.env.set("TESTING", "1", source="integration_test_base")

    def cleanup_resources(self) -> None:
        """Give the environment back. Subclasses add what else they have opened."""
        if self._environment_before is not None:
            self.env.restore(self._environment_before)
            self._environment_before = None

    async def async_setup(self) -> None:  # noqa: B027
        """Preparation that must be awaited: none here, subclasses add theirs."""

    async def async_teardown(self) -> None:  # noqa: B027
        """Clean-up that must be awaited: none here, subclasses add theirs."""

    async def create_test_user_context(self, real_services: Any, user_data: Optional[dict[str, Any]] = None) -> TestUserData:
        """Return a user of the test; fields that are not given are made."""
        given = dict(user_data or {})
        user_id = str(given.pop("user_id", None) or given.pop("id", None) or uuid.uuid4())
        email = str(given.pop("email", f"test-{user_id[:8]}@example.com"))
        return TestUserData(user_id, email, str(given.pop("name", "Test User")), given)

    async def create_test_organization(
        self, real_services: Any, user_id: str, org_data: Optional[dict[str, Any]] = None
    ) -> dict[str, Any]:
        """Return an organisation that the user owns."""
        organization = {"name": "Test Organization", "plan": "free", **(org_data or {})}
        organization.setdefault("id", str(uuid.uuid4()))
        organization["owner_id"] = user_id
        return organization

    async def create_test_session(
        self, real_services: Any, user_id: str, session_data: Optional[dict[str, Any]] = None
    ) -> dict[str, Any]:
        """Return a session of the user, stored under its key where ``real_services.redis`` can store it."""
        session = {"created_at": time.time(), "expires_at": time.time() + 3600, **(session_data or {})}
        session.update(user_id=user_id, session_key=f"session:{user_id}:{uuid.uuid4().hex[:8]}")
        store = getattr(getattr(real_services, "redis", None), "set_json", None)
        if store is not None:
            await store(session["session_key"], session, ex=3600)
        return session

    def assert_business_value_delivered(self, result: dict[str, Any], expected_value_type: str) -> None:
        """Fail unless the result holds, at any depth, something of that kind of value."""
        assert result, "No result was delivered"
        wanted = VALUE_KEYS.get(expected_value_type, (expected_value_type,))
        found = any(key in wanted and value for key, value in _pairs(result))
        assert found, f"No {expected_value_type} delivered: none of {', '.join(wanted)} in the result"


def _pairs(value: Any) -> Iterable[tuple[str, Any]]:
    if isinstance(value, dict):
        for key, inner in value.items():
            yield str(key), inner
            yield from _pairs(inner)
    elif isinstance(value, (list, tuple)):
        for inner in value:
            yield from _pairs(inner)


class DatabaseIntegrationTest(BaseIntegrationTest):
    """Base of tests of a database."""

    async def verify_database_transaction_isolation(self, real_services: Any) -> None:
        """Fail if one transaction of ``real_services.postgres`` sees what another has not committed."""
        postgres = real_services.postgres
        marker = f"isolation_{uuid.uuid4().hex[:8]}"
        await postgres.execute(f"CREATE TABLE {marker} (value TEXT)")
        try:
            async with postgres.transaction() as writer:
                await writer.execute(f"INSERT INTO {marker} VALUES ('uncommitted')")
                seen = await postgres.fetchval(f"SELECT COUNT(*) FROM {marker}")
                assert seen == 0, "a transaction sees what another has not committed"
        finally:
            await postgres.execute(f"DROP TABLE {marker}")


class CacheIntegrationTest(BaseIntegrationTest):
    """Base of tests of a cache."""

    async def verify_cache_performance(self, real_services: Any, operation_count: int = 100) -> dict[str, float]:
        """Write and read that many keys of ``real_services.redis``; return operations per second."""
        redis = real_services.redis
        prefix = f"perf:{uuid.uuid4().hex[:8]}"
        start = time.perf_counter()
        for number in range(operation_count):
            await redis.set(f"{prefix}:{number}", str(number))
        written = time.perf_counter()
        for number in range(operation_count):
            value = await redis.get(f"{prefix}:{number}")
            assert value in (str(number), str(number).encode()), f"{prefix}:{number} holds {value!r}"
        read = time.perf_counter()
        return {
            "set_ops_per_second": operation_count / max(written - start, 1e-9),
            "get_ops_per_second": operation_count / max(read - written, 1e-9),
        }


class WebSocketIntegrationTest(BaseIntegrationTest):
    """Base of tests of WebSocket events."""

    async def verify_websocket_event_delivery(self, websocket_client: Any, expected_events: list[str]) -> list[Any]:
        """Receive from the client until every expected event has come; fail after 5 s of silence."""
        import asyncio

        missing, received = list(expected_events), []
        while missing:
            try:
                message = await asyncio.wait_for(websocket_client.receive_json(), 5)
            except asyncio.TimeoutError:
                raise AssertionError(f"events not received: {', '.join(missing)}") from None
            received.append(message)
            kind = message.get("type") or message.get("event_type")
            if kind in missing:
                missing.remove(kind)
        return received


class ServiceOrchestrationIntegrationTest(BaseIntegrationTest):
    """Base of tests of several services together."""

    async def verify_service_health_cascade(self, real_services: Any) -> dict[str, bool]:
        """Ping the services that are there; fail if one does not answer, and return what was asked."""
        health: dict[str, bool] = {}
        for name in ("postgres", "redis"):
            service = getattr(real_services, name, None)
            if service is not None:
                health[name] = bool(await service.ping())
        failed = [name for name, alive in health.items() if not alive]
        assert not failed, f"services do not answer: {', '.join(failed)}"
        return health
