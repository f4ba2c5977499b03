"""The server with real sockets: handshakes, close codes, evictions, drain, pages, logs."""

from __future__ import annotations

import asyncio
import base64
import contextlib
import json
import logging
import os
import pathlib
import re
import signal
import socket
import subprocess
import sys
import time

import pytest

for module in ("starlette", "uvicorn", "websockets", "jwt", "httpx"):
    pytest.importorskip(module, reason=f"{module} is in the server extra or the test group")

# ruff: noqa: E402, SIM117
import httpx
import jwt
import websockets
from websockets.exceptions import ConnectionClosed, InvalidStatus

from compat.canonical.errors import SettingsError
from compat.canonical.factory import set_websocket_manager_factory
from compat.canonical.limits import Limits
from compat.canonical.server.app import create_app
from compat.canonical.server.serve import build_server, listen, main
from compat.canonical.settings import Settings

SECRET = "a secret of at least thirty-two bytes"


def token(user: str = "u", seconds: float = 3600, **claims: object) -> str:
    now = time.time()
    return jwt.encode({"sub": user, "iat": now, "exp": now + seconds, **claims}, SECRET, "HS256")


def bearer(user: str = "u", seconds: float = 3600) -> dict[str, str]:
    return {"Authorization": f"Bearer {token(user, seconds)}"}


class Running:
    """A server on a free port, in this loop."""

    def __init__(self, app, settings: Settings) -> None:
        self.app, self.settings = app, settings
        self.service = app.state.service
        self.factory = self.service.factory

    @property
    def address(self) -> str:
        return f"127.0.0.1:{self.settings.port}"

    def connect(self, query: str = "", **options):
        return websockets.connect(f"ws://{self.address}/ws{query}", **options)

    def manager(self, user: str = "u"):
        from types import SimpleNamespace

        return self.factory.get(SimpleNamespace(user_id=user))


@contextlib.asynccontextmanager
async def running(on_message=None, log_level="info", stall_timeout=None, protocol=None, app=None, **changes):
    limits = changes.pop("limits", Limits())
    listener = listen("127.0.0.1", 0, stall_timeout or limits.send_timeout)
    port = listener.getsockname()[1]
    settings = Settings(jwt_secret=SECRET, port=port, environment="test", limits=limits, **changes)
    app = app or create_app(settings, on_message=on_message)
    server = build_server(settings, app, log_level=log_level)
    if protocol is not None:
        server.config.ws = protocol
    serving = asyncio.ensure_future(server.serve(sockets=[listener]))
    try:
        yield Running(app, settings)
    finally:
        server.should_exit = True
        await serving
        listener.close()


async def received(client) -> dict:
    return json.loads(await asyncio.wait_for(client.recv(), 20))


async def closed(client) -> tuple[int, str]:
    with pytest.raises(ConnectionClosed) as caught:
        while True:
            await asyncio.wait_for(client.recv(), 20)
    frame = caught.value.rcvd
    return (frame.code, frame.reason) if frame is not None else (1006, "")


def test_events_arrive_and_a_reconnection_continues() -> None:
    async def run() -> None:
        async with running() as server:
            async with server.connect(additional_headers=bearer()) as client:
                hello = await received(client)
                assert (hello["type"], hello["user_id"], hello["resumed"]) == ("connection_established", "u", False)
                await server.manager().emit("agent_started", {"agent_name": "a"})
                event = await received(client)
                assert (event["type"], event["agent_name"], event["seq"]) == ("agent_started", "a", 1)
                await server.manager().send({"type": "big", "text": "x" * 70_000})
                assert len((await received(client))["text"]) == 70_000
                await server.manager().send({"type": "middle", "text": "x" * 300})
                assert (await received(client))["seq"] == 3
            await server.manager().send({"type": "missed"})
            query = f"?epoch={event['epoch']}&seq=2"
            async with server.connect(query, additional_headers=bearer()) as client:
                hello = await received(client)
                assert (hello["resumed"], hello["seq"]) == (True, 2)
                assert [(await received(client))["seq"] for _ in range(2)] == [3, 4]
                await client.send(json.dumps({"type": "resume", "epoch": "gone", "seq": 1}))
                assert (await received(client))["reason"] == "epoch_changed"

    asyncio.run(run())


