"""The layout: small folders by subject, and files that are read at one sitting."""

from __future__ import annotations

import collections
import pathlib

import compat

ROOT = pathlib.Path(compat.__file__).parent
FILES = sorted(path for path in ROOT.rglob("*.py"))


def test_no_folder_holds_more_modules_than_a_reader_keeps_apart():
    counts = collections.Counter(path.parent.relative_to(ROOT.parent).as_posix() for path in FILES if path.name != "__init__.py")
    assert {folder: count for folder, count in counts.items() if count > 16} == {}


def test_no_module_is_longer_than_five_hundred_lines():
    lengths = {path.relative_to(ROOT).as_posix(): path.read_text(encoding="utf-8").count("\n") for path in FILES}
    assert {name: lines for name, lines in lengths.items() if lines > 500} == {}


def test_every_folder_says_what_it_holds():
    silent = [
        path.parent.relative_to(ROOT.parent).as_posix()
        for path in FILES
        if path.name == "__init__.py" and not path.read_text(encoding="utf-8").startswith('"""')
    ]
    assert silent == []
