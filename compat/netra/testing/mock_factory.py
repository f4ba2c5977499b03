"""The mocks that tests of agents, WebSockets, sessions and contexts share, each shaped as the real thing."""

from __future__ import annotations

import time
import uuid
from collections.abc import Callable
from datetime import datetime, timezone
from typing import Any, Optional, TypeVar
from unittest.mock import AsyncMock, MagicMock

from compat.canonical.core.events import CRITICAL_EVENTS

_M = TypeVar("_M")


def _with(mock: _M, attributes: dict[str, Any]) -> _M:
    for name, value in attributes.items():
        setattr(mock, name, value)
    return mock


class SSotMockFactory:
    """Makes mocks; every method is static and every mock is new."""

    @staticmethod
    def create_agent_mock(
        agent_type: str = "supervisor",
        execution_result: Optional[dict[str, Any]] = None,
        execution_time: float = 0.1,
    ) -> AsyncMock:
        """An agent whose ``execute`` returns the result; ``execution_time`` is told, not waited."""
        agent = AsyncMock()
        agent.agent_type = agent_type
        agent.agent_id = f"{agent_type}_agent_{uuid.uuid4().hex[:8]}"
        agent.name = f"{agent_type}_agent"
        agent.execution_time = execution_time
        agent.execute.return_value = execution_result or {
            "status": "completed",
            "result": "Mock agent execution result",
            "execution_time": execution_time,
        }
        agent.get_capabilities = AsyncMock(return_value=["text_processing", "data_analysis"])
        agent.is_available = MagicMock(return_value=True)
        agent.get_status = MagicMock(return_value="ready")
        return agent

    @staticmethod
    def create_websocket_mock(connection_id: str = "test-connection", user_id: str = "test-user", **attributes: Any) -> MagicMock:
        """A socket: its coroutines are AsyncMocks, its state is connected."""
        socket = MagicMock()
        socket.connection_id = connection_id
        socket.user_id = user_id
        for name in ("accept", "send", "send_text", "send_json", "send_bytes", "close", "ping"):
            setattr(socket, name, AsyncMock())
        socket.recv = AsyncMock(return_value='{"type": "test_message"}')
        socket.receive = AsyncMock(return_value={"type": "websocket.receive", "text": '{"type": "test_message"}'})
        socket.receive_text = AsyncMock(return_value='{"type": "test_message"}')
        socket.receive_json = AsyncMock(return_value={"type": "test_message"})
        socket.closed = False
        socket.state = "OPEN"
        socket.client_state = "connected"
        socket.application_state = "connected"
        socket.headers = {}
        socket.query_params = {}
        return _with(socket, attributes)

    @staticmethod
    def create_database_session_mock() -> AsyncMock:
        """A database session that finds nothing and takes everything."""
        session = AsyncMock()
        session.add = MagicMock()
        session.add_all = MagicMock()
        session.expunge = MagicMock()
        result = MagicMock()
        result.scalar.return_value = result.scalar_one_or_none.return_value = result.first.return_value = None
        result.scalars.return_value.all.return_value = result.fetchall.return_value = result.all.return_value = []
        result.rowcount = 0
        session.execute.return_value = result
        session.scalar.return_value = None
        session.__aenter__.return_value = session
        session.__aexit__.return_value = None
        return session

    @staticmethod
    def create_execution_context_mock(user_id: str = "test-user", thread_id: str = "test-thread") -> MagicMock:
        """A user's execution context."""
        return SSotMockFactory.create_isolated_execution_context(user_id, thread_id)

    @staticmethod
    def create_tool_mock(tool_name: str = "test_tool", execution_result: Optional[dict[str, Any]] = None) -> AsyncMock:
        """A tool whose ``execute`` returns the result."""
        tool = AsyncMock()
        tool.name = tool.tool_name = tool_name
        tool.description = f"Mock {tool_name} for testing"
        tool.execute.return_value = execution_result or {"status": "success", "result": f"Mock {tool_name} result"}
        tool.get_schema = MagicMock(return_value={"name": tool_name, "description": f"Mock {tool_name} tool", "parameters": {}})
        tool.validate_parameters = MagicMock(return_value=True)
        return tool

    @staticmethod
    def create_llm_client_mock(response_text: str = "Mock LLM response") -> AsyncMock:
        """A language model that always answers the same."""
        client = AsyncMock()
        usage = {"prompt_tokens": 10, "completion_tokens": 20, "total_tokens": 30}
        client.generate.return_value = {"text": response_text, "usage": usage}
        client.chat.return_value = {"message": {"content": response_text}, "usage": usage}
        client.complete.return_value = response_text
        client.ask_llm.return_value = response_text
        client.agenerate.return_value = {"response": response_text, "usage": {"total_tokens": 100}}
        return client

    @staticmethod
    def create_configuration_mock(environment: str = "test", additional_config: Optional[dict[str, Any]] = None) -> MagicMock:
        """A configuration object: attributes, and ``get(key, default)`` over them."""
        values: dict[str, Any] = {
            "environment": environment,
            "debug": True,
            "database_url": "postgresql://test:test@localhost:5432/test",
            "redis_url": "redis://localhost:6379/0",
            "secret_key": "test-secret-key",
            "jwt_secret": "test-jwt-secret",
            "jwt_secret_key": "test-jwt-secret",
            **(additional_config or {}),
        }
        config = MagicMock()
        for name, value in values.items():
            setattr(config, name, value)
        config.get.side_effect = values.get
        return config

    @staticmethod
    def create_mock_llm_manager(model: str = "gpt-4", config: Optional[dict[str, Any]] = None) -> AsyncMock:
        """A manager of language models that answers for one model."""
        manager = SSotMockFactory.create_llm_client_mock()
        manager.model = manager.model_name = model
        manager.config = config or {"model": model, "temperature": 0.7, "max_tokens": 1000}
        manager.generate_response = AsyncMock(return_value={"content": "Mock LLM response", "model": model})
        manager.get_available_models = MagicMock(return_value=[model])
        manager.is_healthy = MagicMock(return_value=True)
        manager.get_default_client = MagicMock(return_value=SSotMockFactory.create_llm_client_mock())
        return manager

    @staticmethod
    def create_mock_agent_websocket_bridge(user_id: str = "test-user", run_id: str = "test-run") -> AsyncMock:
        """A bridge from agents to a user's sockets: every ``notify_*`` and ``emit_*`` succeeds."""
        bridge = AsyncMock()
        bridge.user_id = user_id
        bridge.run_id = run_id
        for event in (*CRITICAL_EVENTS, "agent_error", "progress_update"):
            setattr(bridge, f"notify_{event}", AsyncMock(return_value=True))
            setattr(bridge, f"emit_{event}", AsyncMock(return_value=True))
        bridge.send_event = AsyncMock(return_value=True)
        bridge.emit_event = AsyncMock(return_value=True)
        for name in ("connect", "disconnect", "send_message", "emit_critical_event"):
            setattr(bridge, name, AsyncMock(return_value=True))
        bridge.is_connected = True
        bridge.connection_id = f"conn_{user_id}"
        return bridge

    @staticmethod
    def create_websocket_manager_mock(manager_type: str = "unified", user_isolation: bool = True, **attributes: Any) -> AsyncMock:
        """A WebSocket manager without connections: coroutines succeed, questions are answered sync."""
        manager = AsyncMock()
        manager.manager_type = manager_type
        manager.user_isolation = manager.user_isolation_enabled = user_isolation
        manager._connections, manager._user_connections, manager.active_connections = {}, {}, {}
        manager.send_message = AsyncMock(return_value=True)
        manager.send_to_user = AsyncMock(return_value=True)
        manager.send_to_thread = AsyncMock(return_value=True)
        manager.emit_critical_event = AsyncMock(return_value=True)
        manager.connect_user = AsyncMock(return_value=f"conn_{uuid.uuid4().hex[:8]}")
        manager.is_connection_active = MagicMock(return_value=True)
        manager.is_user_connected = MagicMock(return_value=True)
        manager.get_user_connections = AsyncMock(return_value=[])
        manager.get_connection_count = MagicMock(return_value=0)
        manager.get_connection_health = MagicMock(return_value={"has_active_connections": True})
        manager.get_stats = MagicMock(return_value={"total_connections": 0, "unique_users": 0})
        return _with(manager, attributes)

    @staticmethod
    def create_mock_user_context(
        user_id: str = "test_user",
        thread_id: str = "test_thread",
        run_id: str = "test_run",
        request_id: str = "test_request",
        websocket_client_id: Optional[str] = None,
        connection_id: Optional[str] = None,
        **kwargs: Any,
    ) -> MagicMock:
        """A user context with those IDs; further arguments become attributes."""
        context = MagicMock()
        context.user_id = user_id
        context.thread_id = thread_id
        context.run_id = run_id
        context.request_id = request_id
        context.websocket_client_id = websocket_client_id or f"conn_{user_id}_{thread_id}"
        context.websocket_connection_id = context.connection_id = connection_id or context.websocket_client_id
        context.user_tier = "free"
        state: dict[str, Any] = {}
        context.get_state.side_effect = state.get
        context.set_state.side_effect = state.__setitem__
        context.created_at = datetime.now(timezone.utc)
        context.agent_context, context.audit_metadata, context.metadata = {}, {}, {}
        context.operation_depth = 0
        context.parent_request_id = None
        context.db_session = None
        context.session_id = f"session_{user_id}"
        for name, value in kwargs.items():
            setattr(context, name, value)
        context.to_dict.return_value = {
            "user_id": user_id,
            "thread_id": thread_id,
            "run_id": run_id,
            "request_id": request_id,
            "websocket_client_id": context.websocket_client_id,
        }
        return context

    @staticmethod
    def create_isolated_execution_context(
        user_id: str,
        thread_id: str,
        websocket_client_id: Optional[str] = None,
        connection_id: Optional[str] = None,
        **kwargs: Any,
    ) -> MagicMock:
        """A user context with run and request IDs of its own."""
        unique = f"{user_id}_{thread_id}_{time.time_ns()}"
        run_id = kwargs.pop("run_id", None) or f"run_{unique}"
        request_id = kwargs.pop("request_id", None) or f"req_{unique}"
        context = SSotMockFactory.create_mock_user_context(
            user_id, thread_id, run_id, request_id, websocket_client_id, connection_id, **kwargs
        )
        context.isolation_level = "user"
        context.is_isolated = True
        return context

    @classmethod
    def create_mock_suite(cls, mock_types: list[str]) -> dict[str, Any]:
        """One mock of each type, by type; a type that is unknown is left out."""
        return {mock_type: cls.create_mock(mock_type) for mock_type in mock_types if mock_type in cls._makers()}

    @classmethod
    def create_mock(cls, mock_type: Any = None, **kwargs: Any) -> Any:
        """A mock of a named type, or of a class, or a plain one; of an unknown type a bare AsyncMock."""
        if not isinstance(mock_type, str):
            return MagicMock(**{"spec": mock_type, **kwargs})
        make = cls._makers().get(mock_type)
        return AsyncMock(**kwargs) if make is None else make(**kwargs)

    @classmethod
    def _makers(cls) -> dict[str, Callable[..., Any]]:
        return {
            "agent": cls.create_agent_mock,
            "websocket": cls.create_websocket_mock,
            "database": cls.create_database_session_mock,
            "database_session": cls.create_database_session_mock,
            "execution_context": cls.create_execution_context_mock,
            "context": cls.create_execution_context_mock,
            "tool": cls.create_tool_mock,
            "llm": cls.create_llm_client_mock,
            "llm_client": cls.create_llm_client_mock,
            "llm_manager": cls.create_mock_llm_manager,
            "configuration": cls.create_configuration_mock,
            "config": cls.create_configuration_mock,
            "agent_websocket_bridge": cls.create_mock_agent_websocket_bridge,
            "websocket_bridge": cls.create_mock_agent_websocket_bridge,
            "websocket_manager": cls.create_websocket_manager_mock,
            "user_context": cls.create_mock_user_context,
        }
