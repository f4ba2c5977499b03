"""What a canonical module offers, as its source tells it."""

from __future__ import annotations

import pytest

from compat.analysis.targets.module_names import has_name

SOURCES = {
    "plain": "import os.path\nfrom a import b as c\nx = y = 1\n(p, [q]) = 1, [2]\nz: int\nclass K: inner = 1\ndef f(): local = 1\n",
    "deep": "try:\n    import q\nexcept ImportError as e:\n    r = None\nfor i in ():\n    pass\nif (w := 1):\n    def made():\n        global g\n",
    "star": "from a import *\n",
    "lazy": "def __getattr__(name): ...\n",
    "dynamic": "globals().update(a=1)\n",
    "broken": "def\n",
    "package/__init__": "",
    "package/inner": "",
}


@pytest.mark.parametrize(
    "module, has, lacks",
    [
        ("plain", "os c x y p q z K f __doc__", "path a b inner local nothing"),
        ("deep", "q r i w made g", "x"),
        ("package", "inner __path__", "outer"),
    ],
)
def test_names_are_those_that_a_modules_text_binds(offered, module, has, lacks):
    assert [has_name(f"offered.{module}", name) for name in has.split()] == [True] * len(has.split())
    assert [has_name(f"offered.{module}", name) for name in lacks.split()] == [False] * len(lacks.split())


@pytest.mark.parametrize("module", ["star", "lazy", "dynamic", "broken", "absent"])
def test_what_the_text_does_not_tell_is_not_told(offered, module):
    assert has_name(f"offered.{module}", "x") is None


@pytest.fixture
def offered(tmp_path, monkeypatch):
    for name, text in {"__init__": "", **SOURCES}.items():
        path = tmp_path / "offered" / f"{name}.py"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    monkeypatch.syspath_prepend(str(tmp_path))
