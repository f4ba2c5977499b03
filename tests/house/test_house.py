"""The house rules: faces, tables and generated text agree with the code."""

from __future__ import annotations

import importlib
import pathlib
import re

import pytest

import compat
from compat import _boot

ROOT = pathlib.Path(compat.__file__).parent


def test_the_public_face_is_sorted_resolves_and_is_what_its_rooms_offer():
    assert compat.__all__ == sorted(compat.__all__)
    assert sorted(name for names in compat._ROOMS.values() for name in names) == compat.__all__
    for room, names in compat._ROOMS.items():
        module = importlib.import_module(f"compat.{room}")
        for name in names:
            assert getattr(compat, name) is getattr(module, name)
    with pytest.raises(AttributeError, match="module 'compat' has no attribute 'nope'"):
        compat.nope


@pytest.mark.parametrize("room", ["ledger", "shim", "telemetry"])
def test_each_room_lists_what_its_face_has(room):
    module = importlib.import_module(f"compat.{room}")
    assert module.__all__ == sorted(module.__all__)
    for name in module.__all__:
        assert getattr(module, name) is not None


def test_the_boot_table_is_current():
    from compat.legacy import boot_table

    assert boot_table.main(["--check"]) == 0
    assert frozenset(boot_table.LEDGER.roots) == _boot.ROOTS


def test_the_shipped_ledger_has_no_fault():
    pytest.importorskip("pydantic", reason="several canonical targets are models of the server extra")
    pytest.importorskip("starlette", reason="several canonical targets need the server extra")
    from compat.legacy.ledger import LEDGER

    compat.check(LEDGER)


def test_the_readme_names_what_is_skipped_on_pypy():
    tests = pathlib.Path(__file__).parent.parent
    readme = (tests.parent / "README.md").read_text(encoding="utf-8")
    skip = re.compile(r"""skipif\([^\n]*implementation[^\n]*reason=(["'])(.*?)\1\)""")
    skipped = {
        f"| {found[2]} | `{path.relative_to(tests.parent).as_posix()}` |"
        for path in sorted(tests.rglob("test_*.py"))
        for found in skip.finditer(path.read_text(encoding="utf-8"))
    }
    table = readme.partition("| not on PyPy | skipped |")[2].partition("\n\n")[0]
    assert set(table.strip().splitlines()[1:]) == skipped


def test_no_source_file_speaks_of_machines_or_open_ends():
    bad = re.compile(r"\bTO" r"DO\b|\bFIX" r"ME\b|\bXX" r"X\b|/wo" r"rk/|/ro" r"ot/")
    found = [
        f"{path.relative_to(ROOT)}:{number}: {line.strip()}"
        for path in sorted(ROOT.rglob("*.py"))
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1)
        if bad.search(line)
    ]
    assert found == []
