"""Receivers whose class takes more than a name to see: what is certain, what is likely, and what is nobody's."""

from __future__ import annotations

from textwrap import dedent

import pytest

from compat.analysis import fixer, scan
from compat.analysis.rewriting.options import LIKELY
from compat.analysis.scanning.scanner import scan_one
from compat.ledger import Argument, Ledger, Method

HEAD = "from shop.core import Widget\n"

#: A line with `.rotate` is a use where it has no `# other`.
CERTAIN = {
    "factory": "def make() -> Widget: ...\nmake().rotate()\nw = make()\nw.rotate()\n",
    "factory by return": "def make():\n    return Widget()\nmake().rotate()\n",
    "factory by several returns": "def make(a):\n    if a:\n        return Widget()\n    w = Widget()\n    return w\nmake(1).rotate()\n",
    "factory of a factory": "def a():\n    return Widget()\ndef b():\n    return a()\nb().rotate()\n",
    "factory in a string": "def make() -> 'Widget | None': ...\nmake().rotate()\n",
    "async factory": "async def make(): return Widget()\nasync def f():\n    (await make()).rotate()\n    w = await make()\n    w.rotate()\n",
    "class method": "class M:\n    @classmethod\n    def make(cls) -> Widget: ...\nM.make().rotate()\n",
    "method": "class M:\n    def make(self):\n        return Widget()\n    def f(self):\n        self.make().rotate()\nM().make().rotate()\n",
    "property": "class M:\n    @property\n    def w(self) -> Widget: ...\ndef f(m: M):\n    m.w.rotate()\n",
    "subclass": "class Own(Widget): ...\nOwn().rotate()\n",
    "subclass of a subclass": "class A(Widget): ...\nclass B(A):\n    def f(self):\n        self.rotate()\ndef g(b: B):\n    b.rotate()\n",
    "subclass of the class": "class Own(Widget): ...\nOwn.rotate(Own())\n",
    "alternate constructor": "class Own(Widget):\n    @classmethod\n    def new(cls):\n        return cls()\nOwn.new().rotate()\n",
    "returns self": "class Own(Widget):\n    def on(self):\n        return self\nOwn().on().on().rotate()\n",
    "Self": "class Own(Widget):\n    def on(self) -> 'Self': ...\nOwn().on().rotate()\n",
    "loop": "for w in [Widget(), Widget()]:\n    w.rotate()\n",
    "loop over an annotated list": "def f(ws: list[Widget]):\n    for w in ws:\n        w.rotate()\n",
    "loop over an iterator": "from typing import Iterator\ndef ws() -> Iterator[Widget]: ...\nfor w in ws():\n    w.rotate()\n",
    "loop over what is yielded": "def ws():\n    yield Widget()\nfor w in ws():\n    w.rotate()\n",
    "loop with enumerate": "def f(ws: list[Widget]):\n    for i, w in enumerate(ws):\n        w.rotate()\n",
    "loop over a mapping": "def f(ws: dict[str, Widget]):\n    for k, w in ws.items():\n        w.rotate()\n    for w in ws.values():\n        w.rotate()\n",
    "async loop": "from typing import AsyncIterator\nasync def f(ws: AsyncIterator[Widget]):\n    async for w in ws:\n        w.rotate()\n",
    "comprehension": "def f(ws: 'set[Widget]'):\n    return [w.rotate() for w in ws], {w.rotate for w in ws if w.rotate()}\n",
    "comprehension of constructors": "x = [w.rotate() for w in [Widget() for _ in range(3)]]\n",
    "subscript": "[Widget()][0].rotate()\ndef f(ws: dict[str, Widget]):\n    ws['a'].rotate()\n    ws.get('a').rotate()\n",
    "slice": "def f(ws: list[Widget]):\n    ws[1:][0].rotate()\n    sorted(ws)[0].rotate()\n    next(iter(ws)).rotate()\n",
    "tuple": "def f(p: tuple[int, Widget]):\n    n, w = p\n    w.rotate()\n    p[1].rotate()\n    p[0].rotate()  # other\n",
    "unpacking": "a, b = Widget(), 1\na.rotate()\nb.rotate()  # other\n",
    "condition": "w = Widget() if input() else Widget()\nw.rotate()\n(None or Widget()).rotate()\n",
    "attribute of an object": "class Shop:\n    def __init__(self):\n        self.w = Widget()\nShop().w.rotate()\ndef f(s: Shop):\n    s.w.rotate()\n",
    "attribute from a parameter": "class Shop:\n    def __init__(self, w: Widget):\n        self.w = w\ndef f(s: Shop):\n    s.w.rotate()\n",
    "attribute of a base": "class A:\n    w: Widget\nclass B(A): ...\nB().w.rotate()\n",
    "attribute of an attribute": "class A:\n    def __init__(self):\n        self.w = Widget()\nclass B:\n    a: A\ndef f(b: B):\n    b.a.w.rotate()\n",
    "dataclass": "import dataclasses\n@dataclasses.dataclass\nclass A:\n    ws: list[Widget]\n    def f(self):\n        self.ws[0].rotate()\n",
    "context manager": "from contextlib import contextmanager\n@contextmanager\ndef made():\n    yield Widget()\nwith made() as w:\n    w.rotate()\n",
    "entered": "class Own(Widget):\n    def __enter__(self):\n        return self\nwith Own() as w:\n    w.rotate()\n",
    "callable": "from typing import Callable\ndef f(make: Callable[[], Widget], kind: type[Widget]):\n    make().rotate()\n    kind().rotate()\n",
    "alias": "Widgets = list[Widget]\ndef f(ws: Widgets):\n    ws[0].rotate()\nW = Widget\nW().rotate()\n",
    "walrus": "def make() -> Widget: ...\nif (w := make()):\n    w.rotate()\n",
    "copied": "import copy\ncopy.copy(Widget()).rotate()\n",
    "library": "from shop.core import get_engine\nget_engine()\n[w.rotate for w in (Widget(), Widget())]\n",
}
LIKELY_ONES = {
    "list that may be changed": "ws = [Widget(), Widget()]\nws.append(1)\nfor w in ws:\n    w.rotate()\n",
    "mapping that may be changed": "ws = {'a': Widget()}\nws['a'].rotate()\n",
    "decorated factory": "import app\n@app.wrapped\ndef make() -> Widget: ...\nmake().rotate()\n",
    "mixed bases": "import app\nclass Own(app.Mixin, Widget): ...\nOwn().rotate()\n",
    "several bases that have it": "class A(Widget): ...\nclass B(Widget):\n    rotate = print\nclass C(A, B): ...\nC().rotate()\n",
    "entered without source": "with Widget() as w:\n    w.rotate()\n",
}
NOBODYS = {
    "parameter": "def f(w):\n    w.rotate()\n",
    "mixed list": "[Widget(), 1][0].rotate()\nfor w in [Widget(), object()]:\n    w.rotate()\n",
    "rebound": "w = Widget()\nw = input()\nw.rotate()\n",
    "rebound in a loop": "w = Widget()\nfor w in range(3):\n    w.rotate()\n",
    "mixed returns": "def make(a):\n    if a:\n        return Widget()\n    return a\nmake(1).rotate()\n",
    "inner return": "def make():\n    def inner():\n        return Widget()\n    return inner\nmake().rotate()\n",
    "not awaited": "async def make() -> Widget: ...\nmake().rotate()\n",
    "overridden by an attribute": "class Own(Widget):\n    rotate = None\nOwn().rotate()\n",
    "overridden in __init__": "class Own(Widget):\n    def __init__(self):\n        self.rotate = print\nOwn().rotate()\n",
    "overridden in between": "class A(Widget):\n    rotate = print\nclass B(A): ...\nB().rotate()\n",
    "base before defines it": "class A:\n    def rotate(self): ...\nclass B(A, Widget): ...\nB().rotate()\n",
    "another class of the name": "class Widget: ...\nWidget().rotate()\n",
    "keys of a mapping": "def f(ws: dict[Widget, str]):\n    for k, v in ws.items():\n        v.rotate()\n    ws['a'].rotate()\n",
    "function, not called": "def make() -> Widget: ...\nmake.rotate()\n",
    "container itself": "ws = [Widget()]\nws.rotate()\ndef f(ws: list[Widget]):\n    ws.rotate()\n",
    "class in a tuple": "def f(p: tuple[int, Widget]):\n    p[0].rotate()\n    a, b = p\n    a.rotate()\n",
    "union": "def f(w: 'Widget | str'):\n    w.rotate()\n",
    "recursion": "def make():\n    return make()\nmake().rotate()\nx = [x]\nx[0].rotate()\n",
    "recursive classes": "class A(B): ...\nclass B(A): ...\nA().rotate()\n",
    "unknown context": "import app\nwith app.made(Widget) as w:\n    w.rotate()\n",
    "starred": "a, *b = Widget(), Widget()\nb.rotate()\na.rotate()\n",
    "lambda": "make = lambda: Widget()\nmake().rotate()\n",
    "exception": "try: ...\nexcept Widget as w:\n    w.rotate()\n",
    "match": "def f(w):\n    w = w\n    w.rotate()\n",
    "deleted": "class M:\n    def __init__(self, w):\n        self.w = w\n    def f(self):\n        self.w.rotate()\n",
    "assigned twice": "class M:\n    def __init__(self):\n        self.w = Widget()\n    def f(self, w):\n        self.w = w\nM().w.rotate()\n",
    "generator object": "def ws():\n    yield Widget()\nws().rotate()\n",
    "other attribute": "class Shop:\n    def __init__(self):\n        self.w = Widget()\nShop().v.rotate()\nShop().rotate()\n",
    "global that others may rebind": "def f():\n    global w\n    w = Widget()\nw.rotate()\n",
    "star": "from app import *\nmake().rotate()\n",
    "type of an alias": "Kind = 'Widget'\nKind().rotate()\n",
    "static": "class M:\n    @staticmethod\n    def make(self) -> int: ...\n    def f(self):\n        self.make().rotate()\n",
    "named the same": "def rotate(): ...\nrotate()\nclass rotate: ...\n",
    "comment": "# Widget().rotate()\ns = 'Widget().rotate()'\n",
    "parameter that hides": "w = Widget()\ndef f(w):\n    w.rotate()\n",
    "comprehension that hides": "w = Widget()\n[w.rotate() for w in range(3)]\n",
    "class scope": "class M:\n    w = Widget()\n    def f(self):\n        w.rotate()\n",
    "generic": "from typing import TypeVar\nT = TypeVar('T')\ndef same(x: T) -> T: ...\nsame(Widget()).rotate()\n",
    "zip": "for a, b in zip([1], [Widget()]):\n    a.rotate()\n",
    "protocol": "from typing import Protocol\nclass P(Protocol):\n    def rotate(self): ...\ndef f(p: P):\n    p.rotate()\n",
    "call of an object": "Widget()().rotate()\n",
    "method, not called": "class M:\n    def make(self) -> Widget: ...\nM().make.rotate()\n",
}


