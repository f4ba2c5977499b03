"""``compat prune``: what is due goes, with what only it used; everything else stays as it is, to the byte."""

from __future__ import annotations

import itertools
import os
import sys
from textwrap import dedent

import pytest

from compat.analysis.pruning import cutting, pruner, rows, tree
from compat.errors import CompatError
from compat.ledger import Deprecated, Ledger, Name, Removed, load

HEAD = '''"""Moves of the till."""

from __future__ import annotations

from compat import Argument, Class, Deprecated, Ledger, Method, Name, Removed, names

DUE = {"since": "1.0", "removal": "2.0", "instead": None}
LATER = {"since": "1.0", "removal": "3.0", "instead": None}

LEDGER = Ledger("till", version="1.5")
'''
CORE = '''"""The till."""


class Drawer:
    def put(self, coin, times=1):
        return times


def change(paid, *, price=0):
    return paid - price
'''


@pytest.fixture
def library(tmp_path, monkeypatch):
    """Make a library of some files beside the ledger's; return what prunes it."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(str(tmp_path))
    before = set(sys.modules)

    def make(files: dict[str, str], as_of: str = "2.0", *, write: bool = True) -> tuple[dict[str, str], pruner.Pruned]:
        """The files after it, and what was planned."""
        whole = {"till/__init__.py": "", "till/core.py": CORE, **{path: dedent(text) for path, text in files.items()}}
        for path, text in whole.items():
            place = tmp_path / path
            place.parent.mkdir(parents=True, exist_ok=True)
            place.write_bytes(text.encode())
        made = pruner.prune(["."], load("till.moves:LEDGER"), as_of)
        if write:
            made.write()
        left = {path: (tmp_path / path).read_bytes().decode() for path in whole if (tmp_path / path).exists()}
        changed = {path: text for path, text in left.items() if text != whole[path]}
        return changed | {path: "" for path in whole if path not in left}, made

    yield make
    for name in set(sys.modules) - before:
        if name.partition(".")[0] == "till":
            del sys.modules[name]


def moves(rows_before: str, head: str = HEAD) -> str:
    return head + dedent(rows_before)


GONE = {
    "rows, and what only they read": (
        {
            "till/moves.py": moves(
                """
                LEDGER += [
                    # Since the old days.
                    Name("till_old:Drawer", "till.core:Drawer", **DUE),  # the drawer
                    Name("till_old:change", "till.core:change", **LATER),
                    Method("till.core:Drawer.add", "till.core:Drawer.put", **DUE),
                ]
                """
            )
        },
        {
            "till/moves.py": moves(
                """
                LEDGER += [
                    Name("till_old:change", "till.core:change", **LATER),
                ]
                """,
                HEAD.replace('DUE = {"since": "1.0", "removal": "2.0", "instead": None}\n', "").replace("Method, ", ""),
            )
        },
    ),
    "rows on one line, and families": (
        {
            "till/moves.py": moves(
                """
                LEDGER += [Name("till_old:a", "till.core:change", **LATER), Name("till_old:b", "till.core:change", **DUE)]
                LEDGER += [Name("till_old:c", "till.core:change", **DUE), Name("till_old:d", "till.core:change", **LATER)]
                LEDGER += [*names("till_old", "till.core", "Drawer change", **DUE)]
                """
            )
        },
        {
            "till/moves.py": moves(
                """
                LEDGER += [Name("till_old:a", "till.core:change", **LATER)]
                LEDGER += [Name("till_old:d", "till.core:change", **LATER)]
                LEDGER += []
                """,
                HEAD.replace('DUE = {"since": "1.0", "removal": "2.0", "instead": None}\n', "").replace(", names", ""),
            )
        },
    ),
    "an adapter with its module, helpers and re-export": (
        {
            "till/moves.py": moves(
                """
                LEDGER += [
                    Class("till_old:Drawer", "till.core:Drawer", adapter="till.old:Drawer", **DUE),
                    Name("till_old:change", "till.core:change", **LATER),
                ]
                """
            ),
            "till/old/__init__.py": """\
            from .drawer import Drawer
            from .others import Other

            __all__ = ["Drawer", "Other"]
            """,
            "till/old/others.py": "class Other:\n    pass\n",
            "till/old/drawer.py": '''\
            """The old drawer."""

            import json

            from compat.shim import Adapter

            LIMIT = 3


            def _doubled(value):
                return value * LIMIT


            class Drawer(Adapter, of="till.core:Drawer"):
                def add(self, coin):
                    return json.dumps(_doubled(coin))
            ''',
        },
        {
            "till/moves.py": moves(
                """
                LEDGER += [
                    Name("till_old:change", "till.core:change", **LATER),
                ]
                """,
                HEAD.replace('DUE = {"since": "1.0", "removal": "2.0", "instead": None}\n', "").replace("Class, ", ""),
            ),
            "till/old/__init__.py": 'from .others import Other\n\n__all__ = ["Other"]\n',
            "till/old/drawer.py": "",
        },
    ),
    "what is deprecated in place, and a converter": (
        {
            "till/moves.py": moves(
                """
                LEDGER += [
                    Deprecated("till.more:total", **DUE),
                    Deprecated("till.more:Shelf.weight", **DUE),
                    Deprecated("till.more:RATE", **DUE),
                    Argument("till.core:change", "cost", became="price", convert="till.more:cents", **DUE),
                ]
                """
            ),
            "till/more.py": '''\
            """More."""

            import math
            import os

            RATE = 3
            KEPT = 4


            # Sums up.
            @staticmethod
            def total(values):
                return math.fsum(values)


            def cents(value):
                return value * 100


            class Shelf:
                size = 1

                @property
                def weight(self):
                    return 2

                def kept(self):
                    return os.sep
            ''',
        },
        {
            "till/moves.py": moves(
                """
                LEDGER += [
                ]
                """,
                HEAD.replace('DUE = {"since": "1.0", "removal": "2.0", "instead": None}\n', "")
                .replace("Argument, ", "")
                .replace("Deprecated, ", ""),
            ),
            "till/more.py": '''"""More."""

import os

KEPT = 4


class Shelf:
    size = 1

    def kept(self):
        return os.sep
''',
        },
    ),
    "the only method of a class": (
        {
            "till/moves.py": moves('LEDGER += [Deprecated("till.more:Shelf.weight", **DUE)]\n'),
            "till/more.py": "class Shelf:\n    def weight(self):\n        return 2\n",
        },
        {
            "till/moves.py": moves(
                "LEDGER += []\n",
                HEAD.replace('DUE = {"since": "1.0", "removal": "2.0", "instead": None}\n', "").replace("Deprecated, ", ""),
            ),
            "till/more.py": "class Shelf:\n    pass\n",
        },
    ),
}


@pytest.mark.parametrize("files, after", GONE.values(), ids=GONE)
def test_what_is_due_goes_with_what_only_it_used(library, files, after):
    changed, made = library(files)
    assert (changed, made.left) == (after, [])
    for path, text in changed.items():
        compile(text, path, "exec")


def test_nothing_is_due_any_more_after_it(library, tmp_path):
    files, _after = GONE["rows, and what only they read"]
    library(files)
    for name in ("till.moves", "till"):
        sys.modules.pop(name, None)
    again = pruner.prune(["."], load("till.moves:LEDGER"), "2.0")
    assert (again.due, again.after, again.left) == ([], {}, [])


ROW = 'LEDGER += [Class("till_old:Drawer", "till.core:Drawer", adapter="till.old:Drawer", **DUE)]\n'
DRAWER = 'from compat.shim import Adapter\n\n\nclass Drawer(Adapter, of="till.core:Drawer"):\n    pass\n'
STAYS = {
    "rows of a later version": ('LEDGER += [Name("till_old:a", "till.core:change", **LATER)]\n', {}, ""),
    "a tombstone in its first major version": (
        'LEDGER += [Removed("till_old:b", since="2.0", instead="nothing")]\n',
        {},
        "",
    ),
    "rows that are made beside others": (
        'LEDGER += [*(Name(f"till_old:{word}", "till.core:change", since="1.0", removal=at, instead=None)'
        ' for word, at in (("a", "2.0"), ("b", "3.0")))]\n',
        {},
        "it makes rows that stay, too, such as 'till_old:b'",
    ),
    "rows that a function makes": (
        'def made():\n    return [Name("till_old:a", "till.core:change", **told) for told in (DUE,)]\n\n\nLEDGER += made()\n',
        {},
        "till_old:a: its row is not found in a list of rows",
    ),
}


@pytest.mark.parametrize("text, files, reason", STAYS.values(), ids=STAYS)
def test_what_stays_is_not_touched(library, text, files, reason):
    changed, made = library({"till/moves.py": HEAD + text, **files})
    assert changed == {}
    assert [reason in left for left in made.left] == ([True] if reason else [])


USERS = {
    "in code": "from till.old import Drawer\n\nMINE = Drawer\n",
    "by another name": "from till.old import Drawer as D\n\n\ndef f(x: D): ...\n",
    "through its module": "import till.old\n\n\ndef f():\n    return till.old.Drawer\n",
    "in a string": "PLACE = 'till.old:Drawer'\n",
    "in a dotted string": "PLACE = 'till.old.Drawer'\n",
    "by a subclass": "from .old import Drawer\n\n\nclass Mine(Drawer):\n    pass\n",
}


@pytest.mark.parametrize("text", USERS.values(), ids=USERS)
def test_a_definition_that_is_used_elsewhere_stays_and_the_place_is_told(library, text):
    changed, made = library({"till/moves.py": HEAD + ROW, "till/old.py": DRAWER, "till/user.py": text})
    assert list(changed) == ["till/moves.py"]
    (left,) = made.left
    assert left.startswith("till.old:Drawer: it is used at ") and f"till{os.sep}user.py:" in left


KEPT = {
    "an adapter that a later row has, too": (
        ROW + 'LEDGER += [Class("till_old:Box", "till.core:Drawer", adapter="till.old:Drawer", **LATER)]\n',
        DRAWER,
    ),
    "a public helper of a module that is no adapter's": (
        'LEDGER += [Deprecated("till.old:gone", **DUE)]\n',
        "def helper():\n    return 1\n\n\ndef gone():\n    return helper()\n",
    ),
    "an import that others read": (
        'LEDGER += [Deprecated("till.old:gone", **DUE)]\n',
        "import os\n\n\ndef gone():\n    return os.sep\n\n\ndef kept():\n    return os.sep\n",
    ),
    "an exported import": (
        'LEDGER += [Deprecated("till.old:gone", **DUE)]\n',
        "from os import sep\n\n__all__ = ['sep']\n\n\ndef gone():\n    return sep\n",
    ),
    "a private helper that something else calls": (
        'LEDGER += [Deprecated("till.old:gone", **DUE)]\n',
        "def _helper():\n    return 1\n\n\ndef gone():\n    return _helper()\n\n\nKEPT = _helper()\n",
    ),
}


@pytest.mark.parametrize("text, old", KEPT.values(), ids=KEPT)
def test_what_others_use_too_stays(library, text, old):
    changed, made = library({"till/moves.py": HEAD + text, "till/old.py": old})
    assert made.left == []
    kept = changed.get("till/old.py", old)
    assert kept == (old if "gone" not in old else old.replace(_definition(old), ""))


def _definition(text: str) -> str:
    start = text.index("\n\ndef gone()")
    end = text.find("\n\n\n", start + 2)
    return text[start:] if end < 0 else text[start : end + 1]


def test_a_plan_writes_nothing_and_shows_a_diff(library):
    files, _after = GONE["an adapter with its module, helpers and re-export"]
    changed, made = library(files, write=False)
    assert changed == {}
    shown = made.diff()
    assert "+++ /dev/null\n" in shown and '-__all__ = ["Drawer", "Other"]\n+__all__ = ["Other"]\n' in shown


def test_where_one_file_cannot_be_written_none_is(library, monkeypatch):
    files, _after = GONE["an adapter with its module, helpers and re-export"]
    _changed, made = library(files, write=False)
    paths = [*made.after]
    with open(paths[-1], "ab") as stream:
        stream.write(b"# changed meanwhile\n")
    if made.after[paths[-1]] is None:
        made.after[paths[-1]] = b""
    with pytest.raises(CompatError, match="it changed while it was rewritten; nothing was changed"):
        made.write()
    for path in paths[:-1]:
        with open(path, "rb") as stream:
            assert stream.read() == made.before[path]


REFUSED = {
    "a file that does not parse": ({"till/broken.py": "def f(:\n"}, "broken.py cannot be read as Python"),
    "a statement that shares its line": (
        {"till/old.py": "x = 1; Drawer = type\n"},
        "old.py:1: it shares its line with another statement; put it on a line of its own",
    ),
    "another encoding": ({"till/old.py": "\ufeffclass Drawer:\n    pass\n"}, "is not written in plain UTF-8"),
}


@pytest.mark.parametrize("files, said", REFUSED.values(), ids=REFUSED)
def test_what_cannot_be_pruned_is_one_sentence_and_nothing_is_written(library, files, said):
    with pytest.raises(CompatError, match=said):
        library({"till/moves.py": HEAD + ROW, "till/old.py": DRAWER, **files})


def test_rows_are_due_at_their_removal_and_tombstones_a_major_version_later():
    told = {"since": "1.0", "instead": None}
    ledger = Ledger("t", version="1.5")
    ledger += [
        Name("a:x", "b:x", removal="2.0", **told),
        Name("a:y", "b:y", removal="2.1", **told),
        Deprecated("b:z", removal="1.9", **told),
        Removed("a:p", since="1.0", instead="nothing"),
        Removed("a:q", since="2.0", instead="nothing"),
        Removed("a:r", since="1.0", removal="3.0", instead="nothing"),
    ]
    assert [row.legacy for row in rows.due(ledger, "2.0")] == ["a:x", "b:z", "a:p"]
    assert [row.legacy for row in rows.due(ledger, "3.0")] == ["a:x", "a:y", "b:z", "a:p", "a:q", "a:r"]
    with pytest.raises(CompatError, match="'soon' is no version; write one such as --as-of 3.0"):
        rows.due(ledger, "soon")


@pytest.mark.parametrize("gaps", list(itertools.product(range(3), repeat=3)))
def test_between_statements_that_stay_the_wider_gap_stays(gaps):
    """Two statements that go, between two that stay, with so many blank lines before, between and after them."""
    first, between, last = ("\n" * gap for gap in gaps)
    text = f"import a\n{first}import b\n{between}# c\nimport c  # c\n{last}import d\n"
    file = tree.File("m.py", "m", False, text.encode())
    after = cutting.cut(file, {*file.tree.body[1:3]}, set(), set()).decode()
    assert after == f"import a\n{max(first, last)}import d\n"
    after = cutting.cut(file, {*file.tree.body[:3]}, set(), set()).decode()
    assert after == "import d\n"
