"""A client for Python's asyncio, over ``websockets``: it comes back by itself, loses no event, and sees none twice."""

from __future__ import annotations

import asyncio
import contextlib
import importlib.util
import inspect
import json
import math
import random
import time
from collections.abc import Awaitable, Mapping
from typing import Any, Callable, Union
from urllib.parse import urlencode, urlsplit

from ..close_codes import LATER, LOST, NORMAL, STOP, TOKEN, advice
from ..core.events import Position
from ..core.logged import get_logger
from ..errors import CanonicalError, WebSocketComponentError

logger = get_logger(__name__)

TokenSource = Union[str, Callable[[], Union[str, Awaitable[str]]]]

_STABLE = 5.0  # seconds; a connection that lived as long ends a row of failures
_WINDOW = 8  # messages that may be unanswered at a time; the server takes sixteen by default
_WAITING = 1024  # messages that wait for whoever iterates; then nothing more is read


class ClientError(CanonicalError):
    """Why a message was not handled, or the client ended; ``code`` is the server's, or ``uncertain`` or ``closed``."""

    def __init__(self, code: str, message: str) -> None:
        self.code = code
        super().__init__(code, message)

    def __str__(self) -> str:
        return f"{self.code}: {self.args[1]}"


class Client:
    """One user's connection, which comes back with the position of the last event. Times are seconds.

    ``async with Client(url, token) as client`` connects, ``async for message in client`` yields each event once and in
    order; also ``resync``, after which the state is to be fetched anew, and what the server says without a number.
    The iteration ends with the client, and raises ClientError where a close code forbids to come back.

    Parameters
    ----------
    url:
        ``wss://example.com/ws``
    token:
        a JWT, or a function that gets one, async or not: called for each connection, and before the present one expires
    thread:
        shows one thread; None shows all
    position:
        continues after an event that was seen earlier
    heartbeat, patience:
        a connection is asked for a sign of life each ``heartbeat``, and given up where none comes within ``patience``
    min_delay, max_delay, later_delay:
        the n-th pause is random, up to ``min_delay * 2 ** n``, never above ``max_delay``; ``later_delay`` is added where the
        server says "later"
    attempts:
        how many attempts in a row may fail; None: any number
    on_lost:
        called with close code, reason, and the pause before the next attempt; None where there is none
    """

    def __init__(
        self,
        url: str,
        token: TokenSource = "",
        *,
        thread: str | None = None,
        position: Position | None = None,
        heartbeat: float = 20.0,
        patience: float = 10.0,
        min_delay: float = 0.5,
        max_delay: float = 30.0,
        later_delay: float = 2.0,
        attempts: int | None = None,
        on_lost: Callable[[int, str, float | None], None] | None = None,
    ) -> None:
        if urlsplit(url).scheme not in ("ws", "wss"):
            raise ValueError(f"{url!r} is no address of a WebSocket; write ws://host/ws or wss://host/ws")
        if importlib.util.find_spec("websockets") is None:
            raise WebSocketComponentError("the client needs websockets: pip install 'netra-compat[server]'")
        self.url, self.thread = url, thread
        self.position = position  #: of the last event that was yielded; give it to another client to continue
        self._token, self._heartbeat, self._patience = token, heartbeat, patience
        self._min_delay, self._max_delay, self._later_delay = min_delay, max_delay, later_delay
        self._attempts = math.inf if attempts is None else attempts
        self._on_lost = on_lost
        self._received = position
        self._is_dense = thread is None  # numbers follow each other
        self._held: dict[int, dict[str, Any]] | None = None  # by number, while missing events are sent again
        self._resuming = 0
        self._pending: dict[int, _Sent] = {}
        self._numbers = 0
        self._socket: Any = None  # once it has greeted
        self._greeted_at = 0.0
        self._refreshing: asyncio.Task[None] | None = None
        self._end: ClientError | None = None
        self._is_normal = False

    async def __aenter__(self) -> Client:
        # Made here: before 3.10 these belong to the loop they are made in.
        self._messages: asyncio.Queue[dict[str, Any] | None] = asyncio.Queue(_WAITING)
        self._window = asyncio.Semaphore(_WINDOW)
        self._task = asyncio.get_running_loop().create_task(self._run())
        return self

    async def __aexit__(self, *exc: object) -> None:
        await self.close()

    async def close(self) -> None:
        """End for good: the iteration ends, and whoever waits for an answer gets a ClientError."""
        self._task.cancel()
        await asyncio.wait({self._task})
        self._finish(NORMAL, "closed by this client")
        while not self._messages.empty():
            self._messages.get_nowait()
        self._messages.put_nowait(None)

    @property
    def state(self) -> str:
        """``connecting`` (also between two attempts), ``open`` or ``closed``."""
        return "closed" if self._end is not None else "connecting" if self._socket is None else "open"

    def __aiter__(self) -> Client:
        return self

    async def __anext__(self) -> dict[str, Any]:
        message = await self._messages.get()
        if message is None:
            self._messages.put_nowait(None)
            if self._end is None or self._is_normal:
                raise StopAsyncIteration
            raise self._end
        if "seq" in message:
            self.position = Position(message["epoch"], message["seq"])
        return message

    async def send(self, message: Mapping[str, Any], *, again: bool = False) -> None:
        """Send a message to the application; return once it has handled it.

        Raises
        ------
        ClientError
            with the server's code; with ``uncertain`` where the connection ended before the answer (with ``again``, it is
            sent again instead, and may be handled twice); with ``closed``
        """
        async with self._window:
            number = self._number()
            text = json.dumps({**message, "ack": number})
            while True:
                try:
                    return await self._ask(number, _Sent(text, again))
                except ClientError as error:
                    if error.code != "busy":
                        raise
                await asyncio.sleep(self._min_delay * (1 + random.random()))

    async def select(self, thread: str | None) -> None:
        """Show another thread from now on, or all (None); return once the server does."""
        self.thread, self._is_dense = thread, False
        await self.send({"type": "select_thread", "thread_id": thread}, again=True)

    def _number(self) -> int:
        self._numbers += 1
        return self._numbers

    async def _request(self, message: Mapping[str, Any]) -> None:
        """Ask for something of the protocol's own, which waits for no other message."""
        number = self._number()
        await self._ask(number, _Sent(json.dumps({**message, "ack": number}), False))

    async def _ask(self, number: int, sent: _Sent) -> None:
        if self._end is not None:
            raise self._end
        self._pending[number] = sent
        try:
            await self._transmit(sent)
            await sent.answer
        finally:
            del self._pending[number]

    async def _transmit(self, sent: _Sent) -> None:
        """Send now, or leave it to the next greeting."""
        if self._socket is not None:
            sent.is_sent = True
            await self._say(sent.text)

    async def _say(self, text: str) -> None:
        from websockets.exceptions import ConnectionClosed

        with contextlib.suppress(ConnectionClosed):  # whoever reads will see it, and say what it means
            await self._socket.send(text)

    async def _run(self) -> None:
        failures = 0
        while True:
            self._greeted_at = math.inf
            code, reason = await self._live()
            what = advice(code)
            if time.monotonic() - self._greeted_at >= _STABLE:
                failures = 0
            if what == STOP or failures >= self._attempts or (what == TOKEN and not callable(self._token)):
                self._finish(code, reason)
                self._tell(code, reason, None)
                await self._messages.put(None)
                return
            self._forget()
            delay = random.random() * min(self._max_delay, self._min_delay * 2**failures)
            delay += self._later_delay if what == LATER else 0.0
            failures += 1
            logger.info("connection ended with %d (%s); comes back in %.1f s", code, reason, delay)
            self._tell(code, reason, delay)
            await asyncio.sleep(delay)

    async def _live(self) -> tuple[int, str]:
        """One connection, from its token to its end; return the close code and the reason."""
        from websockets.asyncio.client import connect
        from websockets.exceptions import ConnectionClosed, WebSocketException

        try:
            token = await self._get_token()
            async with connect(
                self._address(),
                subprotocols=["compat.v1", *([f"jwt.{token}"] if token else [])],  # type: ignore[list-item]
                compression=None,
                max_size=None,
                open_timeout=self._patience,
                close_timeout=1,
                ping_interval=self._heartbeat,
                ping_timeout=self._patience,
            ) as socket:
                greeting = json.loads(await asyncio.wait_for(socket.recv(), self._patience))
                await self._greet(socket, greeting)
                while True:
                    await self._hear(json.loads(await socket.recv()))
        except ConnectionClosed as closed:
            return (closed.rcvd.code, closed.rcvd.reason) if closed.rcvd is not None else (LOST, "no close frame came")
        except (OSError, WebSocketException, asyncio.TimeoutError, _Unanswered, ValueError, LookupError, TypeError) as exc:
            # The last three: what is there speaks another protocol.
            return LOST, f"{type(exc).__name__}: {exc}"
        finally:
            self._refresh_in(None)
            self._socket = self._held = None

    async def _get_token(self) -> str:
        if isinstance(self._token, str):
            return self._token
        try:
            token = self._token()
            return await token if inspect.isawaitable(token) else token
        except Exception as exc:
            logger.warning("no token: %r", exc)
            raise _Unanswered(f"no token: {exc}") from exc

    def _address(self) -> str:
        query = {} if self.thread is None else {"thread": self.thread}
        if self._received is not None:
            query.update(epoch=self._received.epoch, seq=str(self._received.seq))
        return self.url + ("&" if urlsplit(self.url).query else "?") + urlencode(query) if query else self.url

    async def _greet(self, socket: Any, greeting: Mapping[str, Any]) -> None:
        # A position that the server did not take up stays until ``resync`` says where to go on.
        if self._received is None:
            self._received = Position(greeting["epoch"], greeting["seq"])
        self._socket, self._greeted_at = socket, time.monotonic()
        self._refresh_in(greeting.get("expires_in"))
        for sent in tuple(self._pending.values()):
            if not sent.is_sent:
                await self._transmit(sent)

    async def _hear(self, message: dict[str, Any]) -> None:
        kind, number = message["type"], message.get("ack")
        if kind == "resync":
            self._received = Position(message["epoch"], message["seq"])
            if self._held is not None:
                self._held.clear()
            await self._messages.put(message)
        elif "seq" in message:  # an event may have any type: its number makes it one
            await self._take(message)
        elif kind == "gap":
            await self._refetch()
        elif kind in ("ack", "error") and number is not None:
            error = ClientError(message["code"], message["message"]) if kind == "error" else None
            if number == self._resuming:
                await self._refetched(error)
            elif number in self._pending:
                self._pending[number].settle(error)
        elif kind == "authenticated":
            self._refresh_in(message.get("expires_in"))
        elif kind == "ping":
            await self._say('{"type": "pong"}')
        else:
            await self._messages.put(message)

    async def _take(self, event: dict[str, Any]) -> None:
        assert self._received is not None
        follows = event["epoch"] == self._received.epoch
        if follows and event["seq"] <= self._received.seq:
            return
        if self._held is None and follows and self._is_dense and event["seq"] > self._received.seq + 1:
            await self._refetch()
        if self._held is not None:
            self._held[event["seq"]] = event
        else:
            self._received = Position(event["epoch"], event["seq"])
            await self._messages.put(event)

    async def _refetch(self) -> None:
        """Have what is missing sent again; until that has ended, events are gathered."""
        assert self._received is not None
        if self._held is None:
            self._held = {}
            self._resuming = self._number()
            await self._say(json.dumps({"type": "resume", **self._received._asdict(), "ack": self._resuming}))

    async def _refetched(self, error: ClientError | None) -> None:
        if error is not None:
            raise _Unanswered(str(error))
        gathered, self._held = self._held or {}, None
        for number in sorted(gathered):
            self._received = Position(gathered[number]["epoch"], number)
            await self._messages.put(gathered[number])

    def _refresh_in(self, seconds: Any) -> None:
        """Bring a new token before the present one expires."""
        if self._refreshing is not None:
            self._refreshing.cancel()
            self._refreshing = None
        if isinstance(seconds, (int, float)) and callable(self._token):
            self._refreshing = asyncio.get_running_loop().create_task(self._refresh(time.monotonic() + seconds))

    async def _refresh(self, end: float) -> None:
        while True:
            left = end - time.monotonic()
            await asyncio.sleep(max(1.0, left - min(30.0, left / 4)))
            try:
                await self._request({"type": "authenticate", "token": await self._get_token()})
            except (ClientError, _Unanswered) as exc:
                # The present token holds a while; at its end the connection is closed, and comes back with a new one.
                logger.warning("the token was not renewed: %s", exc)
            else:
                return

    def _tell(self, code: int, reason: str, delay: float | None) -> None:
        if self._on_lost is not None:
            try:
                self._on_lost(code, reason, delay)
            except Exception:
                logger.exception("on_lost failed")

    def _forget(self) -> None:
        """A connection has ended: what was sent and not answered is uncertain, or will be sent again."""
        for sent in self._pending.values():
            if sent.is_sent and not sent.again:
                sent.settle(ClientError("uncertain", "the connection ended before the answer; it may have been handled"))
            sent.is_sent = False

    def _finish(self, code: int, reason: str) -> None:
        if self._end is None:
            self._end, self._is_normal = ClientError("closed", f"closed with {code}: {reason}"), code == NORMAL
            for sent in self._pending.values():
                sent.settle(self._end)


class _Sent:
    """A message and its answer."""

    def __init__(self, text: str, again: bool) -> None:
        self.text, self.again, self.is_sent = text, again, False
        self.answer: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def settle(self, error: ClientError | None) -> None:
        if self.answer.done():
            return
        if error is None:
            self.answer.set_result(None)
        else:
            self.answer.set_exception(error)


class _Unanswered(Exception):
    """This connection is of no use any more."""