def lines(text: str) -> list[int]:
    return [
        number
        for number, line in enumerate(text.splitlines(), 1)
        for _use in range(line.count("rotate") if ".rotate" in line and "# other" not in line else 0)
    ]


def found(ledger, text, confidence):
    findings = scan_one("module.py", text.encode(), ledger).findings
    return [item.line for item in findings if item.rule == "method" and item.how != "override" and item.confidence == confidence]


@pytest.mark.parametrize("name", CERTAIN)
def test_certain_receivers_are_rewritten(ledger, name):
    text = HEAD + CERTAIN[name]
    assert found(ledger, text, "high") == lines(text)
    made = fixer.fix_given("module.py", text.encode(), ledger).outcomes[0]
    after = "".join(line if "# other" in line else line.replace(".rotate", ".spin") for line in text.splitlines(keepends=True))
    assert (made.after.decode(), made.skips) == (after, ())
    assert found(ledger, after, "high") == []


@pytest.mark.parametrize("name", LIKELY_ONES)
def test_likely_receivers_are_rewritten_with_unsafe_alone(ledger, name):
    text = HEAD + LIKELY_ONES[name]
    assert (found(ledger, text, "high"), found(ledger, text, "medium")) == ([], lines(text))
    left = fixer.fix_given("module.py", text.encode(), ledger).outcomes[0]
    assert left.after.decode() == text
    assert {(skip.degree, bool(skip.reason)) for skip in left.skips} == {(LIKELY, True)}
    made = fixer.fix_given("module.py", text.encode(), ledger, unsafe=True).outcomes[0]
    assert (made.after.decode(), made.skips) == (text.replace(".rotate", ".spin"), ())


