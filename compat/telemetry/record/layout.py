"""The bytes of a segment file: what stands where, how it is written, and how it is read back.

A segment is one process's table of counts: a header, then blocks of equal size, in the byte order of its machine::

    header   0  8s  magic                 12  u32  bytes per block          40  f64  last sign of life
             8  u16 version               16  u32  slots per block          48  u64  PID namespace, 0 if unknown
            10  u16 0xFEFF, byte order    20  u32  process id               56  u32  bytes of text
                                          24  u64  start tick of the pid    60  u32  CRC-32 of 0..40, 48..60 and text
                                          32  f64  started                  64  text
    text     id, boot id, host, service, version of the service, Python, environment; UTF-8, one a line
    block    0  u64 published: slots << 32 | bytes of keys;  8  u64 reserved
            16  u64 value[slots], u64 base[slots], f64 first[slots], f64 last[slots], then the keys
             (in block 0 the header comes first: everything is 1024 bytes further on)
    key      u16 length, UTF-8 ``move NUL kind NUL file NUL line NUL function NUL module``
             or u16 0xFFFF, u32 number: the same site as the slot of that number, on another day

A slot counts one site on the UTC day of ``first``; its count is ``value - base``. A writer fills key and slot first and
publishes them last, with one aligned store, so that a reader needs no lock and a kill leaves no half of anything.
Times are seconds since 1970. Counts only grow; nothing is ever moved. The magic is written last: a file that begins with
zeros has not begun. The last sign of life is 0.0, then the last full hour or so, then the end.

Versions:
    1   the first; without the environment.
    2   with the environment.
"""

from __future__ import annotations

import struct
import sys
from _operator import sub
from array import array
from binascii import crc32
from math import isfinite

from .service import untold_environment
from .sites import Site

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, NamedTuple

    class Header(NamedTuple):
        """Who wrote a segment. ``tick`` and ``namespace`` tell a living pid from a reused or a foreign one."""

        id: str
        boot: str
        host: str
        service: str
        version: str
        python: str
        environment: str
        pid: int
        tick: int
        namespace: int
        started: float
        ended: float

    class Row(NamedTuple):
        """The uses of one site on one day; ``slot`` is its number in its segment."""

        slot: int
        key: bytes
        day: int
        uses: int
        first: float
        last: float

    class Block(NamedTuple):
        """The columns of a block, slot by slot from number ``start`` on, the days on which they begin, the last use."""

        start: int
        keys: list[bytes]
        uses: array[int]
        total: int
        firsts: array[float]
        lasts: array[float]
        first_day: int
        last_day: int
        last: float
else:
    from collections import namedtuple

    Header = namedtuple("Header", "id boot host service version python environment pid tick namespace started ended")
    Block = namedtuple("Block", "start keys uses total firsts lasts first_day last_day last")
    Row = namedtuple("Row", "slot key day uses first last")

MAGIC = b"\x89CMP\r\n\x1a\n"  # a transfer as text breaks it, and it is no text
VERSION = 2
ORDER = 0xFEFF
NATIVE = "<" if sys.byteorder == "little" else ">"
HEAD = 1024
FIELDS = 64
NAME = 130
"""Bytes of each name in the header at most."""
SLOTS = 80
MIN_BLOCK = 16384
CELLS = 16
ENDED = 40
MOST = 1 << 48
"""Uses in one block at most: what claims more is damaged. A process that counts without pause needs half a year."""
DAY = 86400.0
_SAME = 0xFFFF
_HEADER = "8sHHIIIQddQII"
_LIMITS = (300, 32, 400, 10, 200, 200)


class SegmentError(ValueError):
    """A file that is no whole segment of a version known here; the message says what is wrong with it."""


class NewerSegment(SegmentError):
    """A segment that a later version of compat wrote: whole, but not to be read here."""


def encode_key(site: Site) -> bytes:
    """Return the bytes that name ``site``; of very long fields only the end, so that a key stays under 2 KiB."""
    fields = (site.move, site.kind, site.file, str(site.line), site.function, site.module)
    clipped = (field[-limit:].replace("\0", "") for field, limit in zip(fields, _LIMITS))
    return "\0".join(clipped).encode("utf-8", "backslashreplace")[:2048]


def decode_key(key: bytes) -> Site:
    """Return the site that ``key`` names."""
    move, kind, file, line, function, module = key.decode("utf-8", "replace").split("\0")
    return Site(move, kind, file, int(line), function, module)


