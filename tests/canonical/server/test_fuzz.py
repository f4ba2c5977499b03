"""Whatever comes through a door is answered with its code, is counted, and costs nobody else anything."""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
import string
import time
from typing import Any

import pytest

for module in ("starlette", "uvicorn", "websockets", "jwt", "httpx", "hypothesis"):
    pytest.importorskip(module, reason=f"{module} is in the server extra or the test group")

# ruff: noqa: E402

import httpx
import jwt
import websockets
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from compat.canonical import Settings, SettingsError
from compat.canonical.auth import Authenticator, KeySet, TokenRejected, verify_token
from compat.canonical.server.conversation import parse, position

pytestmark = pytest.mark.once

SECRET = "a secret of at least thirty-two bytes"
TOKENS = {"internal_token": "internal", "broadcast_token": "everybody"}
quick = settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck), derandomize=True, database=None)

names = st.sampled_from(
    ["type", "user_id", "thread_id", "message", "exclude", "token", "epoch", "seq", "ack", "code", "reason", "seconds",
     "token_id", "connection_id", "n", ""]
)  # fmt: skip
leaves = (
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20)
    | st.sampled_from(["u", "resume", "ping", "pong", "select_thread", "authenticate", "\ud800", "\0", "x" * 1001, 10**400, -0.0])
)  # fmt: skip
values = st.recursive(
    leaves, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(names, inner, max_size=5), max_leaves=12
)
objects = st.dictionaries(names, values, max_size=7)


def collected(strategy: Any, many: int) -> list[Any]:
    """So many values, always the same: a server is too dear to be started for each."""
    found: list[Any] = []

    @settings(max_examples=many, deadline=None, suppress_health_check=list(HealthCheck), derandomize=True, database=None)
    @given(strategy)
    def collect(value: Any) -> None:
        found.append(value)

    collect()
    return found


@pytest.fixture
def quiet(caplog: pytest.LogCaptureFixture) -> Any:
    """Nothing that comes from outside may be a failure of the server's own."""
    caplog.set_level(logging.WARNING)
    yield
    loud = [record for record in caplog.records if record.levelno >= logging.ERROR and record.name.startswith("compat")]
    assert [record.getMessage() for record in loud] == []


def test_any_json_that_a_client_says_is_answered_and_only_too_much_of_it_ends_its_connection(running, client_of, quiet) -> None:
    said = collected(objects | values, 150)

    async def run() -> None:
        many = {"messages_per_minute": 10**6, "malformed_limit": 10**6, "failure_limit": 0}
        async with running(**many) as server, server.connect(user="witness") as calm:
            witness = client_of(calm)
            await witness.hear()
            codes = set()
            link = await server.connect()
            for message in said:
                await link.send(json.dumps(message))
                await link.send('{"type": "ping", "last": true}')
                while True:
                    try:
                        answer = json.loads(await asyncio.wait_for(link.recv(), 20))
                    except websockets.ConnectionClosed as closed:
                        assert closed.rcvd is not None and closed.rcvd.code == 1008, (message, closed)
                        codes.add(1008)
                        link = await server.connect()
                        break
                    if answer["type"] == "error":
                        codes.add(answer["code"])
                    elif answer["type"] == "pong":
                        break
                    else:
                        assert answer["type"] in ("connection_established", "ack", "resync"), (message, answer)
                if isinstance(message, dict) and message.get("type") == "ping":
                    await asyncio.wait_for(link.recv(), 20)
            await link.close()
            assert {"malformed"} <= codes <= {"malformed", "unknown_type", "unauthorized", 1008}
            counted = sum(count for (door, _), count in server.service.refusals.items() if door == "message")
            assert counted >= len(said) // 2
            await witness.say(type="ping")
            assert (await witness.hear())["type"] == "pong"
            assert server.service.health()["healthy"]

    asyncio.run(run())


