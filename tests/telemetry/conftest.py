"""Segments of processes that never ran."""

from __future__ import annotations

import os
from collections.abc import Mapping

import pytest

from compat.telemetry.record import segments
from compat.telemetry.record.identity import describe_process
from compat.telemetry.record.layout import DAY
from compat.telemetry.record.segments import Segment
from compat.telemetry.record.sites import Site

TODAY = 20_000
NOON = TODAY * DAY + DAY / 2


class Writer:
    """Writes segments into a state directory as a process that is gone would have left them."""

    def __init__(self, directory: str) -> None:
        self.directory = directory

    def __call__(self, uses: Mapping[Site, int], *, now: float = NOON, ended: float = 0.0, **facts: object) -> str:
        """Write one segment, and return its path. Its pid is in use, but started at another tick: it was reused."""
        known = {"tick": 1, "service": "chat", "environment": "production", "started": now - 60}
        process = describe_process()._replace(**{**known, **facts})
        segment = Segment(self.directory, process)
        for site, count in uses.items():
            segment.allot(site, 0, count, now)
        segment.end(ended or now + 1)
        segment.release()
        segment._maps.clear()  # a process that is gone has nothing open
        segments._released.clear()
        os.utime(segment.path, (now + 5 * DAY, now + 5 * DAY))  # as a copy has it: that is no sign of life
        return segment.path


@pytest.fixture
def directory(tmp_path):
    return str(tmp_path / "state")


@pytest.fixture
def write_segment(directory):
    return Writer(directory)


@pytest.fixture
def site():
    def make(line: int = 1, move: str = "old.a", module: str = "app.main") -> Site:
        return Site(move, "call", "app/main.py", line, "run", module)

    return make
