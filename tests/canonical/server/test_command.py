"""The command: what cannot be used is one line and exit code 2; an application of one's own is served with the core's protocol."""

from __future__ import annotations

import asyncio
import json
import os
import pathlib
import re
import socket
import subprocess
import sys
import time

import pytest

for module in ("starlette", "uvicorn", "websockets", "jwt", "redis"):
    pytest.importorskip(module, reason=f"{module} is in the server extra")

# ruff: noqa: E402

import jwt
import websockets

from compat.canonical.close_codes import table

ROOT = pathlib.Path(__file__).parents[3]
SECRET = "a secret of at least thirty-two bytes"
SERVE = [sys.executable, "-m", "compat.canonical.server.serve", "--port", "0", "--log-level", "warning"]


def environment(**variables: str) -> dict[str, str]:
    kept = {
        name: value for name, value in os.environ.items() if not name.startswith(("COMPAT_WS_", "JWT_", "REDIS_", "ALLOWED_"))
    }
    return {**kept, "ENVIRONMENT": "test", "COMPAT_TELEMETRY": "memory", "COMPAT": "off", **variables}


def port_of_nobody() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


@pytest.mark.parametrize(
    ("variables", "said"),
    [
        ({}, r"error: settings cannot be used: nobody can be let in: set JWT_SECRET_KEY or JWT_JWKS"),
        ({"JWT_SECRET_KEY": "short"}, r"error: settings cannot be used: JWT_SECRET_KEY is shorter than 32 bytes"),
        ({"JWT_JWKS": "{}"}, r"error: settings cannot be used: a JSON Web Key Set is an object with a list under 'keys'"),
        (
            {"JWT_SECRET_KEY": SECRET, "REDIS_URL": "redis://host:x/0"},
            r"error: settings cannot be used: REDIS_URL cannot be used: Port could not be cast to integer value as 'x'",
        ),
        (
            {"JWT_SECRET_KEY": SECRET, "REDIS_URL": "redis://127.0.0.1:{port}/0"},
            r"error: Redis does not answer: Error \d+ connecting to 127.0.0.1:\d+. .*",
        ),
        (
            {"JWT_SECRET_KEY": SECRET, "REDIS_URL": "redis://127.0.0.1:1/0?socket_timeout=soon"},
            r"error: settings cannot be used: REDIS_URL cannot be used: Invalid value for 'socket_timeout' in connection URL.",
        ),
        ({"JWT_SECRET_KEY": SECRET, "COMPAT_WS_PORT": "x"}, r"error: settings cannot be used: COMPAT_WS_PORT is 'x'; .*"),
        (
            {"JWT_SECRET_KEY": SECRET, "COMPAT_WS_HEARTBEAT_INTERVAL": "nan"},
            r"error: settings cannot be used: heartbeat_interval is nan; it must be greater than 0",
        ),
    ],
)
def test_variables_that_cannot_be_used_are_one_line_and_exit_code_2(variables, said) -> None:
    named = {name: value.replace("{port}", str(port_of_nobody())) for name, value in variables.items()}
    done = subprocess.run(SERVE, capture_output=True, text=True, timeout=60, env=environment(**named))
    assert (done.returncode, done.stdout) == (2, ""), done.stderr
    assert re.fullmatch(said, done.stderr.strip()), done.stderr


@pytest.mark.parametrize("name", ["nothing", "nothing:app", "json:nothing"])
def test_an_application_that_is_not_there_is_one_line_and_exit_code_2(name) -> None:
    done = subprocess.run([*SERVE, "--app", name], capture_output=True, text=True, timeout=60, env=environment())
    assert (done.returncode, done.stderr.count("\n")) == (2, 1)
    assert done.stderr.startswith(f"error: --app {name}: ")


def test_an_application_of_ones_own_is_served_with_the_cores_protocol(tmp_path) -> None:
    (tmp_path / "service.py").write_text(
        "from compat.canonical import Settings, create_app\n"
        "async def on_message(manager, connection, message):\n"
        "    await manager.emit('agent_completed', {'answer': message['n'] * 2})\n"
        f"app = create_app(Settings(jwt_secret={SECRET!r}, environment='test'), on_message=on_message)\n"
    )
    with subprocess.Popen(
        [*SERVE, "--app", "service:app"], cwd=tmp_path, stdout=subprocess.PIPE, text=True, env=environment()
    ) as process:
        try:
            url = process.stdout.readline().split()[-1]

            async def run() -> None:
                token = jwt.encode({"sub": "u", "exp": time.time() + 60}, SECRET, "HS256")
                async with websockets.connect(url, additional_headers={"Authorization": f"Bearer {token}"}) as client:
                    await client.recv()
                    await client.send('{"type": "ask", "n": 21}')
                    assert json.loads(await asyncio.wait_for(client.recv(), 20))["answer"] == 42
                    assert "Sec-WebSocket-Extensions" not in client.response.headers

            asyncio.run(run())
        finally:
            process.terminate()
    assert process.wait(20) is not None


def test_a_head_that_does_not_end_is_cut_off_from_the_first_byte_on(running) -> None:
    async def run() -> None:
        async with running(handshake_timeout=0.4) as server:
            links = [socket.create_connection(("127.0.0.1", server.settings.port)) for _ in range(20)]
            for number, link in enumerate(links):
                link.settimeout(20)
                if number % 2:
                    link.sendall(b"GET /healthz HTTP/1.1\r\nHost: x\r\nX-Slow: ")
            loop = asyncio.get_running_loop()

            def rest_of(link: socket.socket) -> bytes:
                try:
                    return link.recv(1)
                except ConnectionError:
                    return b""

            assert await asyncio.gather(*(loop.run_in_executor(None, rest_of, link) for link in links)) == [b""] * 20
            for link in links:
                link.close()
            async with server.connect() as client:
                await client.recv()
                await asyncio.sleep(1.0)  # an open WebSocket has its head behind it
                await client.send('{"type": "ping"}')
                assert json.loads(await client.recv())["type"] == "pong"

    asyncio.run(run())


def test_the_close_codes_of_the_documents_are_those_of_the_code() -> None:
    page = (ROOT / "docs" / "reference" / "core.md").read_text(encoding="utf-8")
    assert table() in page
