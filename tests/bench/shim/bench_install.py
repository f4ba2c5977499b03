"""What ledgers of 10, 1,000 and 10,000 rows cost to make, to install, to hold, and at each import that is none of theirs.

python tests/bench/shim/bench_install.py [rounds]
"""

from __future__ import annotations

import os
import sys
import time
from typing import Any, Callable

from measuring import Table, Turns

try:
    import tracemalloc
except ImportError:  # PyPy has none
    tracemalloc = None  # type: ignore[assignment]

SIZES = (10, 1000, 10000)
PER_MODULE = 10
SAME = 1.5
"""Times the figure of the smallest ledger: what is under it is noise, while ledgers differ by a thousand times."""


def rows(count: int) -> list[Any]:
    """Return rows for names in legacy modules, ten to a module."""
    from compat import Name

    return [
        Name(
            f"bench_root.part{at // PER_MODULE}:Old{at}",
            f"bench_target.part{at // PER_MODULE}:New{at}",
            since="1.0",
            removal="2.0",
            instead=None,
        )
        for at in range(count)
    ]


def least(rounds: int, action: Callable[[], Callable[[], object]]) -> float:
    """Return the least milliseconds that ``action`` took; what it returns cleans up, unmeasured."""
    best = float("inf")
    for _ in range(rounds):
        begun = time.thread_time()
        clean = action()
        best = min(best, (time.thread_time() - begun) * 1000)
        clean()
    return best


def main() -> int:
    """Measure and print; return the exit code."""
    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else 5
    os.environ["COMPAT_TELEMETRY"] = "memory"
    import compat
    from compat import Ledger
    from compat.shim import installation

    table = Table("Ledgers", "figure")
    before = list(sys.meta_path)
    compat.install(Ledger("first", version="1.5") + rows(1)).remove()  # what is loaded once is no cost of rows
    smallest: dict[str, float] = {}
    for size in SIZES:
        made = rows(size)
        ledger = Ledger("bench", version="1.5") + made
        index = least(rounds, lambda made=made: (Ledger("bench", version="1.5") + made) and (lambda: None))  # type: ignore[misc]
        install = least(rounds, lambda ledger=ledger: compat.install(ledger).remove)  # type: ignore[misc]
        if tracemalloc is not None:
            tracemalloc.start()
        held = compat.install(Ledger("bench", version="1.5") + rows(size))
        memory = None
        if tracemalloc is not None:
            memory = tracemalloc.get_traced_memory()[0]
            tracemalloc.stop()
        finder = installation.finder()
        turns = Turns(loops=5000, rounds=15)
        turns.add("foreign", "find('json.decoder')", find=finder.find_spec)
        turns.add("ours", "find('bench_root.part0')", find=finder.find_spec)
        asked = turns.run()
        held.remove()
        smallest = smallest or asked
        table.add(f"{size:>6,} rows: index, ms", index, f"{index / size * 1000:.1f} us per row", digits=2)
        table.add(f"{size:>6,} rows: install, ms", install, f"{install / size * 1000:.1f} us per row", digits=2)
        if memory is not None:
            table.add(f"{size:>6,} rows: memory, KiB", memory / 1024, f"{memory / size:.0f} bytes per row")
        grown = asked["foreign"] / smallest["foreign"]
        told = {"ratio": f"{grown:.2f} of 10 rows", "bar": "does not grow", "met": grown < SAME}
        table.add(f"{size:>6,} rows: any other import, ns", asked["foreign"], **told)
        grown = asked["ours"] / smallest["ours"]
        told.update(ratio=f"{grown:.2f} of 10 rows", met=grown < SAME)
        table.add(f"{size:>6,} rows: a legacy module's import, ns", asked["ours"], **told)
    sys.meta_path[:] = before
    return table.show()


if __name__ == "__main__":
    sys.exit(main())