def test_the_core_of_the_readme_serves_the_events_of_its_own_function() -> None:
    readme = (pathlib.Path(__file__).parents[2] / "README.md").read_text(encoding="utf-8")
    block = next(text for text in re.findall(r"```python\n(.*?)```", readme, flags=re.S) if "create_app(" in text)
    names: dict = {}
    before = set_websocket_manager_factory(None)

    async def run() -> None:
        exec(block, names)
        secret = names["app"].state.service.settings.jwt_secret
        user, thread, run_id = "5f1c0a3e-user", "0d1be7c2-thread", "9b2f6e11-run"
        signed = jwt.encode({"sub": user, "exp": time.time() + 60}, secret, "HS256")
        async with running(app=names["app"]) as server:
            async with server.connect(additional_headers={"Authorization": f"Bearer {signed}"}) as client:
                assert (await received(client))["type"] == "connection_established"
                await names["answer"](user, thread, run_id)
                events = [await received(client) for _ in range(2)]
        assert [(e["type"], e["run_id"], e["seq"]) for e in events] == [
            ("agent_started", run_id, 1),
            ("agent_completed", run_id, 2),
        ]

    try:
        asyncio.run(run())
    finally:
        set_websocket_manager_factory(before)


def test_tokens_come_by_header_subprotocol_or_first_message() -> None:
    async def run() -> None:
        async with running() as server:
            async with server.connect(subprotocols=[f"jwt.{token('p')}"]) as client:
                assert (await received(client))["user_id"] == "p"
            async with server.connect(subprotocols=[f"jwt.{token('q')}", "app.v1"]) as client:
                assert (await received(client))["user_id"] == "q"
                assert client.subprotocol == "app.v1"  # the token is not sent back where a plain one was offered
            async with server.connect() as client:
                await client.send(json.dumps({"type": "authenticate", "token": token("m")}))
                assert (await received(client))["user_id"] == "m"

    asyncio.run(run())


def test_who_is_not_let_in_sees_403_or_1008() -> None:
    async def run() -> None:
        async with running(handshake_timeout=0.2) as server:
            for options in (
                {"additional_headers": {"Authorization": "Bearer nonsense"}},
                {"additional_headers": bearer(seconds=-3600)},
                {"additional_headers": {**bearer(), "Origin": "https://evil.example"}},
            ):
                with pytest.raises(InvalidStatus) as caught:
                    await server.connect(**options)
                assert caught.value.response.status_code == 403
            with pytest.raises(InvalidStatus):
                await server.connect(f"?token={token()}")
            async with server.connect() as client:
                await client.send("not json")
                assert (await closed(client))[0] == 1008
            async with server.connect() as client:
                assert await closed(client) == (1008, "no authentication within 0.2 s")
            assert server.service.authenticator.stats.failures == 5

    asyncio.run(run())


def test_expiry_closes_the_connection_with_4401() -> None:
    async def run() -> None:
        async with running() as server, server.connect(additional_headers=bearer(seconds=1.5)) as client:
            assert await closed(client) == (4401, "token has expired; authenticate again")

    asyncio.run(run())


def test_malformed_messages_are_answered_then_closed() -> None:
    async def run() -> None:
        async with running(malformed_limit=3) as server:
            async with server.connect(additional_headers=bearer()) as client:
                await received(client)
                for text in ("{broken", "[1, 2]"):
                    await client.send(text)
                    assert await received(client) == {
                        "type": "error",
                        "code": "malformed",
                        "message": "send a JSON object with a string 'type'",
                    }
                await client.send('{"type": 7}')
                assert await closed(client) == (1008, "3 malformed messages")
            async with server.connect(additional_headers=bearer()) as client:
                await client.send(b"binary")
                assert await closed(client) == (1003, "only text messages are understood")
            async with server.connect(additional_headers=bearer()) as client:
                await client.send("x" * 100_000)
                assert (await closed(client))[0] == 1009
            assert server.factory.stats()["connections"] == 0

    asyncio.run(run())


