"""What every client of the core must live through; each scenario is given a stage and what makes a client.

A client under test is started by ``peer(stage, user, **options)`` and offers ``log()`` (the messages that its user was shown),
``send()`` (the code of the error, or ""), ``select()``, ``facts()`` (state, position, losses) and ``close()``.
"""

from __future__ import annotations

import asyncio
import inspect
import random
from typing import Any, Callable

from .network import Stage, staged, until

QUICK = {"min_delay": 0.02, "max_delay": 0.2, "later_delay": 0.05}


async def notes(client: Any) -> list[int]:
    return [message["n"] for message in await client.log() if message["type"] == "note"]


async def shown(client: Any, numbers: Any) -> None:
    """The user of a client has been shown exactly these events, in order."""
    wanted = list(numbers)

    async def is_there() -> bool:
        return len(await notes(client)) >= len(wanted)

    await until(is_there)
    assert await notes(client) == wanted


async def state(client: Any, wanted: str) -> None:
    async def is_reached() -> bool:
        return (await client.facts())["state"] == wanted

    await until(is_reached)


async def nothing_is_lost_when_connections_are_cut(peer: Callable[..., Any], figures: Any = None, **changes: Any) -> None:
    choice = random.Random(11)
    async with staged(**changes) as stage:
        users = ("ann", "ben")
        clients = {user: await peer(stage, user, **QUICK) for user in users}
        for client in clients.values():
            await state(client, "open")
        acked = 0
        for turn in range(12):
            for _ in range(choice.randrange(5, 30)):
                await stage.publish(choice.choice(users))
            if turn % 4 == 3:
                stage.wire.mode = "refuse"
            assert stage.wire.cut() or turn  # the first one finds somebody
            await stage.publish(choice.choice(users))
            stage.wire.mode = "pass"
            for user, client in clients.items():
                if not await client.send({"type": "count", "n": f"{user} {turn}"}, again=True):
                    acked += 1
        for user, client in clients.items():
            await shown(client, range(stage.sent[user]))
            assert {message["owner"] for message in await client.log() if message["type"] == "note"} == {user}
            assert (await client.facts())["losses"]
        assert acked == 24 == len(stage.handled)
        assert stage.wire.accepted > 10
        for client in clients.values():
            await client.close()
        if figures is not None:
            figures(sum(stage.sent.values()), [await client.log() for client in clients.values()])


async def a_half_open_connection_is_given_up(peer: Callable[..., Any]) -> None:
    async with staged() as stage:
        client = await peer(stage, heartbeat=0.2, patience=0.3, **QUICK)
        for number, break_it in enumerate((stage.wire.half_close, stage.wire.silence)):
            await state(client, "open")
            await stage.publish()
            await shown(client, range(2 * number + 1))
            break_it()
            await stage.publish()
            await shown(client, range(2 * number + 2))
        await client.close()


async def a_server_that_says_nothing_is_given_up(peer: Callable[..., Any]) -> None:
    async with staged() as stage:
        stage.wire.mode = "hole"
        client = await peer(stage, patience=0.3, **QUICK)
        await until(lambda: stage.wire.accepted >= 2)
        stage.wire.mode = "pass"
        await state(client, "open")
        await client.close()


async def a_quiet_connection_stays(peer: Callable[..., Any]) -> None:
    async with staged() as stage:
        client = await peer(stage, heartbeat=0.1, patience=5, **QUICK)
        await state(client, "open")
        (connection,) = stage.connections()
        before = connection.sent
        await asyncio.sleep(0.5)
        assert [*stage.connections()] == [connection] and connection.sent >= before
        assert (await client.facts())["losses"] == []
        await client.close()


async def a_message_is_answered_once_it_is_handled(peer: Callable[..., Any]) -> None:
    async with staged() as stage:
        client = await peer(stage, **QUICK)
        waiting = asyncio.ensure_future(client.send({"type": "wait", "n": 1}))
        await until(lambda: stage.handled[1])
        assert not waiting.done()
        stage.release.set()
        assert await waiting == ""
        await client.close()
        assert await client.send({"type": "count", "n": 2}) == "closed"


async def many_messages_at_once_are_handled_in_order(peer: Callable[..., Any]) -> None:
    async with staged() as stage:
        order: list[int] = []
        handle = stage.app.state.service.on_message

        async def note(manager: Any, connection: Any, message: Any) -> None:
            order.append(message["n"])
            await handle(manager, connection, message)
            await asyncio.sleep(0.001)

        stage.app.state.service.on_message = note
        client = await peer(stage, **QUICK)
        answers = await asyncio.gather(*(client.send({"type": "count", "n": n}) for n in range(60)))
        assert answers == [""] * 60
        assert order == list(range(60))
        await client.close()


