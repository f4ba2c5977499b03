"""One advice for each row, the same wherever it is told, and leading to something that is there."""

from __future__ import annotations

import importlib
import re
from pathlib import Path
from typing import Any

import pytest

from compat.analysis.documents import guide
from compat.analysis.documents.explain import explain
from compat.analysis.rewriting import rewriter
from compat.analysis.rewriting.inlining import templates
from compat.analysis.targets import Targets
from compat.ledger import advice, replacement, sentence
from compat.ledger.templates import Template
from compat.netra.advice import find
from compat.netra.ledger import LEDGER

ROWS = list(LEDGER)
TARGETS = Targets(LEDGER)
CLOSED = advice.stopgaps(LEDGER)
IMPORTED = [row for row in ROWS if row.kind not in ("method", "argument")]
TABLES = [
    line for line in (Path(__file__).parents[2] / "MIGRATION.md").read_text(encoding="utf-8").splitlines() if line[:2] == "| "
]


@pytest.fixture(scope="module")
def fixed() -> rewriter.Outcome:
    """What ``fix`` makes of a file that imports every row, one a line; each name is used by its local name."""
    lines = [
        f"from {row.module} import {row.attribute} as name_{number}" if row.attribute else f"import {row.module} as name_{number}"
        for number, row in enumerate(IMPORTED)
    ]
    uses = [f"isinstance(thing, name_{number})" for number in range(len(lines))]
    return rewriter.fix_text("\n".join([*lines, *uses, ""]), LEDGER)


def test_the_ledger_says_that_the_case_is_a_stopgap_and_no_advice_leads_there() -> None:
    assert LEDGER.stopgaps == {"compat.netra"}
    assert list(advice.find_faults(LEDGER)) == []


def test_every_row_has_an_advice() -> None:
    assert [row.legacy for row in ROWS if not replacement(row)] == []


def test_every_component_has_an_advice_of_its_own_or_of_its_package() -> None:
    import pkgutil

    import compat.netra.components
    import compat.netra.testing

    modules = [
        found.name
        for package in (compat.netra.components, compat.netra.testing)
        for found in pkgutil.walk_packages(package.__path__, f"{package.__name__}.")
        if not found.name.rpartition(".")[2].startswith("_")
    ]
    assert len(modules) > 80
    assert [module for module in modules if find(module) is None] == []


def test_no_method_of_an_adapter_is_advised_by_a_stopgap_either() -> None:
    said = {replacement(move) for row in ROWS for move in TARGETS.members.adapted_methods(row.legacy.replace(":", ".")).values()}
    assert said
    assert [text for text in said if any(advice.lies_in(path, CLOSED) for path in advice.named_paths(text))] == []


def test_no_method_of_an_adapter_is_inlined_by_code_of_the_case() -> None:
    paths = (row.legacy.replace(":", ".") for row in ROWS if row.adapter)
    methods = [method for path in paths for method in TARGETS.members.adapted_methods(path).values()]
    assert len(methods) > 100
    for method in methods:
        made = templates.of_row(TARGETS, method)
        for need in made.needs.values() if isinstance(made, Template) else ():
            assert not advice.lies_in(need.path, CLOSED), method.legacy
            assert "_" not in [word[:1] for word in need.path.split(".")], method.legacy


def test_what_an_advice_names_of_this_package_is_there() -> None:
    texts = {f"{replacement(row)} {row.note}" for row in ROWS if row.kind not in ("method", "argument")}
    paths = {path for text in texts for path in advice.named_paths(text) if path.startswith("compat.")}
    assert len(paths) > 20
    for path in sorted(paths):
        assert _find(path) is not None, path


def _find(path: str) -> Any:
    words = path.split(".")
    for count in range(len(words), 0, -1):
        try:
            found: Any = importlib.import_module(".".join(words[:count]))
        except ImportError:
            continue
        for word in words[count:]:
            found = getattr(found, word)
        return found
    return None


def test_the_warning_the_explanation_and_the_guide_say_the_same_of_every_row() -> None:
    cells: dict[str, list[str]] = {}
    for line in TABLES:
        cells.setdefault(line.rpartition(" | ")[2].rstrip(" |"), []).append(line)
    for row in ROWS:
        words = replacement(row)
        assert words in sentence(row, "import", LEDGER.stage(row), docs=LEDGER.docs)
        lines = cells[guide.advice_cell(row)]
        assert any(f"`{row.attribute or row.module}`" in line for line in lines), row.legacy
        plain = re.sub(r"^Use canonical path '(.*)' instead\.$", r"`\1`", words)
        assert plain in guide.advice_cell(row), row.legacy


@pytest.mark.parametrize("number", range(0, len(ROWS), 97))
def test_explain_repeats_the_advice(number: int) -> None:
    row = ROWS[number]
    told = explain(LEDGER, row.legacy)
    assert told.row is row
    assert told.replacement == replacement(row)
    assert told.replacement in told.message
    assert told.is_stopgap is row.canonical.startswith("compat.netra.")


@pytest.mark.slow
def test_fix_moves_what_has_a_place_to_go_and_repeats_the_advice_of_the_rest(fixed: rewriter.Outcome) -> None:
    reasons: dict[int, list[str]] = {}
    for skip in fixed.skips:
        reasons.setdefault(skip.line, []).append(skip.reason)
    moved = 0
    for line, row in enumerate(IMPORTED, 1):
        words = replacement(row)
        if row.kind == "removed":
            assert f"it was removed: {words}" in reasons[line], row.legacy
        elif row.replacement:
            assert reasons[line] == ["it is handed on here, and not called"], row.legacy
        elif advice.lies_in(row.canonical, CLOSED):
            has_none = "one-to-one" if "compat." in words else "canonical"
            assert f"it has no {has_none} replacement; rewrite it by hand: {words}" in reasons[line], row.legacy
        else:
            assert line not in reasons, (row.legacy, reasons.get(line))
            moved += 1
    assert moved == sum(1 for row in IMPORTED if row.canonical and not advice.lies_in(row.canonical, CLOSED)) > 100
    assert "compat.netra" not in fixed.after.decode()


def test_a_name_that_only_its_modules_row_serves_has_the_modules_advice() -> None:
    row = LEDGER["netra_backend.app.websocket_core.event_monitor"]
    target = TARGETS.attribute(row.module, "ChatEventMonitor")
    assert target is not None
    assert TARGETS.wording.words(target, "import")[1] == replacement(row) != ""
