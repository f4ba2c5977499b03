"""Messages wait by priority, are flushed in order, and nothing that may be tried again is lost."""

from __future__ import annotations

import asyncio
from datetime import datetime, timedelta, timezone

import pytest

from compat.netra.components.connections.state_machine import ApplicationConnectionState as State
from compat.netra.components.connections.state_machine import ConnectionStateMachine
from compat.netra.components.messages import message_queue
from compat.netra.components.messages.message_queue import (
    MessagePriority,
    MessageQueue,
    MessageQueueRegistry,
    MessageQueueState,
    QueuedMessage,
)

READY = (State.ACCEPTED, State.AUTHENTICATED, State.SERVICES_READY, State.PROCESSING_READY)


def collect(queue: MessageQueue) -> list[object]:
    seen: list[object] = []
    queue.set_message_processor(lambda message: seen.append(message.message_data["n"]))
    return seen


def test_a_flush_goes_by_priority_and_age_then_messages_pass_through() -> None:
    async def scenario() -> None:
        queue = MessageQueue("conn_1", "user_1")
        done = []
        queue.add_flush_complete_callback(lambda: done.append(queue.current_state))
        for number, priority in enumerate(
            (MessagePriority.LOW, MessagePriority.NORMAL, MessagePriority.CRITICAL, MessagePriority.NORMAL)
        ):
            assert await queue.enqueue_message({"n": number}, "chat", priority)
        assert not await queue.flush_queue(), "there is no processor"
        seen = collect(queue)
        assert await queue.flush_queue()
        assert seen == [2, 1, 3, 0] and done == [MessageQueueState.PASS_THROUGH]
        assert await queue.enqueue_message({"n": 4}) and seen[-1] == 4
        stats = queue.get_queue_stats()
        assert stats["metrics"].pop("average_queue_duration_ms") >= 0 and stats["metrics"].pop("created_at").endswith("+00:00")
        assert stats.pop("uptime_seconds") >= 0
        assert stats == {
            "connection_id": "conn_1",
            "user_id": "user_1",
            "state": "pass_through",
            "is_flushing": False,
            "total_size": 0,
            "queue_sizes_by_priority": {"critical": 0, "high": 0, "normal": 0, "low": 0},
            "metrics": {
                "messages_queued": 4,
                "messages_flushed": 5,
                "messages_dropped": 0,
                "messages_expired": 0,
                "flush_operations": 1,
                "overflow_events": 0,
                "peak_queue_size": 4,
            },
            "max_size": 1000,
            "max_message_age_seconds": 300.0,
        }

    asyncio.run(scenario())


def test_a_full_queue_drops_what_matters_least_or_refuses() -> None:
    async def scenario() -> None:
        queue = MessageQueue("conn_1", "user_1", max_size=2)
        assert await queue.enqueue_message({"n": "low"}, priority=MessagePriority.LOW)
        assert await queue.enqueue_message({"n": "normal"})
        assert await queue.enqueue_message({"n": "critical"}, priority=MessagePriority.CRITICAL)
        assert queue.current_state is MessageQueueState.OVERFLOW and queue.is_buffering
        assert not await queue.enqueue_message({"n": "low"}, priority=MessagePriority.LOW)
        seen = collect(queue)
        assert await queue.flush_queue(force=True)
        assert seen == ["critical", "normal"]
        assert queue.get_queue_stats()["metrics"]["messages_dropped"] == 2

    asyncio.run(scenario())


def test_what_fails_keeps_its_place_until_its_attempts_are_used_up() -> None:
    async def scenario() -> None:
        queue = MessageQueue("conn_1", "user_1")
        seen: list[int] = []

        async def process(message: QueuedMessage) -> None:
            seen.append(message.message_data["n"])
            if message.message_data["n"] == 1:
                raise RuntimeError("not now")

        queue.set_message_processor(process)
        for number in (1, 2):
            await queue.enqueue_message({"n": number})
        assert not await queue.flush_queue() and queue.current_state is MessageQueueState.BUFFERING
        assert not await queue.flush_queue() and not await queue.flush_queue()
        assert (seen, queue.current_state) == ([1, 1, 1], MessageQueueState.BUFFERING)
        assert await queue.flush_queue()
        assert (seen, queue.current_state) == ([1, 1, 1, 2], MessageQueueState.PASS_THROUGH)

    asyncio.run(scenario())