@pytest.mark.parametrize("name", NOBODYS)
def test_other_receivers_are_left(ledger, name):
    text = HEAD + NOBODYS[name]
    assert found(ledger, text, "high") == found(ledger, text, "medium") == []
    made = fixer.fix_given("module.py", text.encode(), ledger, unsafe=True).outcomes[0]
    assert made.after.decode() == text
    assert made.skips == ()


def test_arguments_of_methods_follow_too(ledger):
    ledger += [Argument("shop.core:Widget.spin", "fast", became="speed", since="1.0", removal="3.0", instead=None)]
    text = "class Own(Widget): ...\nfor w in [Own(), Own()]:\n    w.spin(fast=1)\nws = [Widget()]\nws[0].rotate(fast=2)\n"
    made = fixer.fix_given("module.py", (HEAD + text).encode(), ledger).outcomes[0]
    assert made.after.decode() == HEAD + text.replace("fast=1", "speed=1")
    assert {skip.degree for skip in made.skips} == {LIKELY}
    made = fixer.fix_given("module.py", (HEAD + text).encode(), ledger, unsafe=True).outcomes[0]
    assert made.after.decode() == HEAD + text.replace("fast", "speed").replace("rotate", "spin")


def test_methods_of_adapters_follow_too(ledger):
    text = "from shop_old.engines import Engine\ndef make() -> Engine: ...\nmake().warm_up()\n[make()][0].begin()\n"
    lines_of = [item.line for item in scan_one("module.py", text.encode(), ledger).findings if item.symbol.count(".") == 2]
    assert lines_of == [3, 4]


