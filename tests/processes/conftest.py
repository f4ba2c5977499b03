"""Real processes that count, and the truth about what they counted."""

from __future__ import annotations

import os
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest

import compat
from compat.telemetry.record.layout import decode_key, read_segment

ROOT = str(Path(compat.__file__).parents[1])


class State:
    """A state directory of its own, and the children that count into it."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory

    def environ(self, **more: str) -> dict[str, str]:
        paths = os.pathsep.join([ROOT, *filter(None, [os.environ.get("PYTHONPATH")])])
        return {**os.environ, "PYTHONPATH": paths, "COMPAT_TELEMETRY": "on", "COMPAT_DIR": str(self.directory), **more}

    def start(self, code: str, *arguments: str, **more: str) -> subprocess.Popen[bytes]:
        command = [sys.executable, "-c", code, *arguments]
        return subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=self.environ(**more))

    def run(self, code: str, *arguments: str, **more: str) -> str:
        """Run ``code`` to its end, which must come within a minute and be a good one, and return what it printed."""
        command = [sys.executable, "-c", code, *arguments]
        done = subprocess.run(command, env=self.environ(**more), stdout=subprocess.PIPE, timeout=60, check=True)
        return done.stdout.decode()

    def segments(self) -> list[Path]:
        return sorted((self.directory / "segments").glob("*.seg"))

    def found(self) -> dict[int, Counter[str]]:
        """Return what the segments hold, by pid and by move."""
        held: dict[int, Counter[str]] = {}
        for path in self.segments():
            process, rows = read_segment(path.read_bytes())
            counts = held.setdefault(process.pid, Counter())
            for row in rows:
                counts[decode_key(row.key).move] += row.uses
        return held

    def total(self) -> int:
        return sum(sum(counts.values()) for counts in self.found().values())


@pytest.fixture
def state(tmp_path):
    return State(tmp_path / "state")
