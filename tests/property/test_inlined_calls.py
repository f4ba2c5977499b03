"""Calls that become the code of their replacement compute the same, in the same order: generated programs run before and after."""

from __future__ import annotations

import asyncio
import io
import random
import sys
import warnings
from contextlib import redirect_stdout

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import compat
from compat.analysis.rewriting import rewriter, verifying
from compat.analysis.targets import Targets
from compat.ledger import Deprecated, Ledger, Method, Name

pytestmark = pytest.mark.once

TOLD = {"since": "1.0", "removal": "3.0", "instead": None}

LIBRARY = """
def t(label, value=0):
    print("computed", label)
    return value
def new(*values, **words):
    print("new", values, sorted(words.items()))
    return (values, sorted(words.items()))
class Pipe:
    def __init__(self, name): self.name = name
    def send(self, message): print("sent", self.name, message); return (self.name, message)
def make(name):
    print("made", name)
    return Pipe(name)
async def anew(value):
    print("anew", value)
    return ("anew", value)

def add(a, b=2, *, c=3): return new(a, b, third=c)
def flip(a, b): return new(b, a)
def twice(a): return new(a, a)
def drop(a, b): return new(a)
def either(a, b): return new(a or b)
def chain(a, b): return make(a).send(b)
def star(*args, **kw): return new(*args, **kw)
def pos(a, b, /): return new(a, key=b)
def quiet(a): new(a)
async def fetch(a): return await anew(a)
def summed(a, b): return new(a + b, 1)
def gone(x, y=5): return new(y, x)
def _private(a): return new(a)
def hidden(a): return _private(a)
class Box:
    def __init__(self, n=1): self.n = n
    def put(self, x, *, at=0): return new(self.n, x, at=at)
    def length(self): return new("length", self.n)
    def old(self, x, y=1): return self.put(x, at=y)
    @property
    def size(self): return self.length()
    @property
    def shown(self):
        print("looked", self.n)
        return self.n
    def add_item(self, item, n=1): return self.put(item, at=n)
"""

IN_PLACE = "add flip twice drop either chain star pos quiet fetch hidden Box.old Box.size"


def make_ledger() -> Ledger:
    ledger = Ledger("inl", version="1.5", docs="")
    ledger += [
        *(Deprecated(f"inl_lib:{name}", **TOLD) for name in IN_PLACE.split()),
        Deprecated("inl_lib:summed", replacement="new({a} + {b}, 1)", imports="from inl_lib import new", **TOLD),
        Name(
            "inl_old:gone",
            "inl_lib:gone",
            replacement="inl_lib.new({y}, {x})",
            imports="import inl_lib",
            parameters="x, y=5",
            **TOLD,
        ),
        Method(
            "inl_lib:Box.addItem",
            "inl_lib:Box.add_item",
            replacement="{self}.put({item}, at={n})",
            parameters="item, n=1",
            **TOLD,
        ),
    ]
    return ledger


LEDGER = make_ledger()

HEADS = [
    "from inl_lib import add, flip, twice, drop, either, chain, star, pos, quiet, fetch, hidden, summed, Box, t\nfrom inl_old import gone\n",
    "from inl_lib import t, Box\nimport inl_lib as lib\nimport inl_old\n",
]
ONE = ["twice", "hidden"]
TWO = ["add", "flip", "drop", "either", "chain", "pos", "summed", "gone"]


