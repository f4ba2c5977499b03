"""A renamed method that classes of the tree override is renamed in all its parts, or in none."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from textwrap import dedent

import pytest

from compat.analysis import fix, scan
from compat.analysis.config import Settings
from compat.analysis.rewriting.rewriter import fix_text
from compat.ledger import Ledger, Method

CARTS = """
class Cart:
    def __init__(self):
        self.items = []

    def add(self, item):
        self.items.append(item)
        return ('cart', item)

    def fill(self):
        return self.add('filled')
"""
HEAD = "from carts import Cart\n"
OWN = "class Own(Cart):\n    def addItem(self, item):\n        return ('own', super().addItem(item))\n"
LEDGER = """from compat.ledger import Ledger, Method
LEDGER = Ledger("carts", version="1.0", docs="")
LEDGER += [Method("carts:Cart.addItem", "carts:Cart.add", since="1.0", removal="3.0", instead=None)]
"""

#: Files of a tree whose `addItem` all become `add`; `app.py` is run before, under the shim, and after.
CERTAIN = {
    "definition, super and calls": {
        "app.py": HEAD + OWN + "print(Own().addItem(1), Own().fill(), Own().add(2), Cart().addItem(3))\n"
    },
    "self, cls and the class": {
        "app.py": HEAD
        + OWN
        + "    def both(self): return self.addItem(1), Own.addItem(self, 2)\n"
        + "    @classmethod\n    def made(cls): return cls().addItem(4), cls.addItem(cls(), 5)\n"
        + "print(Own().both(), Own.made())\n"
    },
    "subclasses of the subclass": {
        "own.py": HEAD + OWN,
        "app.py": "from own import Own\nclass Deep(Own):\n    def addItem(self, item): return ('deep', super().addItem(item))\n"
        "class Still(Deep): ...\nprint(Deep().addItem(1), Still().addItem(2), Still().fill())\n",
    },
    "patches of both classes": {
        "own.py": HEAD + OWN,
        "app.py": "from unittest import mock\nfrom own import Own\nfrom carts import Cart\n"
        "with mock.patch.object(Own, 'addItem', return_value=1), mock.patch('own.Own.addItem', return_value=2):\n"
        "    print(Own().addItem(0))\nwith mock.patch.object(Cart, 'addItem', return_value=3):\n"
        "    print(Own().addItem(0), Cart().addItem(1))\n",
    },
    "a call in a file that imports nothing of the library": {
        "own.py": HEAD + OWN + "def make() -> Own: return Own()\n",
        "app.py": "import own\nprint(own.make().addItem(1), [own.Own()][0].addItem(2))\n",
    },
    "another class of the same word": {
        "app.py": HEAD + OWN + "class Basket:\n    def addtem(self): ...\n    def other(self): return 1\n"
        "print(Basket().other(), Own().addItem(1))\n"
    },
    "static and class methods": {
        "app.py": HEAD
        + "class Own(Cart):\n    @staticmethod\n    def addItem(item): return ('static', item)\nprint(Own().addItem(1), Own.fill(Own()))\n"
    },
    "super by its arguments": {
        "app.py": HEAD
        + "class Own(Cart):\n    def addItem(self, item): return super(Own, self).addItem(item)\nprint(Own().addItem(1))\n"
    },
    "a builtin beside it": {
        "app.py": HEAD
        + "class Own(dict, Cart):\n    items = None\n    def addItem(self, item): return item\nprint(Own().addItem(1), Own().fill())\n"
    },
    "inside of a function": {
        "app.py": "def f():\n    from carts import Cart\n    class Own(Cart):\n        def addItem(self, item): return ('own', item)\n    return Own().addItem(1), Own().fill()\nprint(f())\n"
    },
    "super in another method": {
        "app.py": HEAD
        + OWN
        + "    def base(self): return super().addItem(1)\nclass Plain(Cart):\n    def f(self): return super().addItem(2)\nprint(Own().base(), Plain().f())\n"
    },
}

#: What is added to a tree that holds OWN, and why nothing of the override is renamed, or with --unsafe alone.
SHOWN_ONES = {
    "it has both names": (HEAD + OWN + "    def add(self, item): return item\n", "Own has add already"),
    "it is defined twice": (HEAD + OWN + "    def addItem(self, item): return item\n", "more than once"),
    "a property with a setter": (
        HEAD
        + "class Own(Cart):\n    @property\n    def addItem(self): ...\n    @addItem.setter\n    def addItem(self, x): ...\n",
        "more than once",
    ),
    "read in its body": (HEAD + OWN + "    alias = addItem\n", "is read by its name in the body"),
    "an instance's attribute, too": (HEAD + OWN + "    def f(self): self.addItem = print\n", "assigns addItem to its instances"),
    "a class between has the new name": (
        HEAD + "class A(Cart):\n    def add(self, item): ...\nclass Own(A):\n    def addItem(self, item): ...\n",
        "A has add already",
    ),
    "a mixin defines it": (
        HEAD + "class Mixin:\n    def addItem(self, item): ...\nclass Own(Mixin, Cart):\n    def addItem(self, item): ...\n",
        "Mixin, which it derives from, defines addItem for other classes",
    ),
    "a patch that is not written plainly": (
        HEAD + OWN + "from unittest import mock\nmock.patch.object(Own, 'add' 'Item')\n",
        "a string names it in a way that is not rewritten",
    ),
    "a patch of the base that stays": (
        HEAD + OWN + "from unittest import mock\nmock.patch.object(Cart, 'add' 'Item')\n",
        "a patch of it cannot be rewritten",
    ),
    "an allowed call": (HEAD + OWN + "Own().addItem(1)  # compat: allow[method]\n", "a part of its rename is to be left"),
    "an allowed definition": (
        HEAD + "class Own(Cart):\n    def addItem(self, item):  # compat: allow[method]\n        return super().addItem(item)\n",
        "a part of its rename is to be left",
    ),
}
LIKELY_ONES = {
    "an object of unknown class": (HEAD + OWN + "def f(x): return x.addItem(1)\n", "an object whose class is not known"),
    "a string": (HEAD + OWN + "NAMES = {'addItem': 1}\n", "a string may name addItem"),
    "an unknown base": (
        HEAD + "import far\nclass Own(far.Base, Cart):\n    def addItem(self, item): ...\n",
        "a base class of Own",
    ),
    "a decorator": (
        HEAD + "import far\nclass Own(Cart):\n    @far.route\n    def addItem(self, item): ...\n",
        "a decorator of Own.addItem may go by its name",
    ),
    "getattr of an unknown object": (HEAD + OWN + "def f(x): return getattr(x, 'addItem')\n", "a string may name addItem"),
    "a changeable list": (HEAD + OWN + "owns = [Own()]\nowns[0].addItem(1)\n", "what else is put into the container"),
    "super of an unknown class": (
        HEAD + OWN + "import far\nclass B(far.A):\n    def f(self): super().addItem(1)\n",
        "what super() is here",
    ),
}
#: Nothing in these is an override, nor renamed.
NOBODYS = {
    "another class": "class Own:\n    def addItem(self, item): ...\n    def f(self): return self.addItem(1)\nOwn().addItem(2)\n",
    "a subclass of another class": "from far import Cart\nclass Own(Cart):\n    def addItem(self, item): return super().addItem(item)\n",
    "a mixin alone": HEAD + "class Mixin:\n    def addItem(self, item): return super().addItem(item)\n",
    "an attribute of the class": HEAD + "class Own(Cart):\n    addItem = None\nOwn().addItem\n",
    "the new name": HEAD + OWN.replace("addItem", "add") + "Own().add(1)\n",
    "a name alone": HEAD + "class Own(Cart): ...\ndef addItem(item): ...\naddItem(1)\n",
    "an inner function": HEAD + "class Own(Cart):\n    def f(self):\n        def addItem(item): ...\n        return addItem(1)\n",
    "super of a function's own": HEAD
    + "def super(): return print\nclass Own(Cart):\n    def f(self): return super().addItem(1)\n",
}


def rows() -> Ledger:
    ledger = Ledger("carts", version="1.0", docs="")
    ledger += [Method("carts:Cart.addItem", "carts:Cart.add", since="1.0", removal="3.0", instead=None)]
    return ledger


@pytest.fixture
def tree(tmp_path, monkeypatch):
    (tmp_path / "lib").mkdir()
    (tmp_path / "lib" / "carts.py").write_text(CARTS)
    (tmp_path / "lib" / "ledger.py").write_text(LEDGER)
    (tmp_path / "app").mkdir()
    monkeypatch.syspath_prepend(str(tmp_path / "lib"))
    return tmp_path / "app"


def write(tree: Path, files: dict[str, str]) -> None:
    for name, text in files.items():
        (tree / name).write_text(dedent(text))


def run(tree: Path, *, shim: bool) -> str:
    code = ("import compat, ledger; compat.install(ledger.LEDGER); " if shim else "") + "import app"
    paths = [str(tree.parent / "lib"), str(tree)]
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", f"import sys; sys.path[:0] = {paths!r}; {code}"], capture_output=True, text=True
    )
    return done.stdout or done.stderr


@pytest.mark.parametrize("name", CERTAIN)
def test_all_parts_are_renamed(tree, name):
    files = CERTAIN[name]
    write(tree, files)
    result = fix([str(tree)], rows(), write=True, verify=True)
    assert (result.problems, [skip.reason for skip in result.skips]) == ([], [])
    assert {path.name: path.read_text() for path in tree.iterdir()} == {
        file: text.replace("addItem", "add") for file, text in files.items()
    }
    assert scan([str(tree)], rows()).findings == []
    assert fix([str(tree)], rows(), write=True).written == []


def test_programs_print_the_same_before_and_after(tree):
    """All of them as modules of one program: it starts Python thrice."""
    names = {}
    for index, files in enumerate(CERTAIN.values()):
        for file, text in files.items():
            for word in ("own", "app"):
                text = text.replace(f"from {word} import", f"from {word}{index} import").replace(
                    f"import {word}\n", f"import {word}{index} as {word}\n"
                )
                text = text.replace(f"'{word}.Own", f"'{word}{index}.Own")
            names[file.replace(".py", f"{index}.py")] = text
    write(tree, {**names, "app.py": "".join(f"import app{index}\n" for index in range(len(CERTAIN)))})
    before = run(tree, shim=True)
    assert before.count("\n") == sum(text.count("print(") for text in names.values())
    result = fix([str(tree)], rows(), write=True, verify=True)
    assert not result.problems
    assert (run(tree, shim=True), run(tree, shim=False)) == (before, before)


@pytest.mark.parametrize("name", SHOWN_ONES)
def test_none_is_renamed_where_one_cannot_be(tree, name):
    text, reason = SHOWN_ONES[name]
    write(tree, {"app.py": text})
    for unsafe in (False, True):
        result = fix([str(tree)], rows(), unsafe=unsafe, write=True, verify=True)
        assert (result.problems, (tree / "app.py").read_text()) == ([], text)
        if "definition" not in name:
            assert any(reason in skip.reason and skip.degree == "shown" for skip in result.skips)


@pytest.mark.parametrize("name", LIKELY_ONES)
def test_all_are_renamed_with_unsafe_where_something_is_not_known(tree, name):
    text, reason = LIKELY_ONES[name]
    write(tree, {"app.py": text})
    result = fix([str(tree)], rows(), write=True)
    assert (tree / "app.py").read_text() == text
    assert {(skip.degree, reason in skip.reason) for skip in result.skips} == {("likely", True)}
    fix([str(tree)], rows(), write=True, unsafe=True)
    after = (tree / "app.py").read_text()
    assert "def addItem" not in after and "super().addItem(item)" not in after
    assert fix([str(tree)], rows(), write=True, unsafe=True).written == []


@pytest.mark.parametrize("name", NOBODYS)
def test_what_overrides_nothing_is_left(tree, name):
    write(tree, {"app.py": NOBODYS[name]})
    result = fix([str(tree)], rows(), write=True, unsafe=True)
    assert (result.written, result.skips, scan([str(tree)], rows()).findings) == ([], [], [])


@pytest.mark.parametrize(
    "other, settings",
    [
        ("def f(x): return x.addItem(1)\n", {}),
        ("from app import Own\nOwn().addItem(1)\n", {"fix_skip": ("other.py",)}),
        ("from app import Own\nOwn().addItem(1)\n", {"per_file_ignores": {"other.py": ("method",)}}),
        ("from app import Own\nOwn().addItem(\n", {}),
    ],
)
def test_another_file_holds_it_back(tree, other, settings):
    write(tree, {"app.py": HEAD + OWN, "other.py": other})
    result = fix([str(tree)], rows(), settings=Settings(root=str(tree), **settings), write=True)
    assert ((tree / "app.py").read_text(), (tree / "other.py").read_text()) == (HEAD + OWN, other)
    assert {"other.py" in skip.reason or "skip list" in skip.reason for skip in result.skips} == {True}


def test_a_file_alone_is_likely(tree):
    write(tree, {"app.py": HEAD + OWN})
    for outcome in (fix_text(HEAD + OWN, rows()), fix([str(tree / "app.py")], rows()).outcomes[0]):
        assert {(skip.degree, skip.reason) for skip in outcome.skips} == {("likely", "other files may call it by its old name")}


def test_scan_finds_overrides_of_any_depth_and_super(tree):
    write(tree, {"own.py": HEAD + OWN, "app.py": "from own import Own\nclass Deep(Own):\n    def addItem(self, item): ...\n"})
    found = [(item.path.rpartition("/")[2], item.line, item.how) for item in scan([str(tree)], rows()).findings]
    assert found == [("app.py", 3, "override"), ("own.py", 3, "override"), ("own.py", 4, "call")]


def test_the_suggestion_of_a_part_in_several_files_says_that_it_goes_with_the_others(tree):
    write(tree, {"app.py": HEAD + OWN, "other.py": "from app import Own\nOwn().addItem(1)\n"})
    result = fix([str(tree)], rows())
    told = result.suggestions(scan([str(tree)], rows()).findings)
    assert {(one.degree, one.replacements) for one in told.values()} == {("certain", ())}
    assert {one.reason for one in told.values()} == {
        "a class overrides it: compat fix renames it together with all that calls it, in several files"
    }


@pytest.mark.parametrize(
    ("name", "degree", "reason"),
    [("", "certain", ""), ("app.py", "likely", "other files may call it by its old name")],
    ids=["in a tree", "alone"],
)
def test_the_suggestion_of_a_part_in_one_file_is_the_whole_rename(tree, name, degree, reason):
    text = HEAD + OWN + "Own().addItem(1)\n"
    write(tree, {"app.py": text, "other.py": "from carts import Cart\nCart().addItem(2)\n"})
    result = fix([str(tree / name)], rows())
    told = result.suggestions(scan([str(tree / "app.py")], rows()).findings)
    assert [finding.how for finding in told] == ["override", "call"]
    for one in told.values():
        assert (one.degree, one.reason) == (degree, reason)
        after = text
        for edit in sorted(one.replacements, reverse=True):
            after = after[: edit.span[0]] + edit.text + after[edit.span[1] :]
        assert after == text.replace("addItem", "add")


def test_a_part_that_is_never_renamed_has_no_edit(tree):
    write(tree, {"app.py": f"{HEAD}{OWN}class Both(Own):\n    def addItem(self, item): ...\n    def add(self, item): ...\n"})
    told = fix([str(tree)], rows()).suggestions(scan([str(tree)], rows()).findings)
    assert {(one.degree, one.replacements) for one in told.values()} == {("shown", ())}
    assert {one.reason.partition(" (")[0] for one in told.values()} == {"Both has add already"}
