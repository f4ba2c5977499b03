"""Generated programs in which methods are called through factories, containers, attributes and subclasses: fix rewrites what scan
finds, and no program says anything else afterwards."""

from __future__ import annotations

import random
import sys
import types
from contextlib import redirect_stdout
from io import StringIO

import pytest

from compat.analysis.rewriting.rewriter import fix_bytes
from compat.analysis.scanning.examine import Selection, examine
from compat.analysis.targets import Targets
from compat.ledger import Ledger, Method

LEDGER = Ledger("shop", version="1.0.0", docs="MIGRATION.md")
LEDGER += [Method("shopping.core:Widget.rotate", "shopping.core:Widget.spin", since="1.0", removal="3.0", instead=None)]
LIBRARY = """
class Widget:
    def spin(self):
        return "spins"

    rotate = spin
"""
HEAD = """
import copy
from shopping.core import Widget
class Sub(Widget): ...
class Over(Widget):
    def rotate(self):
        return "overridden"
class Deep(Over): ...
class Other:
    def rotate(self):
        return "other"
class Mixed(Other, Widget): ...
class Late(Widget, Other): ...
"""
KINDS = ["Widget", "Sub", "Over", "Deep", "Other", "Mixed", "Late"]


class Program:
    """Definitions, and an expression that is an object of some class."""

    def __init__(self, chance: random.Random) -> None:
        self.chance, self.lines, self.count = chance, [HEAD], 0

    def name(self) -> str:
        self.count += 1
        return f"n{self.count}"

    def wrapped(self, text: str, depth: int) -> str:
        """An expression of the same object, got at in another way."""
        for _step in range(self.chance.randrange(depth + 1)):
            form, name = self.chance.randrange(17), self.name()
            if form == 0:
                self.lines.append(f"def {name}():\n    return {text}")
                text = f"{name}()"
            elif form == 1:
                self.lines.append(f"class {name}:\n    def __init__(self):\n        self.x = {text}")
                text = f"{name}().x"
            elif form == 2:
                self.lines.append(f"class {name}:\n    @property\n    def x(self):\n        return {text}")
                text = f"{name}().x"
            elif form == 3:
                self.lines.append(f"{name} = {text}")
                text = name
            elif form == 4:
                self.lines.append(f"{name} = [{text}, {self.object()}]")
                text = f"{name}[0]"
            elif form == 5:
                self.lines.append(f"def {name}():\n    yield {text}")
                text = f"next({name}())"
            elif form == 6:
                self.lines.append(f"def {name}(v=1):\n    for v in [{text}]:\n        if v:\n            return v")
                text = f"{name}()"
            elif form == 7:
                text = f"[{text}, {self.object()}][0]"
            elif form == 8:
                self.lines.append(f"class {name}:\n    def make(self):\n        return {text}")
                text = f"{name}().make()"
            elif form == 9:
                self.lines.append(
                    f"{name} = {self.object()}\nif {self.chance.randrange(2)}:\n    {name} = {text}\nelse:\n    {name} = {text}"
                )
                text = name
            else:
                forms = [
                    "[{0}][0]",
                    "{{'a': {0}}}['a']",
                    "(1, {0})[1]",
                    "[v for v in [{0}]][0]",
                    "copy.copy({0})",
                    "({0} or 1)",
                    "({0} if 1 else {0})",
                ]
                text = self.chance.choice(forms).format(text)
        return text

    def object(self) -> str:
        return f"{self.chance.choice(KINDS)}()"


def program(seed: int) -> str:
    made = Program(random.Random(seed))
    for _call in range(3):
        text = made.wrapped(made.object(), 5)
        made.lines.append(f"print({text}.rotate())")
    return "\n".join(made.lines) + "\n"


def said(text: str) -> str:
    out = StringIO()
    with redirect_stdout(out):
        exec(compile(text, "program.py", "exec", dont_inherit=True), {"__name__": "program"})
    return out.getvalue()


@pytest.fixture(autouse=True)
def library(monkeypatch, tmp_path):
    for name in ("shopping", "shopping.core"):
        monkeypatch.setitem(sys.modules, name, types.ModuleType(name))
    exec(LIBRARY, sys.modules["shopping.core"].__dict__)


def test_programs_say_the_same_after_a_fix_that_does_what_the_scan_finds():
    targets, total = Targets(LEDGER), 0
    for seed in range(80):
        before = program(seed)
        found = [
            item for item in examine("program.py", before.encode(), targets, Selection()).findings if item.confidence == "high"
        ]
        outcome = fix_bytes("program.py", before.encode(), targets)
        after = outcome.after.decode()
        assert said(after) == said(before), f"{before}\n->\n{after}"
        assert after.count(".spin") == len(found), before
        left = examine("program.py", after.encode(), targets, Selection()).findings
        assert not [item for item in left if item.confidence == "high"]
        assert fix_bytes("program.py", outcome.after, targets).status != "fixed"
        total += len(found)
    assert total > 30
