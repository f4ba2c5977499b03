"""The house rules: faces, tables and generated text agree with the code."""

from __future__ import annotations

import importlib
import pathlib
import re
import sys

import pytest

import compat

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


def test_the_listed_roots_are_current():
    from compat.boot import entry_points
    from compat.ledger import load

    listed = {}
    for entry in entry_points.entry_points(sys.path, entry_points.ROOTS):
        listed.setdefault(entry.value, []).append(entry.name)
    assert {reference: sorted(names) for reference, names in listed.items()} == {
        reference: sorted(entry_points.root_names(load(reference))) for reference in listed
    }
    assert [entry.value for entry in entry_points.entry_points(sys.path) if entry.name == "netra"] == list(listed)


def test_the_shipped_ledger_has_no_fault():
    pytest.importorskip("pydantic", reason="several canonical targets are models of the server extra")
    pytest.importorskip("starlette", reason="several canonical targets need the server extra")
    from compat.netra.ledger import LEDGER

    compat.check(LEDGER)


def test_no_file_of_the_tool_names_the_case_or_what_the_core_is_for():
    # The distribution's own name is that of its metadata and of its start files; the package's map names the folders.
    allowed = re.compile(r"netra[-_]compat|^ +(?:canonical|netra)/ +the (?:core|case): .*$", re.M)
    bad = re.compile(r"netra|web ?socket|compat\.canonical", re.I)
    files = [
        path
        for path in sorted(ROOT.rglob("*"))
        if path.is_file()
        and path.suffix in (".py", ".pth", ".json", ".yml", ".j2", ".js", ".css")
        and path.relative_to(ROOT).parts[0] not in ("netra", "canonical")
    ]
    assert {"start.py", "style.css", "report.schema.json"} <= {path.name for path in files}
    found = [
        f"{path.relative_to(ROOT)}:{number}: {line.strip()}"
        for path in files
        for number, line in enumerate(allowed.sub("", path.read_text(encoding="utf-8")).splitlines(), 1)
        if bad.search(line)
    ]
    assert found == []


def test_no_source_file_speaks_of_machines_or_open_ends():
    bad = re.compile(r"\bTO" r"DO\b|\bFIX" r"ME\b|\bXX" r"X\b|/wo" r"rk/|/ro" r"ot/")
    found = [
        f"{path.relative_to(ROOT)}:{number}: {line.strip()}"
        for path in sorted(ROOT.rglob("*.py"))
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1)
        if bad.search(line)
    ]
    assert found == []
