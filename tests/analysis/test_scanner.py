"""Every way of writing a legacy use is found, and what only looks like one is not."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from compat.ledger import Class, Ledger, Name

USES = {
    "import": ("import shop_old.whole\n", [("module", "import", 1, 8, "shop_old.whole")]),
    "import as": ("import shop_old.whole as w\n", [("module", "import", 1, 8, "shop_old.whole")]),
    "import among others": ("import os, shop_old.whole, sys\n", [("module", "import", 1, 12, "shop_old.whole")]),
    "submodule follows": ("import shop_old.whole.deep\n", [("module", "import", 1, 8, "shop_old.whole.deep")]),
    "from": ("from shop_old.things import Widget\n", [("name", "import", 1, 29, "shop_old.things:Widget")]),
    "from as": ("from shop_old.things import Widget as W\n", [("name", "import", 1, 29, "shop_old.things:Widget")]),
    "from parent": ("from shop_old import whole\n", [("module", "import", 1, 22, "shop_old.whole")]),
    "brackets": (
        "from shop_old.things import (\n    Widget,  # why\n    create as make,\n)\n",
        [("name", "import", 2, 5, "shop_old.things:Widget"), ("name", "import", 3, 5, "shop_old.things:create")],
    ),
    "continuation": ("from shop_old.things \\\n    import Widget\n", [("name", "import", 2, 12, "shop_old.things:Widget")]),
    "spaced dots": ("from shop_old . things import Widget\n", [("name", "import", 1, 31, "shop_old.things:Widget")]),
    "semicolons": ("x = 1; from shop_old.things import Widget; y = 2\n", [("name", "import", 1, 36, "shop_old.things:Widget")]),
    "crlf": ("import os\r\nimport shop_old.whole\r\n", [("module", "import", 2, 8, "shop_old.whole")]),
    "lone cr": ("import os\rimport shop_old.whole\r", [("module", "import", 2, 8, "shop_old.whole")]),
    "bom": ("\ufeffimport shop_old.whole\n", [("module", "import", 1, 8, "shop_old.whole")]),
    "compatibility characters": (
        "from \uff53hop_old.\uff54hings import Widget\n",
        [("name", "import", 1, 29, "shop_old.things:Widget")],
    ),
    "star": ("from shop_old.things import *\nWidget()\n", [("module", "star", 1, 29, "shop_old.things")]),
    "alias attribute": (
        "import shop_old.things as t\nt.Widget()\n",
        [("module", "import", 1, 8, "shop_old.things"), ("name", "call", 2, 1, "shop_old.things:Widget")],
    ),
    "dotted attribute": (
        "import shop_old.whole\nprint(shop_old.whole.VALUE)\n",
        [("module", "import", 1, 8, "shop_old.whole"), ("name", "attribute", 2, 7, "shop_old.whole:VALUE")],
    ),
    "attribute of an imported submodule": (
        "import shop_old.whole.deep\nshop_old.whole.deep.X\n",
        [("module", "import", 1, 8, "shop_old.whole.deep"), ("name", "attribute", 2, 1, "shop_old.whole.deep:X")],
    ),
    "type checking block": (
        "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    from shop_old.things import Widget\n",
        [("name", "import", 3, 33, "shop_old.things:Widget")],
    ),
    "guarded import": (
        "try:\n    from shop_old.things import Widget\nexcept ImportError:\n    Widget = None\n",
        [("name", "import", 2, 33, "shop_old.things:Widget")],
    ),
    "function": ("def f():\n    import shop_old.whole\n", [("module", "import", 2, 12, "shop_old.whole")]),
    "string annotation": (
        "import shop_old.things as t\nx: 't.Widget' = None\n",
        [("module", "import", 1, 8, "shop_old.things"), ("name", "annotation", 2, 5, "shop_old.things:Widget")],
    ),
    "string annotation, inside": (
        "import shop_old.things as t\ndef f(x: 'dict[str, t.Widget]'): ...\n",
        [("module", "import", 1, 8, "shop_old.things"), ("name", "annotation", 2, 21, "shop_old.things:Widget")],
    ),
    "type comment": (
        "import shop_old.things as t\nx = []  # type: list[t.Widget]  # noqa\n",
        [("module", "import", 1, 8, "shop_old.things"), ("name", "type comment", 2, 22, "shop_old.things:Widget")],
    ),
    "type comments of a signature": (
        "import shop_old.things as t\ndef f(a, *b):\n    # type: (t.Widget, *t.LIMIT) -> t.create\n    pass\n"
        "def g(\n    a,  # type: t.Widget\n):\n    pass\n",
        [
            ("module", "import", 1, 8, "shop_old.things"),
            ("name", "type comment", 3, 14, "shop_old.things:Widget"),
            ("name", "type comment", 3, 25, "shop_old.things:LIMIT"),
            ("name", "type comment", 3, 37, "shop_old.things:create"),
            ("name", "type comment", 6, 17, "shop_old.things:Widget"),
        ],
    ),
    "type comment, dotted": (
        "import shop_old.whole\nfor x in y:  # type: shop_old.whole.Thing\n    pass\n",
        [("module", "import", 1, 8, "shop_old.whole"), ("name", "type comment", 2, 22, "shop_old.whole:Thing")],
    ),
    "exported": (
        "from shop_old.things import Widget\n__all__ = ['Widget']\n",
        [("name", "import", 1, 29, "shop_old.things:Widget"), ("name", "export", 2, 12, "shop_old.things:Widget")],
    ),
    "patch": (
        "from unittest import mock\nmock.patch('shop_old.things.Widget')\n",
        [("name", "patch", 2, 12, "shop_old.things:Widget")],
    ),
    "patch of a member": (
        "from unittest.mock import patch\npatch('shop_old.things.Widget.rotate')\n",
        [("name", "patch", 2, 7, "shop_old.things:Widget")],
    ),
    "patch of a path in two pieces": (
        "def f():\n    mock.patch(\n        'shop_old'  # two\n        r'.things.Widget'\n    )\n",
        [("name", "patch", 3, 9, "shop_old.things:Widget")],
    ),
    "patch of a path cut behind its dot": (
        "mock.patch('shop_old.' 'things.Widget')\n",
        [("name", "patch", 1, 12, "shop_old.things:Widget")],
    ),
    "patch of a path with an escape": (
        "def f():\n    mock.patch('shop_old\\x2ethings.Widget')\n",
        [("name", "patch", 2, 16, "shop_old.things:Widget")],
    ),
    "patch.object": (
        "import shop_old.things as t\nmock.patch.object(t, 'Widget')\n",
        [("module", "import", 1, 8, "shop_old.things"), ("name", "patch.object", 2, 22, "shop_old.things:Widget")],
    ),
    "monkeypatch": (
        "def test(monkeypatch):\n    monkeypatch.setattr('shop_old.things.LIMIT', 1)\n",
        [("name", "patch", 2, 25, "shop_old.things:LIMIT")],
    ),
    "import_module": (
        "import importlib\nimportlib.import_module('shop_old.whole')\n",
        [("module", "import_module", 2, 25, "shop_old.whole")],
    ),
    "import_module, relative": (
        "from importlib import import_module\nimport_module('.whole', package='shop_old')\n",
        [("module", "import_module", 2, 15, "shop_old.whole")],
    ),
    "__import__": ("__import__('shop_old.whole')\n", [("module", "import_module", 1, 12, "shop_old.whole")]),
    "sys.modules": ("import sys\nsys.modules['shop_old.whole']\n", [("module", "sys.modules", 2, 13, "shop_old.whole")]),
    "string table": ("LAZY = {'Widget': 'shop_old.things:Widget'}\n", [("name", "string", 1, 19, "shop_old.things:Widget")]),
    "doctest": (
        'def f():\n    """Do.\n\n    >>> from shop_old.things import Widget\n    """\n',
        [("name", "doctest", 4, 37, "shop_old.things:Widget")],
    ),
    "doctest, continued": (
        'def f():\n    """\n    >>> from shop_old.things import (\n    ...     Widget,\n    ... )\n    """\n',
        [("name", "doctest", 4, 13, "shop_old.things:Widget")],
    ),
    "doctest, used later": (
        'def f():\n    """\n    >>> import shop_old.things as t\n    >>> print(t.Widget)\n    t.LIMIT\n    """\n',
        [("module", "doctest", 3, 16, "shop_old.things"), ("name", "doctest", 4, 15, "shop_old.things:Widget")],
    ),
    "doctest of a module's name": (
        'def f():\n    """>>> t.Widget()"""\nimport shop_old.things as t\n',
        [("name", "doctest", 2, 12, "shop_old.things:Widget"), ("module", "import", 3, 8, "shop_old.things")],
    ),
    "doctest of a module's function": (
        'def f():\n    """>>> create(1, old=2)"""\nfrom shop.core import create\n',
        [("argument", "doctest", 2, 22, "shop.core:create(old)")],
    ),
    "doctest of methods and arguments": (
        'def f():\n    """\n    >>> from shop.core import Widget, create\n    >>> Widget().rotate()\n'
        '    >>> create(1, old=2)\n    """\n',
        [("method", "doctest", 4, 18, "shop.core:Widget.rotate"), ("argument", "doctest", 5, 19, "shop.core:create(old)")],
    ),
    "class": ("from shop_old.engines import Engine\n", [("class", "import", 1, 30, "shop_old.engines:Engine")]),
    "constructed by attribute": (
        "import shop_old.engines as e\ne.Engine(1)\n",
        [("module", "import", 1, 8, "shop_old.engines"), ("class", "construct", 2, 1, "shop_old.engines:Engine")],
    ),
    "subclassed by attribute": (
        "import shop_old.engines as e\nclass Mine(e.Engine): pass\n",
        [("module", "import", 1, 8, "shop_old.engines"), ("class", "subclass", 2, 12, "shop_old.engines:Engine")],
    ),
    "removed name": ("from shop_old.things import gone\n", [("removed", "import", 1, 29, "shop_old.things:gone")]),
    "removed module": ("import shop_old.vanished\n", [("removed", "import", 1, 8, "shop_old.vanished")]),
    "method of a constructed object": (
        "from shop.core import Widget\nw = Widget()\nw.rotate()\n",
        [("method", "call", 3, 3, "shop.core:Widget.rotate")],
    ),
    "method of an annotated parameter": (
        "from typing import Optional\nfrom shop.core import Widget\ndef f(w: Optional[Widget]):\n    return w.rotate\n",
        [("method", "attribute", 4, 14, "shop.core:Widget.rotate")],
    ),
    "method of a member": (
        "from shop.core import Widget\nclass A:\n    def __init__(self):\n        self.w = Widget()\n"
        "    def go(self):\n        self.w.rotate()\n",
        [("method", "call", 6, 16, "shop.core:Widget.rotate")],
    ),
    "method, overridden": (
        "from shop.core import Widget\nclass Mine(Widget):\n    def rotate(self): ...\n",
        [("method", "override", 3, 9, "shop.core:Widget.rotate")],
    ),
    "method, patched": (
        "from shop.core import Widget\nmonkeypatch.setattr(Widget, 'rotate', None)\n",
        [("method", "patch", 2, 29, "shop.core:Widget.rotate")],
    ),
    "adapter's own method": (
        "from shop_old.engines import Engine\ne = Engine()\ne.begin()\n",
        [("class", "import", 1, 30, "shop_old.engines:Engine"), ("method", "call", 3, 3, "shop_old.engines:Engine.begin")],
    ),
    "argument": ("from shop.core import create\ncreate(1, old=2)\n", [("argument", "argument", 2, 11, "shop.core:create(old)")]),
    "argument through a legacy path": (
        "from shop_old.things import create\ncreate(1, old=2)\n",
        [("name", "import", 1, 29, "shop_old.things:create"), ("argument", "argument", 2, 11, "shop.core:create(old)")],
    ),
    "key of sys.modules, removed": (
        "import sys\nsys.modules.pop('shop_old.whole', None)\n",
        [("module", "sys.modules", 2, 17, "shop_old.whole")],
    ),
    "key of another mapping": ("seen.pop('shop_old.whole')\n", [("module", "string", 1, 10, "shop_old.whole")]),
    "another function of patch": ("patch.stopall('shop_old.whole')\n", [("module", "string", 1, 15, "shop_old.whole")]),
    "relative name resolved": (
        "resolve_name('.whole', 'shop_old')\n",
        [("module", "import_module", 1, 14, "shop_old.whole")],
    ),
    "order": ("from shop.core import swap\nswap(1, 2)\n", [("argument", "argument", 2, 1, "shop.core:swap(b, a)")]),
    "newly required": ("from shop.core import need\nneed(1)\n", [("argument", "argument", 2, 1, "shop.core:need(context)")]),
}

