"""`fix` and meaning: what is not legacy stays; fixed programs print what legacy ones print under the shim."""

from __future__ import annotations

import ast
import io
import random
import sys
import warnings
from contextlib import redirect_stdout

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import compat
from compat.analysis.rewriting import rewriter
from compat.analysis.targets import Targets
from compat.ledger import Argument, Class, Ledger, Method, Module, Name, names

pytestmark = pytest.mark.once

TOLD = {"since": "1.0", "removal": "3.0", "instead": None}


def make_ledger() -> Ledger:
    ledger = Ledger("p", version="1.0", docs="")
    ledger += [
        *names("prop_old.things", "prop_new.core", "Widget make MAX=LIMIT Gadget=Widget", **TOLD),
        Name("prop_old.things:other", "prop_new.side:other", **TOLD),
        Module("prop_old.whole", "prop_new.side", **TOLD),
        Class("prop_old.things:Motor", "prop_new.side:Engine", adapter="prop_adapters:Motor", **TOLD),
        Method("prop_new.core:Widget.rotate", "prop_new.core:Widget.spin", **TOLD),
        Argument("prop_new.core:make", "size", became="length", **TOLD),
        Argument(
            "prop_new.core:make", "pause", became="wait", convert="prop_new.core:thousand", template="{value} * 1000", **TOLD
        ),
    ]
    return ledger


LEDGER = make_ledger()
TARGETS = Targets(LEDGER)

CORE = """
LIMIT = 41
class Widget:
    def __init__(self, n=0): self.n = n
    def spin(self): return ("spin", self.n)
def make(value, length=None, *, wait=0): return ("made", value, length, wait)
def thousand(value): return value * 1000
"""
SIDE = """
LEVEL = 3
def other(x=1): return ("other", x)
class Engine:
    def __init__(self, user): self.user = user
    def start(self): return ("started", self.user)
def get_engine(user="nobody"): return Engine(user)
"""
ADAPTERS = """
from compat.shim import Adapter, renamed
class Motor(Adapter, of="prop_new.side:Engine", built_by="prop_new.side:get_engine"):
    begin = renamed("start")
"""

DOCTEST = """
def d():
    \'\'\'
    >>> MAX + 1
    42
    >>> from prop_old.things import other as o, Widget as W
    >>> o(), W(2).rotate()
    (('other', 1), ('spin', 2))
    \'\'\'
import doctest
doctest.run_docstring_examples(d, {**globals(), **locals()})
"""

IMPORTS = [
    "from prop_old.things import Widget, MAX",
    "from prop_old.things import Gadget",
    "from prop_old.things import MAX as TOP, other",
    "import prop_old.things as things",
    "import prop_old.whole",
    "from prop_old import whole as w, things",
    "from prop_old.things import (\n    make,  # makes\n    other,\n)",
    "from prop_old.whole import *",
    "import os, prop_old.whole as ww",
    "from prop_new.core import make, LIMIT  # canonical",
    "from prop_new.side import other as another",
    "from prop_old.things import Motor",
    "from prop_old.things import Motor as M, MAX as HIGH  # built by a factory",
    "from prop_old.things import Motor as Built  # alone",
]
USES = {
    "Widget": [
        "print(Widget(2).n)",
        "def f(a: 'Widget' = Widget(3)):\n    return a.spin()\nprint(f())",
        "w1 = Widget(1)\nprint(w1.rotate())",
    ],
    "Gadget": ["print(Gadget(2).spin(), isinstance(Gadget(), Gadget))", "class Sub(Gadget):\n    pass\nprint(Sub(4).spin())"],
    "MAX": [
        "print(MAX, [MAX for _ in range(2)], (lambda MAX: MAX)(7))",
        "def g():\n    MAX = 5\n    return MAX\nprint(g(), MAX)",
        "print(f'{MAX=}')",
        "def t(x):\n    z = MAX  # type: MAX\n    return z\nprint(t(1))",
        DOCTEST,
    ],
    "TOP": ["print(TOP + 1)"],
    "other": ["print(other(), other(x=9))"],
    "make": [
        "print(make(1, size=4))",
        "print(make(2))",
        "pause = 2\nprint(make(3, pause=pause + 1), make(4, pause=pause))",
    ],
    "LIMIT": ["print(LIMIT)", "def h(x):\n    # type: (Widget) -> LIMIT\n    y = LIMIT  # type: int\n    return y\nprint(h(1))"],
    "another": ["print(another())"],
    "things": ["print(things.Widget(6).n, things.MAX)", "print(things.make('q', size=1))"],
    "prop_old": ["print(prop_old.whole.LEVEL, prop_old.whole.other(2))"],
    "w": ["print(w.LEVEL)"],
    "ww": ["print(ww.other(0), os.sep)"],
    "LEVEL": ["print(LEVEL)"],
    "Motor": [
        "print(Motor('ann').start())",
        "m1 = Motor()\nprint(m1.begin(), [Motor for Motor in (1, 2)])",
        "def k(m: 'Motor' = Motor('bob')):\n    return isinstance(m, Motor), m.begin()\nprint(k())",
    ],
    "M": ["print(M('cid').begin())", "m2 = M()\nprint(m2.user, isinstance(m2, M))"],
    "Built": ["print(Built('dan').begin())", "print([Built for Built in (1,)], Built().user)"],
    "HIGH": ["print(HIGH)"],
}
BOUND = {
    0: ["Widget", "MAX"],
    1: ["Gadget"],
    2: ["TOP", "other"],
    3: ["things"],
    4: ["prop_old"],
    5: ["w"],
    6: ["make", "other"],
    7: ["LEVEL", "other"],
    8: ["ww"],
    9: ["make", "LIMIT"],
    10: ["another"],
    11: ["Motor"],
    12: ["M", "HIGH"],
    13: ["Built"],
}