def test_old_messages_are_not_flushed() -> None:
    async def scenario() -> None:
        queue = MessageQueue("conn_1", "user_1", max_message_age_seconds=10)
        seen = collect(queue)
        await queue.enqueue_message({"n": 1})
        queue._queues[MessagePriority.NORMAL][0].queued_at -= timedelta(seconds=11)
        assert await queue.flush_queue()
        assert seen == [] and queue.get_queue_stats()["metrics"]["messages_expired"] == 1

    asyncio.run(scenario())


def test_the_queue_follows_its_connection() -> None:
    async def scenario() -> None:
        machine = ConnectionStateMachine("conn_1", "user_1")
        queue = MessageQueue("conn_1", "user_1", state_machine=machine)
        seen = collect(queue)
        await queue.enqueue_message({"n": 1})
        assert not await queue.flush_queue(), "the connection is not ready"
        for state in READY:
            machine.transition_to(state)
        await queue._flush_task
        assert seen == [1] and queue.current_state is MessageQueueState.PASS_THROUGH
        machine.transition_to(State.DEGRADED)
        machine.transition_to(State.RECONNECTING)
        assert queue.current_state is MessageQueueState.SUSPENDED and not queue.is_operational
        await queue.enqueue_message({"n": 2})
        machine.transition_to(State.PROCESSING_READY)
        await queue._flush_task
        assert seen == [1, 2]

    asyncio.run(scenario())


@pytest.mark.parametrize("user_id", ["", None, "not a user!"])
def test_a_queue_belongs_to_a_user(user_id) -> None:
    with pytest.raises(ValueError, match="Invalid user_id|must be a non-empty"):
        MessageQueue("conn_1", user_id)


def test_a_queue_that_buffers_is_not_operational() -> None:
    queue = MessageQueue("conn_1", "user_1")
    assert (queue.is_buffering, queue.is_operational) == (True, False)
    collect(queue)
    assert asyncio.run(queue.flush_queue()) and queue.is_operational


def test_a_closed_queue_takes_nothing() -> None:
    async def scenario() -> None:
        queue = MessageQueue("conn_1", "user_1")
        await queue.enqueue_message({"n": 1})
        await queue.enqueue_message({"n": 2}, priority=MessagePriority.LOW)
        assert await queue.clear_queue(MessagePriority.LOW) == 1
        await queue.close()
        await queue.close()
        assert queue.current_state is MessageQueueState.CLOSED
        assert not await queue.enqueue_message({"n": 3}) and not await queue.flush_queue()
        assert queue.get_queue_stats()["total_size"] == 0

    asyncio.run(scenario())


def test_a_message_knows_its_age_and_attempts() -> None:
    message = QueuedMessage({}, "chat", queued_at=datetime.now(timezone.utc) - timedelta(seconds=2))
    assert message.is_expired(1) and not message.is_expired()
    assert (message.calculate_queue_duration(), message.queue_duration_ms) == (0.0, None)
    for _ in range(3):
        assert message.can_retry()
        message.mark_attempt()
    assert not message.can_retry() and message.last_attempt is not None
    assert message.queue_duration_ms == message.calculate_queue_duration() >= 2000


def test_the_registry_keeps_one_queue_per_connection(monkeypatch) -> None:
    async def scenario() -> None:
        registry = MessageQueueRegistry()
        queue = registry.create_message_queue("conn_1", "user_1", max_size=5)
        assert registry.create_message_queue("conn_1", "user_1") is queue is registry.get_message_queue("conn_1")
        await queue.enqueue_message({})
        stats = registry.get_registry_stats()
        assert (stats["total_queues"], stats["active_queues"], stats["total_queued_messages"]) == (1, 0, 1)
        collect(queue)
        await queue.clear_queue()
        assert await queue.flush_queue() and registry.get_registry_stats()["active_queues"] == 1
        assert registry.get_all_active_queues() == {"conn_1": queue}
        assert await registry.remove_message_queue("conn_1") and not await registry.remove_message_queue("conn_1")

    asyncio.run(scenario())
    monkeypatch.setattr(message_queue, "_message_queue_registry", None)
    made = message_queue.get_message_queue_registry().create_message_queue("conn_2", "user_2")
    assert message_queue.get_message_queue_for_connection("conn_2") is made


@pytest.mark.parametrize("kind", [MessagePriority, MessageQueueState])
def test_states_and_priorities_are_strings(kind: type) -> None:
    assert all(member == member.value for member in kind)
