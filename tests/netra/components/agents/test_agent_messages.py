"""What users write reaches the service that runs agents, each request with what is its own."""

from __future__ import annotations

import asyncio

import pytest

pytest.importorskip("pydantic", reason="pydantic is in the server extra")
pytest.importorskip("compat.netra.components.context", reason="contexts are part of the core", exc_type=ImportError)

from compat.canonical.factory import set_websocket_manager_factory
from compat.netra.components.agents import service_registry
from compat.netra.components.agents.agent_messages import AgentMessageHandler, MessageHandlerService
from compat.netra.components.messages.creation import WebSocketMessage


@pytest.fixture(autouse=True)
def unconfigured():
    """Factories of one test only."""
    yield
    service_registry.configure(db_session=None, supervisor=None)
    set_websocket_manager_factory(None)


class Supervisor:
    def __init__(self, context, db_session):
        self.context, self.db_session, self.runs = context, db_session, []
        made.append(self)

    async def run(self, request, thread_id, user_id, run_id):
        self.runs.append((request, thread_id, user_id))
        return "done"


made = []


class Session:
    closed = 0

    async def close(self):
        Session.closed += 1


def send(handler, kind="user_message", **payload):
    message = WebSocketMessage(type=kind, payload=payload, thread_id="thread_1")
    return asyncio.run(handler.handle_message("user_1", object(), message))


def test_each_request_has_its_own_supervisor_and_session():
    made.clear()
    Session.closed = 0
    service_registry.configure(supervisor=Supervisor, db_session=Session)
    handler = AgentMessageHandler()
    assert send(handler, "start_agent", user_request="do it") is True
    assert send(handler, content="and this") is True
    assert [one.runs for one in made] == [[("do it", "thread_1", "user_1")], [("and this", "thread_1", "user_1")]] or [
        one.runs[0][0] for one in made
    ] == ["do it", "and this"]
    assert made[0].db_session is not made[1].db_session
    assert made[0].context.thread_id == "thread_1"
    assert Session.closed == 2
    stats = handler.get_stats()
    assert (stats["messages_processed"], stats["start_agent_requests"], stats["user_messages"]) == (2, 1, 1)
    assert stats["last_processed_time"] is not None


def test_without_a_supervisor_the_given_service_runs_it():
    calls = []

    class Service:
        def handle_user_message(self, **arguments):
            calls.append(arguments)

    assert send(AgentMessageHandler(Service()), "chat", content="hi") is True
    assert (calls[0]["user_id"], calls[0]["payload"], calls[0]["db_session"]) == ("user_1", {"content": "hi"}, None)


def test_what_cannot_run_costs_a_false_and_a_count():
    handler = AgentMessageHandler()
    assert send(handler, content="hi") is False
    assert send(handler, "ping") is False
    service_registry.configure(supervisor=Supervisor)
    assert send(handler) is False
    assert handler.get_stats()["errors"] == 2


def test_sessions_may_be_context_managers():
    class Managed:
        async def __aenter__(self):
            return "session"

        async def __aexit__(self, *error):
            self.left = True

    async def collect():
        return [session async for session in service_registry.get_request_scoped_db_session()]

    assert asyncio.run(collect()) == [None]
    service_registry.configure(db_session=Managed)
    assert asyncio.run(collect()) == ["session"]


def test_a_missing_service_says_how_to_configure_it():
    with pytest.raises(
        service_registry.ServiceNotConfigured, match=r"no supervisor is configured; call .*configure\(supervisor="
    ):
        asyncio.run(service_registry.get_websocket_scoped_supervisor(None))
    with pytest.raises(TypeError, match="unknown service 'queue'"):
        service_registry.configure(queue=object)
    with pytest.raises(ValueError, match="the message holds no request"):
        asyncio.run(MessageHandlerService(None).handle_start_agent("user_1", {}))
