"""The backplane of several processes: every user's stream in Redis, its events published to the workers that need them.

One script numbers an event, keeps it in the user's Redis stream and publishes it, in one step. A worker subscribes to the
channels of the users that are connected to it; what a broken subscription has missed it reads from the stream.

PYTEST_DONT_REWRITE: what an assertion here says is part of its behaviour.
"""

from __future__ import annotations

import asyncio
import logging
import os
from collections import deque
from typing import Any, Callable, NamedTuple

from .codec import dumps, loads
from .errors import BackplaneUnavailable, WebSocketComponentError
from .events import Delivery, Draft, Event, Position, resync_notice
from .protocols import Deliver
from .redis_link import RedisLink, backoff
from .replay import Replay

logger = logging.getLogger(__name__)

# Retries of a batch whose answer was lost find their token in the hash, and do not count twice.
_PUBLISH = """
local meta, stream = KEYS[1], KEYS[2]
local node, number = ARGV[2], ARGV[3]
local last = redis.call('HGET', meta, node)
if last and tonumber(last) >= tonumber(number) then
  local epoch = redis.call('HGET', meta, 'epoch')
  for _, entry in ipairs(redis.call('XREVRANGE', stream, '+', '-', 'COUNT', 1024)) do
    if entry[2][4] == node .. ':' .. number then
      return {tonumber(string.match(entry[1], '^%d+')), epoch, 1}
    end
  end
  return {0, epoch, 1}
end
local epoch = redis.call('HGET', meta, 'epoch')
if not epoch then
  epoch = ARGV[1]
  redis.call('DEL', stream)
  redis.call('HSET', meta, 'epoch', epoch)
elseif redis.call('HLEN', meta) > 64 then
  for _, field in ipairs(redis.call('HKEYS', meta)) do
    if field ~= 'seq' and field ~= 'epoch' then redis.call('HDEL', meta, field) end
  end
end
local seq = redis.call('HINCRBY', meta, 'seq', 1)
redis.call('HSET', meta, node, number)
redis.call('XADD', stream, 'MAXLEN', '~', ARGV[4], seq .. '-0', 'e', ARGV[6], 't', node .. ':' .. number)
redis.call('PEXPIRE', meta, ARGV[5])
redis.call('PEXPIRE', stream, ARGV[5])
return {seq, epoch, redis.call('PUBLISH', KEYS[3], seq .. ' ' .. epoch .. '\\n' .. ARGV[6])}
"""

# A Redis that came back without its newest entries would give their numbers to other events: the epoch must end.
_TURN = """
if redis.call('HGET', KEYS[1], 'epoch') == ARGV[1] then
  redis.call('DEL', KEYS[1], KEYS[2])
  redis.call('HSET', KEYS[1], 'epoch', ARGV[2])
end
return 1
"""

_BATCH = 128


class _Pending(NamedTuple):
    user_id: str
    item: str
    number: int
    deadline: float
    answer: asyncio.Future[Delivery]


