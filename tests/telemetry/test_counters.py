from __future__ import annotations

import subprocess
import sys
import threading

import pytest

from compat.telemetry.record import cells, counters
from compat.telemetry.record.cells import Counters
from compat.telemetry.record.sites import Site


def site(line: int = 1, move: str = "old.a") -> Site:
    return Site(move, "call", "app/main.py", line, "run", "app.main")


@pytest.mark.parametrize("exact", [pytest.param(True, id="one C call"), pytest.param(False, id="lock")])
def test_eight_threads_lose_no_count(exact):
    if exact and not cells.calls_are_atomic():
        pytest.skip("this interpreter has no GIL to lean on")
    table = Counters(exact=exact)
    both = [table.cell(site(line)) for line in (1, 2)]
    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    try:
        threads = [threading.Thread(target=lambda: [cell() for _ in range(5_000) for cell in both]) for _ in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    finally:
        sys.setswitchinterval(interval)
    assert table.usage() == [(site(1), 40_000), (site(2), 40_000)]


def test_the_same_site_is_the_same_cell():
    table = Counters()
    assert table.cell(site()) is table.cell(site())
    assert table.cell(site(1)) is not table.cell(site(2))


def test_a_cell_that_was_never_called_is_no_use():
    table = Counters()
    table.cell(site())
    assert table.usage() == []


def test_sites_beyond_the_bound_are_counted_per_move(monkeypatch):
    monkeypatch.setattr(cells, "SITES", 2)
    table = Counters()
    for line in range(1, 6):
        table.cell(site(line))()
    table.cell(site(9, "old.b"))()
    assert table.usage() == [
        (site(1), 1),
        (site(2), 1),
        (Site("old.a", "overflow", "", 0, "", ""), 3),
        (Site("old.b", "overflow", "", 0, "", ""), 1),
    ]


def test_an_exception_at_the_clock_costs_no_count_and_no_later_one(monkeypatch):
    table = Counters()
    cell = table.cell(site())
    cell()

    def interrupt() -> float:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(cells, "time", interrupt)
        with pytest.raises(KeyboardInterrupt):
            for _ in range(1000):
                cell()
    taken = table.usage()[0][1]
    for _ in range(1000):
        cell()
    assert table.usage() == [(site(), taken + 1000)]


def test_a_cell_counts_on_wherever_in_it_the_limit_of_the_recursion_was_met():
    table = Counters()
    cell = table.cell(site())

    def dive() -> None:
        cell()
        dive()

    for offset in range(130):  # two looks at the clock come at most 64 uses after each other
        for _ in range(offset):
            cell()
        with pytest.raises(RecursionError):
            dive()
    taken = table.usage()[0][1]
    for _ in range(1000):
        cell()
    assert table.usage() == [(site(), taken + 1000)]


def test_reset_calls_back_and_forgets():
    calls = []
    counters.on_reset(lambda: calls.append(counters.usage()))
    counters.open_cell(site())()
    counters.reset()
    assert calls[0] == []
    counters._callbacks.pop()


def test_the_hot_path_imports_nothing_heavy():
    code = "import sys; import compat.telemetry.record.counters; print(*sys.modules)"
    loaded = subprocess.run(
        [sys.executable, "-I", "-S", "-c", f"import sys; sys.path[:0]={sys.path!r}; {code}"],
        check=True,
        capture_output=True,
        text=True,
    ).stdout.split()
    assert {"sqlite3", "json", "dataclasses", "typing", "logging", "inspect", "threading", "collections"} & {*loaded} == set()
