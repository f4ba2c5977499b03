"""A child that is forked in the middle of another thread's first legacy use makes its own first use, and ends."""

from __future__ import annotations

import sys

import pytest

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="there is no fork")

FILES = {
    "newpkg/__init__.py": "",
    "newpkg/core.py": """
VALUE = 1
class Store:
    def __init__(self, size=1): self.size = size
    def put(self): return self.size
def make(size=1): return Store(size)
def call(quantity=1): return quantity
""",
    "moves.py": """
from compat import Argument, Behaviour, Class, Ledger, Method, Module, Name, Removed
V = dict(since="1.0", removal="9.0", instead=None)
LEDGER = Ledger("kit", version="2.0", rows=[
    Module("oldpkg", "newpkg", **V),
    Name("oldlib:VALUE", "newpkg.core:VALUE", **V),
    Name("oldlib:WORD", "newpkg.late:WORD", **V),
    Class("oldlib:OldStore", "newpkg.core:Store", adapter="adapters:OldStore", **V),
    Method("newpkg.core:Store.add", "newpkg.core:Store.put", **V),
    Argument("newpkg.core:call", "qty", became="quantity", **V),
    Removed("oldlib:GONE", since="1.0", instead="nothing"),
    Behaviour("kit.mode", "Mode", **V),
])
""",
    "kit-1.0.dist-info/entry_points.txt": "[compat.ledgers]\nkit = moves:LEDGER\n\n[compat.roots]\noldpkg = moves:LEDGER\n",
    "newpkg/late.py": "import colorsys, wave\nWORD = 'late'\n",
    "adapters.py": """
import compat
class OldStore(compat.Adapter, of="newpkg.core:Store", built_by="newpkg.core:make"):
    take = compat.renamed("put")
""",
}

HEAD = """
import os, sys, threading, time, warnings
sys.path.insert(0, {root!r})
{install}

class SlowImports:
    # An import takes long enough for a fork to come in the middle of it.
    @staticmethod
    def find_spec(name, path=None, target=None):
        if main != threading.get_ident():
            time.sleep(0.002)

class SlowStream:
    def write(self, text): time.sleep(0.001)
    def flush(self): pass
"""

RUN = """
def attempt(delay):
    # In a process of its own: what is a first use in one attempt is one in the next.
    global main
    main = threading.get_ident()
    # Between two steps of an import the interpreter itself holds the module's lock. No thread gives way there unless by the clock.
    sys.setswitchinterval(10)
    sys.meta_path.insert(1, SlowImports)  # after the finder that answers for legacy modules
    sys.stderr = SlowStream()
    warnings.simplefilter({filters!r})
    warnings.filterwarnings("ignore", "This process")  # of fork itself, since 3.12
    about, ready = {prepare}, threading.Event()
    def first():
        ready.set()
        use(about)
    threading.Thread(target=first, daemon=True).start()
    ready.wait()
    time.sleep(delay)
    child = os.fork()
    if not child:
        main = threading.get_ident()
        use(about)
        os._exit(0)
    until = time.monotonic() + 8
    while True:
        done, status = os.waitpid(child, os.WNOHANG)
        if done:
            return status
        if time.monotonic() > until:
            os.kill(child, 9)
            os.waitpid(child, 0)
            return 1
        time.sleep(0.001)

def use(about):
    try:
        {use}
    except (DeprecationWarning, ImportError):
        pass

bad = 0
for turn in range({turns}):
    pid = os.fork()
    if not pid:
        os._exit(1 if attempt(turn * 25 // 15 / 1000) else 0)
    bad += os.waitpid(pid, 0)[1] != 0
    if bad == 2:
        break
print(bad)
"""

SORTS = {
    "a method is called": ("__import__('newpkg.core').core.Store()", "about.add()"),
    "an argument is passed": ("__import__('newpkg.core').core.call", "about(qty=1)"),
    "a module is imported": ("None", "import oldpkg.core"),
    "a name is imported": ("None", "from oldlib import VALUE"),
    "a name is read": ("__import__('oldlib')", "about.VALUE"),
    "a name whose module is not loaded is read": ("__import__('oldlib')", "about.WORD"),
    "a class is constructed": ("__import__('oldlib')", "about.OldStore().take()"),
    "a removed name is imported": ("None", "from oldlib import GONE"),
    "a behaviour is reported": ("__import__('compat')", "about.use('kit.mode')"),
    "the drop-in wakes": ("None", "import oldpkg.core"),
    "a function that stands by is called": ("__import__('newpkg.core').core.call", "about(qty=1)"),
    "a method that stands by is called": ("__import__('newpkg.core').core.Store()", "about.add()"),
}


@pytest.mark.slow
@pytest.mark.parametrize(
    "sort, filters",
    [(sort, one) for sort in SORTS for one in ("ignore", "always", "error") if one == "always" or "behaviour" not in sort],
)
def test_a_child_forked_in_the_middle_of_a_first_use_makes_its_own(state, tmp_path, sort, filters):
    for path, text in FILES.items():
        (tmp_path / path).parent.mkdir(exist_ok=True)
        (tmp_path / path).write_text(text.partition("[compat.roots]")[0] if "stands by" in sort else text)
    prepare, use = SORTS[sort]
    install = "import compat, moves; compat.install(moves.LEDGER)"
    if "drop-in" in sort:
        install = "import compat.boot, compat.shim.finders; compat.boot.boot('this test')"
    elif "behaviour" in sort:
        install = ""  # its row tells all that is needed
    elif "stands by" in sort:
        install = "try:\n    import nowhere_at_all\nexcept ImportError: pass\nimport newpkg.core\nfrom compat.shim import wires\nassert wires.standing"
    turns = 4 if "behaviour" in sort else 15  # its use loads the whole shim
    code = HEAD.format(root=str(tmp_path), install=install) + RUN.format(prepare=prepare, use=use, filters=filters, turns=turns)
    assert state.run(code) == "0\n"


def test_a_fork_does_not_wait_for_ever_for_a_thread_that_stays_inside_of_the_gate(state):
    printed = state.run(
        """
import os, threading, warnings
warnings.simplefilter("ignore")
from compat import _forking
_forking.LONGEST = 0.05
inside, leave = threading.Event(), threading.Event()
def stay():
    with _forking.gate:
        inside.set()
        leave.wait()
thread = threading.Thread(target=stay)
thread.start()
inside.wait()
child = os.fork()
if not child:
    with _forking.gate, _forking.GatedLock():
        os._exit(3)
leave.set()
thread.join()
print(os.waitpid(child, 0)[1] >> 8)
"""
    )
    assert printed == "3\n"


def test_a_fork_inside_of_the_gate_leaves_parent_and_child_in_order(state):
    printed = state.run(
        """
import os
from compat import _forking
lock = _forking.GatedLock()
with _forking.gate, lock:
    child = os.fork()
again = os.fork()
if not again:
    with lock:
        os._exit(0)
os.waitpid(again, 0)
if not child:
    os._exit(3)
print(os.waitpid(child, 0)[1] >> 8)
"""
    )
    assert printed == "3\n"