NO_USES = {
    "comment": "# import shop_old.whole\n",
    "docstring": '"""Use shop_old.whole no more."""\n',
    "longer name": "import shop_old.wholesale\n",
    "other root": "import my.shop_old.whole\n",
    "undeclared name": "from shop_old.things import other\n",
    "parent package alone": "import shop_old\n",
    "canonical": "from shop.core import Widget, create\nw = Widget()\nw.spin()\ncreate(1, new=2)\n",
    "shadowed alias": "import os as t\nt.Widget\n",
    "shadowed by a parameter": "from shop.core import Widget\ndef f(w):\n    w.rotate()\n",
    "name bound to two classes": "from shop.core import Widget\nw = Widget()\nw = object()\nw.rotate()\n",
    "keywords in the right order": "from shop.core import swap\nswap(a=1, b=2)\n",
    "required argument given": "from shop.core import need\nneed(1, 2)\nneed(1, context=2)\nneed(*x)\nneed(**x)\n",
    "same word elsewhere": "class Widget:\n    def rotate(self): ...\nWidget().rotate()\n",
    "parent's __all__": "__all__ = ['Widget']\n",
    "output of a doctest": 'def f():\n    """\n    >>> print(1)\n    from shop_old.things import Widget\n    """\n',
    "doctest, allowed": 'def f():\n    """\n    >>> import shop_old.whole  # compat: allow[module] shown\n    """\n',
    "doctest that does not parse": 'def f():\n    """\n    >>> from shop_old.things import\n    """\n',
    "type comment in a string": "import shop.core as t\nx = '# type: shop_old.things.Widget'\n",
    "type comment that ignores": "import shop.core as t\nt.create()  # type: ignore[shop_old.things]\n",
    "type comment of another name": "import other as t\nx = 1  # type: t.Widget\n",
    "sentence": "print('shop_old.things moved')\n",
}


