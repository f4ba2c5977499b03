"""Random interleavings of users, threads, workers, reconnections and sends: no foreign event, no loss, no duplicate."""

from __future__ import annotations

import asyncio
import json
import random
import threading
from types import SimpleNamespace

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from compat.canonical.core.events import Position
from compat.canonical.factory import WebSocketManagerFactory
from compat.canonical.limits import Limits

USERS = ("ann", "bob", "eve")
THREADS = (None, "t1", "t2")


class Client:
    """A client that keeps its position, as a browser does, and what it was sent in all its lives."""

    prefers_text = True

    def __init__(self, user: str, thread: str | None) -> None:
        self.user, self.thread = user, thread
        self.position: Position | None = None
        self.received: list[dict] = []
        self.resyncs = 0
        self.gate: asyncio.Event | None = None

    async def send_text(self, text: str) -> None:
        if self.gate is not None:
            await self.gate.wait()
        message = json.loads(text)
        if message["type"] == "note":
            self.received.append(message)
        elif message["type"] == "resync":
            self.resyncs += 1
        if "seq" in message:
            self.position = Position(message["epoch"], message["seq"])

    async def close(self, code: int = 1000, reason: str = "") -> None:
        pass


class DirectClient(Client):
    """One whose socket takes what has room at once, as the server's own do."""

    def write_now(self, text: str) -> bool:
        if self.gate is not None:
            return False
        sending = self.send_text(text)
        try:
            sending.send(None)
        except StopIteration:
            return True
        raise AssertionError("an open gate made a text wait")


def sees(client_thread: str | None, event_thread: str | None) -> bool:
    return client_thread is None or event_thread is None or client_thread == event_thread


step = st.one_of(
    st.tuples(st.just("send"), st.sampled_from(USERS), st.sampled_from(THREADS)),
    st.tuples(st.just("join"), st.sampled_from(USERS), st.sampled_from(THREADS)),
    st.tuples(st.sampled_from(["drop", "block", "release", "back"]), st.integers(0, 7), st.none()),
    st.tuples(st.just("close"), st.sampled_from(USERS), st.sampled_from(THREADS)),
)


# Everybody begins with somebody connected: short lists, which are drawn most, would send to nobody.
BEGINNING = [("join", "ann", None), ("join", "ann", "t1"), ("join", "bob", None), ("join", "eve", "t2")]


@pytest.mark.slow
@settings(max_examples=100, suppress_health_check=list(HealthCheck))
@given(st.lists(step, min_size=25, max_size=80))
def test_every_client_receives_exactly_its_users_events_in_order(steps: list) -> None:
    asyncio.run(_play(BEGINNING + steps))


async def _play(steps: list) -> None:
    factory = WebSocketManagerFactory(Limits(history_events=1000, outbox_events=1000, undelivered_events=0, close_timeout=0.01))
    clients: list[Client] = []
    live: dict[int, object] = {}
    sent: list[tuple[str, str | None, str, int]] = []  # user, thread, epoch, seq
    since: dict[int, int] = {}  # client -> how many were sent before it joined
    for kind, who, thread in steps:
        if kind == "send":
            manager = factory.get(SimpleNamespace(user_id=who, thread_id=thread))
            delivery = await manager.send({"type": "note", "owner": who, "thread": thread, "n": len(sent)})
            sent.append((who, thread, delivery.epoch, delivery.seq))
        elif kind == "join":
            client = (Client, DirectClient)[len(clients) % 2](who, thread)
            manager = factory.get(SimpleNamespace(user_id=who, thread_id=thread))
            since[len(clients)] = len(sent)
            live[len(clients)] = await manager.connect(client, greet=True)
            clients.append(client)
        elif kind == "close":
            found = factory.find(who, thread)
            if found is not None and factory.managers_of(who) != [found]:
                await found.close()
                live = {n: c for n, c in live.items() if c.active}
        elif who < len(clients):
            client = clients[who]
            if kind == "block" and client.gate is None:
                client.gate = asyncio.Event()
            elif kind == "release" and client.gate is not None:
                client.gate.set()
                client.gate = None
            elif kind == "drop" and who in live:
                if client.gate is None:
                    await live[who].drained()
                    await live.pop(who).close()
            elif kind == "back" and who not in live and client.gate is None:
                manager = factory.get(SimpleNamespace(user_id=client.user, thread_id=client.thread))
                live[who] = await manager.connect(client, since=client.position, greet=True)
    for number, client in enumerate(clients):
        if client.gate is not None:
            client.gate.set()
            client.gate = None
        if number in live:
            await live[number].drained()
        else:
            manager = factory.get(SimpleNamespace(user_id=client.user, thread_id=client.thread))
            await (await manager.connect(client, since=client.position)).drained()
    for number, client in enumerate(clients):
        assert all(m["owner"] == client.user for m in client.received), "a foreign event"
        assert all(sees(client.thread, m["thread"]) for m in client.received), "an event of a foreign thread"
        expected = [
            n
            for n, (user, thread, _, _) in enumerate(sent)
            if n >= since[number] and user == client.user and sees(client.thread, thread)
        ]
        assert [m["n"] for m in client.received] == expected
        assert client.resyncs == 0
    await factory.close()
    assert len(asyncio.all_tasks()) == 1


def test_os_threads_that_send_to_many_users_never_cross() -> None:
    """Eight loops in eight threads share a factory: each user's events stay in order and with their user."""
    factory = WebSocketManagerFactory(Limits(history_events=10_000, outbox_events=10_000))
    users = [f"user{n}" for n in range(8)]
    clients = {user: (Client, DirectClient)[number % 2](user, None) for number, user in enumerate(users)}

    async def send(seed: int) -> None:
        order = random.Random(seed)
        for _ in range(300):
            user = order.choice(users)
            await factory.get(SimpleNamespace(user_id=user)).send({"type": "note", "owner": user})

    async def serve() -> None:
        for user in users:
            await factory.get(SimpleNamespace(user_id=user)).connect(clients[user])
        threads = [threading.Thread(target=lambda seed=seed: asyncio.run(send(seed))) for seed in range(8)]
        for thread in threads:
            thread.start()
        while any(thread.is_alive() for thread in threads):
            await asyncio.sleep(0.005)
        for _ in range(3):
            await asyncio.sleep(0)
        await asyncio.gather(*(c.drained() for m in factory.managers() for c in m.connections.values()))

    asyncio.run(serve())
    assert sum(len(c.received) for c in clients.values()) == 8 * 300
    for user, client in clients.items():
        assert {m["owner"] for m in client.received} == {user}
        seqs = [m["seq"] for m in client.received]
        assert seqs == list(range(1, len(seqs) + 1))
