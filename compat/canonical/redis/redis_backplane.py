"""The backplane of several processes: every user's stream in Redis, its events published to the workers that need them.

One script numbers an event, keeps it in the user's Redis stream and publishes it, in one step. A worker subscribes to the
channels of the users that are connected to it; what a broken subscription has missed it reads from the stream.

PYTEST_DONT_REWRITE: what an assertion here says is part of its behaviour.
"""

from __future__ import annotations

import asyncio
import functools
import os
import time
from collections.abc import Mapping, Sequence
from typing import Any, Callable

from ..core.backplane import Answers, Deliver, Listener
from ..core.events import GREATEST_SEQ, Delivery, Draft, Event, Position, resync_notice
from ..core.logged import get_logger
from ..core.replay import Replay
from ..errors import BackplaneUnavailable, SettingsError, WebSocketComponentError
from .control import RedisControl
from .layout import event_of, item_of, keys_of, roster_of, user_of
from .link import RedisLink, end_tasks
from .placing import Place, Placer
from .publisher import SCRIPT, RedisPublisher, batches, once, refusal_in

logger = get_logger(__name__)

# A Redis that came back without its newest entries would give their numbers to other events: the epoch must end.
_TURN = """
if redis.call('HGET', KEYS[1], 'epoch') == ARGV[1] then
  redis.call('DEL', KEYS[1], KEYS[2])
  redis.call('HSET', KEYS[1], 'epoch', ARGV[2])
end
return 1
"""

_TOUCHED_AT_ONCE = 500
_ASKED_AT_ONCE = 64
_PATIENCE = 3.0  # seconds in which a Redis that is there answers