@pytest.mark.parametrize("case", USES)
def test_use_is_found(found, case):
    text, expected = USES[case]
    assert found(text) == expected


@pytest.mark.parametrize("case", [*USES, *NO_USES])
def test_the_fast_way_finds_what_the_full_way_finds(found, case):
    """``--select imports,strings`` parses no whole files; with ``config`` selected, too, it does."""
    text = USES[case][0] if case in USES else NO_USES[case]
    assert found(text, select=("imports", "strings")) == found(text, select=("imports", "strings", "config"))


@pytest.mark.parametrize("case", NO_USES)
def test_what_only_looks_like_a_use_is_not_found(found, case):
    assert found(NO_USES[case]) == []


def test_relative_imports_inside_the_legacy_package(found):
    assert found("from .things import Widget\nfrom . import whole\n", name="shop_old/other.py") == [
        ("name", "import", 1, 21, "shop_old.things:Widget"),
        ("module", "import", 2, 15, "shop_old.whole"),
    ]


def test_relative_import_above_the_top_is_no_use(found):
    assert found("from ....things import Widget\n", name="shop_old/other.py") == []


def test_names_handed_on_by_the_scanned_tree(found, tmp_path):
    tree = tmp_path / "tree" / "pkg"
    tree.mkdir(parents=True)
    (tree / "__init__.py").write_text("")
    (tree / "facade.py").write_text("from shop_old.things import Widget as Thing\n")
    (tree / "second.py").write_text("from .facade import Thing\n")
    assert found("from pkg.second import Thing\nimport pkg.facade\npkg.facade.Thing()\n") == [
        ("name", "re-export", 1, 24, "shop_old.things:Widget"),
        ("name", "call", 3, 1, "shop_old.things:Widget"),
        ("name", "import", 1, 29, "shop_old.things:Widget"),
        ("name", "re-export", 1, 21, "shop_old.things:Widget"),
    ]