@pytest.fixture(scope="module")
def canonical(tmp_path_factory):
    """The canonical modules on ``sys.path``, and the legacy paths as the shim serves them."""
    home = tmp_path_factory.mktemp("home")
    (home / "prop_new").mkdir()
    for name, text in (("__init__", ""), ("core", CORE), ("side", SIDE)):
        (home / "prop_new" / f"{name}.py").write_text(text)
    (home / "prop_adapters.py").write_text(ADAPTERS)
    sys.path.insert(0, str(home))
    with warnings.catch_warnings(), compat.install(LEDGER):
        warnings.simplefilter("ignore")
        yield
    sys.path.remove(str(home))
    for name in [name for name in sys.modules if name.partition(".")[0] in ("prop_new", "prop_old", "prop_adapters")]:
        del sys.modules[name]


def run(text: str) -> str:
    stream = io.StringIO()
    with redirect_stdout(stream):
        exec(compile(text, "<program>", "exec", dont_inherit=True), {"__name__": "program"})
    return stream.getvalue()


@st.composite
def programs(draw):
    """A program of imports and uses from the ledger, at module level or inside a function."""
    chosen = draw(st.lists(st.integers(0, len(IMPORTS) - 1), min_size=1, max_size=4, unique=True))
    lines = [IMPORTS[index] for index in chosen]
    bound = [name for index in chosen for name in BOUND[index]]
    uses = [draw(st.sampled_from(USES[name])) for name in draw(st.lists(st.sampled_from(bound), max_size=5))]
    if draw(st.booleans()) and 7 not in chosen:
        body = "\n".join(lines + uses)
        text = "def main():\n" + "\n".join(f"    {line}" for line in body.splitlines()) + "\nmain()\n"
    else:
        text = "\n".join(lines + uses) + "\n"
    if draw(st.booleans()):
        text = '"""Program."""\nfrom __future__ import annotations\n\n' + text
    return text.replace("\n", "\r\n") if draw(st.booleans()) else text


@settings(max_examples=400)
@given(programs())
def test_a_fixed_program_prints_what_the_old_one_printed(canonical, text):
    outcome = rewriter.fix_bytes("program.py", text.encode(), TARGETS)
    assert outcome.status in ("fixed", "skipped") or "prop_old" not in text, outcome.reason
    after = outcome.after.decode()
    expected = run(text)
    assert run(after) == expected
    again = rewriter.fix_bytes("program.py", outcome.after, TARGETS)
    assert again.after == outcome.after
    assert (b"\r\n" in text.encode()) == (b"\r\n" in outcome.after)


@settings(max_examples=400)
@given(programs())
def test_what_is_left_is_told(canonical, text):
    """After a fix, a legacy path is in the text only where a skip says so."""
    outcome = rewriter.fix_bytes("program.py", text.encode(), TARGETS)
    if b"prop_old" in outcome.after:
        assert outcome.skips


NAMES = ["Widget", "prop_new", "prop_older", "things", "MAX", "print", "x"]
expressions = st.recursive(
    st.sampled_from(NAMES).map(lambda name: ast.Name(name, ast.Load())) | st.integers(0, 9).map(ast.Constant),
    lambda inner: (
        st.builds(lambda left, right: ast.BinOp(left, ast.Add(), right), inner, inner)
        | st.builds(lambda value, name: ast.Attribute(value, name, ast.Load()), inner, st.sampled_from(NAMES))
        | st.builds(lambda function, items: ast.Call(function, items, []), inner, st.lists(inner, max_size=2))
    ),
    max_leaves=6,
)
simple = st.builds(lambda value: ast.Expr(value), expressions) | st.builds(
    lambda name, value: ast.Assign([ast.Name(name, ast.Store())], value, lineno=1), st.sampled_from(NAMES), expressions
)
imports = st.sampled_from(
    ["from prop_new.core import Widget", "import prop_older.whole as w", "from prop_olden import things", "from . import things"]
).map(lambda text: ast.parse(text).body[0])
statement = st.recursive(
    simple | imports,
    lambda inner: (
        st.builds(
            lambda name, body: ast.FunctionDef(name, ast.arguments([], [], None, [], [], None, []), body, [], lineno=1),
            st.sampled_from(NAMES),
            st.lists(inner, min_size=1, max_size=3),
        )
        | st.builds(lambda test, body: ast.If(test, body, []), expressions, st.lists(inner, min_size=1, max_size=3))
    ),
    max_leaves=8,
)


@settings(max_examples=300)
@given(st.lists(statement, min_size=1, max_size=6))
def test_a_program_without_legacy_use_is_not_touched(body):
    text = ast.unparse(ast.fix_missing_locations(ast.Module(body, [])))
    outcome = rewriter.fix_bytes("program.py", text.encode(), TARGETS)
    assert (outcome.status, outcome.after) == ("unchanged", text.encode())


def test_programs_of_the_standard_library_are_not_touched():
    """Real programs, parsed and planned for in full: none of them holds a legacy use."""
    import os

    folder = os.path.dirname(os.__file__)
    names_ = sorted(name for name in os.listdir(folder) if name.endswith(".py") and os.path.isfile(os.path.join(folder, name)))
    for name in random.Random(3).sample(names_, 40):
        with open(os.path.join(folder, name), "rb") as file:
            raw = file.read()
        outcome = rewriter.fix_bytes(name, raw, TARGETS)
        assert (outcome.status, outcome.after) == ("unchanged", raw), name