class RedisBackplane:
    """Streams of all users, shared by every worker that names the same Redis and ``prefix``.

    Redis keeps what it has accepted as well as it is configured to: with ``appendonly yes`` a restart loses nothing. Where
    it comes back with less (a crash of the machine, a failover, no append-only file), the epoch of every user that is
    connected somewhere ends, and clients are told to resync.
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
        pending_limit: int = 10_000,
    ) -> None:
        """Take times in seconds: how long a quiet stream is kept, and how long a publication may wait for Redis.

        ``pending_limit``: how many publications may wait while Redis is away.
        """
        self.url, self._prefix = url, prefix
        self._limit, self._ttl = max(1, history_limit), int(history_ttl * 1000)
        self._publish_timeout, self._ping_interval = publish_timeout, ping_interval
        self._pending_limit = pending_limit
        self._node = f"n{os.urandom(6).hex()}"
        self._client: Any = None
        self._publisher: RedisPublisher | None = None
        self._link: RedisLink | None = None
        self._turns: asyncio.Semaphore
        self._admission: asyncio.Semaphore
        self._watcher: asyncio.Task[None] | None = None
        self._error: str | None = "not started"
        self._joined: dict[str, Place | None] = {}
        self._joining: dict[str, asyncio.Future[None]] = {}
        self._placer = Placer(self._places, self._settle)
        self._placing: asyncio.Task[None] | None = None
        self._control = RedisControl(prefix, self._node, lambda: self._client, self._ask)
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
        try:
            ConnectionPool.from_url(self.url)
        except ValueError as exc:
            raise SettingsError([f"REDIS_URL cannot be used: {exc}"]) from exc
        # More clients than connections may come at once: they wait here, where redis-py would raise as if Redis were away.
        self._turns, self._admission = asyncio.Semaphore(_ASKED_AT_ONCE), asyncio.Semaphore(_ASKED_AT_ONCE)
        own: dict[str, Any] = {"decode_responses": True, "protocol": 2, "socket_connect_timeout": _PATIENCE}
        # A Redis that hangs must not hold publications much longer than they may wait; a second it gets in any case.
        patience = min(_PATIENCE, max(1.0, self._publish_timeout))
        self._client = Redis(
            connection_pool=ConnectionPool.from_url(
                self.url, max_connections=2 * _ASKED_AT_ONCE, socket_timeout=patience, retry=None, **own
            )
        )
        self._publisher = RedisPublisher(
            self._client,
            self._node,
            history_limit=self._limit,
            history_ttl=self._ttl,
            timeout=self._publish_timeout,
            limit=self._pending_limit,
            is_up=self._is_up,
            note=self._note,
        )
        try:
            await self._publisher.start()
        except (RedisError, OSError) as exc:
            await self._disconnect()
            raise BackplaneUnavailable(f"Redis does not answer: {exc}") from exc
        self._error = None
        self._watcher = asyncio.get_running_loop().create_task(self._watch())
        self._link = RedisLink(
            ConnectionPool.from_url(self.url, socket_timeout=None, **own).make_connection,
            on_message=self._on_message,
            on_subscribed=self._on_subscribed,
            ping_interval=self._ping_interval,
        )
        self._placing = asyncio.get_running_loop().create_task(self._placer.run())
        # A channel of its own keeps the subscription alive, and watched, while nobody is connected here.
        for channel in self._control.channels:
            self._link.subscribe(channel)
        self._link.start()
        if not await self._link.came_up(_PATIENCE):
            reason = self._link.error
            await self.close()
            raise BackplaneUnavailable(f"Redis does not confirm a subscription: {reason}")

    async def close(self) -> None:
        """Disconnect; what still waits to be published fails."""
        tasks = [task for task in (self._watcher, self._placing) if task is not None]
        self._watcher = self._placing = None
        await end_tasks(*tasks)
        if self._link is not None:
            await self._link.close()
        if self._publisher is not None:
            await self._publisher.close()
        await self._disconnect()
        self._error = "closed"

    async def _disconnect(self) -> None:
        if self._client is not None:
            await self._client.aclose()
            await self._client.connection_pool.disconnect()  # aclose() leaves a pool that was given alone

    async def publish(self, user_id: str, draft: Draft) -> Delivery:
        """Give ``draft`` its place and hand it to all workers; concurrent calls share round trips, in order.

        While Redis is away it waits, up to ``publish_timeout``. Raises BackplaneUnavailable.
        """
        if self._watcher is None or self._publisher is None:
            raise BackplaneUnavailable(self._why_not())
        return await self._publisher.publish(self._keys(user_id), item_of(draft))

    async def publish_once(self, user_id: str, draft: Draft, key: str) -> Delivery:
        """As :meth:`publish`, once however often it is asked under ``key``. Raises BackplaneUnavailable."""
        if self._watcher is None or self._publisher is None:
            raise BackplaneUnavailable(self._why_not())
        own = (os.urandom(6).hex(), once(key), self._limit, self._ttl, 1, 1)
        keys = self._keys(user_id)
        answer = await self._ask(lambda: self._client.eval(SCRIPT, 3, *keys, *own, item_of(draft)))
        seq, epoch, receivers = answer[0]
        if int(receivers) < 0:
            raise BackplaneUnavailable(f"Redis refused: {epoch}")
        return Delivery(int(seq), epoch, int(receivers), True)

    async def broadcast(self, draft: Draft, exclude: frozenset[str], key: str | None) -> int:
        """Publish to all users who are connected to a worker, or were within ``history_ttl``; a batch of them at a time."""
        if self._watcher is None:
            raise BackplaneUnavailable(self._why_not())
        roster = await self._ask(lambda: self._client.zrangebyscore(roster_of(self._prefix), time.time(), "+inf"))
        users = [user for user in roster if user not in exclude]
        try:
            for keys, arguments in batches(self._prefix, users, draft, (self._limit, self._ttl), key):
                call = functools.partial(self._client.eval, SCRIPT, len(keys), *keys, *arguments)
                refusal = refusal_in(await self._ask(call))
                if refusal is not None:
                    raise BackplaneUnavailable(f"Redis refused: {refusal}")
        except BackplaneUnavailable as exc:
            exc.uncertain = True  # some have got it
            raise
        return len(users)

    def listen(self, listener: Listener) -> None:
        """Name who answers here; before :meth:`start`."""
        self._control.listener = listener

    async def consult(self, question: Mapping[str, Any]) -> Answers:
        """Ask all workers of this Redis and prefix. Raises BackplaneUnavailable."""
        if self._watcher is None:
            raise BackplaneUnavailable(self._why_not())
        return await self._control.consult(question)

    async def remember(self, name: str, value: str, limit: int) -> None:
        """Keep a fact for all workers. Raises BackplaneUnavailable, ResourceLimitExceeded."""
        if self._watcher is None:
            raise BackplaneUnavailable(self._why_not())
        await self._control.remember(name, value, limit)

    async def forget_facts(self, names: Sequence[str]) -> None:
        """Drop facts. Raises BackplaneUnavailable."""
        await self._control.forget(names)

    async def replay(self, user_id: str, since: Position | None) -> Replay:
        """Return what follows ``since``. Raises BackplaneUnavailable."""
        return (await self._read(user_id, since))[0]

    async def _read(self, user_id: str, since: Position | None, token: str = "") -> tuple[Replay, str]:
        """Return what follows ``since``, and the token of the last entry; ``token`` is what ``since`` must have if known."""
        if since is not None and not 0 <= since.seq <= GREATEST_SEQ:
            return Replay([], await self.position(user_id), "unknown_position"), ""
        meta, stream, _ = self._keys(user_id)
        first = "-" if since is None else f"{since.seq + (not token)}-0"
        pipe = self._client.pipeline(transaction=True)
        pipe.hmget(meta, "epoch", "seq")
        pipe.xrange(stream, first)
        (epoch, seq), entries = await self._ask(pipe.execute)
        if epoch is None:
            return Replay([], await self.position(user_id), None if since is None else "epoch_changed"), ""
        end = Position(epoch, int(seq or 0))
        if since is not None:
            if since.epoch != epoch:
                return Replay([], end, "epoch_changed"), ""
            if since.seq > end.seq:
                return Replay([], end, "unknown_position"), ""
            if entries and _seq(entries[0]) == since.seq:
                _, fields = entries.pop(0)
                if fields["t"] != token:
                    return Replay([], end, "unknown_position"), ""
            if since.seq < end.seq and (not entries or _seq(entries[0]) != since.seq + 1):
                return Replay([], end, "history_expired"), ""
        events = [event_of(entry[1]["e"], epoch, _seq(entry)) for entry in entries]
        return Replay(events, end), entries[-1][1]["t"] if entries else token

    async def position(self, user_id: str) -> Position:
        """Return the end of the user's stream. Raises BackplaneUnavailable."""
        meta = self._keys(user_id)[0]
        pipe = self._client.pipeline(transaction=True)
        # A client that has seen nothing yet must be able to say so: its stream begins now.
        pipe.hsetnx(meta, "epoch", os.urandom(6).hex())
        pipe.pexpire(meta, self._ttl)
        pipe.hmget(meta, "epoch", "seq")
        self._enrol(pipe, [user_id])
        epoch, seq = (await self._ask(pipe.execute))[2]
        return Position(epoch, int(seq or 0))

    def _enrol(self, pipe: Any, users: Sequence[str]) -> None:
        """Note that the users are here: a broadcast is for who was within ``history_ttl``."""
        roster, now = roster_of(self._prefix), time.time()
        pipe.zadd(roster, dict.fromkeys(users, now + self._ttl / 1000))
        pipe.pexpire(roster, 2 * self._ttl)

    async def join(self, user_id: str) -> None:
        """Subscribe to the user's channel. Raises BackplaneUnavailable if Redis does not confirm in time."""
        if self._link is None:
            raise BackplaneUnavailable(self._why_not())
        joining = self._joining.get(user_id)
        if joining is None:
            joining = self._joining[user_id] = asyncio.get_running_loop().create_future()
            self._joined[user_id] = None
            self._link.subscribe(self._keys(user_id)[2])
        if joining.done():
            return
        if self._link.up:
            # In a storm all would wait for the last one; so each waits for its turn, and then for Redis alone.
            async with self._admission:
                await self._joined_by(joining)
        else:
            await self._joined_by(joining)

    async def _joined_by(self, joining: asyncio.Future[None]) -> None:
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
        """Return ``healthy``: whether publishing works, and the subscription to all users; and what they wait for."""
        link = self._link
        return {
            "healthy": self._is_up(),
            "kind": "redis",
            "node": self._node,
            "error": self._error or (None if link is None or link.up else link.error),
            "pending": 0 if self._publisher is None else len(self._publisher),
            "users": len(self._joined),
            "reconnects": 0 if link is None else link.reconnects,
        }

    # Health

    async def _watch(self) -> None:
        """Write to Redis at intervals, so that health turns red and green without traffic.

        A Redis that is full, read-only or cannot save answers pings. While users are connected, their streams do not expire.
        """
        from redis.exceptions import RedisError

        clock, probe = asyncio.get_running_loop().time, f"{self._prefix}:{self._node}"
        touched = clock()
        while True:
            await asyncio.sleep(self._ping_interval)
            try:
                await self._client.set(probe, "1", px=60_000)
                if clock() - touched > self._ttl / 3000:
                    touched = clock()
                    await self._touch()
            except (RedisError, OSError, asyncio.TimeoutError) as exc:
                self._note(exc)
            else:
                self._note(None)

    async def _touch(self) -> None:
        users = list(self._joined)
        for first in range(0, len(users), _TOUCHED_AT_ONCE):
            pipe = self._client.pipeline(transaction=False)
            present = users[first : first + _TOUCHED_AT_ONCE]
            for user_id in present:
                for key in self._keys(user_id)[:2]:
                    pipe.pexpire(key, self._ttl)
            self._enrol(pipe, present)
            await pipe.execute()
        await self._client.zremrangebyscore(roster_of(self._prefix), "-inf", time.time())

    def _is_up(self) -> bool:
        return self._error is None and self._link is not None and self._link.up

    def _why_not(self) -> str:
        if self._error == "closed":
            return "the Redis backplane is closed: this process drains, or has done so"
        return "the Redis backplane is not started; call `await factory.start()` first"

    def _note(self, exc: BaseException | None) -> None:
        if exc is None:
            self._error = None
            return
        if self._error is None:
            logger.warning("Redis does not answer: %s", exc)
        self._error = f"{type(exc).__name__}: {exc}"

    # Receiving

    async def _on_message(self, channel: str, data: str) -> None:
        if self._control.hear(channel, data):
            return
        user_id = self._user_of(channel)
        if user_id not in self._joined:
            return
        head, _, item = data.partition("\n")
        number, epoch, token = head.split(" ")
        seq, last = int(number), self._joined[user_id]
        if last is not None and last.position.epoch == epoch:
            if seq <= last.position.seq:
                return
            if seq > last.position.seq + 1:
                await self._refill(user_id, last)
                return
        self._joined[user_id] = Place(Position(epoch, seq), token)
        self._deliver(user_id, (event_of(item, epoch, seq),))
        self._pump(user_id)

    async def _on_subscribed(self, channel: str) -> None:
        if channel == self._control.channel:
            await self._control.recall()  # what was said while nobody here listened
            return
        user_id = self._user_of(channel)
        last = self._joined.get(user_id)
        if last is not None:
            await self._refill(user_id, last)
            self._confirm(user_id)
        elif user_id in self._joined:
            self._placer.want(user_id)

    def _settle(self, user_id: str, place: Place) -> None:
        # An event that has come since knows better.
        if user_id in self._joined and self._joined[user_id] is None:
            self._joined[user_id] = place
        self._confirm(user_id)

    def _confirm(self, user_id: str) -> None:
        joining = self._joining.get(user_id)
        if joining is not None and not joining.done():
            joining.set_result(None)

    async def _places(self, users: Sequence[str]) -> list[Place]:
        """Return where the streams of many users stand; those that have none begin now, as with :meth:`position`."""
        pipe = self._client.pipeline(transaction=True)
        for user_id in users:
            meta, stream, _ = self._keys(user_id)
            pipe.hsetnx(meta, "epoch", os.urandom(6).hex())
            pipe.pexpire(meta, self._ttl)
            pipe.hmget(meta, "epoch", "seq")
            pipe.xrevrange(stream, count=1)
        self._enrol(pipe, users)
        answers = await self._ask(pipe.execute)
        places = []
        for index in range(0, 4 * len(users), 4):
            (epoch, seq), newest = answers[index + 2], answers[index + 3]
            position = Position(epoch, int(seq or 0))
            known = newest and _seq(newest[0]) == position.seq
            places.append(Place(position, newest[0][1]["t"] if known else ""))
        return places

    async def _refill(self, user_id: str, last: Place) -> None:
        """Deliver what a subscription has missed; where Redis cannot tell, have clients resync."""
        replay, token = await self._read(user_id, last.position, last.token)
        if replay.resync == "unknown_position":
            await self._turn(user_id, last.position.epoch)
            replay, token = Replay([], await self.position(user_id), "epoch_changed"), ""
        if user_id not in self._joined:
            return
        end = replay.position
        self._joined[user_id] = Place(end, token)
        events = replay.events
        if replay.resync is not None:
            logger.warning("events of a user were not received in time, clients are told to resync: %s", replay.resync)
            events = [Event(resync_notice(replay.resync, end.epoch, end.seq), end.epoch, 0)]
        if events:
            self._deliver(user_id, events)
            self._pump(user_id)

    async def _turn(self, user_id: str, epoch: str) -> None:
        meta, stream, _ = self._keys(user_id)
        await self._ask(lambda: self._client.eval(_TURN, 2, meta, stream, epoch, os.urandom(6).hex()))

    async def _ask(self, request: Callable[[], Any]) -> Any:
        from redis.exceptions import RedisError, ResponseError

        try:
            async with self._turns:
                return await request()
        except ResponseError as exc:
            # An answer: of a plain one this request is the cause, and not Redis' health. What concerns all requests
            # (read-only, full, forbidden) has a class of its own, or the watcher's write meets it.
            if type(exc) is not ResponseError:
                self._note(exc)
            raise BackplaneUnavailable(f"Redis refuses: {exc}") from exc
        except (RedisError, OSError, asyncio.TimeoutError) as exc:
            self._note(exc)
            raise BackplaneUnavailable(f"Redis does not answer: {exc}") from exc

    def _keys(self, user_id: str) -> tuple[str, str, str]:
        return keys_of(self._prefix, user_id)

    def _user_of(self, channel: str) -> str:
        return user_of(self._prefix, channel)


def _seq(entry: Any) -> int:
    return int(entry[0].partition("-")[0])