def test_a_module_that_still_lives_is_no_legacy_module(found, tmp_path):
    home = tmp_path / "tree" / "shop_old"
    home.mkdir(parents=True)
    (home / "__init__.py").write_text("")
    (home / "things.py").write_text("other = 1\n")
    assert found("import shop_old.things as t\nt.other\nt.Widget\n") == [("name", "attribute", 3, 1, "shop_old.things:Widget")]


@pytest.mark.parametrize(
    "name, text",
    [
        ("pyproject.toml", "[project.scripts]\nrun = 'shop_old.things:create'\n"),
        ("setup.cfg", "[options.entry_points]\nrun = shop_old.things:create\n"),
        ("app.yaml", "factory: shop_old.things.create\n\n"),
        ("app.json", '{"f":\n "shop_old.things:create"}\n'),
        ("logging.ini", "[handlers]\nclass = shop_old.things.create\n"),
    ],
)
def test_data_files_are_searched(found, ledger, tmp_path, name, text):
    assert [item[:3] + item[4:] for item in found(text, name=name)] == [
        ("name", "config", 1 if name == "app.yaml" else 2, "shop_old.things:create")
    ]


ENCODED = {
    "latin-1": "# -*- coding: latin-1 -*-\nname = 'é'\nimport shop_old.whole\n".encode("latin-1"),
    "second line": "#!/usr/bin/python\n# vim: set fileencoding=cp1252 :\nx = '€'; import shop_old.whole\n".encode("cp1252"),
    "utf-7": b"# coding: utf-7\nimport shop_old.whole\n",
    "utf-8 bom": b"\xef\xbb\xbfimport shop_old.whole\n",
}