def pack_header(header: Header, block: int) -> bytes:
    """Return the first ``HEAD`` bytes of a segment with blocks of ``block`` bytes."""
    # Each is cut by itself, in bytes: one that is long must not push out another.
    text = b"\n".join(" ".join(name.split()).encode("utf-8", "replace")[:NAME] for name in header[:7])
    fixed = (MAGIC, VERSION, ORDER, block, SLOTS, header.pid, header.tick, header.started, header.ended)
    raw = bytearray(struct.pack("=" + _HEADER, *fixed, header.namespace, len(text), 0) + text)
    raw[60:64] = struct.pack("=I", _checksum(raw, len(text)))
    return bytes(raw).ljust(HEAD, b"\0")


def _checksum(raw: bytes | bytearray, length: int) -> int:
    return crc32(bytes(raw[:ENDED]) + bytes(raw[48:60]) + bytes(raw[FIELDS : FIELDS + length]))


def place_of(slot: int, block: int) -> int:
    """Return the offset of the block that holds slot number ``slot``, past the header in block 0."""
    number = slot // SLOTS
    return number * block + (HEAD if number == 0 else 0)


def read_blocks(raw: bytes | bytearray, tables: KeyTables | None = None) -> tuple[Header, list[Block]]:
    """Return who wrote the segment ``raw``, and its blocks column by column.

    ``tables`` keeps the key tables met so far. Raises SegmentError if ``raw`` is no whole segment.
    """
    order, block, slots, header = _read_header(raw)
    if slots > (block - HEAD) // 40 or not slots:
        raise SegmentError(f"{slots} slots do not fit a block of {block} bytes")
    if len(raw) % block:
        raise SegmentError(f"{len(raw)} bytes are no whole number of blocks of {block}: it is truncated")
    word = struct.Struct(order + "Q")
    blocks: list[Block] = []
    keys: list[bytes] = []
    for start in range(0, len(raw), block):
        at = start or HEAD
        published = word.unpack_from(raw, at)[0]
        used, size = published >> 32, published & 0xFFFFFFFF
        if not used:
            break
        table = at + CELLS + slots * 32
        if used > slots or table + size > start + block:
            raise SegmentError(f"the block at byte {start} claims {used} slots and {size} bytes of keys, more than it has")
        mine = tables.find(raw, table, used, size) if tables is not None else None
        if mine is None:
            mine = _read_keys(bytes(raw[table : table + size]), used, order, keys, tables)
        blocks.append(_read_columns(raw, at + CELLS, slots, used, order, mine, len(keys)))
        # Slots are numbered by their block: what a block left empty has numbers too.
        keys += mine
        keys += [b""] * (slots - used)
    return header, blocks


def read_segment(raw: bytes | bytearray, tables: KeyTables | None = None) -> tuple[Header, list[Row]]:
    """Return who wrote the segment ``raw`` and its rows, one per site and day with a use. Raises SegmentError."""
    header, blocks = read_blocks(raw, tables)
    return header, [row for block in blocks for row in rows_of(block)]


