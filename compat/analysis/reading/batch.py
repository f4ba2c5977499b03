"""Read files in batches into one buffer, so that files without a match cost no allocation and no search of their own."""

from __future__ import annotations

import os
from bisect import bisect_right
from functools import cached_property
from typing import TYPE_CHECKING, Any, NamedTuple, Optional, Union

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from .files import Found

Data = Union[bytes, bytearray]
_ROOM = 1 << 20
#: As many bytes stay in a processor's cache while they are searched for one word after another.
_FULL = 1 << 17
#: So many words are searched for one after another in no time.
_SOME = 64
_READ_ONLY = os.O_RDONLY | getattr(os, "O_BINARY", 0)
_readv = getattr(os, "readv", None)

try:
    # All words in one pass, several times as fast as the method of bytes for each; there is none for every Python.
    from ahocorasick_rs import BytesAhoCorasick, MatchKind
except ImportError:
    BytesAhoCorasick = None  # type: ignore[assignment,misc]


class Batch(NamedTuple):
    """Files behind one another in ``data``, a NUL behind each; ``data`` is overwritten by the next batch."""

    items: Sequence[Found]
    data: Data
    #: Where each file starts, and where one more would.
    bounds: Sequence[int]
    failed: Sequence[tuple[Found, OSError]] = ()

    def content(self, index: int) -> bytes:
        """A copy of the bytes of one file."""
        return bytes(memoryview(self.data)[self.bounds[index] : self.bounds[index + 1] - 1])


class Words:
    """Identifiers, or other texts without a blank at either end, to be looked for together.

    What stands in a longer identifier may be told or not.
    """

    def __init__(self, words: Iterable[bytes]) -> None:
        self._words = tuple(sorted({*words}))

    @cached_property
    def _automaton(self) -> Optional[BytesAhoCorasick]:
        if BytesAhoCorasick is None or not self._words:
            return None
        # Only the leftmost kinds are searched at full speed. They pass over words that begin within another.
        return BytesAhoCorasick(self._words, matchkind=MatchKind.LeftmostLongest)

    @property
    def is_quick(self) -> bool:
        """Whether a search takes one pass, or there are few words."""
        return self._automaton is not None or len(self._words) <= _SOME

    def are_in(self, data: Data, start: int, end: int) -> bool:
        """Whether one of the words stands in a range of bytes."""
        if self._automaton is None or end - start > _ROOM:
            return any(data.find(word, start, end) >= 0 for word in self._words)
        with memoryview(data) as view, view[start:end] as part:
            return bool(self._automaton.find_matches_as_indexes(part))

    def among(self, data: Data) -> set[bytes]:
        """The words that stand in a text; one that only begins within another may be left out."""
        if self._automaton is None:
            return {word for word in self._words if word in data}
        with memoryview(data) as view:
            return {self._words[number] for number, _at, _end in self._automaton.find_matches_as_indexes(view)}

    def places(self, data: Data, end: Optional[int] = None) -> Iterator[tuple[bytes, int]]:
        """The words that stand in a text (up to an offset), each time with the offset."""
        if self._automaton is not None:
            with memoryview(data) as view, view[:end] as part:
                matches = self._automaton.find_matches_as_indexes(part)
            words = self._words
            for number, at, _end in matches:
                yield words[number], at
            return
        end = len(data) if end is None else end
        for word in self._words:
            at = data.find(word, 0, end)
            while at >= 0:
                yield word, at
                at = data.find(word, at + len(word), end)

    def within(self, batch: Batch) -> dict[int, dict[bytes, Optional[list[int]]]]:
        """Those of the words that stand in files of a batch, by the number of the file, with the offsets in the batch.

        Of a large file, which is a batch of its own, only what stands in it is told: the offsets might fill the memory.
        """
        data, bounds = batch.data, batch.bounds
        if bounds[-1] > _ROOM:
            large: dict[bytes, Optional[list[int]]] = {word: None for word in self._words if word in data}
            return {0: large} if large else {}
        found: dict[int, dict[bytes, Any]] = {}
        for word, at in self.places(data, bounds[-1]):
            found.setdefault(bisect_right(bounds, at) - 1, {}).setdefault(word, []).append(at)
        return found


def batches(found: Iterable[Found]) -> Iterator[Batch]:
    """Read files, in order; those that cannot be read are told in the batch in which they would have been."""
    buffer = bytearray(_ROOM)
    view = memoryview(buffer)
    items: list[Found] = []
    failed: list[tuple[Found, OSError]] = []
    bounds = [0]
    for item in found:
        at = bounds[-1]
        try:
            size = _read(item.path, view[at : _ROOM - 1])
        except OSError as error:
            failed.append((item, error))
            continue
        if isinstance(size, int):
            items.append(item)
            buffer[at + size] = 0
            bounds.append(at + size + 1)
            if at + size < _FULL:
                continue
        yield Batch(items, buffer, bounds, failed)
        if not isinstance(size, int):
            yield Batch([item], size, (0, len(size)))
        items, failed, bounds = [], [], [0]
    if items or failed:
        yield Batch(items, buffer, bounds, failed)


def _read(path: str, room: memoryview) -> Union[int, bytes]:
    """Read a file into a room and return how many bytes it has; all of its bytes and a NUL where there are too many."""
    descriptor = os.open(path, _READ_ONLY)
    try:
        if _readv is not None:
            size: int = _readv(descriptor, (room,))
        else:
            start = os.read(descriptor, len(room))
            size = len(start)
            room[:size] = start
        if size < len(room):
            return size
        with open(descriptor, "rb", closefd=False) as file:
            return b"".join((room, file.read(), b"\0"))
    finally:
        os.close(descriptor)
