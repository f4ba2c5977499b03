"""Managers as legacy code makes them, over this process's factory, and real sockets with a client at the other end."""

from __future__ import annotations

import asyncio
import contextlib
import json
import queue
import threading
from collections.abc import Iterator
from datetime import datetime, timezone
from socket import SHUT_RDWR
from typing import Any, Callable

import pytest

import compat
from compat.canonical.factory import WebSocketManagerFactory, set_websocket_manager_factory
from compat.netra import testing_mode
from compat.netra.ledger import LEDGER


@pytest.fixture(autouse=True)
def served(monkeypatch: pytest.MonkeyPatch) -> Any:
    """The shipped ledger is served, testing mode is off, and this process's factory is a new one."""
    monkeypatch.setattr(testing_mode, "_enabled", False)
    monkeypatch.delenv("COMPAT_TESTING", raising=False)
    monkeypatch.delenv("ENVIRONMENT", raising=False)
    before = set_websocket_manager_factory(WebSocketManagerFactory())
    with compat.install(LEDGER):
        yield
    set_websocket_manager_factory(before)


@pytest.fixture
def testing(monkeypatch: pytest.MonkeyPatch) -> None:
    """Testing mode, as ported legacy tests run in it."""
    monkeypatch.setenv("COMPAT_TESTING", "1")
    monkeypatch.setattr(testing_mode, "_enabled", True)


@pytest.fixture
def production(monkeypatch: pytest.MonkeyPatch) -> None:
    """The process says that it runs in production: testing mode cannot be turned on."""
    monkeypatch.setenv("COMPAT_TESTING", "1")
    monkeypatch.setenv("ENVIRONMENT", "production")


@pytest.fixture
def manager() -> Any:
    """A manager for everybody, as it was before there were contexts."""
    from compat.netra.adapters.managers.websocket_manager import SharedWebSocketManager

    return SharedWebSocketManager()


END = "what comes after is not asked for"


class Wires:
    """Sockets over loopback: the server's ends are handed out, their clients asked what they have received."""

    def __init__(self) -> None:
        self._accepted: queue.Queue[Any] = queue.Queue()
        self._clients: dict[int, Any] = {}
        self._server: Any = None
        self._stack = contextlib.ExitStack()

    def socket(self) -> Any:
        """The server's end of a new connection."""
        client_of, server_of = (pytest.importorskip(f"websockets.sync.{side}") for side in ("client", "server"))
        if self._server is None:
            self._server = server_of.serve(self._serve, "127.0.0.1", 0, ping_interval=None)
            threading.Thread(target=self._server.serve_forever, daemon=True).start()
        client = self._stack.enter_context(
            client_of.connect(f"ws://127.0.0.1:{self._server.socket.getsockname()[1]}", ping_interval=None)
        )
        end = self._accepted.get(timeout=20)
        self._clients[id(end)] = (end, client)
        return end

    def _serve(self, end: Any) -> None:
        self._accepted.put(end)
        for _ in end:
            pass  # what the client says; the end of the connection ends it

    def got(self, end: Any) -> list[Any]:
        """What the client has received so far and was not asked for before."""
        _, client = self._clients[id(getattr(end, "websocket", end))]
        end = getattr(end, "websocket", end)
        received: list[Any] = []
        try:
            end.send(json.dumps(END))
            while not received or received[-1] != END:
                received.append(json.loads(client.recv(timeout=20)))
        except _closed():
            return received
        return received[:-1]

    def closed_with(self, end: Any) -> tuple[int, str] | None:
        """The close frame that the client has got; None while the connection is open."""
        end = getattr(end, "websocket", end)
        _, client = self._clients[id(end)]
        try:
            end.send(json.dumps(END))
        except _closed():
            return client.protocol.close_code, client.protocol.close_reason
        return None

    def cut(self, end: Any) -> None:
        """End a connection without a word to whoever sends through it."""
        end = getattr(end, "websocket", end)
        end.close()

    def close(self) -> None:
        """End every connection and the server."""
        for ends in self._clients.values():
            for end in ends:
                with contextlib.suppress(OSError):  # a client that was not asked has not read: no handshake would end
                    end.socket.shutdown(SHUT_RDWR)
        self._stack.close()
        if self._server is not None:
            self._server.shutdown()


def _closed() -> type[Exception]:
    found: type[Exception] = pytest.importorskip("websockets").ConnectionClosed
    return found


@pytest.fixture
def wires() -> Iterator[Wires]:
    made = Wires()
    yield made
    made.close()


@pytest.fixture
def socket(wires: Wires) -> Callable[[], Any]:
    """``socket()``: the server's end of a new connection over loopback."""
    return wires.socket


@pytest.fixture
def got(wires: Wires) -> Callable[[Any], list[Any]]:
    """``got(socket or record)``: what its client has received since it was asked last."""
    return wires.got


@pytest.fixture
def connection(request: pytest.FixtureRequest) -> Callable[..., Any]:
    """``connection(user, number)``: a record over a socket of its own."""

    def make(user_id: str = "user_1", number: int = 1, **more: Any) -> Any:
        from netra_backend.app.websocket_core.unified_manager import WebSocketConnection

        return WebSocketConnection(
            connection_id=more.pop("connection_id", f"conn_{number}"),
            user_id=user_id,
            websocket=more.pop("websocket", None) or request.getfixturevalue("wires").socket(),
            connected_at=more.pop("connected_at", datetime.now(timezone.utc)),
            **more,
        )

    return make


@pytest.fixture
def run() -> Callable[[Any], Any]:
    return asyncio.run