@pytest.mark.parametrize("case", ENCODED)
def test_encodings_by_cookie_or_bom(found, case):
    result = found(ENCODED[case])
    assert [item[:2] for item in result] == [("module", "import")]


UNREADABLE = {
    "bad utf-8": b"import shop_old.whole\nx = '\xff'\n",
    "unknown cookie": b"# coding: klingon\nimport shop_old.whole\n",
    "utf-16 is no source encoding, but is decoded": "import shop_old.whole\nx = (\n".encode("utf-16"),
    "nul": b"import shop_old.whole\n\0\n",
    "python 2": b"import shop_old.whole\nprint 'hello'\n",
    "unclosed string": b"import shop_old.whole\nx = '''\n",
}


@pytest.mark.parametrize("case", UNREADABLE)
def test_what_does_not_parse_is_told_and_searched_by_text(found, case):
    result = found(UNREADABLE[case])
    assert [item[0] for item in result].count("unparsable") == 1
    assert "shop_old.whole" in [item[4] for item in result]


NEWER = {
    "lazy": ("lazy from shop_old.things import Widget\nlazy import shop_old.whole as w\nw.X\n", 3),
    "except without brackets": ("from shop_old.things import Widget\ntry:\n    pass\nexcept A, B:\n    Widget\n", 1),
    "template string": ("import shop_old.things as t_\nx = t'a {t_.Widget!r:>{t_.LIMIT}}' 'z'\n", 3),
    "type parameters": (
        "import shop_old.things as t\ntype X[T] = list[t.Widget]\ndef f[T: int](a: T) -> t.Widget: ...\n"
        "class C[T](t.Widget): ...\n",
        4,
    ),
    "nested quotes": ("import shop_old.things as t\nx = f'{t.Widget['a']} {'\\n'.join(f\"{t.create()}\")}'\n", 3),
    "exception groups": ("from shop_old.things import Widget\ntry:\n    pass\nexcept* ValueError:\n    pass\n", 1),
    "starred": ("import shop_old.things as t\ndef f(*args: *Ts): x[*t.LIMIT]\n", 2),
    "match": ("import shop_old.things as t\nmatch x:\n    case t.LIMIT if y:\n        t.create()\n", 3),
}


@pytest.mark.parametrize("case", NEWER)
def test_newer_syntax_is_read_by_every_python(found, case):
    text, count = NEWER[case]
    result = found(text)
    assert [item for item in result if item[0] == "unparsable"] == []
    assert len(result) == count


def test_deep_nesting_is_a_finding(found):
    result = found("import shop_old.whole\nx = " + "(" * 5000 + ")" * 5000 + "\n")
    assert sorted(item[0] for item in result) == ["module", "unparsable"]


def test_gitignore_and_excludes(ledger, tmp_path):
    pytest.importorskip("pathspec")
    from compat.analysis import Settings, scan

    for name in ("kept.py", "ignored.py", "sub/also.py", "sub/again.py", "vendor/lib.py", "node_modules/x.py", "out/y.py"):
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.write_text("import shop_old.whole\n")
    (tmp_path / ".git").mkdir()
    (tmp_path / ".gitignore").write_text("ignored.py\n/out/\n")
    (tmp_path / "sub" / ".gitignore").write_text("a*.py\n!again.py\n")
    result = scan([str(tmp_path)], ledger, settings=Settings(exclude=("vendor/",)))
    assert [os.path.relpath(item.path, tmp_path) for item in result.findings] == ["kept.py", os.path.join("sub", "again.py")]
    everything = scan([str(tmp_path)], ledger, gitignore=False)
    assert len(everything.findings) == 6


def test_a_named_file_is_always_scanned(ledger, tmp_path):
    pytest.importorskip("pathspec")
    from compat.analysis import scan

    (tmp_path / ".gitignore").write_text("*\n")
    script = tmp_path / "script"
    script.write_text("import shop_old.whole\n")
    assert [item.symbol for item in scan([str(script)], ledger).findings] == ["shop_old.whole"]


def test_links_in_a_circle_and_vanished_paths(ledger, tmp_path):
    from compat.analysis import scan
    from compat.analysis.reading.files import MissingPath

    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "loop").symlink_to(tmp_path)
    (tmp_path / "dangling.py").symlink_to(tmp_path / "nowhere.py")
    (tmp_path / "a" / "m.py").write_text("import shop_old.whole\n")
    assert len(scan([str(tmp_path)], ledger).findings) == 1
    for path in ("nowhere", str(tmp_path / "dangling.py")):
        with pytest.raises(MissingPath, match=f"no such file or directory: '{path}'"):
            scan([path], ledger)


