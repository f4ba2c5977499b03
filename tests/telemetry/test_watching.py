"""A watch gives what was used since it was last asked, exactly, and changes nothing of what is counted."""

from __future__ import annotations

import threading

import pytest

from compat.telemetry.record import cells, counters
from compat.telemetry.record.sites import Site
from compat.telemetry.record.watching import Watch


def site(line: int) -> Site:
    return Site("m:A", "import", "f.py", line, "<module>", "m")


@pytest.fixture(autouse=True)
def afresh(monkeypatch):
    monkeypatch.setenv("COMPAT_TELEMETRY", "memory")
    counters.reset()
    yield
    assert cells.watched == []
    counters.reset()


@pytest.fixture
def watch():
    made = Watch()
    yield made
    made.stop()


def test_each_use_is_given_once_whatever_burst_a_cell_is_in(watch):
    one, other = counters.open_cell(site(1)), counters.open_cell(site(2))
    for times in (1, 2, 500, 1, 0, 7, 1000):
        for _ in range(times):
            one()
        other()
        found = dict(watch.take())
        assert found == {site(1): times, site(2): 1} if times else {site(2): 1}
    assert watch.take() == []
    assert dict(counters.usage()) == {site(1): 1511, site(2): 7}


def test_it_begins_with_itself_or_with_the_process():
    cell = counters.open_cell(site(1))
    for _ in range(300):
        cell()
    now, whole = Watch(), Watch(whole=True)
    assert (now.take(), whole.take()) == ([], [(site(1), 300)])
    cell()
    assert now.take() == whole.take() == [(site(1), 1)]
    now.stop()
    now.stop()
    cell()
    assert (now.take(), whole.take()) == ([], [(site(1), 1)])
    whole.stop()


def test_uses_before_the_counters_begin_anew_are_not_lost(watch):
    counters.open_cell(site(1))()
    counters.reset()
    counters.open_cell(site(1))()
    assert sum(count for _, count in watch.take()) == 2


def test_it_counts_where_telemetry_is_off(monkeypatch):
    monkeypatch.setenv("COMPAT_TELEMETRY", "off")
    counters.reset()
    counters.open_cell(site(1))()
    watch = Watch()
    counters.open_cell(site(1))()
    assert watch.take() == [(site(1), 1)]
    watch.stop()


def test_what_was_counted_in_memory_moves_into_the_file(tmp_path, watch):
    cell = counters.open_cell(site(1))
    for _ in range(5):
        cell()
    counters.keep_in(str(tmp_path))
    cell()
    from compat.telemetry.history.segment_reader import Reader
    from compat.telemetry.record.layout import rows_of

    [path] = (tmp_path / "segments").iterdir()
    with open(path, "rb") as file:
        _, blocks = Reader().read(file.fileno(), path.stat().st_size)
    assert [row.uses for block in blocks for row in rows_of(block)] == [6]
    assert watch.take() == [(site(1), 6)]


def test_no_use_of_any_thread_is_lost_or_given_twice(watch):
    cell, found, stop = counters.open_cell(site(1)), [], threading.Event()

    def count():
        for _ in range(20000):
            cell()

    def ask():
        while not stop.is_set():
            found.extend(watch.take())

    asking = threading.Thread(target=ask)
    asking.start()
    threads = [threading.Thread(target=count) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    stop.set()
    asking.join()
    found += watch.take()
    assert sum(count for _, count in found) == 60000