async def a_busy_server_is_asked_again(peer: Callable[..., Any]) -> None:
    async with staged(waiting_messages=1, heartbeat_timeout=0.1) as stage:
        client = await peer(stage, **QUICK)
        waiting = [asyncio.ensure_future(client.send({"type": "wait", "n": n})) for n in range(5)]
        await until(lambda: stage.handled.total() if hasattr(stage.handled, "total") else sum(stage.handled.values()))
        await asyncio.sleep(0.4)
        stage.release.set()
        assert await asyncio.gather(*waiting) == [""] * 5
        assert dict(stage.handled) == dict.fromkeys(range(5), 1)
        await client.close()


async def an_error_of_the_server_has_its_code(peer: Callable[..., Any]) -> None:
    async with staged(handles=False) as stage:
        client = await peer(stage, **QUICK)
        assert await client.send({"type": "count"}) == "unknown_type"
        assert (await client.facts())["state"] == "open"
        await client.close()


async def what_was_not_answered_is_uncertain_or_sent_again(peer: Callable[..., Any]) -> None:
    async with staged() as stage:
        client = await peer(stage, **QUICK)
        once = asyncio.ensure_future(client.send({"type": "wait", "n": "once"}))
        await until(lambda: stage.handled["once"])
        stage.wire.cut()
        assert await once == "uncertain"
        again = asyncio.ensure_future(client.send({"type": "wait", "n": "again"}, again=True))
        await until(lambda: stage.handled["again"])
        stage.wire.cut()
        await until(lambda: stage.handled["again"] == 2)
        stage.release.set()
        assert await again == ""
        assert stage.handled["once"] == 1
        await client.close()


async def what_is_sent_while_nobody_is_connected_is_sent_later(peer: Callable[..., Any]) -> None:
    async with staged() as stage:
        stage.wire.mode = "refuse"
        client = await peer(stage, **QUICK)
        later = asyncio.ensure_future(client.send({"type": "count", "n": 1}))
        await until(lambda: stage.wire.accepted >= 3)
        assert not later.done()
        stage.wire.mode = "pass"
        assert await later == ""
        assert stage.handled[1] == 1
        await client.close()


async def a_close_code_says_whether_to_come_back(peer: Callable[..., Any]) -> None:
    from compat.canonical.close_codes import CLOSE_CODES, LOST, STOP, advice

    async with staged() as stage:
        for code in (*CLOSE_CODES, 3999, 4999):
            if code == LOST:
                continue  # never sent: see the cuts
            client = await peer(stage, f"user{code}", **QUICK)
            await state(client, "open")
            (connection,) = stage.connections(f"user{code}")
            await stage.manager(f"user{code}").disconnect(connection.connection_id, code, "as the test says")
            if advice(code) == STOP:
                await state(client, "closed")
                assert await client.send({"type": "count"}) == "closed"
                assert stage.tokens[f"user{code}"] == 1
            else:
                await until(lambda code=code: stage.tokens[f"user{code}"] == 2)
                await state(client, "open")
            assert (await client.facts())["losses"] == [code]
            await client.close()


async def a_refusal_is_tried_again_with_another_token(peer: Callable[..., Any]) -> None:
    async with staged() as stage:
        stage.token_seconds = -10.0
        client = await peer(stage, **QUICK)
        await until(lambda: stage.tokens["u"] >= 3)
        assert (await client.facts())["state"] != "open"
        stage.token_seconds = 3600.0
        await state(client, "open")
        await client.close()


async def attempts_may_be_bounded(peer: Callable[..., Any]) -> None:
    async with staged() as stage:
        stage.wire.mode = "refuse"
        client = await peer(stage, attempts=3, **QUICK)
        await state(client, "closed")
        assert stage.wire.accepted == 4
        assert await client.send({"type": "count"}) == "closed"
        await client.close()


async def a_token_that_runs_out_is_replaced(peer: Callable[..., Any]) -> None:
    async with staged() as stage:
        stage.token_seconds = 2.0
        client = await peer(stage, **QUICK)
        await state(client, "open")
        # Three lives of a token.
        for number in range(4):
            await stage.publish()
            await shown(client, range(number + 1))
            await asyncio.sleep(1.5)
        assert stage.tokens["u"] >= 3
        assert (await client.facts())["losses"] == []  # on the same connection
        await client.close()


async def without_another_token_the_end_of_one_is_the_end(peer: Callable[..., Any]) -> None:
    async with staged() as stage:
        client = await peer(stage, token=stage.token(), **QUICK)
        await state(client, "open")
        (connection,) = stage.connections()
        await stage.manager().disconnect(connection.connection_id, 4401, "token has expired")
        await state(client, "closed")
        assert (await client.facts())["losses"] == [4401]
        await client.close()


