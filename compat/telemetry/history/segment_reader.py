"""Reads many segment files quickly."""

from __future__ import annotations

import os

from ..record.layout import Block, Header, KeyTables, read_blocks

BUFFERS = 8


class Reader:
    """Reads one segment after the other; keeps the key tables that they have in common, and a few buffers."""

    def __init__(self) -> None:
        self._tables = KeyTables()
        self._buffers: dict[int, bytearray] = {}

    def read(self, file: int, size: int) -> tuple[Header, list[Block]]:
        """Return who wrote the open segment ``file`` of ``size`` bytes, and its blocks.

        Raises SegmentError if it is no whole segment, OSError if it cannot be read.
        """
        buffer = self._buffers.get(size)
        if buffer is None:
            if len(self._buffers) >= BUFFERS:
                self._buffers.clear()
            buffer = self._buffers[size] = bytearray(size)
        done = 0
        while done < size:
            got = os.readv(file, [memoryview(buffer)[done:]]) if hasattr(os, "readv") else _read_into(file, buffer, done)
            if not got:
                return read_blocks(bytes(buffer[:done]), self._tables)  # cut off meanwhile: it will be named
            done += got
        return read_blocks(buffer, self._tables)


def _read_into(file: int, buffer: bytearray, done: int) -> int:
    data = os.read(file, len(buffer) - done)
    buffer[done : done + len(data)] = data
    return len(data)
