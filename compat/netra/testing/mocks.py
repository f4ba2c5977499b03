"""A factory that keeps count of the mocks it has made, and cleans up after them."""

from __future__ import annotations

import logging
import time
import uuid
from collections.abc import AsyncGenerator, Callable, Iterator
from datetime import datetime
from types import TracebackType
from typing import Any, Optional
from unittest.mock import AsyncMock, MagicMock, Mock, PropertyMock

from compat.netra.components.process_wide import only

from ..components.environment import get_env
from . import mock_shapes as shapes

logger = logging.getLogger(__name__)

__all__ = [
    "DatabaseMockFactory",
    "MockContext",
    "MockFactory",
    "MockRegistry",
    "SSotMockFactory",
    "ServiceMockFactory",
    "cleanup_global_mocks",
    "get_mock_factory",
]


class MockRegistry:
    """The mocks of one factory, by ID, with their recorded calls and clean-up callbacks."""

    def __init__(self) -> None:
        self.active_mocks: dict[str, dict[str, Any]] = {}
        self.mock_call_history: list[dict[str, Any]] = []
        self.cleanup_callbacks: list[Callable[[], Any]] = []

    def register_mock(self, name: str, mock_obj: Any, cleanup_callback: Optional[Callable[[], Any]] = None) -> str:
        """Keep a mock and return the ID it is found under."""
        mock_id = f"{name}_{uuid.uuid4().hex[:8]}"
        self.active_mocks[mock_id] = {"name": name, "mock": mock_obj, "created_at": time.time(), "call_count": 0}
        if cleanup_callback is not None:
            self.cleanup_callbacks.append(cleanup_callback)
        return mock_id

    def get_mock(self, mock_id: str) -> Optional[Any]:
        """The mock of an ID, or the first of a name, or None."""
        entry = self.active_mocks.get(mock_id)
        if entry is None:
            entry = next((each for each in self.active_mocks.values() if each["name"] == mock_id), None)
        return entry["mock"] if entry else None

    def record_call(self, mock_id: str, method: str, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
        """Write down one call."""
        self.mock_call_history.append(
            {"mock_id": mock_id, "method": method, "args": args, "kwargs": kwargs, "timestamp": datetime.now()}
        )
        if mock_id in self.active_mocks:
            self.active_mocks[mock_id]["call_count"] += 1

    def get_call_history(self, mock_id: Optional[str] = None) -> list[dict[str, Any]]:
        """The calls written down, of one mock or of all."""
        return [call for call in self.mock_call_history if mock_id is None or call["mock_id"] == mock_id]

    def cleanup_all(self) -> None:
        """Run the clean-up callbacks and forget everything."""
        for callback in self.cleanup_callbacks:
            try:
                callback()
            except Exception as error:
                logger.warning(f"Mock cleanup failed: {error}")
        self.active_mocks.clear()
        self.mock_call_history.clear()
        self.cleanup_callbacks.clear()


def _rows(rows: Optional[list[dict[str, Any]]]) -> Mock:
    found = rows or []
    result = Mock()
    first = found[0] if found else None
    result.fetchall.return_value = result.all.return_value = found
    result.fetchone.return_value = result.first.return_value = first
    result.scalar.return_value = next(iter(first.values()), None) if isinstance(first, dict) else first
    result.scalar_one_or_none.return_value = first
    result.scalars.return_value.all.return_value = found
    result.scalars.return_value.first.return_value = first
    result.rowcount = len(found)
    return result


class MockFactory:
    """Makes and registers mocks; ``cleanup`` resets and forgets them."""

    def __init__(self, env: Optional[Any] = None) -> None:
        self.env = env or get_env()
        self.registry = MockRegistry()
        self.mock_config = {"auto_spec": True, "track_calls": True}
        self._test_data_cache: dict[str, Any] = {}

    def cleanup(self) -> None:
        """Forget every mock."""
        self.registry.cleanup_all()
        self._test_data_cache.clear()

    def _made(self, name: str, mock: Any, **attributes: Any) -> Any:
        for attribute, value in attributes.items():
            setattr(mock, attribute, value)
        self.registry.register_mock(name, mock)
        return mock

    def _with_results(self, name: str, mock: Any, **results: Any) -> Any:
        for method, value in results.items():
            getattr(mock, method).return_value = value
        return self._made(name, mock)

    def create_mock(self, spec: Any = None, **kwargs: Any) -> Mock:
        """A Mock, of a class where one is given; a text is only its name."""
        if isinstance(spec, str):
            return self._made(spec, Mock(name=spec, **kwargs))  # type: ignore[no-any-return]
        return self._made("mock", Mock(spec=spec, **kwargs))  # type: ignore[no-any-return]

    def create_async_mock(self, spec: Optional[type] = None, **kwargs: Any) -> AsyncMock:
        """An AsyncMock, of a class where one is given."""
        return self._made("async_mock", AsyncMock(spec=spec, **kwargs))  # type: ignore[no-any-return]

    def create_magic_mock(self, spec: Optional[type] = None, **kwargs: Any) -> MagicMock:
        """A MagicMock, of a class where one is given."""
        return self._made("magic_mock", MagicMock(spec=spec, **kwargs))  # type: ignore[no-any-return]

    def create_property_mock(self, return_value: Any = None) -> PropertyMock:
        """A PropertyMock."""
        return self._made("property_mock", PropertyMock(return_value=return_value))  # type: ignore[no-any-return]

    def create_database_session_mock(self) -> AsyncMock:
        """A database session whose every method is awaited."""
        return self._made("database_session", shapes.database_session())  # type: ignore[no-any-return]

    def create_database_result_mock(self, rows: Optional[list[dict[str, Any]]] = None) -> Mock:
        """A result of those rows."""
        return self._made("database_result", _rows(rows))  # type: ignore[no-any-return]

    def create_repository_mock(self, model_class: Optional[type] = None) -> AsyncMock:
        """A repository without rows, that takes what it is given."""
        return self._made("repository", shapes.repository(model_class))  # type: ignore[no-any-return]

    def create_auth_service_mock(self) -> AsyncMock:
        """An auth service that knows one user, and lets everybody in."""
        return self._made("auth_service", shapes.auth_service())  # type: ignore[no-any-return]

    def create_websocket_manager_mock(self, **attributes: Any) -> AsyncMock:
        """A WebSocket manager that says that it is connected, and takes everything."""
        return self._made("websocket_manager", shapes.websocket_manager(), **attributes)  # type: ignore[no-any-return]

    def create_llm_client_mock(self) -> AsyncMock:
        """A language model that always answers the same."""
        return self._made("llm_client", shapes.llm_client())  # type: ignore[no-any-return]

    def create_redis_client_mock(self) -> Mock:
        """A Redis client that is empty, and answers at once."""
        return self._made("redis_client", shapes.redis_client())  # type: ignore[no-any-return]

    def create_agent_mock(
        self, agent_type: str = "generic", agent_id: Optional[str] = None, user_id: Optional[str] = None
    ) -> AsyncMock:
        """An agent of a user."""
        return self._made("agent", shapes.agent(agent_type, agent_id, user_id))  # type: ignore[no-any-return]

    def create_orchestrator_mock(self) -> AsyncMock:
        """An orchestrator that completes everything."""
        done = {"status": "completed", "results": []}
        return self._with_results(  # type: ignore[no-any-return]
            "orchestrator", AsyncMock(), execute=done, execute_workflow=done, coordinate_agents=done,
            get_status={"status": "ready"},
        )  # fmt: skip

    def create_tool_executor_mock(self) -> AsyncMock:
        """A tool executor that succeeds."""
        return self._made("tool_executor", shapes.tool_executor())  # type: ignore[no-any-return]

    def create_file_system_mock(self) -> Mock:
        """A file system with one file of text."""
        return self._with_results(  # type: ignore[no-any-return]
            "file_system", Mock(), exists=True, read_file="test file content", read="test file content",
            write_file=True, write=True, delete=True, list_files=["test.txt"],
        )  # fmt: skip

    def create_http_client_mock(self) -> AsyncMock:
        """An HTTP client that is answered 200 with ``{"status": "success"}``."""
        return self._made("http_client", shapes.http_client())  # type: ignore[no-any-return]

    def create_websocket_connection_mock(self, **attributes: Any) -> AsyncMock:
        """A connected socket of nobody yet, that can be entered with ``async with``."""
        return self._made("websocket_connection", shapes.websocket_connection(), **attributes)  # type: ignore[no-any-return]

    def create_websocket_server_mock(self) -> AsyncMock:
        """A running WebSocket server without connections."""
        return self._made("websocket_server", shapes.websocket_server())  # type: ignore[no-any-return]

    def create_service_manager_mock(self) -> AsyncMock:
        """A service manager whose services run and are healthy."""
        return self._made("service_manager", shapes.service_manager())  # type: ignore[no-any-return]

    def create_service_factory_mock(self) -> Mock:
        """A service factory that makes AsyncMocks."""
        mock = Mock()
        mock.create_service.side_effect = lambda *_, **__: AsyncMock()
        mock.get_service.side_effect = lambda *_, **__: AsyncMock()
        return self._made("service_factory", mock)  # type: ignore[no-any-return]

    def create_config_loader_mock(self) -> Mock:
        """A configuration loader over a real dict, its ``config_data``."""
        values: dict[str, Any] = {"environment": "test", "debug": True}
        mock = shapes.keeps(Mock(), "config_data", values)
        mock.load.return_value = mock.load_config.return_value = mock.get_config.return_value = values
        return self._made("config_loader", mock)  # type: ignore[no-any-return]

    def create_environment_mock(self) -> Mock:
        """An environment over a real dict, its ``env_vars``: what is set can be read."""
        mock = shapes.keeps(Mock(), "env_vars", {"ENVIRONMENT": "test", "TESTING": "true"})
        mock.is_test.return_value = True
        mock.is_production.return_value = mock.is_staging.return_value = mock.is_development.return_value = False
        mock.get_environment_name.return_value = "test"
        return self._made("environment", mock)  # type: ignore[no-any-return]

    def create_context_manager_mock(self, return_value: Any = None) -> AsyncMock:
        """Something for ``async with`` (and ``with``) that yields the value."""
        mock = AsyncMock()
        entered = mock if return_value is None else return_value
        mock.__aenter__.return_value = entered
        mock.__aexit__.return_value = None
        mock.__enter__ = Mock(return_value=entered)
        mock.__exit__ = Mock(return_value=None)
        return self._made("context_manager", mock)  # type: ignore[no-any-return]

    def create_generator_mock(self, items: Optional[list[Any]] = None) -> Mock:
        """Something that can be iterated, again and again, over the items."""
        mock = MagicMock()

        def iterate(*_: Any) -> Iterator[Any]:
            return iter(items or [])

        mock.__iter__.side_effect = iterate
        mock.side_effect = iterate
        return self._made("generator", mock)  # type: ignore[no-any-return]

    def create_async_generator_mock(self, items: Optional[list[Any]] = None) -> AsyncMock:
        """Something for ``async for`` over the items."""
        mock = AsyncMock()

        async def iterate(*_: Any) -> AsyncGenerator[Any, None]:
            for item in items or []:
                yield item

        mock.__aiter__.side_effect = iterate
        return self._made("async_generator", mock)  # type: ignore[no-any-return]

    def verify_mock_calls(self, mock_obj: Any, expected_calls: list[Any]) -> bool:
        """Whether the mock has been called so, in this order and not otherwise."""
        return list(mock_obj.call_args_list) == list(expected_calls)

    def get_mock_call_count(self, mock_obj: Any) -> int:
        """How often the mock has been called; 0 for what is no mock."""
        return int(getattr(mock_obj, "call_count", 0))

    def reset_mock(self, mock_obj: Any) -> None:
        """Forget the calls of one mock."""
        if hasattr(mock_obj, "reset_mock"):
            mock_obj.reset_mock()

    def reset_all_mocks(self) -> None:
        """Forget the calls of every mock that this factory has made."""
        for entry in self.registry.active_mocks.values():
            self.reset_mock(entry["mock"])
        self.registry.mock_call_history.clear()


#: The name that tests import; the class of the same name in ``mock_factory`` is another one.
SSotMockFactory = MockFactory

_ABSENT = object()


class DatabaseMockFactory:
    """Repositories of users, threads and messages."""

    def __init__(self, main_factory: MockFactory) -> None:
        self.main_factory = main_factory

    def create_user_repository_mock(self) -> AsyncMock:
        """Users: none found."""
        mock = self.main_factory.create_repository_mock()
        mock.get_by_email.return_value = None
        return mock

    def create_thread_repository_mock(self) -> AsyncMock:
        """Threads: none found."""
        mock = self.main_factory.create_repository_mock()
        mock.get_by_user_id.return_value = []
        return mock

    def create_message_repository_mock(self) -> AsyncMock:
        """Messages: none found."""
        mock = self.main_factory.create_repository_mock()
        mock.get_by_thread_id.return_value = []
        return mock


class ServiceMockFactory:
    """Services."""

    def __init__(self, main_factory: MockFactory) -> None:
        self.main_factory = main_factory

    def create_thread_service_mock(self) -> AsyncMock:
        """Threads are created and found."""
        mock = self.main_factory.create_async_mock()
        thread = {"id": f"thread_{uuid.uuid4().hex[:8]}", "status": "active"}
        mock.create_thread.return_value = mock.get_thread.return_value = thread
        mock.get_user_threads.return_value = [thread]
        return mock


_global_factory: Optional[MockFactory] = None


def get_mock_factory() -> MockFactory:
    """The process's factory, made at first use."""
    return only(globals(), "_global_factory", MockFactory)


def cleanup_global_mocks() -> None:
    """Clean up and forget the process's factory."""
    global _global_factory
    if _global_factory is not None:
        _global_factory.cleanup()
        _global_factory = None


class MockContext:
    """A factory for the body of a with statement, sync or async; what it makes is cleaned up after it."""

    def __init__(self, factory: Optional[MockFactory] = None) -> None:
        self.factory = factory or MockFactory()
        self.created_mocks: list[Any] = []

    def __enter__(self) -> MockFactory:
        return self.factory

    def __exit__(
        self,
        kind: Optional[type[BaseException]],
        value: Optional[BaseException],
        traceback: Optional[TracebackType],
    ) -> None:
        self.factory.cleanup()

    async def __aenter__(self) -> MockFactory:
        return self.factory

    async def __aexit__(
        self,
        kind: Optional[type[BaseException]],
        value: Optional[BaseException],
        traceback: Optional[TracebackType],
    ) -> None:
        self.factory.cleanup()
