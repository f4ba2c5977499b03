"""Destructors that run while the interpreter goes down: the legacy call works, and its use is counted."""

from __future__ import annotations

import sys

import pytest

from compat.telemetry.record.layout import decode_key, read_segment

pytestmark = pytest.mark.skipif(sys.implementation.name == "pypy", reason="no destructor runs as the process ends")

CANON = """
CONST = 1

class K:
    x = 2
    def new(self, x=1):
        return x

def f(new=1):
    return new
"""

ADAPTER = """
from compat import Adapter, renamed

class Old(Adapter, of="shut_canon:K", built_by="shut_canon:K"):
    take = renamed("new")
"""

PROGRAM = """
import sys
import compat
from compat import Argument, Behaviour, Class, Ledger, Method, Module, Name

V = dict(since="1.0", removal="9.0", instead=None)
rows = [
    Name("shut_live:CONST", "shut_canon:CONST", **V),
    Method("shut_canon:K.old", "shut_canon:K.new", **V),
    Argument("shut_canon:f", "old", became="new", **V),
    Module("shut_old", "shut_canon", **V),
    Class("shut_live:Old", "shut_canon:K", adapter="shut_adapter:Old", **V),
    Behaviour("shut.mode", "The mode", **V),
]
compat.install(Ledger("shut", version="1.5") + rows)
import shut_canon, shut_live
if "shut_old" in sys.argv[1]:
    import shut_old
if "Old()" in sys.argv[1]:
    from shut_live import Old
if "used before" in sys.argv[2:]:
    shut_live.CONST, shut_canon.K().old(), shut_canon.f(old=1)


class Late:
    def __init__(self):
        self.itself = self  # found by the collector only, when all modules are gone

    def __del__(self, sys=sys, write=sys.stdout.write, HELD):
        write(f"{sys.meta_path} {USE}")


late = Late()
"""
USES = {
    "a name": ("shut_live.CONST", "shut_live:CONST", 1),
    "a method": ("shut_canon.K().old(3)", "shut_canon:K.old", 3),
    "an argument": ("shut_canon.f(old=4)", "shut_canon:f(old)", 4),
    "an attribute of a moved module": ("shut_old.CONST", "shut_old", 1),
    "a construction of an adapter": ("Old().x", "shut_live:Old", 2),
    "a method of an adapter": ("Old().take(5)", "shut_live:Old.take", 5),
    "a behaviour": ("compat.use('shut.mode')", "shut.mode", None),
}


@pytest.mark.parametrize("before", ["", "used before"])
@pytest.mark.parametrize("use, move, result", USES.values(), ids=USES)
def test_a_use_at_shutdown_works_and_is_counted(state, tmp_path, use, move, result, before):
    (tmp_path / "shut_canon.py").write_text(CANON)
    (tmp_path / "shut_live.py").write_text("")
    (tmp_path / "shut_adapter.py").write_text(ADAPTER)
    module = use.partition(".")[0].partition("(")[0]
    program = PROGRAM.replace("HELD", f"{module}={module}").replace("USE", use)
    assert state.run(program, use, before, PYTHONPATH=f"{tmp_path}:{state.environ()['PYTHONPATH']}") == f"None {result}"
    held = [row for path in state.segments() for row in read_segment(path.read_bytes())[1]]
    line = next(at for at, text in enumerate(program.splitlines(), 1) if use in text and "write(" in text)
    counts = {(key.move, key.line): row.uses for row in held for key in [decode_key(row.key)]}
    assert counts[move, line] == 1
