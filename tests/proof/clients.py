"""Real WebSocket clients in a process of their own, which may be killed: what they received is in a file by then.

Each user has one client that reconnects with the last position it has written down, as a browser would that keeps it in
its storage. A line of the log is ``user epoch seq owner number``.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import random
import signal
import time

import jwt
import websockets
from websockets.exceptions import InvalidHandshake, WebSocketException

Positions = dict  # user -> [epoch, seq]


def read_positions(path: str) -> Positions:
    """Return where each user stood; a line that a kill cut off is not there."""
    positions: Positions = {}
    if os.path.exists(path):
        with open(path) as log:
            for line in log:
                parts = line.split(" ")
                if len(parts) == 5 and line.endswith("\n"):
                    positions[parts[0]] = [parts[1], int(parts[2])]
    return positions


class Clients:
    """All clients of this process."""

    def __init__(self, options: argparse.Namespace) -> None:
        self.options = options
        self.urls = options.urls.split(",")
        self.positions = read_positions(options.log)
        self.log = os.open(options.log, os.O_CREAT | os.O_WRONLY | os.O_APPEND, 0o600)
        self.stopping = asyncio.Event()
        self.greeted = 0
        self.resyncs = 0

    async def run(self) -> None:
        """Run until SIGTERM, then print how often clients were greeted and told to resync."""
        asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, self.stopping.set)
        first, _, last = self.options.users.partition("-")
        users = [f"user{number}" for number in range(int(first), int(last) + 1)]
        tasks = [asyncio.ensure_future(self.client(user)) for user in users]
        while self.greeted < len(users) and not self.stopping.is_set():
            await asyncio.sleep(0.02)
        print("connected", flush=True)
        if self.options.reconnects:
            await asyncio.gather(*tasks)
            print("reconnected", flush=True)
            tasks = [asyncio.ensure_future(self.client(user, stay=True)) for user in users]
        await self.stopping.wait()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        print(f"greeted {self.greeted} resyncs {self.resyncs}", flush=True)

    async def client(self, user: str, *, stay: bool = False) -> None:
        """Keep one user connected; with ``--reconnects``, leave and come back that many times, at random moments."""
        choice = random.Random(user)
        turn = choice.randrange(len(self.urls))
        reconnects = 0 if stay else self.options.reconnects
        lives = 0
        while not reconnects or lives < reconnects:
            lives += 1
            linger = choice.uniform(0.0, 0.1) if reconnects else None
            try:
                await self.live(user, self.urls[turn % len(self.urls)], linger)
            except (OSError, WebSocketException, InvalidHandshake, asyncio.TimeoutError):
                turn += 1
                await asyncio.sleep(choice.uniform(0.02, 0.1))
            else:
                await asyncio.sleep(choice.uniform(0.0, 0.03))

    async def live(self, user: str, url: str, linger: float | None) -> None:
        """Connect once, note down what comes, until the server or ``linger`` (seconds) ends it."""
        token = jwt.encode({"sub": user, "iat": time.time(), "exp": time.time() + 600}, self.options.secret, "HS256")
        position = self.positions.get(user)
        query = f"?epoch={position[0]}&seq={position[1]}" if position else ""
        async with websockets.connect(
            url + query,
            additional_headers={"Authorization": f"Bearer {token}"},
            compression=None,
            open_timeout=20,
            close_timeout=1,
        ) as connection:
            if linger is None:
                async for text in connection:
                    self.note(user, text)
            else:
                deadline = time.monotonic() + linger
                while True:
                    try:
                        left = max(0.001, deadline - time.monotonic())
                        self.note(user, await asyncio.wait_for(connection.recv(), left))
                    except asyncio.TimeoutError:
                        return

    def note(self, user: str, text: str) -> None:
        """Write an event down before anything else happens."""
        message = json.loads(text)
        if message["type"] == "connection_established":
            self.greeted += 1
            if user not in self.positions:
                # An event sent before the first one arrives must not be missed either.
                self.positions[user] = [message["epoch"], message["seq"]]
        elif message["type"] == "resync":
            self.resyncs += 1
            self.positions[user] = [message["epoch"], message["seq"]]
        elif "seq" in message:
            line = f"{user} {message['epoch']} {message['seq']} {message['owner']} {message['n']}\n"
            os.write(self.log, line.encode())
            self.positions[user] = [message["epoch"], message["seq"]]


def main() -> None:
    """Parse the command line and run."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--urls", required=True)
    parser.add_argument("--users", required=True)
    parser.add_argument("--secret", required=True)
    parser.add_argument("--log", required=True)
    parser.add_argument("--reconnects", type=int, default=0)
    options = parser.parse_args()

    async def run() -> None:
        await Clients(options).run()

    asyncio.run(run())


if __name__ == "__main__":
    main()
