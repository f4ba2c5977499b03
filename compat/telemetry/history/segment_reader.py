"""Reads many segment files quickly."""

from __future__ import annotations

import os
import struct
from time import time
from typing import NamedTuple

from ..record.layout import MAGIC, Block, Header, KeyTables, Row, read_blocks, rows_of

BUFFERS = 8
BEGINNING = 60.0
"""Seconds within which a segment has its magic; one that still has none is damaged."""


class Segment(NamedTuple):
    """A segment that was read; ``finished`` if its process is gone."""

    process: Header
    blocks: list[Block]
    finished: bool

    @property
    def rows(self) -> list[Row]:
        """One row per site and day with a use."""
        return [row for block in self.blocks for row in rows_of(block)]

    @property
    def uses(self) -> int:
        """How many uses are counted in it."""
        return sum(block.total for block in self.blocks)


def is_beginning(file: int) -> bool:
    """Tell whether the open segment ``file`` is one that its process has only just created, and counts nothing yet."""
    magic = os.read(file, len(MAGIC))
    os.lseek(file, 0, os.SEEK_SET)
    return not magic.strip(b"\0") and time() - os.fstat(file).st_mtime < BEGINNING


def last_sign(process: Header, blocks: list[Block]) -> float:
    """Return the last sign of life in the segment of a dead process.

    The file's own time is none: a copy of it has another.
    """
    return max([process.ended, process.started, *(block.last for block in blocks)])


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


def pack_counts(counts: dict[int, int]) -> bytes:
    """Return how much of each slot was taken, as the history keeps it."""
    size = max(counts, default=-1) + 1
    return struct.pack(f"<{size}Q", *(counts.get(slot, 0) for slot in range(size)))


def unpack_counts(blob: bytes) -> dict[int, int]:
    """Return what :func:`pack_counts` packed, by slot."""
    return dict(enumerate(struct.unpack(f"<{len(blob) // 8}Q", blob)))