def rows_of(block: Block) -> list[Row]:
    """Return the rows of ``block``: a slot that counts nothing yet has none."""
    columns = zip(block.keys, block.uses, block.firsts, block.lasts)
    return [
        Row(slot, key, int(first // DAY), uses, first, max(first, last))
        for slot, (key, uses, first, last) in enumerate(columns, block.start)
        if uses
    ]


def _read_header(raw: bytes | bytearray) -> tuple[str, int, int, Header]:
    if len(raw) < HEAD:
        raise SegmentError(f"{len(raw)} bytes are too few for a header of {HEAD}")
    if raw[:8] != MAGIC:
        raise SegmentError("it does not begin like a segment")
    order = NATIVE if struct.unpack_from("=H", raw, 10)[0] == ORDER else (">" if NATIVE == "<" else "<")
    _, version, mark, block, slots, pid, tick, started, ended, namespace, length, crc = struct.unpack_from(order + _HEADER, raw)
    if mark != ORDER:
        raise SegmentError(f"its byte order mark is {mark:#06x}")
    if version > VERSION:
        raise NewerSegment(f"it has format version {version}; this version of compat reads up to {VERSION}, and leaves it")
    if length > HEAD - FIELDS or _checksum(raw, length) != crc:
        raise SegmentError("the checksum of its header is wrong")
    if block < MIN_BLOCK or len(raw) < MIN_BLOCK:
        raise SegmentError(f"{len(raw)} bytes are too few for a first block of {block}")
    names = raw[FIELDS : FIELDS + length].decode("utf-8", "replace").split("\n")
    expected = 6 if version < 2 else 7
    if len(names) != expected:
        raise SegmentError(f"its header has {len(names)} names instead of {expected}")
    if version < 2:
        names.append(untold_environment(names[3]))
    name, boot, host, service, release, python, environment = names
    process = Header(name, boot, host, service, release, python, environment, pid, tick, namespace, started, ended)
    return order, block, slots, process


class KeyTables:
    """The key tables met so far: processes of one service mostly write the same ones, and get the same list for them."""

    LIKE = 16
    ALL = 1024

    def __init__(self) -> None:
        self._known: dict[tuple[int, int], list[tuple[bytes, list[bytes]]]] = {}

    def find(self, raw: bytes | bytearray, at: int, used: int, size: int) -> list[bytes] | None:
        """Return the keys of the table of ``size`` bytes at ``at``, if it is known."""
        for table, keys in self._known.get((used, size), ()):
            # Compared in place: to hash a copy of some kilobytes costs more than all the rest of a block.
            if raw.startswith(table, at):
                return keys
        return None

    def keep(self, table: bytes, keys: list[bytes]) -> None:
        """Remember ``keys`` as those of ``table``."""
        like = self._known.setdefault((len(keys), len(table)), [])
        if len(like) < self.LIKE and len(self._known) < self.ALL:
            like.append((table, keys))


def _read_keys(table: bytes, used: int, order: str, earlier: list[bytes], tables: KeyTables | None) -> list[bytes]:
    keys: list[bytes] = []
    at = 0
    own = True
    for _ in range(used):
        if at + 2 > len(table):
            raise SegmentError("its keys end before its slots")
        length = struct.unpack_from(order + "H", table, at)[0]
        at += 2
        if length == _SAME:
            number = struct.unpack_from(order + "I", table, at)[0] if at + 4 <= len(table) else -1
            at += 4
            if not 0 <= number < len(earlier) + len(keys):
                raise SegmentError(f"a key points at slot {number}, which comes later or never")
            own = False
            keys.append(earlier[number] if number < len(earlier) else keys[number - len(earlier)])
        else:
            key = table[at : at + length]
            at += length
            if len(key) != length or key.count(b"\0") != 5 or not key.split(b"\0")[3].isdigit():
                raise SegmentError(f"the key {key[:40]!r} is damaged")
            keys.append(key)
    if tables is not None and own:
        tables.keep(table, keys)
    return keys


def _column(kind: str, raw: bytes | bytearray, at: int, used: int, order: str) -> array[Any]:
    column = array(kind, bytes(raw[at : at + used * 8]))
    if order != NATIVE:
        column.byteswap()
    return column


def _read_columns(raw: bytes | bytearray, at: int, slots: int, used: int, order: str, keys: list[bytes], start: int) -> Block:
    uses = _column("Q", raw, at, used, order)
    bases = raw[at + slots * 8 : at + (slots + used) * 8]
    if bases.count(0) != len(bases):
        # Only the children of a fork count from a base.
        counted = list(map(sub, uses, _column("Q", raw, at + slots * 8, used, order)))
        if min(counted) < 0:
            raise SegmentError(f"the slot of {keys[counted.index(min(counted))][:40]!r} counts {min(counted)} uses")
        uses = array("Q", counted)
    total = sum(uses)
    if total > MOST:
        raise SegmentError(f"the slot of {keys[uses.index(max(uses))][:40]!r} counts {max(uses)} uses")
    firsts, lasts = _column("d", raw, at + slots * 16, used, order), _column("d", raw, at + slots * 24, used, order)
    early, late, last = min(firsts), max(firsts), max(lasts)
    # A sum that is no number has an addend that is none.
    if not (isfinite(sum(firsts)) and early >= 0.0 and late <= 1e12 and last <= 1e12):
        raise SegmentError(f"the block of slot {start} has times that are none")
    return Block(start, keys, uses, total, firsts, lasts, int(early // DAY), int(late // DAY), max(late, last))