TREE = {
    "app/__init__.py": "",
    "app/making.py": """
        from shop.core import Widget
        def make() -> Widget: ...
        def several():
            return [make() for _ in range(3)]
        class Shop:
            def __init__(self):
                self.best = make()
        class Own(Widget): ...
        WIDGET = make()
        """,
    "app/shared.py": "from .making import Shop, make as build\nclass Mall(Shop): ...\n",
    "app/uses.py": """
        from app.making import make, several, Shop, Own, WIDGET
        make().rotate()
        for w in several():
            w.rotate()
        def f(shop: Shop, own: Own, n):
            shop.best.rotate()
            own.rotate()
            n.rotate()  # other
        WIDGET.rotate()
        """,
    "app/far.py": """
        from .shared import Mall, build
        from app import making as m
        Mall().best.rotate()
        build().rotate()
        m.make().rotate()
        """,
    "app/deep/__init__.py": "",
    "app/deep/own.py": "from ..making import Own\nclass Deeper(Own):\n    def f(self):\n        self.rotate()\n",
    "app/deep/last.py": "from app.deep.own import Deeper\ndef f(d: 'Deeper'):\n    d.rotate()\n",
    "app/other.py": "from app.others import make\nmake().rotate()  # other\n",
    "app/others.py": "def make(): ...\n",
    "app/same_name.py": "from lib.making import make\nmake().rotate()  # other\n",
}


@pytest.fixture
def tree(tmp_path):
    for name, text in TREE.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(dedent(text))
    return tmp_path


def uses_in(ledger, tree, confidence="high", **options):
    findings = scan([str(tree)], ledger, **options).findings
    return sorted((item.path[len(str(tree)) + 1 :], item.line) for item in findings if item.confidence == confidence)


