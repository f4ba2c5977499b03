"""A count that a call has completed is in the file, whatever happens next."""

from __future__ import annotations

import random
import selectors
import struct
import time
from collections import Counter

import pytest

from compat.telemetry.history.database import open_history
from compat.telemetry.history.fold import fold

CHILD = """
import os, struct, threading
from compat.telemetry.record.counters import open_cell
from compat.telemetry.record.sites import Site

def count(thread):
    for number in range(1 << 30):
        # Sites of its own, new ones all the time, so that kills hit growing tables; and one that all threads share.
        line = 0 if number % 2 else thread * 1_000_000 + number // 20
        cell = open_cell(Site(f"old.name{line}", "call", "app.py", line, "run", "app"))
        cell()
        os.write(1, struct.pack("<I", line))

for thread in range(1, 4):
    threading.Thread(target=count, args=(thread,), daemon=True).start()
count(4)
"""
PROCESSES = 100
AT_ONCE = 8


@pytest.mark.slow
def test_no_completed_count_is_lost_by_sigkill(state, capsys):
    told: dict[int, Counter[int]] = {}
    rest = PROCESSES
    random.seed()
    selector = selectors.DefaultSelector()
    running = 0
    while rest or running:
        while rest and running < AT_ONCE:
            child = state.start(CHILD)
            selector.register(child.stdout, selectors.EVENT_READ, [child, None, b""])
            rest, running = rest - 1, running + 1
        for key, _ in selector.select(0.01):
            child, kill_at, data = key.data
            more = key.fileobj.read1(1 << 16)
            if more:
                # From the first report on, at any moment: also in the middle of the first growth.
                key.data[1:] = [kill_at or time.monotonic() + random.uniform(0.0, 0.5), data + more]
                continue
            selector.unregister(child.stdout)
            running -= 1
            assert child.wait() == -9
            lines = struct.unpack(f"<{len(data) // 4}I", data[: len(data) // 4 * 4])
            told[child.pid] = Counter(lines)
            child.stdin.close()
            child.stdout.close()
        for key in list(selector.get_map().values()):
            child, kill_at, _ = key.data
            if kill_at is not None and time.monotonic() >= kill_at:
                child.kill()
    held = state.found()
    lost = sum(max(0, number - held[pid][f"old.name{line}"]) for pid, counts in told.items() for line, number in counts.items())
    counted, found = sum(sum(counts.values()) for counts in told.values()), state.total()
    with capsys.disabled():
        print(f"\nSIGKILL: processes {len(told)}, counted {counted}, found {found}, lost {lost}")
    assert (len(told), lost) == (PROCESSES, 0)
    # A call may have counted and been killed before its report: at most one per thread.
    assert all(0 <= sum(held[pid].values()) - sum(counts.values()) <= 4 for pid, counts in told.items())
    folded = fold(str(state.directory))
    assert folded == (PROCESSES, found, 0, ())
    assert state.segments() == []
    with open_history(state.directory) as history:
        assert history.connection.execute("SELECT sum(count) FROM uses").fetchone() == (found,)
        assert history.connection.execute("SELECT sum(count) FROM daily").fetchone() == (found,)
        assert history.connection.execute("SELECT count(*), sum(uses) FROM processes").fetchone() == (PROCESSES, found)
