"""The writing half of a segment file: a table of slots in shared memory that outlives its process."""

from __future__ import annotations

import mmap
import os
import struct

try:
    import fcntl
except ImportError:  # Windows: whether the process lives is told by its pid alone
    fcntl = None  # type: ignore[assignment]

from .cells import INDEX, number_at
from .directory import SEGMENT, segments_in
from .identity import this_process
from .layout import _SAME, CELLS, ENDED, HEAD, MAGIC, MIN_BLOCK, SLOTS, Header, encode_key, pack_header, place_of
from .sites import Site, portable_path

MAX_SLOTS = 1 << 18
"""Slots of one segment at most (sites times days): about 50 MB. After that a site stays on the day it was first on."""
MAX_BLOCKS = 64
"""Blocks by which a file grows at most at one time: 1 MiB."""
FLAGS = getattr(os, "O_CLOEXEC", 0) | getattr(os, "O_BINARY", 0)


def _portable(file: str) -> str:
    """:func:`portable_path`, of what a link stands for where no entry holds the link: a main script has one name."""
    found = portable_path(file)
    if found is not file or not os.path.isabs(file):
        return found
    try:
        real = os.path.realpath(file)
    except (OSError, ValueError):
        return file
    beyond = portable_path(real)
    return file if beyond is real else beyond


class SegmentSlot:
    """One slot of a segment; it stays valid when the segment grows."""

    __slots__ = ("_last", "base", "view")

    def __init__(self, base: int, view: memoryview, last: memoryview[float]) -> None:
        self.base = base
        self.view = view
        self._last = last

    def touch(self, now: float) -> None:
        """Note that the site is in use now."""
        self._last[0] = now


class SegmentFull(OSError):
    """The segment has reached its bound."""


class Segment:
    """The segment of this process. Not safe for threads: its user has a lock."""

    def __init__(self, directory: str, process: Header | None = None) -> None:
        """Create the file. Raises OSError where that cannot be done: no directory, no permission, no space."""
        self.header = this_process() if process is None else process
        self._block = max(MIN_BLOCK, mmap.ALLOCATIONGRANULARITY)
        self._numbers: dict[Site, int] = {}
        self._maps: list[tuple[int, memoryview]] = []
        self._slots = 0
        self._keys = 0
        self._blocks = 0
        folder = segments_in(directory)
        os.makedirs(folder, mode=0o700, exist_ok=True)
        self.path = os.path.join(folder, self.header.id + SEGMENT)
        # Each mapping keeps a descriptor that children inherit and cannot close, so the lock needs one of its own.
        self._lock = os.open(self.path, os.O_RDWR | os.O_CREAT | os.O_EXCL | FLAGS, 0o600)
        stat = os.fstat(self._lock)
        self._file = (stat.st_dev, stat.st_ino)
        try:
            if fcntl is not None:
                # Held as long as this process lives, kill -9 and exec included: whoever can take it may fold the file.
                fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            self._grow(self.path)
            # The magic comes last: readers leave a file alone, unlocked, that does not have it yet.
            head = pack_header(self.header, self._block)
            self._maps[0][1][len(MAGIC) : HEAD] = head[len(MAGIC) :]
            self._maps[0][1][: len(MAGIC)] = MAGIC
        except BaseException:
            self.release()
            try:
                os.unlink(self.path)
            except OSError:
                pass  # mapped, on Windows: it has no magic, and goes as litter
            raise

    def _grow(self, path: str) -> None:
        """Add blocks, half as many as there are. Old mappings stay, and with them every slot handed out."""
        blocks = max(1, min(self._blocks // 2, MAX_BLOCKS))
        start, size = self._blocks * self._block, blocks * self._block
        file = os.open(path, os.O_RDWR | FLAGS)
        try:
            # A hole in the file would make a full disk a SIGBUS at the first count in it; this makes it an OSError.
            if hasattr(os, "posix_fallocate"):
                os.posix_fallocate(file, start, size)
            else:
                os.lseek(file, start, os.SEEK_SET)
                for _ in range(size // 4096):
                    os.write(file, bytes(4096))
            mapping = memoryview(mmap.mmap(file, size, offset=start))
        finally:
            os.close(file)
        self._maps.append((self._blocks, mapping))
        self._blocks += blocks

    def _find(self, slot: int) -> tuple[memoryview, int]:
        """Return the mapping that holds the block of ``slot``, and the offset of that block's cells in it."""
        number = slot // SLOTS
        first, view = self._maps[-1]
        if number < first:
            first, view = next(pair for pair in reversed(self._maps) if pair[0] <= number)
        return view, place_of(slot, self._block) - first * self._block

    def allot(self, site: Site, base: int, total: int, now: float) -> SegmentSlot:
        """Return a new slot for ``site`` on the day of ``now``, in which ``total - base`` uses are counted already.

        Raises OSError if the file cannot grow; SegmentFull, which is one, at the bound.
        """
        known = self._numbers.get(site)
        if known is None:
            file = _portable(site.file)
            key = encode_key(Site(site.move, site.kind, file, site.line, site.function, site.module))
            record = struct.pack("=H", len(key)) + key
        else:
            record = struct.pack("=HI", _SAME, known)
        if self._slots >= MAX_SLOTS:
            raise SegmentFull(f"{self.path} has {MAX_SLOTS} slots")
        slot = self._slots
        room = self._block - (HEAD if slot < SLOTS else 0) - CELLS - SLOTS * 32
        if slot % SLOTS and self._keys + len(record) > room:
            slot += SLOTS - slot % SLOTS
        if slot % SLOTS == 0:
            if slot // SLOTS >= self._blocks:
                self._grow(self.path)
            self._keys = 0
        view, at = self._find(slot)
        index = slot % SLOTS
        table = at + CELLS + SLOTS * 32 + self._keys
        view[table : table + len(record)] = record
        place = at + CELLS + index * 8
        value = number_at(view[place : place + 8])
        last = view[place + SLOTS * 24 : place + SLOTS * 24 + 8].cast("d")
        value[INDEX] = total
        view[place + SLOTS * 8 : place + SLOTS * 8 + 8] = struct.pack("=Q", base)
        view[place + SLOTS * 16 : place + SLOTS * 16 + 8] = struct.pack("=d", now)
        last[0] = now
        self._keys += len(record)
        view[at : at + 8].cast("Q")[0] = (index + 1) << 32 | self._keys
        self._slots = slot + 1
        self._numbers.setdefault(site, slot)
        return SegmentSlot(base, value, last)

    def is_there(self) -> bool:
        """Tell whether the file is where it was made: nobody finds the counts of one that was removed."""
        try:
            stat = os.stat(self.path)
        except OSError:
            return False
        return (stat.st_dev, stat.st_ino) == self._file

    def end(self, now: float) -> None:
        """Note the end of the process, or that it still lives; counts that come later are still kept."""
        self._maps[0][1][ENDED : ENDED + 8] = struct.pack("=d", now)

    def release(self) -> None:
        """Let go of the file without a word: in a forked child, whose parent goes on writing it."""
        # Closing a mapping closes a number that a daemon, which closes all it finds, may have given to someone else.
        _released.append(self._maps)
        try:
            stat = os.fstat(self._lock)
            if (stat.st_dev, stat.st_ino) == self._file:
                os.close(self._lock)
        except OSError:
            pass


_released: list[object] = []
