"""Counters over a segment: what the file holds after days, clocks, growth, trouble and re-entry."""

from __future__ import annotations

import errno
import logging
import os
import sys
import threading
from pathlib import Path

import pytest

from compat.telemetry.record import cells, counters, segments
from compat.telemetry.record.cells import Counters
from compat.telemetry.record.layout import DAY, SLOTS, decode_key, read_segment
from compat.telemetry.record.liveness import is_running, still_maps, take_lock
from compat.telemetry.record.segments import Segment
from compat.telemetry.record.sites import Site

TODAY = 20_000
NOON = TODAY * DAY + DAY / 2


class Clock:
    """A clock that is set by hand."""

    def __init__(self) -> None:
        self.now = NOON

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock(monkeypatch):
    made = Clock()
    monkeypatch.setattr(cells, "time", made)
    return made


@pytest.fixture
def segment(directory):
    made = Segment(directory)
    yield made
    made.release()


def held(path: str) -> list[tuple[int, int, int]]:
    """Return (line, day, uses) of every row in the segment ``path``."""
    return [(decode_key(row.key).line, row.day, row.uses) for row in read_segment(Path(path).read_bytes())[1]]


def test_every_count_is_in_the_file_when_the_call_returns(segment, site):
    table = Counters(lambda: segment)
    cell = table.cell(site())
    for number in range(1, 300):
        cell()
        assert held(segment.path) == [(1, int(read_segment(Path(segment.path).read_bytes())[1][0].first // DAY), number)]


def test_the_day_changes_at_midnight(segment, site, clock):
    table = Counters(lambda: segment)
    cell = table.cell(site())
    for day, uses in ((0, 1), (1, 3), (5, 2)):
        clock.now = NOON + day * DAY
        for _ in range(uses):
            cell()
            clock.now += 60
    assert held(segment.path) == [(1, TODAY, 1), (1, TODAY + 1, 3), (1, TODAY + 5, 2)]
    rows = read_segment(Path(segment.path).read_bytes())[1]
    assert [(row.first, row.last) for row in rows][1] == (NOON + DAY, NOON + DAY + 120)
    assert table.usage() == [(site(), 6)]


def test_a_burst_puts_at_most_64_uses_on_the_day_before(segment, site, clock):
    table = Counters(lambda: segment)
    cell = table.cell(site())
    for _ in range(5000):
        cell()
    clock.now += DAY
    for _ in range(1000):
        cell()
    (_, first, before), (_, second, after) = held(segment.path)
    assert (first, second, before + after) == (TODAY, TODAY + 1, 6000)
    assert 5000 <= before <= 5064


@pytest.mark.parametrize("step", [-3600.0, -3 * DAY, 3600.0, 900 * DAY])
def test_a_clock_that_is_set_loses_no_count(segment, site, clock, step):
    table = Counters(lambda: segment)
    cell = table.cell(site())
    for _ in range(10):
        cell()
        clock.now += step
        cell()
        clock.now -= step
        cell()
    found = held(segment.path)
    assert sum(uses for _, _, uses in found) == 30
    assert {day for _, day, _ in found} <= {TODAY, int((NOON + step) // DAY)}


def test_thousands_of_sites_survive_growth(segment, site):
    table = Counters(lambda: segment)
    cells = [table.cell(site(line)) for line in range(1, 5001)]
    for _ in range(3):
        for cell in cells:
            cell()
    assert sorted(held(segment.path))[::1000] == [(line, day, 3) for line, day, _ in sorted(held(segment.path))[::1000]]
    assert len(held(segment.path)) == 5000
    size = os.stat(segment.path).st_size
    assert size / 5000 < 400, "bytes per site"
    assert size % (16384) == 0


def test_long_keys_begin_a_new_block_and_keep_their_numbers(segment, clock):
    table = Counters(lambda: segment)
    sites = [Site("m" * 290, "call", "f" * 390, line, "g" * 190, "h" * 190) for line in range(40)]
    for day in range(3):
        clock.now = NOON + day * DAY
        for each in sites:
            table.cell(each)()
    assert sorted(held(segment.path)) == [(line, TODAY + day, 1) for line in range(40) for day in range(3)]


def test_new_days_are_told_in_six_bytes_of_key(segment, site, clock):
    table = Counters(lambda: segment)
    for day in range(SLOTS * 3):
        clock.now = NOON + day * DAY
        table.cell(site())()
    assert held(segment.path) == [(1, TODAY + day, 1) for day in range(SLOTS * 3)]


def test_threads_that_meet_new_days_and_new_sites_lose_nothing(segment, site, monkeypatch):
    days = iter(range(10_000))
    monkeypatch.setattr(cells, "time", lambda: NOON + next(days) // 50 * DAY)
    table = Counters(lambda: segment)
    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    try:
        work = [threading.Thread(target=lambda: [table.cell(site(n % 20))() for n in range(1, 2001)]) for _ in range(4)]
        for thread in work:
            thread.start()
        for thread in work:
            thread.join()
    finally:
        sys.setswitchinterval(interval)
    assert sum(uses for _, _, uses in held(segment.path)) == 8000
    assert sum(uses for _, uses in table.usage()) == 8000


def test_without_a_directory_it_counts_in_memory_and_says_so_once(tmp_path, site, caplog):
    blocked = tmp_path / "file"
    blocked.touch()
    table = Counters(lambda: Segment(str(blocked)))
    with caplog.at_level(logging.WARNING, logger="compat"):
        for line in range(5):
            for _ in range(10):
                table.cell(site(line))()
    assert table.usage() == [(site(line), 10) for line in range(5)]
    (record,) = caplog.records
    assert record.getMessage().startswith("uses of legacy names are counted in memory only: [Errno 20] Not a directory")


def test_what_was_counted_in_memory_goes_to_the_file_once_there_is_one(directory, site, clock, caplog):
    tries = []

    def open_table() -> Segment:
        tries.append(clock.now)
        if len(tries) == 1:
            raise OSError(errno.ENOSPC, "No space left on device")
        return Segment(directory)

    table = Counters(open_table)
    cell = table.cell(site())
    for _ in range(7):
        cell()
    clock.now += DAY
    cell()
    assert held(table.table.path) == [(1, TODAY + 1, 8)]
    assert table.usage() == [(site(), 8)]
    table.table.release()


def test_a_disk_that_fills_up_costs_new_sites_their_file_and_no_count(segment, site, monkeypatch, caplog):
    table = Counters(lambda: segment)
    table.cell(site(1))()

    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "posix_fallocate", full)
    for line in range(1, 200):
        table.cell(site(line))()
    assert sum(uses for _, uses in table.usage()) == 200
    assert len(held(segment.path)) == SLOTS
    assert len(caplog.records) == 1


def test_a_full_segment_counts_new_days_on(segment, site, clock, monkeypatch, caplog):
    monkeypatch.setattr(segments, "MAX_SLOTS", 1)
    table = Counters(lambda: segment)
    cell = table.cell(site())
    for _ in range(3):
        cell()
        clock.now += DAY
    assert held(segment.path) == [(1, TODAY, 3)]
    assert table.usage() == [(site(), 3)]


def test_a_finalizer_that_uses_something_legacy_in_the_middle_is_counted(segment, site, monkeypatch):
    table = Counters(lambda: segment)
    allot = Segment.allot
    nested = []

    def interrupted(self, which, base, total, now):
        if len(nested) < 30:
            nested.append(len(nested))
            table.cell(site(1000 + len(nested) % 7))()  # as a finalizer or a signal handler would, at the worst moment
        return allot(self, which, base, total, now)

    monkeypatch.setattr(Segment, "allot", interrupted)
    for line in range(20):
        for _ in range(5):
            table.cell(site(line))()
    by_line = {line: uses for line, _, uses in held(segment.path)}
    assert {line: uses for line, uses in by_line.items() if line < 1000} == dict.fromkeys(range(20), 5)
    assert sum(uses for line, uses in by_line.items() if line >= 1000) == len(nested)


def test_off_counts_nothing_and_makes_no_file(directory, site, monkeypatch):
    monkeypatch.setenv("COMPAT_TELEMETRY", "off")
    monkeypatch.setenv("COMPAT_DIR", directory)
    counters.reset()
    cell = counters.open_cell(site())
    for _ in range(10):
        assert cell() is None
    assert counters.usage() == []
    assert not os.path.exists(directory)
    counters.reset()


def test_the_mode_is_read_at_the_first_use(directory, site, monkeypatch):
    monkeypatch.setenv("COMPAT_DIR", directory)
    monkeypatch.setenv("COMPAT_TELEMETRY", "on")
    monkeypatch.setattr(counters, "_watched", [])  # what earlier tests installed is not to be recorded here
    counters.reset()
    assert not os.path.exists(directory)
    counters.open_cell(site())()
    (path,) = Path(directory, "segments").iterdir()
    assert [row[2] for row in held(str(path))] == [1]
    assert path.stat().st_mode & 0o777 == 0o600
    monkeypatch.setenv("COMPAT_TELEMETRY", "memory")
    counters.reset()
    assert read_segment(path.read_bytes())[0].ended > 0
    assert counters.usage() == []


def test_an_unknown_mode_is_named(directory, site, monkeypatch, caplog):
    monkeypatch.setenv("COMPAT_DIR", directory)
    monkeypatch.setenv("COMPAT_TELEMETRY", "maybe")
    counters.reset()
    counters.open_cell(site())()
    assert [record.getMessage() for record in caplog.records] == [
        "COMPAT_TELEMETRY='maybe' is none of off, memory, on: it is taken for on"
    ]
    monkeypatch.setenv("COMPAT_TELEMETRY", "memory")
    counters.reset()


def test_a_segment_that_is_in_use_is_locked_and_mapped(segment):
    with open(segment.path, "rb") as stream:
        assert not take_lock(stream.fileno())
    assert is_running(segment.header)
    assert still_maps(segment.header, segment.path)
    assert not still_maps(segment.header, "/elsewhere/other.seg")
    # A pid that was reused, another boot, another container: not this process.
    assert not is_running(segment.header._replace(tick=segment.header.tick - 1))
    assert not is_running(segment.header._replace(boot="another"))
    assert not is_running(segment.header._replace(namespace=1))
    segment.release()
    with open(segment.path, "rb") as stream:
        assert take_lock(stream.fileno())


def test_paths_are_kept_relative_to_the_entry_of_sys_path(segment, monkeypatch, tmp_path):
    monkeypatch.setattr(sys, "path", [*sys.path, str(tmp_path), f"{tmp_path}/deep/"])
    for file in (f"{tmp_path}/app/main.py", f"{tmp_path}/deep/app.py", "/elsewhere/x.py", "<string>"):
        segment.allot(Site("m", "call", file, 1, "f", "a"), 0, 1, NOON)
    files = [decode_key(row.key).file for row in read_segment(Path(segment.path).read_bytes())[1]]
    assert files == ["app/main.py", "app.py", "/elsewhere/x.py", "<string>"]


def test_a_main_script_has_one_file_whatever_link_it_is_run_through(segment, monkeypatch, tmp_path):
    """Python puts the real directory of a script on ``sys.path``, and names its file as it was given."""
    (tmp_path / "real").mkdir()
    (tmp_path / "real" / "job.py").touch()
    (tmp_path / "linked").symlink_to("real")
    (tmp_path / "run.py").symlink_to("real/job.py")
    (tmp_path / "out.py").symlink_to("/elsewhere/x.py")
    monkeypatch.setattr(sys, "path", [*sys.path, str(tmp_path / "real")])
    for name in ("real/job.py", "linked/job.py", "run.py", "out.py"):
        segment.allot(Site("m", "call", str(tmp_path / name), 1, "f", "__main__"), 0, 1, NOON)
    files = [decode_key(row.key).file for row in read_segment(Path(segment.path).read_bytes())[1]]
    assert files == ["job.py", "job.py", "job.py", str(tmp_path / "out.py")]