def test_too_many_messages_close_with_1008() -> None:
    async def run() -> None:
        async with running(messages_per_minute=5) as server:
            async with server.connect(additional_headers=bearer()) as client:
                for _ in range(7):
                    await client.send('{"type": "ping"}')
                assert await closed(client) == (1008, "more than 5 messages in a minute")

    asyncio.run(run())


def test_a_failing_handler_closes_that_connection_alone_after_freeing_it(caplog) -> None:
    states = []

    async def handle(manager, connection, message) -> None:
        if message["type"] == "fail":
            raise RuntimeError("handler")
        await connection.send_direct({"type": "echo", "n": message["n"]})

    async def run() -> None:
        async with running(on_message=handle) as server:
            async with server.connect(additional_headers=bearer()) as one:
                async with server.connect(additional_headers=bearer()) as two:
                    await received(one)
                    await received(two)
                    await one.send('{"type": "fail"}')
                    assert await closed(one) == (1011, "internal error")
                    states.append(server.factory.stats()["connections"])
                    await two.send('{"type": "echo", "n": 5}')
                    assert await received(two) == {"type": "echo", "n": 5}

    asyncio.run(run())
    assert states == [1]
    assert "handler failed" in caplog.text


def test_small_talk() -> None:
    async def run() -> None:
        async with running() as server:
            async with server.connect("?thread=one", additional_headers=bearer()) as client:
                assert (await received(client))["thread_id"] == "one"
                await client.send('{"type": "ping"}')
                assert (await received(client))["type"] == "pong"
                await client.send('{"type": "resume"}')
                assert (await received(client))["message"] == "resume needs 'epoch' (string) and 'seq' (number)"
                await client.send('{"type": "select_thread", "thread_id": "two"}')
                await client.send('{"type": "unheard"}')
                assert (await received(client))["code"] == "unknown_type"
                await server.manager().send_to_thread("one", {"type": "note", "n": 1})
                await server.manager().send_to_thread("two", {"type": "note", "n": 2})
                assert (await received(client))["n"] == 2

    asyncio.run(run())


def test_a_thread_that_has_no_end_is_refused() -> None:
    async def run() -> None:
        async with running() as server:
            reason = "a thread ID has more than 1000 characters"
            async with server.connect(f"?thread={'t' * 1001}", additional_headers=bearer()) as client:
                assert await closed(client) == (1008, reason)
            assert server.factory.stats()["connections_opened"] == 0
            async with server.connect(f"?thread={'t' * 1000}", additional_headers=bearer()) as client:
                assert (await received(client))["thread_id"] == "t" * 1000
                await client.send(json.dumps({"type": "select_thread", "thread_id": "t" * 1001}))
                assert await closed(client) == (1008, reason)

    asyncio.run(run())


def test_over_the_limit_is_1013_and_the_others_stay() -> None:
    async def run() -> None:
        async with running(limits=Limits(connections_per_user=1)) as server:
            async with server.connect(additional_headers=bearer()) as first:
                await received(first)
                async with server.connect(additional_headers=bearer()) as second:
                    code, reason = await closed(second)
                    assert code == 1013 and reason.startswith("limit of 1 connections for user 'u' is reached")
                await server.manager().send({"type": "still"})
                assert (await received(first))["type"] == "still"

    asyncio.run(run())