async def a_token_that_is_refused_is_asked_for_again(peer: Callable[..., Any]) -> None:
    async with staged() as stage:
        stage.token_seconds = 3.0
        client = await peer(stage, bears=["unauthorized"], **QUICK)
        await state(client, "open")
        stage.token_seconds = -10.0
        await until(lambda: stage.tokens["u"] == 2)
        stage.token_seconds = 3600.0
        await until(lambda: stage.tokens["u"] == 3)
        await asyncio.sleep(1.0)
        assert (await client.facts())["losses"] == []
        await client.close()


async def a_gap_is_filled(peer: Callable[..., Any]) -> None:
    from compat.canonical import Limits, OverflowPolicy

    limits = Limits(outbox_events=10, overflow=OverflowPolicy.DROP_OLDEST, history_events=2000)
    async with staged(limits=limits) as stage:
        client = await peer(stage, **QUICK)
        await state(client, "open")
        # More than sockets hold, before the server's loop can write any of it.
        for _ in range(900):
            await stage.publish(text="x" * 10_000)
        assert stage.connections()[0].outbox.dropped
        await stage.publish()
        await shown(client, range(901))
        assert (await client.facts())["losses"] == []
        await client.close()


async def what_cannot_be_sent_again_is_said_in_its_place(peer: Callable[..., Any]) -> None:
    from compat.canonical import Limits

    async with staged(limits=Limits(history_events=5)) as stage:
        client = await peer(stage, **QUICK)
        await state(client, "open")
        await stage.publish()
        await shown(client, [0])
        stage.wire.mode = "refuse"
        stage.wire.cut()
        for _ in range(10):
            await stage.publish()
        stage.wire.mode = "pass"

        async def resynced() -> bool:
            return any(message["type"] == "resync" for message in await client.log())

        await until(resynced)
        await stage.publish()
        await shown(client, [0, 11])
        told = [message for message in await client.log() if message["type"] == "resync"]
        assert [(one["reason"], one["seq"]) for one in told] == [("history_expired", 11)]
        await client.close()


async def another_server_begins_anew(peer: Callable[..., Any]) -> None:
    async with staged() as one, staged() as other:
        client = await peer(one, **QUICK)
        await state(client, "open")
        await one.publish()
        await shown(client, [0])
        one.wire.target = other.wire.port
        one.wire.cut()

        async def resynced() -> bool:
            return any(message["type"] == "resync" for message in await client.log())

        await until(resynced)
        await other.publish()
        await shown(client, [0, 0])
        assert next(m for m in await client.log() if m["type"] == "resync")["reason"] == "epoch_changed"
        await client.close()


async def a_position_is_continued_by_another_client(peer: Callable[..., Any]) -> None:
    async with staged() as stage:
        first = await peer(stage, **QUICK)
        await state(first, "open")
        await stage.publish()
        await shown(first, [0])
        position = (await first.facts())["position"]
        await first.close()
        await stage.publish()
        await stage.publish()
        second = await peer(stage, position=position, **QUICK)
        await shown(second, [1, 2])
        await second.close()


async def one_thread_is_shown_and_then_another(peer: Callable[..., Any]) -> None:
    from compat.canonical import UserExecutionContext

    async with staged() as stage:

        async def say(thread: str, n: int) -> None:
            context = UserExecutionContext(user_id="u", thread_id=thread, run_id="r")
            await stage.factory.get(context).send({"type": "note", "n": n})

        client = await peer(stage, thread="a", **QUICK)
        await state(client, "open")
        for n, thread in enumerate("abab"):
            await say(thread, n)
        await shown(client, [0, 2])
        await client.select("b")
        await say("b", 4)
        await shown(client, [0, 2, 4])
        stage.wire.cut()
        await say("b", 5)
        await say("a", 6)
        await say("b", 7)
        await shown(client, [0, 2, 4, 5, 7])
        await client.close()


async def what_is_said_without_a_number_is_passed_on(peer: Callable[..., Any]) -> None:
    async with staged() as stage:
        client = await peer(stage, **QUICK)
        await state(client, "open")
        await stage.connections()[0].send_direct({"type": "hint", "text": "to you alone"})

        async def told() -> bool:
            return {"type": "hint", "text": "to you alone"} in await client.log()

        await until(told)
        await client.close()


HELPERS = (notes, shown, state)
EVERY: list[Callable[..., Any]] = [
    value for value in vars().values() if inspect.isfunction(value) and value.__module__ == __name__ and value not in HELPERS
]
__all__ = ["EVERY", "Stage"]
