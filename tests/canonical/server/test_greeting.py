"""The greeting is the first thing a client hears, whatever is published while it connects, and nothing comes twice."""

from __future__ import annotations

import asyncio

import pytest

from compat.canonical.limits import Limits


@pytest.mark.parametrize("resuming", [False, True], ids=["fresh", "resuming"])
def test_no_event_comes_before_the_greeting_while_others_of_the_user_receive(running, client_of, redis_server, resuming) -> None:
    pytest.importorskip("redis", reason="redis is in the server extra")

    async def run() -> None:
        limits = Limits(connections_per_user=40)
        async with running(redis_url=redis_server.url, limits=limits) as server:
            await server.service.start()
            manager = server.manager()
            first = await manager.send({"type": "note"})
            query = f"?epoch={first.epoch}&seq=0" if resuming else ""
            publishing = True

            async def publish() -> None:
                while publishing:
                    await asyncio.gather(*(manager.send({"type": "note"}) for _ in range(3)))
                    await asyncio.sleep(0.005)  # the clients share this loop

            task = asyncio.ensure_future(publish())

            async def connect() -> tuple[str, list[int]]:
                async with server.connect(query) as link:
                    client = client_of(link)
                    hello = await client.hear()
                    seqs = [hello.get("seq", -1), *[(await client.hear())["seq"] for _ in range(10)]]
                    return hello["type"], seqs

            outcomes = await asyncio.gather(*(connect() for _ in range(30)))
            publishing = False
            await task
            assert [kind for kind, _ in outcomes] == ["connection_established"] * 30
            for _, seqs in outcomes:
                assert seqs == list(range(seqs[0], seqs[0] + 11))

    asyncio.run(run())


def test_what_a_handler_says_while_its_connection_catches_up_comes_after(running, client_of, redis_server) -> None:
    pytest.importorskip("redis", reason="redis is in the server extra")

    async def run() -> None:
        async def say(manager, connection, message) -> None:
            await asyncio.sleep(0)
            assert await connection.send_direct({"type": "answer", "n": message["n"]})

        async with running(say, redis_url=redis_server.url) as server, server.connect() as link:
            client = client_of(link)
            hello = await client.hear()
            for number in range(100):
                await server.manager().send({"type": "note", "n": number})
            for _ in range(100):
                await client.hear("note")
            for number in range(10):
                await client.say(type="say", n=number)
                await client.say(type="resume", epoch=hello["epoch"], seq=90, ack=number)
            heard = [await client.hear() for _ in range(10 * 12)]
            assert [m["n"] for m in heard if m["type"] == "answer"] == list(range(10))
            assert [m["ack"] for m in heard if m["type"] == "ack"] == list(range(10))
            assert [m["seq"] for m in heard if m["type"] == "note"] == [*range(91, 101)] * 10

    asyncio.run(run())
