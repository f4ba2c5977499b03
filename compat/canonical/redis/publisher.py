"""Publishing to the streams in Redis: in order, many events in one step, each of them once however often it is sent."""

from __future__ import annotations

import asyncio
import hashlib
import os
import socket
from collections import deque
from collections.abc import Iterator, Sequence
from typing import Any, Callable, NamedTuple

from ..core.events import Delivery, Draft
from ..core.logged import get_logger
from ..errors import BackplaneUnavailable
from .layout import item_of, keys_of
from .link import backoff, end_tasks

logger = get_logger(__name__)

# A batch is one script, so that all of it or nothing has happened when Redis answers that it is loading, that it does not
# know the script, or not at all: what follows an event of a user must not count while the event itself does not.
# When a batch is sent again, the last number of its node in the hash tells which events are there already.
SCRIPT = """
local fresh, node, limit, ttl, again = ARGV[1], ARGV[2], ARGV[3], ARGV[4], ARGV[5] == '1'

local function published(meta, stream, number)
  local last = redis.call('HGET', meta, node)
  if last and tonumber(last) < number then return nil end
  local token, epoch = node .. ':' .. string.format('%.0f', number), redis.call('HGET', meta, 'epoch')
  for _, entry in ipairs(redis.call('XREVRANGE', stream, '+', '-', 'COUNT', 1024)) do
    if entry[2][4] == token then return {tonumber(string.match(entry[1], '^%d+')), epoch, 1} end
  end
  return last and {0, epoch, 1}
end

local function publish(first, number, item)
  local meta, stream, channel = KEYS[first], KEYS[first + 1], KEYS[first + 2]
  local before = again and published(meta, stream, tonumber(number))
  if before then return before end
  local epoch = redis.call('HGET', meta, 'epoch')
  if not epoch then
    epoch = fresh
    redis.call('DEL', stream)
    redis.call('HSET', meta, 'epoch', epoch)
  elseif redis.call('HLEN', meta) > 64 then
    for _, field in ipairs(redis.call('HKEYS', meta)) do
      if field ~= 'seq' and field ~= 'epoch' then redis.call('HDEL', meta, field) end
    end
  end
  local seq, token = redis.call('HINCRBY', meta, 'seq', 1), node .. ':' .. number
  redis.call('HSET', meta, node, number)
  redis.call('XADD', stream, 'MAXLEN', '~', limit, seq .. '-0', 'e', item, 't', token)
  redis.call('PEXPIRE', meta, ttl)
  redis.call('PEXPIRE', stream, ttl)
  return {seq, epoch, redis.call('PUBLISH', channel, seq .. ' ' .. epoch .. ' ' .. token .. '\\n' .. item)}
end

local answers = {}
for index = 0, #KEYS / 3 - 1 do
  local done, answer = pcall(publish, index * 3 + 1, ARGV[index * 2 + 6], ARGV[index * 2 + 7])
  if not done then
    answer = {0, type(answer) == 'table' and answer.err or tostring(answer), -1}
  end
  answers[index + 1] = answer
end
return answers
"""

_BATCH = 128


def batches(
    prefix: str, users: Sequence[str], draft: Draft, options: Sequence[Any], key: str | None
) -> Iterator[tuple[Any, Any]]:
    """Yield keys and arguments of the script by which many users get one event; ``options`` are history's limit and time."""
    item = item_of(draft)
    # Tokens in a stream are unique, or a stream that was set back could pass for what it was.
    node, number = ("b", int.from_bytes(os.urandom(6), "big")) if key is None else (once(key), 1)
    for first in range(0, len(users), _BATCH):
        batch = users[first : first + _BATCH]
        own = (os.urandom(6).hex(), node, *options, int(key is not None))
        yield [name for user in batch for name in keys_of(prefix, user)], [*own, *([number, item] * len(batch))]


def once(key: str) -> str:
    """Return the node under which everybody publishes what has this idempotency key, so that it is published once."""
    return f"i{hashlib.sha256(key.encode('utf-8', 'surrogatepass')).hexdigest()[:32]}"


def refusal_in(answers: Sequence[Any]) -> str | None:
    """Return why Redis refused an event of a batch; None if it took them all."""
    return next((str(epoch) for _, epoch, receivers in answers if int(receivers) < 0), None)


class _Pending(NamedTuple):
    keys: tuple[str, str, str]
    item: str
    number: int
    deadline: float
    answer: asyncio.Future[Delivery]