def test_drain_closes_with_1001_and_leaves_nothing_running() -> None:
    async def run() -> None:
        async with running() as server:
            clients = [await server.connect(additional_headers=bearer(f"u{n}")) for n in range(5)]
            for client in clients:
                await received(client)
            drain = asyncio.ensure_future(server.service.drain())
            for client in clients:
                assert await closed(client) == (1001, "server is shutting down")
            await drain
            assert server.factory.stats()["connections"] == 0
            with pytest.raises(InvalidStatus):
                await server.connect(additional_headers=bearer())
            async with httpx.AsyncClient() as web:
                assert (await web.get(f"http://{server.address}/readyz")).status_code == 503

    asyncio.run(run())


def test_health_readiness_and_metrics() -> None:
    async def run() -> None:
        async with running() as server, server.connect(additional_headers=bearer()) as client:
            await received(client)
            await server.manager().send({"type": "note"})
            await received(client)
            async with httpx.AsyncClient(base_url=f"http://{server.address}") as web:
                assert (await web.get("/healthz")).json() == {"status": "alive"}
                ready = await web.get("/readyz")
                assert (ready.status_code, ready.json()["connections"]["used"]) == (200, 1)
                metrics = await web.get("/metrics")
            pytest.importorskip("prometheus_client", reason="prometheus-client is in the prometheus extra")
            assert metrics.status_code == 200
            lines = metrics.text.splitlines()
            assert "compat_websocket_connections 1.0" in lines
            assert "compat_websocket_events_sent_total 2.0" in lines
            assert 'compat_websocket_authentications_total{outcome="accepted"} 1.0' in lines

    asyncio.run(run())


def test_the_application_is_mountable_under_a_plain_uvicorn_without_its_lifespan() -> None:
    """FastAPI's applications are Starlette's; a mounted application is not told of start and end."""
    import uvicorn
    from starlette.applications import Starlette
    from starlette.routing import Mount

    async def run() -> None:
        inner = create_app(Settings(jwt_secret=SECRET, environment="test"))
        listener = listen("127.0.0.1", 0, 10)
        address = f"127.0.0.1:{listener.getsockname()[1]}"
        server = uvicorn.Server(
            uvicorn.Config(Starlette(routes=[Mount("/chat", inner)]), ws="websockets-sansio", log_level="warning")
        )
        serving = asyncio.ensure_future(server.serve(sockets=[listener]))
        async with websockets.connect(f"ws://{address}/chat/ws", additional_headers=bearer()) as client:
            assert (await received(client))["type"] == "connection_established"
            await client.send('{"type": "ping"}')
            assert (await received(client))["type"] == "pong"
            async with httpx.AsyncClient() as web:
                assert (await web.get(f"http://{address}/chat/healthz")).json() == {"status": "alive"}
            await inner.state.service.drain()
            assert await closed(client) == (1001, "server is shutting down")
        server.should_exit = True
        await serving
        listener.close()

    asyncio.run(run())


def test_it_is_mountable_in_fastapi_with_routes_of_its_own_beside_it(caplog) -> None:
    fastapi = pytest.importorskip("fastapi", reason="fastapi is in the test group")
    import uvicorn

    async def run() -> None:
        inner = create_app(Settings(jwt_secret=SECRET, environment="test"))
        service = inner.state.service

        @contextlib.asynccontextmanager
        async def lifespan(app):
            await service.start()
            yield
            await service.drain()

        outer = fastapi.FastAPI(lifespan=lifespan)

        @outer.post("/notify/{user}")
        async def notify(user: str) -> dict[str, int]:
            from types import SimpleNamespace

            delivery = await service.factory.get(SimpleNamespace(user_id=user)).send({"type": "note"})
            return {"receivers": delivery.receivers}

        outer.mount("/chat", inner)
        listener = listen("127.0.0.1", 0, 10)
        address = f"127.0.0.1:{listener.getsockname()[1]}"
        server = uvicorn.Server(uvicorn.Config(outer, ws="websockets-sansio", log_level="info"))
        serving = asyncio.ensure_future(server.serve(sockets=[listener]))
        async with websockets.connect(f"ws://{address}/chat/ws", additional_headers=bearer()) as client:
            await received(client)
            async with httpx.AsyncClient(base_url=f"http://{address}") as web:
                assert (await web.post("/notify/u")).json() == {"receivers": 1}
                assert (await web.get("/chat/readyz")).status_code == 200
            assert (await received(client))["type"] == "note"
            with pytest.raises(InvalidStatus):
                await websockets.connect(f"ws://{address}/chat/ws?token={token()}")
        server.should_exit = True
        await serving
        listener.close()
        assert service.draining and service.factory.stats()["managers"] == 0
        assert asyncio.all_tasks() == {asyncio.current_task()}

    caplog.set_level(logging.INFO)
    asyncio.run(run())
    assert "eyJ" not in "\n".join(r.getMessage() for r in caplog.records if not r.name.startswith("websockets"))