class Maker:
    """Writes one program from a source of chance."""

    def __init__(self, chance: random.Random) -> None:
        self.chance, self.count = chance, 0
        self.through = chance.random() < 0.5

    def label(self) -> str:
        self.count += 1
        return f"e{self.count}"

    def callee(self, name: str) -> str:
        if not self.through:
            return name
        return f"inl_old.{name}" if name == "gone" else f"lib.{name}"

    def value(self, depth: int) -> str:
        plain = ["1", "n", "k", "TOP", "box.shown", "[1, n]", "n + 1", "(1, n)", "f'{n}'", "-1", "{'a': n}", "n if k else 2"]
        effects = [f"t('{self.label()}', {self.chance.choice(['0', '1', 'n'])})", f"(t('{self.label()}', 3))"]
        if depth and self.chance.random() < 0.3:
            return self.call(depth - 1)
        return self.chance.choice(plain if self.chance.random() < 0.6 else effects)

    def numeric(self) -> str:
        return self.chance.choice(["1", "n", "k", f"t('{self.label()}', 2)", "n * 2", "-n", "TOP"])

    def call(self, depth: int) -> str:
        kind = self.chance.random()
        if kind < 0.2:
            return f"{self.callee(self.chance.choice(ONE))}({self.value(depth)})"
        if kind < 0.3:
            given = [self.value(depth), self.chance.choice(["*pair", self.value(depth)]), self.chance.choice(["z=1", "**words"])]
            return f"{self.callee('star')}({', '.join(given)})"
        if kind < 0.42:
            method = self.chance.choice(["old", "addItem"])
            second = self.chance.choice(["", f", {self.value(depth)}"])
            return f"{self.chance.choice(['box', 'Box(2)'])}.{method}({self.value(depth)}{second})"
        if kind < 0.5:
            return "box.size"
        if kind < 0.6:
            return f"(await {self.callee('fetch')}({self.value(depth)}))"
        name = self.chance.choice(TWO)
        value = self.numeric if name == "summed" else lambda: self.value(depth)
        first, second = value(), value()
        names = {"gone": ("x", "y")}.get(name, ("a", "b"))
        form = self.chance.random() if name != "pos" else 0
        if form < 0.6:
            given = f"{first}, {second}"
        elif form < 0.8:
            given = f"{first}, {names[1]}={second}"
        else:
            given = f"{names[1]}={second}, {names[0]}={first}"
        if name in ("add", "gone") and self.chance.random() < 0.3:
            given = first
        if self.chance.random() < 0.2:
            given = f"\n        {given},\n    "
        return f"{self.callee(name)}({given})"

    def statement(self) -> str:
        call = self.call(2)
        forms = [
            f"print({call})",
            f"{call}",
            f"v = {call}\n    print(v)",
            f"print([{call}, {self.call(0)}])",
            f"print({call}[0], not {self.call(0)})",
            f"print({call} == {self.call(0)} or {self.call(0)})",
            f"print(*{call})",
            f"{self.callee('quiet')}({self.value(1)})",
            f"print({self.callee('quiet')}({self.value(1)}))",
            f"print([{self.call(0)} for n in range(2)])" if "await" not in call else f"print({call})",
            f"for n in (1, 2):\n        print({call})",
            f"try:\n        print({call})\n    except TypeError:\n        print('refused')",
            f"g = {self.callee('twice')}\n    print(g({self.value(1)}))",
        ]
        return f"    {self.chance.choice(forms)}\n"

    def program(self) -> str:
        head = (
            HEADS[self.through] + "TOP = 7\n\n\nasync def main():\n    n, k, pair, words, box = 1, 0, (8, 9), {'w': 2}, Box(3)\n"
        )
        return head + "".join(self.statement() for _ in range(self.chance.randint(1, 5)))


@pytest.fixture(scope="module", autouse=True)
def library(tmp_path_factory):
    home = tmp_path_factory.mktemp("inlined")
    (home / "inl_lib.py").write_text(LIBRARY)
    sys.path.insert(0, str(home))
    with compat.install(LEDGER):
        yield
    sys.path.remove(str(home))
    for name in ("inl_lib", "inl_old"):
        sys.modules.pop(name, None)


def run(text: str) -> str:
    """What a program prints, and what it raises in the end."""
    out = io.StringIO()
    scope: dict = {"__name__": "program"}
    with redirect_stdout(out), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            exec(compile(text, "<program>", "exec"), scope)
            asyncio.run(scope["main"]())
        except Exception as error:
            print(type(error).__name__, error)
    return out.getvalue()


INLINED = {"programs": 0, "calls": 0, "left": 0}


def test_inlined_programs_print_the_same_and_most_have_something_to_inline():
    one_program()
    assert INLINED["programs"] > 40
    assert INLINED["left"] > 40


@settings(max_examples=120, deadline=None)
@given(st.integers(0, 2**32))
def one_program(seed):
    before = Maker(random.Random(seed)).program()
    targets = Targets(LEDGER)
    outcome = rewriter.fix_bytes("program.py", before.encode(), targets, module="program")
    assert outcome.status in ("fixed", "skipped", "unchanged"), (outcome.reason, before)
    INLINED["left"] += len(outcome.skips)
    if outcome.status != "fixed":
        return
    after = outcome.after.decode()
    INLINED["programs"] += 1
    INLINED["calls"] += outcome.edits
    assert not verifying.verify(outcome, targets, is_package=False), outcome.diff()
    assert run(after) == run(before), outcome.diff()