ALLOWED = {
    "same line": ("import shop_old.whole  # compat: allow[module] tests the old path\n", []),
    "line above": ("# compat: allow[module] why\nimport shop_old.whole\n", []),
    "every rule": ("import shop_old.whole  # compat: allow[*] why\n", []),
    "several lines": ("from shop_old.things import (\n    Widget,  # compat: allow[name] why\n    create,\n)\n", ["create"]),
    "unused": ("import os  # compat: allow[module] why\n", ["module"]),
    "half unused": ("import shop_old.whole  # compat: allow[module, name] why\n", ["name"]),
    "no rule": ("import shop_old.whole  # compat: allow[modul] why\n", ["shop_old.whole", "modul"]),
    "policy rule while policy is off": ("import os  # compat: allow[singleton] why\n", []),
    "in a string": ("x = '# compat: allow[module]'\nimport shop_old.whole\n", ["shop_old.whole"]),
}


@pytest.mark.parametrize("case", ALLOWED)
def test_allowances(found, case):
    text, expected = ALLOWED[case]
    assert [item[4].rpartition(":")[2] for item in found(text)] == expected


POLICY = {
    "factory-bypass": ("from shop.core import Engine\ndef f():\n    return Engine(1)\n", [("factory-bypass", 3, 12)]),
    "factory is no bypass": ("from shop.core import get_engine\ndef f():\n    return get_engine(1)\n", []),
    "module-level instance": ("from shop.core import get_engine\nengine = get_engine(1)\n", [("singleton", 2, 1)]),
    "class-level instance": ("from shop.core import get_engine\nclass A:\n    e = get_engine(1)\n", [("singleton", 3, 5)]),
    "global": (
        "from shop.core import get_engine\n_e = None\ndef f():\n    global _e\n    _e = get_engine()\n",
        [("singleton", 5, 5)],
    ),
    "kept on the class": (
        "from shop.core import get_engine\nclass A:\n    _instance = None\n    @classmethod\n    def get_instance(cls):\n"
        "        cls._instance = get_engine()\n        return cls._instance\n    def again(self):\n"
        "        self.__class__._instance = A._instance = get_engine()\n",
        [("singleton", 6, 9), ("singleton", 9, 9), ("singleton", 9, 36)],
    ),
    "kept by one object": (
        "from shop.core import get_engine\nclass A:\n    _engine = None\n    def __init__(self, user):\n"
        "        self._engine = get_engine(user)\n        self.other.engine = get_engine(user)\n",
        [],
    ),
    "a package hands the class on": (
        "from shop import Engine as E, get_engine as made\ndef f():\n    return E(1)\nengine = made()\n",
        [("factory-bypass", 3, 12), ("singleton", 4, 1)],
    ),
    "classes that no factory builds": (
        "import logging\nfrom typing import Optional\nfrom shop.core import Engine, Widget, get_engine\n"
        "logger = logging.getLogger(__name__)\nwidget = Widget()\nKINDS = {'engine': Engine}\n"
        "class Settings:\n    _instance = None\n    engine: Optional[Engine] = None\n    @classmethod\n"
        "    def get_instance(cls):\n        cls._instance = cls._instance or cls()\n        return cls._instance\n"
        "class Faster(Engine):\n    def __init__(self, user):\n        super().__init__(user)\n"
        "def f(user, engine: 'Engine') -> Engine:\n    assert isinstance(engine, Engine) and type(engine) is Engine\n"
        "    with_engine = [get_engine(one) for one in user]\n    return with_engine[0]\n"
        "settings = Settings.get_instance()\n",
        [],
    ),
    "_instance": ("from shop.core import Engine\ndef f():\n    return Engine._instance\n", [("singleton", 3, 12)]),
    "local instance": ("from shop.core import get_engine\ndef f():\n    e = get_engine()\n", []),
}


@pytest.mark.parametrize("case", POLICY)
def test_policy(found, case):
    text, expected = POLICY[case]
    assert [(item[0], item[2], item[3]) for item in found(text, policy=True)] == expected
    assert found(text) == []


def test_fragmentation(found, tmp_path):
    (tmp_path / "tree").mkdir()
    (tmp_path / "tree" / "other.py").write_text("from shop.core import Widget\n")
    assert [item[:2] for item in found("from shop_old.things import Widget\n", policy=True)] == [
        ("fragmentation", "import"),
        ("name", "import"),
    ]