class RedisBackplane:
    """Streams of all users, shared by every worker that names the same Redis and ``prefix``.

    Redis keeps what it has accepted as well as it is configured to: with ``appendonly yes`` a restart loses nothing, or
    with ``appendfsync everysec`` and a crash at most a second, after which clients are told to resync.
    """

    local = False

    def __init__(
        self,
        url: str,
        *,
        prefix: str = "compat",
        history_limit: int = 512,
        history_ttl: float = 3600.0,
        publish_timeout: float = 10.0,
        ping_interval: float = 1.0,
    ) -> None:
        """Take times in seconds: how long a quiet stream is kept, and how long a publication may wait for Redis."""
        self._url, self._prefix = url, prefix
        self._limit, self._ttl = max(1, history_limit), int(history_ttl * 1000)
        self._publish_timeout, self._ping_interval = publish_timeout, ping_interval
        self._node = f"n{os.urandom(6).hex()}"
        self._number = 0
        self._pending: deque[_Pending] = deque()
        self._wake: asyncio.Event | None = None
        self._tasks: set[asyncio.Task[None]] = set()
        self._client: Any = None
        self._link: RedisLink | None = None
        self._sha = ""
        self._error: str | None = "not started"
        self._joined: dict[str, Position | None] = {}
        self._joining: dict[str, asyncio.Future[None]] = {}
        self._deliver: Deliver = lambda user_id, events: 0
        self._pump: Callable[[str], None] = lambda user_id: None

    def bind(self, deliver: Deliver, pump: Callable[[str], None]) -> None:
        """Name the functions that take a user's events and that write them to the sockets."""
        self._deliver, self._pump = deliver, pump

    async def start(self) -> None:
        """Connect. Raises BackplaneUnavailable if Redis does not answer now."""
        try:
            from redis.asyncio import ConnectionPool, Redis
            from redis.exceptions import RedisError
        except ImportError as exc:
            raise WebSocketComponentError("this backplane needs redis: pip install 'netra-compat[server]'") from exc
        pool = ConnectionPool.from_url(
            self._url, decode_responses=True, protocol=2, socket_timeout=3.0, socket_connect_timeout=3.0, retry=None
        )
        self._client = Redis(connection_pool=pool)
        link_pool = ConnectionPool.from_url(
            self._url, decode_responses=True, protocol=2, socket_timeout=None, socket_connect_timeout=3.0
        )
        try:
            self._sha = await self._client.script_load(_PUBLISH)
        except (RedisError, OSError) as exc:
            await self._client.aclose()
            raise BackplaneUnavailable(f"Redis does not answer: {exc}") from exc
        self._error = None
        self._wake = asyncio.Event()
        loop = asyncio.get_running_loop()
        self._tasks = {loop.create_task(self._publish_all()), loop.create_task(self._watch())}
        self._link = RedisLink(
            link_pool.make_connection,
            on_message=self._on_message,
            on_subscribed=self._on_subscribed,
            ping_interval=self._ping_interval,
        )
        # A channel of its own keeps the subscription alive, and watched, while nobody is connected here.
        self._link.subscribe(f"{self._prefix}:{self._node}")
        self._link.start()

    async def close(self) -> None:
        """Disconnect; what still waits to be published fails."""
        for task in self._tasks:
            task.cancel()
        if self._tasks:
            await asyncio.wait(self._tasks)
            self._tasks = set()
        if self._link is not None:
            await self._link.close()
        self._fail_pending(float("inf"), "backplane is closed")
        if self._client is not None:
            await self._client.aclose()
            await self._client.connection_pool.disconnect()
        self._error = "closed"

    async def publish(self, user_id: str, draft: Draft) -> Delivery:
        """Give ``draft`` its place and hand it to all workers; concurrent calls share round trips, in order.

        While Redis is away it waits, up to ``publish_timeout``. Raises BackplaneUnavailable.
        """
        if not self._tasks or self._wake is None:
            raise BackplaneUnavailable(f"Redis backplane is {self._error or 'closed'}; call `await factory.start()` first")
        loop = asyncio.get_running_loop()
        self._number += 1
        item = f"{dumps([draft.type, draft.thread_id, draft.critical])}\n{draft.body}"
        pending = _Pending(user_id, item, self._number, loop.time() + self._publish_timeout, loop.create_future())
        self._pending.append(pending)
        self._wake.set()
        return await pending.answer

    async def replay(self, user_id: str, since: Position | None) -> Replay:
        """Return what follows ``since``. Raises BackplaneUnavailable."""
        meta, stream, _ = self._keys(user_id)
        first = "-" if since is None else f"{max(0, since.seq) + 1}-0"
        pipe = self._client.pipeline(transaction=True)
        pipe.hmget(meta, "epoch", "seq")
        pipe.xrange(stream, first)
        answers = await self._ask(pipe.execute())
        (epoch, seq), entries = answers
        if epoch is None:
            return Replay([], Position("", 0), None if since is None or not since.epoch else "epoch_changed")
        end = Position(epoch, int(seq or 0))
        events = [_event(fields["e"], epoch, int(name.partition("-")[0])) for name, fields in entries]
        if since is None:
            return Replay(events, end)
        if since.epoch != epoch and since.seq:
            return Replay([], end, "epoch_changed")
        if not 0 <= since.seq <= end.seq:
            return Replay([], end, "unknown_position")
        if since.seq < end.seq and (not events or events[0].seq != since.seq + 1):
            return Replay([], end, "history_expired")
        return Replay(events, end)

    async def position(self, user_id: str) -> Position:
        """Return the end of the user's stream. Raises BackplaneUnavailable."""
        meta = self._keys(user_id)[0]
        pipe = self._client.pipeline(transaction=True)
        # A client that has seen nothing yet must be able to say so: its stream begins now.
        pipe.hsetnx(meta, "epoch", os.urandom(6).hex())
        pipe.pexpire(meta, self._ttl)
        pipe.hmget(meta, "epoch", "seq")
        epoch, seq = (await self._ask(pipe.execute()))[2]
        return Position(epoch, int(seq or 0))

    async def join(self, user_id: str) -> None:
        """Subscribe to the user's channel. Raises BackplaneUnavailable if Redis does not confirm in time."""
        if self._link is None:
            raise BackplaneUnavailable("Redis backplane is not started; call `await factory.start()` first")
        joining = self._joining.get(user_id)
        if joining is None:
            joining = self._joining[user_id] = asyncio.get_running_loop().create_future()
            self._joined[user_id] = None
            self._link.subscribe(self._keys(user_id)[2])
        if joining.done():
            return
        try:
            await asyncio.wait_for(asyncio.shield(joining), self._publish_timeout)
        except asyncio.TimeoutError:
            raise BackplaneUnavailable(f"Redis did not confirm a subscription in {self._publish_timeout:g} s") from None

    def leave(self, user_id: str) -> None:
        """Unsubscribe from the user's channel."""
        self._joined.pop(user_id, None)
        joining = self._joining.pop(user_id, None)
        if joining is not None and not joining.done():
            joining.set_result(None)
        if self._link is not None:
            self._link.unsubscribe(self._keys(user_id)[2])

    def forget(self, user_id: str) -> None:
        """Nothing of an idle user is kept here; Redis frees the stream after ``history_ttl``."""

    def health(self) -> dict[str, Any]:
        """Return ``healthy``: whether both publishing and the subscription work, and what they wait for."""
        link = self._link
        error = self._error or (link.error if link is not None and not link.up else None)
        return {
            "healthy": self._error is None and link is not None and link.up,
            "kind": "redis",
            "node": self._node,
            "error": error,
            "pending": len(self._pending),
            "users": len(self._joined),
            "reconnects": 0 if link is None else link.reconnects,
        }

    # Publishing

    async def _publish_all(self) -> None:
        """Publish what is pending, a batch in flight at a time: a retry must not overtake what came before it."""
        from redis.exceptions import RedisError

        assert self._wake is not None
        attempt = 0
        while True:
            if not self._pending:
                self._wake.clear()
                await self._wake.wait()
            batch = [self._pending[index] for index in range(min(_BATCH, len(self._pending)))]
            try:
                answers = await self._send(batch)
            except (RedisError, OSError, asyncio.TimeoutError) as exc:
                self._note_error(exc)
                self._fail_pending(asyncio.get_running_loop().time(), f"Redis does not answer: {exc}")
                await asyncio.sleep(backoff(attempt))
                attempt += 1
                continue
            attempt, self._error = 0, None
            for pending, answer in zip(batch, answers):
                self._pending.popleft()
                if pending.answer.done():
                    continue
                if isinstance(answer, Exception):
                    pending.answer.set_exception(BackplaneUnavailable(f"Redis refused: {answer}"))
                else:
                    pending.answer.set_result(Delivery(int(answer[0]), answer[1], int(answer[2]), True))

    async def _send(self, batch: list[_Pending]) -> list[Any]:
        from redis.exceptions import BusyLoadingError, ConnectionError, NoScriptError

        pipe = self._client.pipeline(transaction=False)
        for pending in batch:
            pipe.evalsha(
                self._sha,
                3,
                *self._keys(pending.user_id),
                os.urandom(6).hex(),
                self._node,
                pending.number,
                self._limit,
                self._ttl,
                pending.item,
            )
        answers: list[Any] = await pipe.execute(raise_on_error=False)
        for answer in answers:
            if isinstance(answer, NoScriptError):
                await self._client.script_load(_PUBLISH)
                return await self._send(batch)
            if isinstance(answer, (BusyLoadingError, ConnectionError)):
                raise answer
        return answers

    async def _watch(self) -> None:
        """Ask Redis at intervals whether it is there, so that health turns red and green without traffic."""
        from redis.exceptions import RedisError

        while True:
            await asyncio.sleep(self._ping_interval)
            try:
                await self._client.ping()
            except (RedisError, OSError, asyncio.TimeoutError) as exc:
                self._note_error(exc)
            else:
                self._error = None

    def _note_error(self, exc: BaseException) -> None:
        if self._error is None:
            logger.warning("Redis does not answer: %s", exc)
        self._error = f"{type(exc).__name__}: {exc}"

    def _fail_pending(self, now: float, reason: str) -> None:
        # Deadlines rise along the queue.
        while self._pending and self._pending[0].deadline <= now:
            pending = self._pending.popleft()
            if not pending.answer.done():
                pending.answer.set_exception(BackplaneUnavailable(reason))

    # Receiving

    async def _on_message(self, channel: str, data: str) -> None:
        user_id = self._user_of(channel)
        if user_id not in self._joined:
            return
        head, _, item = data.partition("\n")
        number, _, epoch = head.partition(" ")
        seq, last = int(number), self._joined[user_id]
        if last is not None and last.epoch == epoch:
            if seq <= last.seq:
                return
            if seq > last.seq + 1:
                await self._refill(user_id, last)
                return
        self._joined[user_id] = Position(epoch, seq)
        self._deliver(user_id, (_event(item, epoch, seq),))
        self._pump(user_id)

    async def _on_subscribed(self, channel: str) -> None:
        user_id = self._user_of(channel)
        if user_id in self._joined:
            last = self._joined[user_id]
            if last is not None:
                await self._refill(user_id, last)
            else:
                self._joined[user_id] = await self.position(user_id)
        joining = self._joining.get(user_id)
        if joining is not None and not joining.done():
            joining.set_result(None)

    async def _refill(self, user_id: str, last: Position) -> None:
        """Deliver what a subscription has missed; where Redis cannot tell, have clients resync."""
        replay = await self.replay(user_id, last)
        if user_id not in self._joined:
            return
        if replay.resync == "unknown_position" and last.epoch == replay.position.epoch:
            await self._turn(user_id, last.epoch)
            replay = Replay([], await self.position(user_id), "epoch_changed")
        end = replay.position
        self._joined[user_id] = end
        events = replay.events
        if replay.resync is not None:
            events = [Event(resync_notice(replay.resync, end.epoch, end.seq), end.epoch, 0)]
        if events:
            self._deliver(user_id, events)
            self._pump(user_id)

    async def _turn(self, user_id: str, epoch: str) -> None:
        meta, stream, _ = self._keys(user_id)
        await self._ask(self._client.eval(_TURN, 2, meta, stream, epoch, os.urandom(6).hex()))

    async def _ask(self, request: Any) -> Any:
        from redis.exceptions import RedisError

        try:
            return await request
        except (RedisError, OSError, asyncio.TimeoutError) as exc:
            self._note_error(exc)
            raise BackplaneUnavailable(f"Redis does not answer: {exc}") from exc

    def _keys(self, user_id: str) -> tuple[str, str, str]:
        # The braces put all three on one node of a cluster.
        base = f"{self._prefix}:{{{user_id}}}"
        return f"{base}:meta", f"{base}:stream", f"{base}:live"

    def _user_of(self, channel: str) -> str:
        return channel[len(self._prefix) + 2 : -len("}:live")]


def _event(item: str, epoch: str, seq: int) -> Event:
    header, _, body = item.partition("\n")
    kind, thread_id, critical = loads(header)
    return Event(Draft.from_record((body, kind, critical, thread_id)), epoch, seq)
