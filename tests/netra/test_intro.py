"""What the migration guide says beside the rows: a plan, families that have rows, names that are there, a size that can be read."""

from __future__ import annotations

import ast
import importlib
import re
from pathlib import Path

import pytest

from compat.analysis.documents import guide_data
from compat.netra.ledger import LEDGER

INTROS = sorted(Path(LEDGER.intro).glob("*.md"))
DATA = guide_data.read(LEDGER.intro)
GUIDE = Path(__file__).parents[2] / "MIGRATION.md"


@pytest.mark.parametrize("path", INTROS, ids=lambda path: path.stem)
def test_each_introduces_a_family_or_the_guide(path: Path) -> None:
    assert path.stem in {"_head", *(family.key for family in DATA.families)}


@pytest.mark.parametrize("path", INTROS, ids=lambda path: path.stem)
def test_what_is_to_be_written_instead_is_there(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    for module in re.findall(r"`(compat(?:\.\w+)+)`", text):
        importlib.import_module(module)
    for name, module in re.findall(r"`(\w+)[^`]*` of `(compat\.canonical[.\w]*)`", text):
        head = name if name not in ("await", "identity", "connection", "manager") else ""
        assert not head or hasattr(importlib.import_module(module), head), f"{module}.{head}"
    assert not re.search(r"`[^`]*compat\.netra\.\w[^`]*`", text), "nobody is sent to what goes with 3.0"


def test_every_row_belongs_to_a_family_and_every_family_has_rows() -> None:
    families = [DATA.family_of(row) for row in LEDGER]
    assert [row.legacy for row, family in zip(LEDGER, families) if family is None] == []
    assert {family.key for family in families if family} == {family.key for family in DATA.families}
    assert set(DATA.intros) == {"_head", *(family.key for family in DATA.families)}


def test_the_uses_are_those_of_names_that_the_ledger_serves() -> None:
    whole = {row.module for row in LEDGER if row.kind == "module"}
    assert [path for path in DATA.uses if path not in LEDGER and path.partition(":")[0] not in whole] == []
    assert list(DATA.uses.values()) == sorted(DATA.uses.values(), reverse=True)


def test_the_guide_begins_with_a_plan_and_can_be_read_in_one_go() -> None:
    text = GUIDE.read_text(encoding="utf-8")
    headings = [line for line in text.splitlines() if line.startswith("#")]
    assert headings[1] == "## Begin here"
    assert len(headings) < 30
    assert len(text) < 85_000
    assert "`from compat.netra" not in text


def test_the_commands_of_the_plan_exist() -> None:
    from compat.cli.table import COMMANDS

    told = set(re.findall(r"`compat ([a-z-]+)", DATA.intros["_head"]))
    assert told == {"compliance", "doctor", "fix", "ready", "report", "scan"}
    assert told <= set(COMMANDS)


def _new_forms() -> list[str]:
    """The code of the right-hand column of every introduction's table."""
    lines = [line for text in DATA.intros.values() for line in text.splitlines() if line.startswith("| `")]
    return [code for line in lines for code in re.findall(r"`([^`]+)`", re.split(r" \| ", line.strip("| "), maxsplit=1)[1])]


def test_the_new_forms_are_python_and_the_managers_methods_exist() -> None:
    from compat.canonical import UnifiedWebSocketManager

    forms = [form for form in _new_forms() if not form.startswith("/")]
    assert len(forms) > 35
    for form in forms:
        body = f"{form} pass" if form.endswith(":") else form
        ast.parse("async def f():\n    " + body)
    methods = {name for form in forms for name in re.findall(r"\bmanager\.(\w+)", form)}
    assert {"connect", "emit", "send", "stats"} <= methods
    assert [name for name in sorted(methods) if not hasattr(UnifiedWebSocketManager, name)] == []
