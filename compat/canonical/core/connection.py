"""One connection of one user: sends directly while the socket has room, waits in a bounded outbox while it has not."""

from __future__ import annotations

import asyncio
from asyncio import _get_running_loop as _current_loop
from asyncio import get_running_loop
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timezone
from typing import TYPE_CHECKING, Any, Callable

from ..close_codes import LOST, NORMAL, TRY_AGAIN_LATER
from ..limits import Limits
from .eager import Suspended, begin, is_awaitable
from .events import Draft, Event
from .logged import get_logger
from .outbox import Outbox

if TYPE_CHECKING:
    import threading

logger = get_logger(__name__)


class Connection:
    """A socket of one user, with the thread it shows, what waits for it, and when it was last heard.

    ``websocket`` has ``send_json(dict)``, ``send_text(str)`` or ``send(str)``, and ``close(code, reason)``.
    One whose class says ``prefers_text = True`` gets text, others a dict where they have ``send_json``.
    Such a class may offer ``write_now(text) -> bool``, which takes a text at once or not at all, and calls nobody.
    ``abort``, where given, frees socket and kernel buffers at once, without waiting for the peer.
    """

    __slots__ = (
        "__weakref__",
        "_as_text",
        "_in_hand",
        "_limits",
        "_lock",
        "_on_gone",
        "_progress",
        "_pumping",
        "_send",
        "_tasks",
        "_timer",
        "_write_now",
        "_writer",
        "abort",
        "close_code",
        "close_reason",
        "connected_at",
        "connection_id",
        "evicted",
        "held",
        "last_seen",
        "loop",
        "metadata",
        "outbox",
        "quiet",
        "sent",
        "seq",
        "stamped",
        "thread_id",
        "user_id",
        "websocket",
    )

    def __init__(
        self,
        connection_id: str,
        user_id: str,
        websocket: Any,
        *,
        limits: Limits,
        on_gone: Callable[[Connection, list[Event]], None],
        lock: threading.RLock,
        tasks: set[asyncio.Task[None]],
        thread_id: str | None = None,
        metadata: Mapping[str, Any] | None = None,
        stamped: bool = True,
        abort: Callable[[], None] | None = None,
        clock: Callable[[], float],
    ) -> None:
        self.connection_id, self.user_id, self.websocket = connection_id, user_id, websocket
        self.thread_id, self.stamped, self.abort = thread_id, stamped, abort
        self.metadata: dict[str, Any] | None = dict(metadata) if metadata else None
        self.connected_at = datetime.now(timezone.utc)
        self.last_seen = clock()
        self.seq = 0  # of the newest event offered: none is offered twice
        self.held = False  # True while replay catches up: live events come from there
        self.sent = 0
        self.evicted = False
        self.close_code: int | None = None
        self.close_reason = ""
        self.outbox = Outbox(limits.outbox_events, limits.outbox_bytes, limits.overflow)
        self._limits, self._on_gone, self._lock, self._tasks = limits, on_gone, lock, tasks
        self._as_text, self._send, self._write_now = _choose_send(websocket)
        # True while it takes events, nothing waits and nothing is being sent: events then go straight to ``_write_now``. Set
        # under the lock, or an event could wait behind a connection that passes for quiet.
        self.quiet = False
        self.loop: asyncio.AbstractEventLoop | None = None
        self._writer: asyncio.Task[None] | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._progress = 0.0
        self._pumping = False
        self._in_hand: Event | None = None  # begun, and not yet taken by the socket

    @property
    def active(self) -> bool:
        """Whether it takes events."""
        return self.close_code is None

    @property
    def writing(self) -> bool:
        """Whether its writer task waits for the socket."""
        return self._writer is not None

    def offer(self, event: Event) -> bool:
        """Take an event for sending, in order, each at most once; the caller holds the lock, and pumps afterwards.

        A socket that can write at once does, if nothing waits before the event; no foreign code runs here.
        """
        if self.close_code is not None or self.held:
            return False
        seq = event.seq
        if seq and seq <= self.seq:
            return False
        if self.quiet and _current_loop() is self.loop and self.write(seq, event.text(self.stamped)):
            return True
        if seq:
            self.seq = seq
        self.quiet = False
        if self.outbox.put(event):
            return True
        self.condemn(TRY_AGAIN_LATER, "outbox is full")
        return False

    def write(self, seq: int, text: str) -> bool:
        """Write an event's text now, or not at all; only while ``quiet``, on ``loop``, and under the lock."""
        try:
            if self._write_now(text):  # type: ignore[misc]
                if seq:
                    self.seq = seq
                self.sent += 1
                return True
        except Exception as exc:
            # Sending it in the ordinary way tells what is wrong, and ends this connection alone.
            logger.debug("connection %s of user %s cannot write at once: %r", self.connection_id, self.user_id, exc)
        self.quiet = False
        return False

    def offer_missed(self, events: Sequence[Event]) -> bool:
        """Take events that the backplane had missed, all at once; return whether the last one was taken.

        They are replayed events to this connection: its outbox, made for what comes one by one, does not bound them. A
        connection that is an outbox behind already takes them as any others, so that its memory stays bounded.
        """
        if len(self.outbox) >= self._limits.outbox_events:
            return [self.offer(event) for event in events][-1]
        if self.close_code is not None or self.held:
            return False
        new = [event for event in events if event.seq > self.seq]
        if new:
            self.seq = new[-1].seq
            self.quiet = False
            self.outbox.put_missed(new)
        return bool(new)

    def replay(self, events: Iterable[Event]) -> None:
        """Let ``events`` go before everything that waits, behind earlier replayed ones; the caller holds the lock."""
        self.quiet = False
        self.outbox.preload(events)

    def pump(self) -> None:
        """Write what waits: at once while the socket takes it; what the socket makes wait is left to one writer task.

        Safe from any thread. Needs a running loop; never raises for the socket's sake.
        """
        if self.quiet or self.held:
            return
        loop = get_running_loop()
        if self.loop is not loop:
            if self.loop is not None and self.loop.is_running():
                self.loop.call_soon_threadsafe(self.pump)
                return
            # First use, or the loop it was used on is gone together with its tasks.
            self.loop, self._writer, self._timer = loop, None, None
        # A socket whose send leads to another event for this connection gets that one after its send has ended.
        if self._pumping or self._writer is not None or self.close_code is not None:
            return
        self._pumping = True
        try:
            pop = self.outbox.pop
            event = self._in_hand = pop()
            while event is not None:
                answer = self._start_send(event)
                if answer is not None:
                    rest = begin(answer)
                    if rest is not None:
                        self._start_writer(loop, rest)
                        return
                self.sent += 1
                event = self._in_hand = pop()
            if self._write_now is not None:
                with self._lock:
                    self.quiet = not self.outbox
        except Exception as exc:
            self._fail(exc)
        finally:
            self._pumping = False

    async def drained(self) -> None:
        """Wait until nothing waits for this connection, or it is gone; its own writer does not wait for itself."""
        while self._writer is not None and self._writer is not asyncio.current_task():
            await asyncio.wait({self._writer})

    async def send_direct(self, message: Mapping[str, Any]) -> bool:
        """Send ``message`` to this connection alone, outside of the user's history; say whether the socket took it."""
        sent = self.sent
        if not self.post(message):
            return False
        if self.held:
            return True
        await self.drained()
        return self.active and self.sent > sent

    def post(self, message: Mapping[str, Any]) -> bool:
        """As :meth:`send_direct`, without waiting: say whether the connection took it. Needs a running loop."""
        # No replay brings it again: it must not give way silently.
        event = Event(Draft(message, True), "", 0)
        with self._lock:
            if self.held:
                # It catches up: whatever is said to it meanwhile comes after.
                if self.close_code is None and self.outbox.put(event):
                    return True
                self.condemn(TRY_AGAIN_LATER, "outbox is full")
                return False
            if not self.offer(event):
                return False
        self.pump()
        return True

    def seen(self, now: float) -> None:
        """Note that the peer was heard at ``now`` on the factory's clock."""
        self.last_seen = now

    def info(self) -> dict[str, Any]:
        """Return what is known of it, as JSON-ready data."""
        return {
            "connection_id": self.connection_id,
            "user_id": self.user_id,
            "thread_id": self.thread_id,
            "connected_at": self.connected_at.isoformat(),
            "active": self.active,
            "waiting": len(self.outbox),
            "sent": self.sent,
            "dropped": self.outbox.dropped,
            "metadata": self.metadata or {},
        }

    async def close(self, code: int = NORMAL, reason: str = "") -> None:
        """Close the socket, within the limits' ``close_timeout``; then free it, with or without the peer's consent.

        Idempotent. The connection is out of its manager before the close frame is sent.
        """
        first = self.close_code is None
        self._leave(code, reason)
        if not first:
            return
        await self._finish(code, reason)

    def condemn(self, code: int, reason: str) -> None:
        """Take it out of service now and close its socket soon; callable where nothing can be awaited."""
        if self.close_code is not None:
            return
        self._leave(code, reason)
        loop = self.loop
        if loop is not None and loop.is_running():
            loop.call_soon_threadsafe(self._finish_soon, code, reason)

    def retire(self) -> None:
        """Take it out of service and leave its socket to whoever owns it."""
        self._leave(NORMAL, "")

    def evict(self, code: int, reason: str) -> None:
        """Get rid of a peer that does not read: socket and buffers are freed without a close handshake."""
        if self.close_code is not None:
            return
        self.evicted = True
        self._leave(code, reason)
        logger.warning("connection %s of user %s evicted: %s", self.connection_id, self.user_id, reason)
        self._cut()

    def _start_send(self, event: Event) -> Any:
        if self._as_text:
            return self._send(event.text(stamped=self.stamped))
        return self._send(event.message(stamped=self.stamped))

    def _start_writer(self, loop: asyncio.AbstractEventLoop, rest: Suspended) -> None:
        self._progress = loop.time()
        self._timer = loop.call_later(self._limits.send_timeout, self._check_stall)
        self._writer = loop.create_task(self._write(loop, rest))

    async def _write(self, loop: asyncio.AbstractEventLoop, rest: Suspended) -> None:
        try:
            await rest
            self.sent += 1
            event = self._in_hand = self._next()
            while event is not None:
                self._progress = loop.time()
                answer = self._start_send(event)
                if is_awaitable(answer):
                    await answer
                self.sent += 1
                event = self._in_hand = self._next()
        except Exception as exc:
            self._fail(exc)
        finally:
            self._end_writer()

    def _next(self) -> Event | None:
        # Once it is held, what waits is of the time before, or has no greeting in front of it yet.
        return None if self.held else self.outbox.pop()

    def _end_writer(self) -> None:
        self._writer = None
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _check_stall(self) -> None:
        loop = self.loop
        if loop is None or self._writer is None:
            return
        left = self._progress + self._limits.send_timeout - loop.time()
        if left > 0.001:
            self._timer = loop.call_later(left, self._check_stall)
        else:
            self._timer = None
            self.evict(TRY_AGAIN_LATER, f"peer has not read for {self._limits.send_timeout:g} s")

    def _fail(self, exc: Exception) -> None:
        # The socket is dead: nothing can be said to the peer.
        if self.close_code is None:
            logger.debug("connection %s of user %s lost: %r", self.connection_id, self.user_id, exc)
            self._leave(LOST, f"{type(exc).__name__}: {exc}")

    def _leave(self, code: int, reason: str) -> None:
        if self.close_code is None:
            self.close_code, self.close_reason, self.quiet = code, reason, False
            in_hand = [] if self._in_hand is None else [self._in_hand]
            self._on_gone(self, in_hand + self.outbox.clear())

    def _finish_soon(self, code: int, reason: str) -> None:
        if self.loop is not None:
            self._keep(self.loop.create_task(self._finish(code, reason)))

    async def _finish(self, code: int, reason: str) -> None:
        writer = self._writer
        timeout = self._limits.close_timeout
        if writer is not None and writer is not asyncio.current_task():
            # A frame in mid-air first: a close frame inside it would break the peer's parser.
            await asyncio.wait({writer}, timeout=timeout)
        if self._writer is not None and self._writer is not asyncio.current_task():
            self._cut()
            return
        close = getattr(self.websocket, "close", None)
        if close is None:
            return
        try:
            rest = begin(close(code=code, reason=reason))
        except Exception as exc:
            logger.debug("close of connection %s: %r", self.connection_id, exc)
            return
        if rest is not None:
            closing = asyncio.ensure_future(_awaited(rest))
            await asyncio.wait({closing}, timeout=timeout)
            if not closing.done():
                closing.cancel()
                self._cut()
                await asyncio.wait({closing}, timeout=timeout)
            elif not closing.cancelled():
                closing.exception()

    def _cut(self) -> None:
        if self._writer is not None:
            self._writer.cancel()
        if self.abort is not None:
            self.abort()
        elif self.loop is not None and self.loop.is_running():
            # Without an abort the best there is: ask for a close, and do not wait for it.
            close = getattr(self.websocket, "close", None)
            if close is not None:
                self._keep(self.loop.create_task(self._close_unheard(close)))

    def _keep(self, task: asyncio.Task[None]) -> None:
        # The loop holds tasks weakly: one that nobody holds may vanish in the middle.
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _close_unheard(self, close: Callable[..., Any]) -> None:
        try:
            answer = close(code=self.close_code, reason=self.close_reason)
            if is_awaitable(answer):
                await asyncio.wait_for(answer, self._limits.close_timeout)
        except Exception as exc:
            logger.debug("close of connection %s: %r", self.connection_id, exc)

    def __repr__(self) -> str:
        state = "active" if self.active else f"closed {self.close_code}"
        return f"<Connection {self.connection_id} of {self.user_id} {state}>"


async def _awaited(rest: Suspended) -> None:
    await rest


def _choose_send(websocket: Any) -> tuple[bool, Callable[..., Any], Callable[[str], bool] | None]:
    text = getattr(websocket, "send_text", None)
    # The class is asked: mocks have every attribute.
    if getattr(type(websocket), "prefers_text", False) is True and callable(text):
        return True, text, getattr(websocket, "write_now", None)
    for name, as_text in (("send_json", False), ("send_text", True), ("send", True)):
        send = getattr(websocket, name, None)
        if callable(send):
            return as_text, send, None
    raise TypeError(
        f"{type(websocket).__name__} cannot be a connection: it has none of send_json(dict), send_text(str), send(str)"
    )
