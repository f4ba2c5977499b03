"""The house rules: faces, tables and generated text agree with the code."""

from __future__ import annotations

import importlib
import pathlib
import re
import sys

import pytest

import compat
from compat import errors

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


def table_of(head):
    """The first cells of a table of the README, by the head of its first column; names in backticks only."""
    readme = (pathlib.Path(__file__).parents[2] / "README.md").read_text(encoding="utf-8")
    rows = readme.partition(f"| {head} |")[2].partition("\n\n")[0].splitlines()[2:]
    return [name for row in rows for name in re.findall(r"`([^`]+)`", row.split("|")[1])]


def test_the_readme_tells_every_error_and_warning():
    kinds = {name for name, kind in vars(errors).items() if isinstance(kind, type) and issubclass(kind, errors.CompatError)}
    assert sorted(table_of("name")) == sorted(kinds | {"LegacyUseWarning", "LegacyAnnouncedWarning"})
    for name in table_of("name"):
        assert issubclass(getattr(errors, name), (errors.CompatError, DeprecationWarning))


def test_the_readme_tells_every_setting():
    from compat.analysis.config import KEYS

    assert table_of("`[tool.compat]`") == list(KEYS)


def test_the_ledger_of_the_readme_is_a_ledger_and_its_adapter_an_adapter(tmp_path, monkeypatch):
    readme = (pathlib.Path(__file__).parents[2] / "README.md").read_text(encoding="utf-8")
    blocks = re.findall(r"```python\n(.*?)```", readme, flags=re.S)
    package = tmp_path / "shop"
    package.mkdir()
    sources = {
        "__init__": "",
        "cart": "class Cart:\n    def add(self, name, quantity=1):\n        return name\n",
        "money": "class Amount:\n    pass\n",
        "util": "",
        "storage": (
            "class Store:\n    timeout = 3\n\n    def open(self, name):\n        return name\n\n    def close(self):\n        pass\n"
            "\n\ndef get_store():\n    return Store()\n"
        ),
        "moves": next(block for block in blocks if "LEDGER +=" in block),
        "compat": next(block for block in blocks if "(Adapter," in block),
    }
    for name, text in sources.items():
        (package / f"{name}.py").write_text(text, encoding="utf-8")
    monkeypatch.syspath_prepend(str(tmp_path))
    ledger = importlib.import_module("shop.moves").LEDGER
    compat.check(ledger)
    with compat.install(ledger), pytest.warns(compat.LegacyUseWarning):
        session = importlib.import_module("shop.db").Session()
        assert (session.connect("a"), session.timeout_ms, session.disconnect()) == ("a", 3000, None)
    for name in [name for name in sys.modules if name.partition(".")[0] == "shop"]:
        del sys.modules[name]


def test_no_source_file_speaks_of_machines_or_open_ends():
    bad = re.compile(r"\bTO" r"DO\b|\bFIX" r"ME\b|\bXX" r"X\b|/wo" r"rk/|/ro" r"ot/")
    found = [
        f"{path.relative_to(ROOT)}:{number}: {line.strip()}"
        for path in sorted(ROOT.rglob("*.py"))
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1)
        if bad.search(line)
    ]
    assert found == []