def test_types_are_followed_across_the_files_of_the_tree(ledger, tree):
    texts = {name: (tree / name).read_text() for name in TREE}
    expected = sorted((name, line) for name, text in texts.items() for line in lines(text))
    assert len(expected) == 10
    cache = str(tree / ".cache")
    assert uses_in(ledger, tree, cache=cache) == expected
    assert uses_in(ledger, tree, cache=cache) == expected
    (tree / "app" / "deep" / "last.py").write_text(texts["app/deep/last.py"] + "\n# changed\n")
    assert uses_in(ledger, tree, cache=cache) == expected
    result = fixer.fix([str(tree)], ledger, write=True, verify=True)
    assert (result.problems, result.skips) == ([], [])
    for name, text in texts.items():
        after = "".join(
            line if "# other" in line else line.replace(".rotate", ".spin") for line in text.splitlines(keepends=True)
        )
        assert (tree / name).read_text().removesuffix("\n# changed\n") == after
    assert uses_in(ledger, tree) == []


def test_scan_and_fix_agree_on_every_receiver(ledger, tmp_path):
    """Each text as a file of one tree: what is found by the tree's scan is what fix rewrites, and nothing is left to find."""
    every = {**CERTAIN, **LIKELY_ONES, **NOBODYS}
    for index, text in enumerate(every.values()):
        (tmp_path / f"m{index}.py").write_text(HEAD + text)
    certain = {f"m{index}.py": HEAD + text for index, text in enumerate(CERTAIN.values())}
    likely = {f"m{len(CERTAIN) + index}.py": HEAD + text for index, text in enumerate(LIKELY_ONES.values())}
    assert uses_in(ledger, tmp_path) == sorted((name, line) for name, text in certain.items() for line in lines(text))
    found_likely = [one for one in uses_in(ledger, tmp_path, "medium") if one[0] in likely]
    assert found_likely == sorted((name, line) for name, text in likely.items() for line in lines(text))
    for unsafe, changed in ((False, certain), (True, likely)):
        result = fixer.fix([str(tmp_path)], ledger, write=True, verify=True, unsafe=unsafe)
        assert {path.rpartition("/")[2] for path in result.written} == set(changed) and not result.problems
    assert uses_in(ledger, tmp_path) == []
    assert uses_in(ledger, tmp_path, "medium") == []


GIVEN = {
    "an annotated global": ("current: Desk = _Proxy('desk')", "current.open()"),
    "a quoted annotation": ("current: 'Desk' = _Proxy('desk')", "current.open()"),
    "a global": ("current = Desk()", "current.open()"),
    "a function that says so": ("def current(\n    place=1,\n) -> Desk:\n    return _made[place]", "current().open()"),
    "a function that makes one": ("def current():\n    return Desk()", "current().open()"),
    "a subclass": ("class current(Desk):\n    pass", "current().open()"),
}


@pytest.mark.parametrize("home", ["lobby/__init__.py", "lobby/parts.py"])
@pytest.mark.parametrize("gives, use", GIVEN.values(), ids=GIVEN)
def test_what_an_installed_library_hands_out_is_found_where_its_class_is_not_named(tmp_path, monkeypatch, home, gives, use):
    files = {
        "lobby/__init__.py": "from .desks import Desk\n",
        "lobby/desks.py": "class Desk:\n    def unlock(self): pass\n",
        "lobby/parts.py": "",
    }
    files[home] = f"from lobby.desks import Desk\n{gives}\n"
    if home != "lobby/__init__.py":
        files["lobby/__init__.py"] += "from .parts import current\n"
    for name, text in files.items():
        (tmp_path / "site" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "site" / name).write_text(text)
    monkeypatch.syspath_prepend(str(tmp_path / "site"))
    told = {"since": "1.0", "removal": "3.0", "instead": None}
    rows = Ledger("lobby", version="2.0") + [Method("lobby:Desk.open", "lobby:Desk.unlock", **told)]
    tree = tmp_path / "tree"
    tree.mkdir()
    (tree / "user.py").write_text(f"from lobby import current\n{use}\n")
    assert uses_in(rows, tree) == [("user.py", 2)]
    assert fixer.fix([str(tree)], rows, write=True).written and uses_in(rows, tree) == []
