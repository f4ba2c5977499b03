"""Clients that misbehave, on raw sockets: each says how the server has refused it."""

from __future__ import annotations

import asyncio
import base64
import contextlib
import json
import os
import struct
from collections import Counter
from typing import NamedTuple
from urllib.parse import urlsplit

PATIENCE = 60.0


class Link(NamedTuple):
    """A raw connection."""

    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter

    async def frame(self) -> tuple[int, bytes]:
        """The next frame of the server: opcode and payload; opcode 8 with nothing where the connection ends without one."""
        try:
            head = await self.reader.readexactly(2)
            size = head[1] & 127
            if size == 126:
                size = int.from_bytes(await self.reader.readexactly(2), "big")
            elif size == 127:
                size = int.from_bytes(await self.reader.readexactly(8), "big")
            return head[0] & 15, await self.reader.readexactly(size)
        except (asyncio.IncompleteReadError, OSError):
            return 8, b""

    async def refusal(self) -> str:
        """How the server answers: a close code, or the code of an error."""
        while True:
            opcode, payload = await asyncio.wait_for(self.frame(), PATIENCE)
            if opcode == 8:
                return str(int.from_bytes(payload[:2], "big")) if payload else "cut"
            if opcode == 1 and (message := json.loads(payload))["type"] == "error":
                return message["code"]


def frame(payload: bytes, first: int = 0x81) -> bytes:
    """A masked frame; its mask is nothing."""
    size = len(payload)
    head = bytes((first, 0x80 | size)) if size < 126 else struct.pack("!BBH", first, 0x80 | 126, size)
    return head + b"\0\0\0\0" + payload


GARBAGE = {
    "not masked": b"\x81\x05hello",
    "reserved opcode": frame(b"", 0x83),
    "reserved bit": frame(b"", 0xC1),
    "endless length": b"\x81\xff\xff\xff\xff\xff\xff\xff\xff\xff",
    "long control frame": b"\x89\xfe\x00\xff" + b"\0" * 259,
    "fragmented control frame": frame(b"", 0x09),
    "continuation of nothing": frame(b"x", 0x80),
    "not UTF-8": frame(b"\xc3\x28"),
    "close of one byte": frame(b"x", 0x88),
    "binary": frame(b"{}", 0x82),
    "too long": frame(b"x" * 20_000),
    "not JSON": frame(b'{"a":'),
    "no object": frame(b"[]"),
    "no type": frame(b'{"n": 1}'),
    "deep": frame(b"[" * 9_000),
    "malformed position": frame(b'{"type": "resume", "epoch": 7}'),
    "forged token": frame(b'{"type": "authenticate", "token": "a.b.c"}'),
}


async def upgrade(url: str, token: str, *, whole: bool = True) -> Link:
    """Open a connection, as far as its head goes; read the greeting."""
    parts = urlsplit(url)
    link = Link(*await asyncio.open_connection(parts.hostname, parts.port))
    key = base64.b64encode(os.urandom(16)).decode()
    head = (
        f"GET {parts.path} HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"
        f"Sec-WebSocket-Key: {key}\r\nAuthorization: Bearer {token}\r\n\r\n"
    ).encode()
    link.writer.write(head if whole else head[: len(head) // 2])
    if whole:
        answer = await asyncio.wait_for(link.reader.readuntil(b"\r\n\r\n"), PATIENCE)
        assert b" 101 " in answer.split(b"\r\n")[0], answer
        await asyncio.wait_for(link.frame(), PATIENCE)
    return link


async def garbage(url: str, token: str) -> Counter[str]:
    """Send every kind once; count how each is refused. A kind that is not refused fails by its time limit."""
    counts: Counter[str] = Counter()
    for payload in GARBAGE.values():
        link = await upgrade(url, token)
        link.writer.write(payload)
        counts[await link.refusal()] += 1
        link.writer.close()
    return counts


async def half_open(url: str, token: str, links: list[Link]) -> None:
    """Begin and say no more: in the middle of a head, after the greeting, in the middle of a frame. Nobody reads these."""
    for number in range(30):
        link = await upgrade(url, token, whole=bool(number % 3))
        if number % 3 == 2:
            link.writer.write(frame(b'{"type": "question", "text": "' + b"x" * 200)[:100])
        links.append(link)


async def flood(url: str, token: str) -> Counter[str]:
    """Ask for all events again, a hundred times; count what is refused, and what came."""
    link = await upgrade(url, token)
    counts: Counter[str] = Counter()
    epoch = None
    link.writer.write(frame(b'{"type": "select_thread", "thread_id": null, "ack": "begin"}'))
    while epoch is None:  # the next event names the epoch
        opcode, payload = await asyncio.wait_for(link.frame(), PATIENCE)
        assert opcode != 8, payload
        epoch = json.loads(payload).get("epoch") if opcode == 1 else None
    resume = json.dumps({"type": "resume", "epoch": epoch, "seq": 0, "ack": "done"}).encode()
    for _ in range(100):
        link.writer.write(frame(resume))
    answered = 0
    while answered < 100:
        opcode, payload = await asyncio.wait_for(link.frame(), PATIENCE)
        assert opcode != 8, payload
        if opcode == 9:
            link.writer.write(frame(payload, 0x8A))
        elif opcode == 1:
            message = json.loads(payload)
            if message["type"] == "ping":
                link.writer.write(frame(b'{"type": "pong"}'))
            elif message["type"] == "error":
                counts[message["code"]] += 1
                answered += 1
            elif message["type"] == "ack":
                answered += message["ack"] == "done"
            else:
                counts["replayed"] += 1
    link.writer.close()
    return counts


async def let_go(links: list[Link]) -> None:
    """Close what was left half open."""
    for link in links:
        link.writer.transport.abort()
        with contextlib.suppress(OSError):
            await link.writer.wait_closed()