def test_the_path_that_a_row_tells_to_write_is_no_fragment_but_one_more_path(ledger, tmp_path):
    from compat.analysis import scan
    from compat.analysis.debt import compliance

    ledger += [Name("shop_old.things:Pond", "shop.core:Pool", since="1.0", removal="3.0", instead="from shop.public import Pool")]
    for name, module in (("a", "shop_old.things"), ("b", "shop.core"), ("c", "shop.public")):
        imported = "Pond as Pool" if name == "a" else "Pool"
        (tmp_path / f"{name}.py").write_text(f"from {module} import {imported}\n")
    found = [item for item in scan([str(tmp_path)], ledger, policy=True).findings if item.rule == "fragmentation"]
    assert [Path(item.path).name for item in found] == ["a.py"]
    assert found[0].replacement == "Use canonical path 'from shop.public import Pool' everywhere."
    paths = compliance.measure([str(tmp_path)], ledger).import_paths
    assert paths == {"shop.core.Pool": ["shop.core.Pool", "shop.public.Pool", "shop_old.things.Pond"]}


def test_the_path_of_a_package_that_hands_a_class_on_is_a_fragment(ledger, tmp_path):
    from compat.analysis import scan

    (tmp_path / "a.py").write_text("from shop import Engine\n")
    (tmp_path / "b.py").write_text("from shop.core import Engine\n")
    found = scan([str(tmp_path)], ledger, policy=True).findings
    assert [(Path(item.path).name, item.rule) for item in found] == [("a.py", "fragmentation")]


def test_the_factory_module_may_construct(found):
    assert found("class Engine: ...\ndef get_engine():\n    return Engine()\n", name="shop/core.py", policy=True) == []


def test_several_processes_and_the_cache_find_the_same(ledger, tmp_path):
    from compat.analysis import scan

    tree = tmp_path / "tree"
    tree.mkdir()
    for number in range(240):
        (tree / f"m{number}.py").write_text("from shop_old.things import Widget\n" if number % 40 == 0 else "x = 1\n")
    plain = scan([str(tree)], ledger, policy=True)
    assert len(plain.findings) == 6
    assert scan([str(tree)], ledger, policy=True, jobs=2).findings == plain.findings
    cache = str(tmp_path / "cache")
    for _turn in range(2):
        assert scan([str(tree)], ledger, policy=True, cache=cache).findings == plain.findings
    (tree / "m0.py").write_text("x = 22\n")
    assert len(scan([str(tree)], ledger, policy=True, cache=cache).findings) == 5
    (tmp_path / "cache" / "scan.json").write_text("not json")
    assert len(scan([str(tree)], ledger, policy=True, cache=cache).findings) == 5


def test_the_cache_keeps_what_the_tree_hands_on(ledger, tmp_path):
    from compat.analysis import scan

    tree = tmp_path / "tree"
    (tree / "pkg").mkdir(parents=True)
    (tree / "pkg" / "__init__.py").write_text("")
    (tree / "pkg" / "facade.py").write_text("from shop_old.things import Widget\n")
    (tree / "user.py").write_text("from pkg.facade import Widget\n")
    cache = str(tmp_path / "cache")
    for _turn in range(3):
        assert [item.how for item in scan([str(tree)], ledger, cache=cache).findings] == ["import", "re-export"]
    (tree / "pkg" / "facade.py").write_text("Widget = 1\n")
    assert scan([str(tree)], ledger, cache=cache).findings == []
    assert scan([str(tree)], ledger, cache=cache).findings == []


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root reads everything")
def test_unreadable_file_is_a_finding(ledger, tmp_path):
    from compat.analysis import scan

    path = tmp_path / "m.py"
    path.write_text("import shop_old.whole\n")
    path.chmod(0)
    assert [item.rule for item in scan([str(tmp_path)], ledger).findings] == ["unparsable"]


def test_names_handed_on_are_found_however_their_module_is_imported(ledger, tmp_path):
    from compat.analysis import scan

    tree = tmp_path / "tree" / "pkg"
    tree.mkdir(parents=True)
    (tree / "__init__.py").write_text("")
    (tree / "plain.py").write_text("from shop_old.things import Widget\n")
    ways = {
        "listed.py": "from .plain import (  # some (and\n    Widget,\n)\n",
        "continued.py": "from .plain import \\\n    Widget\n",
        "attribute.py": "from . import plain\nplain . Widget\n",
        "whole.py": "import pkg.plain\npkg.plain.Widget\n",
        "unread.py": "import pkg.plain\nWidget = 1\n",
    }
    for name, text in ways.items():
        (tree / name).write_text(text)
    found = scan([str(tmp_path / "tree")], ledger).findings
    assert sorted((os.path.basename(item.path), item.line) for item in found) == [
        ("attribute.py", 2),
        ("continued.py", 2),
        ("listed.py", 2),
        ("plain.py", 1),
        ("whole.py", 2),
    ]


