"""What a ledger that is found by its entry point adds to the import of its library, where nothing legacy is used.

    python tests/bench/shim/bench_library.py [rounds]

A library of ten modules, a class and forty functions in each, which import of the standard library what such libraries do; 17 rows
of all kinds that stay out of the way of a library's own code. Fresh environments with compiled files; processes in turn, with the
drop-in and with ``COMPAT=off``; medians of processor time, of whole processes and of the import alone.
"""

from __future__ import annotations

import compileall
import os
import pathlib
import statistics
import subprocess
import sys
import tempfile

from bench_start import CLEAN, declare, environment, install_drop_in
from measuring import Table

BAR = 1.1
#: One for each module of the library.
NEEDED = ("json", "logging", "dataclasses", "typing", "pathlib", "datetime", "urllib.parse", "re", "functools", "os")
BODY = """
class Thing:
    def __init__(self, size=1):
        self.size = size

    def work(self, amount=1):
        return amount

    def other(self):
        return self.size


LIMIT = 3
"""
FUNCTION = """

def function_{number}(a, b=1):
    return a
"""
LEDGER = """
V = {"since": "1.0", "removal": "9.0", "instead": None}
LEDGER = Ledger("library", version="2.0", rows=[
    Module("library.tools", "library.part_0", **V),
    Module("library.old_helpers", "library.part_1", **V),
    Name("library.part_0:old_function", "library.part_0:function_1", **V),
    Name("library.part_1:old_function", "library.part_2:function_1", **V),
    Name("library.gone:Thing", "library.part_3:Thing", **V),
    Name("library:run", "library.part_4:function_1", **V),
    Removed("library.part_2:gone", since="1.0", removal="9.0", instead="function_2()"),
    Removed("library.relics", since="1.0", removal="9.0", instead=None),
    Argument("library.part_3:function_2", "x", became="a", **V),
    Argument("library.part_4:function_2", "c", **V),
    Argument("library.part_5:Thing.work", "qty", became="amount", **V),
    Argument("library.part_6:Thing", "length", became="size", **V),
    Method("library.part_5:Thing.run", "library.part_5:Thing.work", **V),
    Method("library.part_7:Thing.perform", "library.part_7:Thing.other", **V),
    Deprecated("library.part_7:function_3", **V),
    Deprecated("library.part_8:Thing", **V),
    Deprecated("library.part_9:LIMIT", **V),
])
"""
KINDS = "Argument, Deprecated, Ledger, Method, Module, Name, Removed"
BARE = """
class Ledger:
    def __init__(self, *given, **named):
        self.given, self.named = given, named
class Argument(Ledger): pass
class Deprecated(Ledger): pass
class Method(Ledger): pass
class Module(Ledger): pass
class Name(Ledger): pass
class Removed(Ledger): pass
"""
"""Rows that do nothing: the least that a ledger of rows in Python costs."""
IMPORT = """
import time
began = time.process_time()
import library
{more}
took = time.process_time() - began
import os
os.write(1, b"%.6f" % took)
"""


def library(site: pathlib.Path) -> None:
    """Install the library, its ledger, and the same rows as rows that do nothing."""
    folder = site / "library"
    folder.mkdir()
    (folder / "__init__.py").write_text("".join(f"from . import part_{number}\n" for number in range(10)))
    functions = "".join(FUNCTION.format(number=number) for number in range(40))
    for number, needed in enumerate(NEEDED):
        (folder / f"part_{number}.py").write_text(f"import {needed}\n\n{BODY}{functions}")
    (folder / "moves.py").write_text(f"from compat import {KINDS}\n{LEDGER}")
    (folder / "bare.py").write_text(BARE)
    (folder / "bare_moves.py").write_text(f"from .bare import {KINDS}\n{LEDGER}")
    declare(site, "library", "[compat.ledgers]\nlibrary = library.moves:LEDGER\n")


def run(python: str, code: str, variables: dict[str, str]) -> tuple[float, float, str]:
    """Run a process; return its processor time and that which it measured, in milliseconds, and what it printed."""
    child = subprocess.Popen([python, "-c", code], env={**CLEAN, **variables}, stdout=subprocess.PIPE, text=True)
    assert child.stdout is not None
    printed = child.stdout.read()
    child.stdout.close()
    spent = os.wait4(child.pid, 0)[2]
    child.returncode = 0
    own, _, rest = printed.partition(" ")
    return (spent.ru_utime + spent.ru_stime) * 1000, float(own) * 1000, rest


def main() -> int:
    """Measure and print; return the exit code."""
    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else 60
    table = Table("Import of a library with 17 rows, nothing legacy used", "median ms")
    off = {"COMPAT": "off"}
    commands = {
        "off": (IMPORT.format(more=""), off),
        "on": (IMPORT.format(more=""), {}),
        "bare rows": (IMPORT.format(more="import library.bare_moves"), off),
    }
    taken: dict[str, list[tuple[float, float]]] = {name: [] for name in commands}
    with tempfile.TemporaryDirectory() as folder:
        python, site = environment(pathlib.Path(folder) / "served")
        install_drop_in(site)
        library(site)
        compileall.compile_dir(str(site), quiet=1)
        for number in range(rounds + 3):
            for name, (code, variables) in commands.items():
                whole, own, _ = run(python, code, variables)
                if number >= 3:  # the first starts read cold files
                    taken[name].append((whole, own))
        listed = f"{IMPORT.format(more='')}import sys; os.write(1, b' ' + ' '.join(sorted(sys.modules)).encode())"
        with_ours, without = (set(run(python, listed, variables)[2].split()) for variables in ({}, off))
    for what, at in (("whole process", 0), ("the import alone", 1)):
        median = {name: statistics.median(one[at] for one in of) for name, of in taken.items()}
        # Noise of the machine cancels out best between neighbours in time.
        ratio = {
            name: statistics.median(one[at] / other[at] for one, other in zip(of, taken["off"])) for name, of in taken.items()
        }
        floor = f"{ratio['bare rows']:.3f}, rows that do nothing"
        table.add(f"{what}, COMPAT=off", median["off"], "1", digits=2)
        table.add(
            f"{what}, its ledger served",
            median["on"],
            f"{ratio['on']:.3f} of COMPAT=off",
            bar=f"<= {BAR:g}",
            met=ratio["on"] <= BAR,
            digits=2,
        )
        table.add(f"{what}, COMPAT=off and the same rows that do nothing", median["bare rows"], floor, digits=2)
    added = sorted(with_ours - without)
    ours = [name for name in added if name.partition(".")[0] == "compat"]
    table.add("modules of ours that this loads", len(ours))
    table.add("other modules that it loads", len(added) - len(ours))
    told = table.show()
    print(f"  loaded: {', '.join(added)}")
    return told


if __name__ == "__main__":
    sys.exit(main())
