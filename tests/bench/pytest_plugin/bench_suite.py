"""What the pytest plugin adds to the time of a suite: switched off, and switched on; whole processes, started in turn.

    python tests/bench/pytest_plugin/bench_suite.py [rounds] [tests]

Each suite has as many tests as asked for (1000), in files of 50. In one, a test works for two milliseconds, and every tenth uses two legacy
names; in another, every test does nothing else than use one; in the last, tests are empty, which no suite's are: what is measured
there is pytest itself. Ratios are medians over rounds of the processor time of neighbours in time.
"""

from __future__ import annotations

import os
import pathlib
import statistics
import subprocess
import sys
import tempfile

sys.path.insert(0, str(pathlib.Path(__file__).parents[1] / "shim"))

from measuring import Table

BAR = 1.02
FILE = 50
#: Plugins of the environment that add to every process alike.
OTHERS = [f"-pno:{name}" for name in ("hypothesispytest", "anyio", "timeout", "cacheprovider", "xdist", "warnings")]
CLEAN = {key: value for key, value in os.environ.items() if not key.startswith(("PYTEST", "COMPAT"))}

LIBRARY = "def new():\n    return 1\n\ndef old():\n    return 1\n\ndef older():\n    return 1\n"
MOVES = """
from compat import Deprecated, Ledger

LEDGER = Ledger("lib", version="1.5") + [
    Deprecated("lib:old", since="1.0", removal="2.0", instead="lib.new()"),
    Deprecated("lib:older", since="1.0", removal="2.0", instead="lib.new()"),
]
"""
HEAD = "import time, warnings\nimport lib\n\ndef work():\n    end = time.thread_time() + 0.002\n    while time.thread_time() < end:\n        pass\n"


def working(number: int) -> str:
    """A test of two milliseconds; every tenth uses two legacy names."""
    uses = "    lib.old()\n    lib.older()\n" if number % 10 == 0 else ""
    return f"\ndef test_{number}():\n    work()\n{uses}"


def using(number: int) -> str:
    """A test that works, and uses a legacy name."""
    return f"\ndef test_{number}():\n    work()\n    lib.old()\n"


def empty(number: int) -> str:
    """A test of nothing."""
    return f"\ndef test_{number}():\n    pass\n"


SUITES = {
    "2 ms each, one in ten uses two names": (working, True),
    "2 ms each, each uses a name": (using, True),
    "empty": (empty, False),
}
RUNS = {"without": ["-pno:compat"], "off": [], "on": ["--compat", "--compat-max=self=*"]}


def build(folder: pathlib.Path, make: object, tests: int) -> None:
    """Write a project with a suite."""
    (folder / "lib.py").write_text(LIBRARY)
    (folder / "lib_moves.py").write_text(MOVES)
    (folder / "pyproject.toml").write_text(
        '[tool.compat]\nledgers = ["lib_moves:LEDGER"]\n[tool.pytest.ini_options]\npythonpath = ["."]\n'
    )
    for first in range(0, tests, FILE):
        body = "".join(make(number) for number in range(first, first + FILE))  # type: ignore[operator]
        (folder / f"test_{first}.py").write_text(HEAD + body)


def run(folder: pathlib.Path, options: list[str]) -> float:
    """Run a suite; return the seconds of processor time."""
    command = [sys.executable, "-m", "pytest", "-q", "-Wignore", *OTHERS, *options]
    process = subprocess.Popen(command, cwd=folder, env={**CLEAN, "COMPAT_TELEMETRY": "memory"}, stdout=subprocess.DEVNULL)
    _, status, used = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    assert process.returncode == 0, command
    return used.ru_utime + used.ru_stime


def main() -> int:
    """Measure and print; return the exit code."""
    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else 9
    tests = int(sys.argv[2]) if len(sys.argv) > 2 else 1000
    table = Table(f"A suite of {tests} tests, without the plugin, with it off, and on", "median s")
    for title, (make, is_held) in SUITES.items():
        with tempfile.TemporaryDirectory() as name:
            folder = pathlib.Path(name)
            build(folder, make, tests)
            taken: dict[str, list[float]] = {name: [] for name in RUNS}
            for number in range(rounds + 1):
                for name, options in RUNS.items():
                    seconds = run(folder, options)
                    if number:  # the first of each compiles
                        taken[name].append(seconds)
        for name, seconds in taken.items():
            ratio = statistics.median(one / other for one, other in zip(seconds, taken["without"]))
            bar = {"off": "<= 1.005", "on": f"<= {BAR}"}.get(name, "") if is_held else ""
            met = not bar or ratio <= float(bar.split()[1])
            table.add(f"{title}: {name}", statistics.median(seconds), f"{ratio:.3f}", bar=bar, met=met, digits=2)
    return table.show()


if __name__ == "__main__":
    sys.exit(main())