class RedisPublisher:
    """What this process publishes, waiting for its turn.

    Each event waits for Redis up to ``timeout`` seconds. While Redis is known to be away no more than ``limit`` events wait:
    further ones are refused at once.
    """

    def __init__(
        self,
        client: Any,
        node: str,
        *,
        history_limit: int,
        history_ttl: int,
        timeout: float,
        limit: int,
        is_up: Callable[[], bool],
        note: Callable[[BaseException | None], None],
    ) -> None:
        """``is_up`` says whether Redis is known to be there; ``note`` hears of every failure, and by None of every success."""
        self._client, self._node, self._is_up, self._note = client, node, is_up, note
        self._history_limit, self._history_ttl = history_limit, history_ttl
        self._timeout, self._limit = timeout, limit
        self._number = 0
        self._sent = 0  # numbers up to this one have been on their way at least once
        self._sha = ""
        self._pending: deque[_Pending] = deque()
        self._wake = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    def __len__(self) -> int:
        return len(self._pending)

    async def start(self) -> None:
        """Make the script known to Redis, and begin. Raises what redis-py raises."""
        self._sha = await self._client.script_load(SCRIPT)
        self._task = asyncio.get_running_loop().create_task(self._publish_all())

    async def close(self) -> None:
        """Stop; what still waits fails."""
        task, self._task = self._task, None
        if task is not None:
            await end_tasks(task)
        self._fail(float("inf"), "backplane is closed")

    async def publish(self, keys: tuple[str, str, str], item: str) -> Delivery:
        """Publish ``item`` under the user's ``keys``. Raises BackplaneUnavailable."""
        if len(self._pending) >= self._limit and not self._is_up():
            raise BackplaneUnavailable(f"Redis does not answer, and {len(self._pending)} events wait for it already")
        loop = asyncio.get_running_loop()
        self._number += 1
        pending = _Pending(keys, item, self._number, loop.time() + self._timeout, loop.create_future())
        self._pending.append(pending)
        self._wake.set()
        return await pending.answer

    async def _publish_all(self) -> None:
        """Publish what is pending, a batch in flight at a time: a retry must not overtake what came before it."""
        from redis.exceptions import BusyLoadingError, RedisError, ResponseError

        clock, attempt = asyncio.get_running_loop().time, 0
        while True:
            if not self._pending:
                self._wake.clear()
                await self._wake.wait()
            batch = [self._pending[index] for index in range(min(_BATCH, len(self._pending)))]
            again, before = batch[0].number <= self._sent, self._sent
            try:
                if attempt or not self._is_up():
                    await self._client.ping()  # nothing is on its way, and in doubt, before Redis is there
                self._sent = max(self._sent, batch[-1].number)
                answers = await self._send(batch, again)
            except (RedisError, OSError, asyncio.TimeoutError) as exc:
                if isinstance(exc, (BusyLoadingError, ResponseError)) or _never_left(exc):
                    self._sent = before
                self._note(exc)
                self._fail(clock(), f"Redis does not answer: {exc}")
                await asyncio.sleep(backoff(attempt))
                attempt += 1
                continue
            except Exception as exc:
                # Nobody else may wait for ever because of what one batch holds.
                logger.exception("events cannot be published")
                answers = [(0, repr(exc), -1)] * len(batch)
            attempt = 0
            self._note(None)
            for answer in answers:
                _settle(self._pending.popleft().answer, answer)

    async def _send(self, batch: list[_Pending], again: bool) -> list[Any]:
        from redis.exceptions import NoScriptError

        keys = [key for pending in batch for key in pending.keys]
        own = (os.urandom(6).hex(), self._node, self._history_limit, self._history_ttl, int(again))
        items = [part for pending in batch for part in (pending.number, pending.item)]
        try:
            answers: list[Any] = await self._client.evalsha(self._sha, len(keys), *keys, *own, *items)
        except NoScriptError:
            answers = await self._client.eval(SCRIPT, len(keys), *keys, *own, *items)
        return answers

    def _fail(self, now: float, reason: str) -> None:
        # Deadlines rise along the queue.
        while self._pending and self._pending[0].deadline <= now:
            pending = self._pending.popleft()
            if not pending.answer.done():
                pending.answer.set_exception(BackplaneUnavailable(reason, uncertain=pending.number <= self._sent))


def _settle(future: asyncio.Future[Delivery], answer: Any) -> None:
    if future.done():
        return
    seq, epoch, receivers = answer
    if int(receivers) < 0:
        future.set_exception(BackplaneUnavailable(f"Redis refused: {epoch}"))
    else:
        future.set_result(Delivery(int(seq), epoch, int(receivers), True))


def _never_left(exc: BaseException | None) -> bool:
    """Say whether a request failed because there was no connection to send it on."""
    while exc is not None:
        if isinstance(exc, (ConnectionRefusedError, socket.gaierror)):
            return True
        exc = exc.__cause__ or exc.__context__
    return False
