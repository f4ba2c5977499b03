"""Files read in batches, and words looked for in all of them at once."""

from __future__ import annotations

import os
import re

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from compat.analysis.reading import batch as reading
from compat.analysis.reading import sources
from compat.analysis.reading.files import Found

WORDS = (b"shared", b"ws_manager", b"auth", b"auth_service", b"demo_agent")
ALONE = re.compile(rb"\b(?:%s)\b" % b"|".join(WORDS))
#: As BytesAhoCorasick has it, and as it is where there is none.
SEARCHES = [None, *([reading.BytesAhoCorasick] if reading.BytesAhoCorasick is not None else [])]


def read_all(folder, files):
    found = []
    for name, content in files.items():
        (folder / name).write_bytes(content)
        found.append(Found(str(folder / name), str(folder), False))
    read = []
    for batch in reading.batches(found):
        assert len(batch.bounds) == len(batch.items) + 1
        read += [(os.path.basename(item.path), batch.content(index)) for index, item in enumerate(batch.items)]
    return read


@pytest.mark.parametrize("has_readv", [True, False])
def test_batches_give_every_byte_of_every_file_in_order(tmp_path, monkeypatch, has_readv):
    if not has_readv:
        monkeypatch.setattr(reading, "_readv", None)
    monkeypatch.setattr(reading, "_ROOM", 1000)
    monkeypatch.setattr(reading, "_FULL", 300)
    sizes = (0, 1, 299, 300, 301, 0, 698, 699, 700, 701, 998, 999, 1000, 1001, 5000, 2, 999, 3, 2500, 2500, 0)
    files = {f"{number:02}": os.urandom(size) for number, size in enumerate(sizes)}
    assert read_all(tmp_path, files) == [*files.items()]
    assert read_all(tmp_path, {"a": b"x" * 3000}) == [("a", b"x" * 3000)]
    assert read_all(tmp_path, {}) == []


def test_what_cannot_be_read_is_told_in_its_batch(tmp_path):
    (tmp_path / "a.py").write_bytes(b"a")
    names = ("a.py", "none.py", "folder.py", "a.py")
    (tmp_path / "folder.py").mkdir()
    (batch,) = reading.batches(Found(str(tmp_path / name), "", False) for name in names)
    assert [batch.content(index) for index in range(len(batch.items))] == [b"a", b"a"]
    assert [(os.path.basename(item.path), type(error)) for item, error in batch.failed] == [
        ("none.py", FileNotFoundError),
        ("folder.py", IsADirectoryError),
    ]


@pytest.mark.parametrize("search", SEARCHES)
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(parts=st.lists(st.lists(st.sampled_from([*WORDS, b"_", b".", b" ", b"\n", b"x", b"\xc3\xa9", b"\0"])).map(b"".join)))
def test_words_are_found_in_the_files_they_stand_in(monkeypatch, search, parts):
    monkeypatch.setattr(reading, "BytesAhoCorasick", search)
    words = reading.Words(WORDS)
    bounds = [0]
    for part in parts:
        bounds.append(bounds[-1] + len(part) + 1)
    data = bytearray(b"".join(part + b"\0" for part in parts)) + b"what was there before: shared"
    batch = reading.Batch([Found("", "", False)] * len(parts), data, bounds)
    found = words.within(batch)
    for index, part in enumerate(parts):
        spelt = {word for word in WORDS if word in part}
        alone = {match.group() for match in ALONE.finditer(part)}
        assert alone <= {*found.get(index, ())} <= spelt
        assert bool(found.get(index)) == bool(spelt) == words.are_in(data, bounds[index], bounds[index + 1] - 1)
        places = {(at - bounds[index], word) for word, ats in found.get(index, {}).items() for at in ats}
        assert places == {(at, word) for word, at in words.places(part)}
        assert {(match.start(), match.group()) for match in ALONE.finditer(part)} <= places
        assert all(part.startswith(word, at) for at, word in places)


@pytest.mark.parametrize("search", SEARCHES)
def test_of_a_large_file_only_the_words_are_told(monkeypatch, search):
    monkeypatch.setattr(reading, "BytesAhoCorasick", search)
    data = b"shared auth_service\n" * (reading._ROOM // 20 + 1) + b"\0"
    found = reading.Words(WORDS).within(reading.Batch([Found("", "", False)], data, (0, len(data))))
    assert found == {0: {b"shared": None, b"auth": None, b"auth_service": None}}
    empty = b"-" * reading._ROOM + b"\0"
    assert reading.Words(WORDS).within(reading.Batch([Found("", "", False)], empty, (0, len(empty)))) == {}


def test_no_words_are_in_nothing(monkeypatch):
    for search in SEARCHES:
        monkeypatch.setattr(reading, "BytesAhoCorasick", search)
        words = reading.Words(())
        assert words.within(reading.Batch((), b"shared\0", (0, 7))) == {}
        assert [*words.places(b"shared")] == []
        assert not words.are_in(b"shared", 0, 6)


@given(st.text(st.sampled_from("aü\U0001f600\n\r"), max_size=30), st.lists(st.integers(0, 120), max_size=12))
def test_positions_asked_for_in_any_order_are_those_of_the_text(text, offsets):
    source = sources.decode("m.py", text.encode())
    ends = {len(text[:count].encode()): text[:count] for count in range(len(text) + 1)}
    for offset in offsets:
        head = ends.get(offset)
        if head is None or (head.endswith("\r") and text[len(head) :].startswith("\n")):
            continue  # no character starts there, or the second half of one line's end does
        lines = head.replace("\r\n", "\n").replace("\r", "\n").split("\n")
        assert source.position(offset) == (len(lines), len(lines[-1]) + 1)
        whole = text[len(head) - len(lines[-1]) :].replace("\r", "\n").partition("\n")[0]
        assert source.code_around(offset) == whole.strip()