def test_the_command_serves_until_sigterm_then_says_1001_and_exits_with_nothing_said_of_tokens() -> None:
    environ = {**os.environ, "JWT_SECRET_KEY": SECRET, "ENVIRONMENT": "test", "COMPAT_TELEMETRY": "memory"}
    with subprocess.Popen(
        [sys.executable, "-m", "compat", "serve-ws", "--host", "127.0.0.1", "--port", "0", "--log-level", "debug"],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        env=environ,
    ) as process:
        try:
            lines = []
            while not lines or not lines[-1].startswith("listening on "):
                lines.append(process.stdout.readline())
                assert lines[-1], "".join(lines)
            url = lines[-1].split()[-1]

            async def run() -> None:
                with pytest.raises(InvalidStatus):
                    await websockets.connect(f"{url}?token={token()}")
                async with websockets.connect(url, additional_headers=bearer()) as client:
                    await received(client)
                    process.send_signal(signal.SIGTERM)
                    assert await closed(client) == (1001, "server is shutting down")

            asyncio.run(run())
            said, _ = process.communicate(timeout=30)
        finally:
            process.kill()
    assert process.returncode in (0, -signal.SIGTERM), said  # uvicorn raises the signal again once all is closed
    assert "eyJ" not in said and SECRET not in said and "Traceback" not in said


def test_an_address_that_keeps_failing_is_refused_for_a_while_and_who_holds_a_good_token_there_is_not() -> None:
    async def run() -> None:
        async with running(failure_limit=3) as server:
            for _ in range(4):
                with pytest.raises(InvalidStatus) as caught:
                    await server.connect(additional_headers={"Authorization": f"Bearer {token()}x"})
                assert caught.value.response.status_code == 403
            assert server.service.authenticator.stats.snapshot()["rejections"] == {"signature": 3, "rate_limited": 1}
            async with server.connect(additional_headers=bearer()) as client:
                assert (await received(client))["type"] == "connection_established"

    asyncio.run(run())


def test_no_token_reaches_the_log(caplog) -> None:
    caplog.set_level(logging.DEBUG)
    # The client's own log is not the server's.
    for name in ("websockets.client", "httpcore", "httpx"):
        logging.getLogger(name).setLevel(logging.WARNING)

    async def run() -> None:
        async with running(log_level="debug") as server:
            bad = token("secret-user", -3600)
            for query, headers in ((f"?token={token()}", {}), ("", {"Authorization": f"Bearer {bad}"})):
                with pytest.raises(InvalidStatus):
                    await server.connect(query, additional_headers=headers)
            async with server.connect(subprotocols=[f"jwt.{token()}"]) as client:
                await received(client)

    asyncio.run(run())
    ours = "\n".join(r.getMessage() for r in caplog.records if not r.name.startswith("websockets"))
    assert "eyJ" not in ours and SECRET not in ours


def stalled_client(port: int) -> socket.socket:
    """Open a WebSocket whose owner never reads."""
    link = socket.socket()
    link.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    link.connect(("127.0.0.1", port))
    key = base64.b64encode(os.urandom(16)).decode()
    link.sendall(
        f"GET /ws HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"
        f"Sec-WebSocket-Key: {key}\r\nAuthorization: Bearer {token('stalled')}\r\n\r\n".encode()
    )
    return link


