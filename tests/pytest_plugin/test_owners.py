"""Whose a file is, and whose a legacy name."""

from __future__ import annotations

import os
import sys

import pytest

from compat.pytest_plugin.owners import DIRECT, INDIRECT, SELF, Owners


@pytest.fixture
def owners(tmp_path, monkeypatch):
    monkeypatch.setattr(sys, "prefix", str(tmp_path / "env"))
    for name in ("shop/__init__.py", "src/plain/module.py", "single.py", "tests/test_x.py", "env/lib/thing.py", "docs/conf.py"):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("")
    return Owners(str(tmp_path), ["named"])


@pytest.mark.parametrize(
    ("file", "shown", "own"),
    [
        ("shop/cart.py", "shop/cart.py", True),
        ("tests/test_x.py", "tests/test_x.py", True),
        ("venv/lib/python3/site-packages/lib/a.py", "lib/a.py", False),
        ("venv/lib/python3/site-packages/shop/a.py", "shop/a.py", True),
        ("../elsewhere/dist-packages/named/a.py", "named/a.py", True),
        ("env/lib/thing.py", None, False),
        (os.__file__, "os.py", False),
    ],
)
def test_a_file_is_yours_in_the_project_and_where_it_is_installed(owners, tmp_path, file, shown, own):
    path = os.path.normpath(os.path.join(owners.root, file))
    found = owners.place(path)
    assert found == (shown or found[0], own)


def test_code_without_a_file_is_yours_and_nobodys_is_not(owners):
    assert owners.place("<string>") == ("<string>", True)
    assert owners.place("") == ("-", True)
    assert owners.place("sys") == ("sys", False)


@pytest.mark.parametrize(
    ("move", "canonical", "category"),
    [
        ("shop.util:Money", "", SELF),
        ("plain.old", "", SELF),
        ("single:f", "", SELF),
        ("named:f", "", SELF),
        ("old_shop:X", "shop.new:X", SELF),
        ("lib:old", "lib:new", DIRECT),
        ("tests:x", "", DIRECT),
    ],
)
def test_a_use_is_sorted_by_its_file_and_by_the_name(owners, move, canonical, category):
    assert owners.category(os.path.join(owners.root, "tests", "test_x.py"), move, canonical) == category
    assert owners.category(os.__file__, move, canonical) == INDIRECT