@pytest.mark.parametrize("where", ["adapter", "mixin"])
def test_the_cache_knows_when_an_adapter_is_written_anew(where, tmp_path, monkeypatch):
    from compat.analysis import scan

    home = tmp_path / "home"
    (home / "kept" / "old").mkdir(parents=True)
    sources = {
        "adapter": home / "kept" / "old" / "__init__.py",
        "mixin": home / "kept" / "old" / "mixins.py",
    }
    head = "from compat.shim import Adapter\nfrom kept.old.mixins import Mixin\n\n\n"
    (home / "kept" / "__init__.py").write_text("")
    sources["adapter"].write_text(f'{head}class Old(Mixin, Adapter, of="kept.core:New"):\n    pass\n')
    sources["mixin"].write_text("class Mixin:\n    pass\n")
    (home / "kept" / "core.py").write_text("class New:\n    pass\n")
    monkeypatch.syspath_prepend(str(home))
    rows = Ledger("kept", version="1.0.0", docs="")
    rows += [Class("kept_old:Thing", "kept.core:New", adapter="kept.old:Old", since="1.0", removal="3.0", instead=None)]
    user = tmp_path / "user.py"
    user.write_text("from kept_old import Thing\n\nThing().legacy()\n")

    def found():
        return [item.rule for item in scan([str(user)], rows, cache=str(tmp_path / "cache")).findings]

    assert found() == found() == ["class"]
    with sources[where].open("a") as stream:
        stream.write("\n    def legacy(self):\n        return 1\n")
    assert found() == found() == ["class", "method"]


def test_a_later_process_takes_results_from_the_cache(tmp_path):
    (tmp_path / "m.py").write_text("from netra_backend.app.websocket_core import auth\n")
    command = [
        sys.executable,
        "-m",
        "compat",
        "scan",
        "--ledger",
        "compat.netra.ledger:LEDGER",
        "--cache",
        "--format",
        "json",
        ".",
    ]
    said = []
    kept = []
    for seed in ("1", "2"):
        environment = {**os.environ, "PYTHONHASHSEED": seed, "PYTHONPATH": os.pathsep.join(sys.path)}
        done = subprocess.run(command, cwd=tmp_path, env=environment, stdout=subprocess.PIPE, check=False)
        said.append(json.loads(done.stdout)["findings"])
        kept.append(os.stat(tmp_path / ".compat-cache" / "scan.json").st_ino)
    assert said[0] and said[0] == said[1]
    assert kept[0] == kept[1], "the cache was made anew"


def test_a_cache_is_of_the_version_that_is_in_force(ledger, tmp_path, monkeypatch):
    from compat.analysis import scan

    (tmp_path / "m.py").write_text("from shop_old.things import Widget\n")
    cache = str(tmp_path / "cache")
    kept = set()
    for version in ("1.0", "99.0", "99.0"):
        monkeypatch.setenv("COMPAT_AS_OF", version)
        plain = scan([str(tmp_path / "m.py")], ledger).findings
        assert scan([str(tmp_path / "m.py")], ledger, cache=cache).findings == plain
        kept.add((tmp_path / "cache" / "scan.json").read_text())
    assert len(kept) == 2


@pytest.mark.parametrize(
    ("user", "line"),
    [
        ("pkg/one.py", "from . import Widget"),
        ("pkg/sub/two.py", "from .. import (\n    other,\n    Widget as W,\n)"),
        ("pkg/sub/__init__.py", "from .. import *"),
        ("pkg/one.py", "from pkg import Widget"),
    ],
)
def test_what_a_package_hands_on_is_followed_into_its_own_modules(ledger, tmp_path, user, line):
    from compat.analysis import scan

    for name in ("pkg/__init__.py", "pkg/sub/__init__.py", "pkg/one.py", "other/one.py"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text("")
    (tmp_path / "pkg" / "__init__.py").write_text("from shop_old.things import Widget\n")
    (tmp_path / "other" / "one.py").write_text("from . import Widget\n")
    (tmp_path / user).write_text(f"{line}\n")
    found = {item.path[len(str(tmp_path)) + 1 :] for item in scan([str(tmp_path)], ledger).findings}
    assert found == {"pkg/__init__.py", *([] if "*" in line else [user])}