def held_by_the_kernel(port: int, peer_port: int) -> bool:
    """Say whether the kernel holds a socket for the server's side of a connection, a process' or nobody's any more.

    What stands for a closed connection with nothing left to send (FIN-WAIT-2, TIME-WAIT) has neither socket nor buffers.
    """
    with open("/proc/net/tcp") as table:
        rows = [line.split() for line in table][1:]
    ends = (f":{port:04X}", f":{peer_port:04X}")
    states = [(row[3], row[4]) for row in rows if row[1].endswith(ends[0]) and row[2].endswith(ends[1])]
    return any(state not in ("05", "06") or not queues.startswith("00000000:") for state, queues in states)


@pytest.mark.slow
@pytest.mark.skipif(not os.path.exists("/proc/net/tcp"), reason="the kernel's table of connections is Linux's")
@pytest.mark.parametrize("cause", ["outbox", "heartbeat", "kernel"])
def test_a_client_that_stops_reading_is_evicted_its_socket_freed_and_nobody_waits(cause, eventually) -> None:
    """Events that do not leave, pings that nobody answers; and, under a protocol that cannot abort, the kernel's own limit."""
    limits = Limits(send_timeout=0.5 if cause == "outbox" else 60, close_timeout=0.3)
    options = {
        "outbox": {"stall_timeout": 300, "heartbeat_interval": 60},
        "heartbeat": {"stall_timeout": 300, "heartbeat_interval": 0.5, "heartbeat_timeout": 2.5},
        "kernel": {"stall_timeout": 0.5, "heartbeat_interval": 60, "protocol": "websockets-sansio"},
    }[cause]

    async def run() -> None:
        async with running(limits=limits, **options) as server:
            loop = asyncio.get_running_loop()
            link = await loop.run_in_executor(None, stalled_client, server.settings.port)
            peer = link.getsockname()[1]
            stalled = server.manager("stalled")
            await eventually(lambda: stalled.is_connected, "the connection")
            async with server.connect(additional_headers=bearer("reader")) as reader:
                await received(reader)
                if cause != "heartbeat":
                    # Fill the kernel's buffers and the transport's, then the outbox.
                    connection = next(iter(stalled.connections.values()))
                    while not connection.writing and connection.active:
                        await stalled.send({"type": "flood", "text": "x" * 60_000})
                        await asyncio.sleep(0)
                    await stalled.send({"type": "agent_completed"})
                await server.manager("reader").send({"type": "note"})
                assert (await received(reader))["type"] == "note"
                await eventually(lambda: not stalled.is_connected, "eviction from the manager")
                gone = time.monotonic()
                await eventually(lambda: not held_by_the_kernel(server.settings.port, peer), "release of the kernel's buffers")
                assert time.monotonic() - gone < 5
                assert server.factory.stats()["connections"] == 1
                assert server.factory.stats()["evicted"] == (cause == "outbox")
                if cause != "heartbeat":
                    assert "agent_completed" in {e.type for e in stalled.undelivered()}
            link.close()

    asyncio.run(run())


def test_a_port_that_is_taken_is_an_error_of_one_line(capsys, monkeypatch) -> None:
    with listen("127.0.0.1", 0, 1.0) as taken:
        port = taken.getsockname()[1]
        monkeypatch.setattr(Settings, "from_environ", classmethod(lambda cls, **changes: Settings(jwt_secret=SECRET, **changes)))
        assert main(["--port", str(port), "--log-level", "critical"]) == 2
    assert capsys.readouterr().err.startswith("error: [Errno 98]")


def test_settings_that_cannot_be_used_are_an_error_of_one_line(capsys, monkeypatch) -> None:
    def refuse(**changes: object) -> Settings:
        raise SettingsError(["port is odd"])

    monkeypatch.setattr(Settings, "from_environ", refuse)
    assert main([]) == 2
    assert capsys.readouterr().err == "error: settings cannot be used: port is odd\n"