def test_any_bytes_end_their_own_connection_at_most(running, client_of, quiet) -> None:
    pieces = collected(st.binary(min_size=1, max_size=300), 60)

    async def run() -> None:
        async with running() as server, server.connect(user="witness") as calm:
            witness = client_of(calm)
            await witness.hear()
            key = "dGhlIHNhbXBsZSBub25jZQ=="
            for number, piece in enumerate(pieces):
                reader, writer = await asyncio.open_connection("127.0.0.1", server.settings.port)
                bearer = jwt.encode({"sub": "u", "exp": time.time() + 60}, SECRET)
                head = (
                    f"GET /ws HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"
                    f"Sec-WebSocket-Key: {key}\r\nAuthorization: Bearer {bearer}\r\n\r\n"
                )
                if number % 4:
                    writer.write(head.encode())
                    assert b" 101 " in await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), 20)
                writer.write(piece)
                writer.write_eof()
                await asyncio.wait_for(reader.read(), 20)
                writer.close()
            await witness.say(type="ping")
            assert (await witness.hear())["type"] == "pong"
            while server.factory.stats()["connections"] > 1:
                await asyncio.sleep(0.01)

    asyncio.run(run())


def test_any_body_through_any_door_has_a_status_of_its_own(running, client_of, quiet) -> None:
    bodies = [json.dumps(value).encode() for value in collected(objects, 80)] + collected(st.binary(max_size=100), 30)
    # What is nearly right goes further in.
    for value in collected(values, 25):
        for name in ("user_id", "thread_id", "message", "exclude", "code", "reason", "seconds", "token_id"):
            near = {"user_id": "u", "message": {"type": "x"}} if name in ("thread_id", "message") else {"message": {"type": "x"}}
            near = {"user_id": "nobody"} if name in ("code", "reason", "seconds") else near
            bodies.append(json.dumps({**near, name: value}).encode())

    async def run() -> None:
        async with running(**TOKENS) as server, server.connect(user="witness") as calm:
            witness = client_of(calm)
            await witness.hear()
            async with httpx.AsyncClient(base_url=f"http://{server.address}", timeout=20, verify=False) as web:
                counts = {200: 0, 400: 0}
                for number, body in enumerate(bodies):
                    path = ("/publish", "/broadcast", "/disconnect", "/revoke")[number % 4]
                    bearer = "everybody" if path == "/broadcast" else "internal"
                    answer = await web.post(path, content=body, headers={"Authorization": f"Bearer {bearer}"})
                    assert answer.status_code in counts, (path, body, answer.text)
                    counts[answer.status_code] += 1
                    assert answer.status_code == 200 or set(answer.json()) == {"error"}
                assert server.service.refusals["http", "400"] == counts[400]
                assert min(counts.values()) > 0
                for query in collected(st.text(max_size=30), 30):
                    answer = await web.get("/connections", params={"limit": query}, headers={"Authorization": "Bearer internal"})
                    assert answer.status_code in (200, 400), (query, answer.text)
                assert (await web.get("/readyz")).status_code == 200

    asyncio.run(run())


@quick
@given(objects, st.sampled_from(["sub", "exp", "iat", "nbf", "jti", "aud", "iss"]), values)
def test_any_claims_are_accepted_or_rejected_with_a_reason(claims: Any, name: str, value: Any) -> None:
    claims = {"sub": "u", "exp": time.time() + 60, **claims, name: value}
    try:
        token = jwt.api_jws.encode(json.dumps(claims).encode(), SECRET, "HS256")
    except (ValueError, TypeError):
        return
    authenticator = Authenticator(KeySet.shared_secret(SECRET))
    try:
        read = verify_token(token, authenticator.keys, authenticator.rules)
    except TokenRejected as refusal:
        assert refusal.reason and str(refusal).isprintable()
    else:
        assert read["sub"].strip() and read["exp"] > time.time() - 60


@quick
@given(st.text(max_size=60) | st.binary(max_size=60))
def test_any_text_is_no_token(text: Any) -> None:
    authenticator = Authenticator(KeySet.shared_secret(SECRET))
    with pytest.raises(TokenRejected) as caught:
        verify_token(text, authenticator.keys, authenticator.rules)
    assert caught.value.reason in ("no_token", "malformed", "algorithm", "too_large")


