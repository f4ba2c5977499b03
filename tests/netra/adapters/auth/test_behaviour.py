"""Messages, handlers, origins and socket tools as old code uses them: by legacy paths, patched and reset there."""

from __future__ import annotations

import asyncio
import os
import pickle
import subprocess
import sys
import warnings
from contextlib import ExitStack
from unittest.mock import AsyncMock, Mock, patch

import pytest

pytest.importorskip("pydantic", reason="pydantic is in the server extra")

CORE = "netra_backend.app.websocket_core"


@pytest.fixture(autouse=True)
def quiet(served, monkeypatch):
    """Legacy paths without their warnings, in no particular environment."""
    for name in ("ENVIRONMENT", "CORS_ORIGINS"):
        monkeypatch.delenv(name, raising=False)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


def websocket(state="CONNECTED"):
    made = Mock()
    made.client_state = Mock()
    made.client_state.name = state
    made.send_json = AsyncMock()
    made.close = AsyncMock()
    return made


def test_a_router_is_driven_as_old_code_drives_it():
    from netra_backend.app.websocket_core.handlers import BaseMessageHandler, MessageRouter
    from netra_backend.app.websocket_core.types import MessageType

    seen = []

    class Chat(BaseMessageHandler):
        def __init__(self):
            super().__init__([MessageType.CHAT])

        async def handle_message(self, user_id, websocket, message):
            seen.append((user_id, message.payload))
            return True

    router, connection = MessageRouter(), websocket()
    router.add_handler(Chat())
    assert router.get_handler_order()[0] == "Chat"
    assert asyncio.run(router.route_message("user_1", connection, {"type": "chat", "payload": {"text": "hi"}}))
    assert seen == [("user_1", {"text": "hi"})]
    assert asyncio.run(router.route_message("user_1", connection, {"type": "ping"}))
    assert connection.send_json.call_args.args[0]["type"] == "pong"


def test_helpers_are_replaced_by_their_legacy_path():
    from netra_backend.app.websocket_core.handlers import MessageRouter
    from netra_backend.app.websocket_core.utils import safe_websocket_close, safe_websocket_send

    connection = websocket()
    with patch(f"{CORE}.handlers.is_websocket_connected", return_value=False):
        assert asyncio.run(MessageRouter().route_message("user_1", connection, {"type": "ping"})) is False
    with patch(f"{CORE}.utils.is_websocket_connected", return_value=False):
        assert asyncio.run(safe_websocket_send(connection, {"a": 1})) is False
        asyncio.run(safe_websocket_close(connection))
    connection.send_json.assert_not_called()
    connection.close.assert_not_called()
    with patch(f"{CORE}.handlers.logger") as logger:
        assert asyncio.run(MessageRouter().route_message("user_1", connection, None)) is False
    logger.error.assert_called_once()


def test_process_wide_objects_are_reset_by_their_legacy_path():
    import netra_backend.app.core.websocket_cors as cors
    import netra_backend.app.websocket_core.handlers as handlers

    first = handlers.get_message_router()
    assert handlers.get_message_router() is first
    handlers._message_router = None
    assert handlers.get_message_router() is not first
    assert handlers.get_router_handler_count() == len(handlers.list_registered_handlers()) == 9
    cors._global_cors_handler = None
    with patch.dict(os.environ, {"ENVIRONMENT": "staging"}):
        assert cors.get_websocket_cors_handler().environment == "staging"
    cors._global_cors_handler = None


def test_messages_of_old_paths_are_the_canonical_ones_and_pickle_as_such():
    from netra_backend.app.websocket_core import MessageType as from_package
    from netra_backend.app.websocket_core import create_server_message as short
    from netra_backend.app.websocket_core.types import MessageType, WebSocketMessage, create_server_message

    assert (from_package, short) == (MessageType, create_server_message)
    message = WebSocketMessage(type="chat", payload={"a": 1})
    data = pickle.dumps(message)
    assert b"netra_backend" not in data
    assert pickle.loads(data) == message


def test_star_imports_hold_the_public_names():
    scope = {}
    exec("from netra_backend.app.websocket_core.types import *", scope)
    assert {"MessageType", "WebSocketMessage", "create_standard_message"} <= set(scope)
    exec("from netra_backend.app.websocket_core.handlers import *", scope)
    assert {"ConnectionHandler", "BaseMessageHandler"} <= set(scope)


def test_specs_list_what_tests_replace():
    from netra_backend.app.websocket_core.handlers import MessageRouter
    from netra_backend.app.websocket_core.unified_websocket_auth import UnifiedWebSocketAuthenticator

    assert Mock(spec=MessageRouter).route_message
    assert AsyncMock(spec=UnifiedWebSocketAuthenticator).authenticate_websocket_connection
    with pytest.raises(AttributeError):
        Mock(spec=MessageRouter).nothing


def test_agents_are_reached_through_what_tests_replace():
    from netra_backend.app.websocket_core.agent_handler import AgentMessageHandler
    from netra_backend.app.websocket_core.types import MessageType, WebSocketMessage

    async def session():
        yield "session"

    service = Mock()
    service.handle_start_agent = AsyncMock(return_value=True)
    with ExitStack() as stack:

        def replace(name, value):
            return stack.enter_context(patch(f"{CORE}.agent_handler.{name}", value))

        context = replace("get_user_execution_context", Mock(return_value=Mock(user_id="user_1")))
        replace("get_request_scoped_db_session", session)
        replace("get_websocket_scoped_supervisor", AsyncMock(return_value="supervisor"))
        replace("create_websocket_manager", Mock(return_value=Mock()))
        made = replace("MessageHandlerService", Mock(return_value=service))
        handler = AgentMessageHandler(Mock(), websocket())
        message = WebSocketMessage(type=MessageType.START_AGENT, payload={"user_request": "do it"}, thread_id="thread_1")
        assert asyncio.run(handler.handle_message("user_1", websocket(), message)) is True
    context.assert_called_once_with(user_id="user_1", thread_id="thread_1", run_id=None)
    assert made.call_args.args[0] == "supervisor"
    assert service.handle_start_agent.call_args.kwargs["db_session"] == "session"


def test_without_pydantic_models_name_the_extra_and_nothing_else_breaks():
    program = (
        "import sys, warnings; sys.modules['pydantic'] = None; warnings.simplefilter('ignore')\n"
        "import compat\n"
        "from compat.ledger import Ledger\n"
        "from compat.netra.rows import messages\n"
        "compat.install(Ledger('netra', version='1.0.0', docs='', rows=messages.ROWS))\n"
        "from netra_backend.app.websocket_core.types import MessageType, normalize_message_type\n"
        "from netra_backend.app.websocket_core.handlers import MessageRouter\n"
        "assert len(MessageRouter().handlers) == 9\n"
        "try:\n    from netra_backend.app.websocket_core.types import WebSocketMessage\n"
        "except ImportError as error: print(error)\n"
    )
    run = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert (run.stdout, run.returncode) == ("message models need pydantic: pip install 'netra-compat[server]'\n", 0), run.stderr
