"""Messages are held for users who are away, the important ones longest."""

from __future__ import annotations

import asyncio
from datetime import datetime, timedelta, timezone
from typing import Any

from compat.netra.components.events.message_buffer import BufferConfig, BufferedMessage, BufferPriority, WebSocketMessageBuffer


def test_messages_are_delivered_in_order_to_their_user_alone() -> None:
    async def scenario() -> None:
        buffer, got = WebSocketMessageBuffer(), []
        for number in range(3):
            await buffer.buffer_message("user_1", {"n": number})
        await buffer.buffer_message("user_2", {"n": 9})
        assert await buffer.deliver_buffered_messages("user_1", got.append) == 3
        assert [message["n"] for message in got] == [0, 1, 2]
        assert buffer.get_buffer_stats()["total_buffered_messages"] == 1
        assert await buffer.clear_user_buffer("user_2") == 1

    asyncio.run(scenario())


def test_a_failed_delivery_keeps_what_is_left() -> None:
    async def scenario() -> None:
        buffer = WebSocketMessageBuffer()
        await buffer.buffer_message("user_1", {"n": 1})
        await buffer.buffer_message("user_1", {"n": 2})

        async def fails_at_two(message: Any) -> bool:
            return bool(message["n"] == 1)

        assert await buffer.deliver_buffered_messages("user_1", fails_at_two) == 1
        assert await buffer.get_buffered_messages("user_1") == []
        (left,) = buffer._retrying
        assert (left.message, left.retry_count) == ({"n": 2}, 1)
        for wait in (0.5, 1.0, 2.0):
            due = left.next_retry_time
            assert due is not None and 0 < (due - datetime.now(timezone.utc)).total_seconds() <= wait
            assert await buffer.deliver_buffered_messages("user_1", lambda message: True) == 0
            left.next_retry_time = None
            assert await buffer.deliver_buffered_messages("user_1", fails_at_two) == 0
        stats = buffer.get_buffer_stats()
        assert (stats["retry_queue_size"], stats["retry_attempts"], stats["messages_dropped"]) == (0, 3, 1)
        await buffer.buffer_message("user_1", {"n": 3})
        await buffer.deliver_buffered_messages("user_1", lambda message: False)
        buffer._retrying[0].next_retry_time = None
        assert await buffer.deliver_buffered_messages("user_1", lambda message: True) == 1

    asyncio.run(scenario())


def test_a_full_buffer_drops_the_least_important_and_never_a_critical_one() -> None:
    async def scenario() -> None:
        buffer = WebSocketMessageBuffer(BufferConfig(max_buffer_size_per_user=2))
        await buffer.buffer_message("user_1", {"n": 1}, BufferPriority.LOW)
        await buffer.buffer_message("user_1", {"type": "agent_started"})
        assert await buffer.buffer_message("user_1", {"n": 3}) is True
        assert [entry.message for entry in await buffer.get_buffered_messages("user_1")] == [{"type": "agent_started"}, {"n": 3}]
        assert await buffer.buffer_message("user_1", {"n": 4}, BufferPriority.LOW) is False
        assert await buffer.buffer_message("user_1", {"type": "tool_executing"}) is True
        assert await buffer.buffer_message("user_1", {"type": "agent_completed"}) is False
        info = buffer.get_user_buffer_info("user_1")
        assert info["buffer_size"] == 2 and info["messages"][0].pop("created_at").endswith("+00:00")
        assert info["messages"][0].pop("id").startswith("user_1_")
        assert info["messages"][0] == {"priority": "NORMAL", "retry_count": 0, "size_bytes": 24}
        assert buffer.get_buffer_stats() == {
            "total_users_with_buffers": 1,
            "total_buffered_messages": 2,
            "retry_queue_size": 0,
            "user_buffer_sizes": {"user_1": 2},
            "largest_user_buffer": 2,
            "messages_buffered": 4,
            "messages_delivered": 0,
            "messages_dropped": 4,
            "overflow_events": 4,
            "retry_attempts": 0,
            "buffer_size_bytes": 24 + 25,
            "max_buffer_size_reached": 2,
        }

    asyncio.run(scenario())


def test_limits_of_size_and_age() -> None:
    async def scenario() -> None:
        buffer = WebSocketMessageBuffer(BufferConfig(max_message_size_bytes=20))
        assert await buffer.buffer_message("user_1", {"text": "x" * 30}) is False
        assert await buffer.buffer_message("user_1", {"n": 1}) is True
        buffer._waiting["user_1"][0].created_at -= timedelta(hours=1)
        assert await buffer.get_buffered_messages("user_1") == []
        assert buffer.get_buffer_stats()["messages_dropped"] == 2
        assert BufferedMessage("m", "user_1", {"type": "x"}).size_bytes == 12
        assert BufferConfig().critical_message_types[0] == "agent_started"
        await buffer.start()
        await buffer.stop()

    asyncio.run(scenario())