VARIABLES = [f"COMPAT_WS_{name.upper()}" for name in Settings.__dataclass_fields__ if name not in ("limits", "environment")]
VARIABLES += [f"COMPAT_WS_LIMIT_{name.upper()}" for name in Settings().limits.__dataclass_fields__]
VARIABLES += ["ENVIRONMENT", "JWT_SECRET_KEY", "JWT_JWKS", "JWT_ALGORITHMS", "ALLOWED_ORIGINS", "REDIS_URL"]
odd = st.text(max_size=12) | st.sampled_from(
    [
        "nan",
        "inf",
        "-1",
        "0",
        "1e400",
        "9" * 400,
        "redis://",
        "redis://[",
        "redis://h:x",
        "*",
        "none",
        "\u0661",
        "{}",
        "[]",
        "/",
        ",",
    ]
)


@quick
@given(st.dictionaries(st.sampled_from(VARIABLES), odd, min_size=1, max_size=4))
def test_any_variables_make_an_application_or_one_line(variables: Any) -> None:
    from compat.canonical import create_app
    from compat.canonical.factory import set_websocket_manager_factory

    set_websocket_manager_factory(None)
    try:
        create_app(Settings.from_environ(variables))
    except SettingsError as error:
        assert error.faults and str(error)


@quick
@given(st.text(alphabet=string.printable + "é\0\u2028", max_size=20))
def test_any_option_is_used_or_one_line(capsys_of_main: Any, text: str) -> None:
    for arguments in ([f"--host=\0{text}"], [f"--host=no such host {text}"], [f"--app=:{text}"], [f"--app=nothing.there.{text}"]):
        code, said = capsys_of_main([*arguments, "--port=0"])
        assert code == 2, (arguments, said)
        assert said.count("\n") == 1 and said.startswith("error: "), said


@pytest.fixture
def capsys_of_main(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Any:
    """Run the command and return its code and what it said."""
    from compat.canonical.server.serve import main

    monkeypatch.setenv("JWT_SECRET_KEY", SECRET)

    def run(arguments: list[str]) -> tuple[int, str]:
        capsys.readouterr()
        code = main(arguments)
        return code, capsys.readouterr().err

    return run


@quick
@given(objects)
def test_a_position_is_one_or_none(message: Any) -> None:
    found = position(message)
    assert found is None or (found.epoch == message["epoch"] and 0 <= found.seq < 2**53)


@quick
@given(st.text(max_size=200))
def test_a_text_is_a_message_or_none(text: str) -> None:
    message = parse(text)
    assert message is None or isinstance(message["type"], str)


#: What a client may put on the wire, and how it is refused.
FRAMES = {
    "not masked": (b"\x81\x05hello", "1002"),
    "reserved bit": (b"\xc1\x80\0\0\0\0", "1002"),
    "continuation of nothing": (b"\x80\x80\0\0\0\0", "1002"),
    "close of one byte": (b"\x88\x81\0\0\0\0x", "1002"),
    "not UTF-8": (b"\x81\x82\0\0\0\0\xc3\x28", "1007"),
    "binary": (b"\x82\x80\0\0\0\0", "1003"),
    "endless": (b"\x81\xff\x7f" + b"\xff" * 7 + b"\0\0\0\0", "1009"),
}


def test_each_frame_that_is_refused_is_counted_once_by_its_close_code(running, client_of, quiet) -> None:
    async def run() -> None:
        async with running() as server, server.connect(user="witness") as calm:
            witness = client_of(calm)
            await witness.hear()
            bearer = jwt.encode({"sub": "u", "exp": time.time() + 60}, SECRET)
            head = (
                f"GET /ws HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"
                f"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nAuthorization: Bearer {bearer}\r\n\r\n"
            ).encode()
            expected: dict[tuple[str, str], int] = {}
            for piece, code in FRAMES.values():
                reader, writer = await asyncio.open_connection("127.0.0.1", server.settings.port)
                writer.write(head)
                await asyncio.wait_for(reader.readuntil(b"connection_established"), 20)
                writer.write(piece)
                with contextlib.suppress(ConnectionResetError):
                    await asyncio.wait_for(reader.readuntil(b"\x88"), 20)
                writer.transport.abort()
                expected["connection", code] = expected.get(("connection", code), 0) + 1
            while server.factory.stats()["connections"] > 1:
                await asyncio.sleep(0.01)
            assert server.service.refusals == expected
            await witness.say(type="ping")
            assert (await witness.hear())["type"] == "pong"

    asyncio.run(run())
