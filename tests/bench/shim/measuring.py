"""Timing in turns and tables of ratios, for the scripts of this folder."""

from __future__ import annotations

import gc
import platform
import time
import timeit
from typing import Any

NS = 1e9
MISSED = 3
"""The exit code of a script whose figures miss a bar: 1 is what Python itself ends with when a script breaks."""


class Turns:
    """Statements that are timed in turn, so that what else the machine does meets all of them alike."""

    def __init__(self, loops: int = 10000, rounds: int = 25) -> None:
        self.loops, self.rounds = loops, rounds
        self._timers: dict[str, timeit.Timer] = {}

    def add(self, name: str, statement: str, **names: Any) -> None:
        """Add one statement, run as a module of its own whose names are ``names``."""
        namespace = {"__name__": f"caller_{len(self._timers)}", **names}
        self._timers[name] = timeit.Timer(statement, globals=namespace, timer=time.thread_time)

    def run(self) -> dict[str, float]:
        """Return the least time of each statement, in nanoseconds of this thread's processor time per loop."""
        for timer in self._timers.values():
            timer.timeit(self.loops)
        least = dict.fromkeys(self._timers, float("inf"))
        gc.collect()
        for _ in range(self.rounds):
            for name, timer in self._timers.items():
                least[name] = min(least[name], timer.timeit(self.loops) / self.loops * NS)
        return least


def interpreter() -> str:
    """Name the interpreter, for the head of a table."""
    return f"{platform.python_implementation()} {platform.python_version()}"


class Table:
    """Rows of figures, each with the ratio to its peer and the bar that it is held against."""

    def __init__(self, title: str, unit: str) -> None:
        self.title, self.unit = title, unit
        self._rows: list[tuple[str, str, str, str, str]] = []
        self._missed = False

    def add(
        self,
        what: str,
        value: float | None,
        ratio: str = "",
        *,
        bar: str = "",
        met: bool = True,
        floor: str = "",
        digits: int = 0,
    ) -> None:
        """Add a row; a value of ``None`` says that the peer is not installed. A bar below the floor cannot be missed."""
        shown = "absent" if value is None else f"{value:,.{digits}f}"
        missed = not met and not floor
        self._missed = self._missed or missed
        self._rows.append((what, shown, ratio, f"{bar} MISSED" if missed else bar, floor))

    def show(self) -> int:
        """Print the table; return the exit code that it stands for."""
        head = ("what", self.unit, "ratio", "bar", "floor")
        widths = [max(len(row[column]) for row in [head, *self._rows]) for column in range(5)]
        print(f"{self.title}: {interpreter()}")
        for row in [head, *self._rows]:
            cells = [row[0].ljust(widths[0]), row[1].rjust(widths[1]), *(row[at].ljust(widths[at]) for at in (2, 3, 4))]
            print(("  " + "  ".join(cells)).rstrip())
        return MISSED if self._missed else 0
