"""Uses of moved names in modules that stay: scan and fix agree on each, and fixed programs print the same."""

from __future__ import annotations

import io
import sys
from contextlib import redirect_stdout

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from compat.analysis import rules
from compat.analysis.model import file_uses
from compat.analysis.reading import sources
from compat.analysis.rewriting import rewriter
from compat.analysis.scanning.examine import in_doctests, without_repeats
from compat.analysis.targets import Targets
from compat.ledger import Ledger, Name, Removed, names

pytestmark = pytest.mark.once

TOLD = {"since": "1.0", "removal": "3.0", "instead": None}
LEDGER = Ledger("lib", version="1.0", docs="")
LEDGER += [
    *names("prop_lib", "prop_lib", "old=new", **TOLD),
    *names("prop_lib", "prop_dest.core", "sold=bought", **TOLD),
    *names("prop_lib.deep", "prop_lib.deep", "low=lower", **TOLD),
    *names("prop_lib.deep", "prop_dest", "far=near", **TOLD),
    Name("prop_lib.deep:high", "prop_lib:new", **TOLD),
    Removed("prop_lib.deep:lost", since="1.0", instead="write nothing instead"),
]
FILES = {
    "prop_lib/__init__.py": "from prop_dest.core import bought as sold\ndef new(x=1): return ('new', x)\nold = new\nkeep = 'kept'\n",
    "prop_lib/deep.py": (
        "from prop_lib import new as high\nfrom prop_dest import near as far\n"
        "def lower(): return 'lower'\nlow = lower\nkept = 2\nlost = 0\n"
    ),
    "prop_dest/__init__.py": "def near(): return 'near'\n",
    "prop_dest/core.py": "def bought(x=2): return ('bought', x)\n",
}
#: Imports, with what they spell the two modules by.
IMPORTS = {
    "import prop_lib": ("prop_lib", ""),
    "import prop_lib as l": ("l", ""),
    "import os, prop_lib as l  # both": ("l", ""),
    "import prop_lib.deep": ("prop_lib", "prop_lib.deep"),
    "import prop_lib.deep as d": ("", "d"),
    "from prop_lib import deep": ("", "deep"),
    "from prop_lib import (\n    deep as d,  # deep\n    keep,\n)": ("", "d"),
    "try:\n    import prop_lib as l\nexcept ImportError:\n    l = None": ("l", ""),
    "if True:\n    from prop_lib import deep; import prop_lib": ("prop_lib", "deep"),
    "import prop_dest.core as core": ("", ""),
    "from prop_dest import core": ("", ""),
    "from prop_dest.core import bought": ("", ""),
    "import prop_dest": ("", ""),
    "import prop_dest.core": ("", ""),
}
OF_LIB = [
    "print({m}.old(), {m}.keep)",
    "print({m}.sold(4))",
    "print(getattr({m}, 'old')(), getattr({m}, \"sold\")())",
    "print([{m}.old(n) for n in range(2)], (lambda: {m}.sold())())",
    "print({m}.keep)",
    "def f(x: {m}.old = {m}.sold()): return x\nprint(f())",
    "print(getattr({m}, 'old', None)(3))",
    "print({m}.new() if hasattr({m}, 'new') else {m}.old())",
    "print({m}.__name__)",
]
OF_DEEP = [
    "print({m}.low(), {m}.kept)",
    "print({m}.far())",
    "print({m}.high(5), {m}.lower())",
    "print({m}.lost)",
    "class K:\n    held = {m}.far\n    def get(self): return {m}.high()\nprint(K.held(), K().get())",
    "def g():\n    return {m}.far(), {m}.low()\nprint(g())",
]
OTHERS = ["core = 'taken'", "prop_dest = 'taken'", "from prop_lib import old", "import json", "def bought(): return 0"]


@pytest.fixture(scope="module")
def installed(tmp_path_factory):
    home = tmp_path_factory.mktemp("home")
    for name, text in FILES.items():
        (home / name).parent.mkdir(exist_ok=True)
        (home / name).write_text(text)
    sys.path.insert(0, str(home))
    yield Targets(LEDGER)
    sys.path.remove(str(home))
    for name in [name for name in sys.modules if name.partition(".")[0] in ("prop_lib", "prop_dest")]:
        del sys.modules[name]


@st.composite
def programs(draw):
    lines = []
    for text in draw(st.lists(st.sampled_from([*IMPORTS]), min_size=1, max_size=4, unique=True)):
        lib, deep = IMPORTS[text]
        lines.append(text)
        uses = [use.format(m=lib) for use in OF_LIB if lib] + [use.format(m=deep) for use in OF_DEEP if deep]
        lines += draw(st.lists(st.sampled_from(uses), max_size=4)) if uses else []
        lines += draw(st.lists(st.sampled_from(OTHERS), max_size=1)) if draw(st.integers(0, 3)) == 0 else []
    body = "\n".join(lines)
    if draw(st.booleans()):
        body = "def main():\n" + "\n".join(f"    {line}" for line in body.splitlines()) + "\nmain()"
    return f"{body}\n"


def run(text: str) -> str:
    stream = io.StringIO()
    with redirect_stdout(stream):
        try:
            exec(compile(text, "<program>", "exec", dont_inherit=True), {"__name__": "program"})
        except Exception as error:
            print(type(error).__name__)
    return stream.getvalue()


def found(text: bytes, targets: Targets) -> list[tuple[int, int, str]]:
    """What a scan reports: line, column, symbol."""
    uses = file_uses.read(sources.decode("program.py", text), targets)
    findings = without_repeats([*rules.find(uses), *in_doctests(uses)])
    return [(finding.line, finding.column, finding.symbol) for finding in findings]


@settings(max_examples=600, deadline=None)
@given(programs())
def test_scan_and_fix_agree_on_every_use(installed, text):
    before = found(text.encode(), installed)
    outcome = rewriter.fix_bytes("program.py", text.encode(), installed)
    assert outcome.status == ("unchanged" if not before else "skipped" if len(outcome.skips) == len(before) else "fixed")
    left = [(skip.line, skip.column, skip.symbol) for skip in outcome.skips]
    assert {*left} <= {*before}
    assert sorted(symbol for _line, _column, symbol in found(outcome.after, installed)) == sorted(left[2] for left in left)
    assert rewriter.fix_bytes("program.py", outcome.after, installed).after == outcome.after


@settings(max_examples=600, deadline=None)
@given(programs())
def test_a_program_prints_the_same_after_the_fix(installed, text):
    outcome = rewriter.fix_bytes("program.py", text.encode(), installed)
    assert run(outcome.after.decode()) == run(text)
    if ".keep" in text and "import prop_lib\n" in text:
        assert "prop_lib" in outcome.after.decode()
