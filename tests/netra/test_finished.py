"""How much of the legacy surface ``compat fix`` finishes: what an import and one call of each name become, weighed by its uses."""

from __future__ import annotations

import csv
from pathlib import Path

from compat.analysis.rewriting import rewriter
from compat.analysis.rewriting.options import LIKELY, Options
from compat.analysis.targets import Targets
from compat.ledger import Ledger, templates
from compat.netra.ledger import LEDGER
from compat.netra.rows.replacements import CODE

with open(Path(__file__).with_name("surface.tsv"), encoding="utf-8", newline="") as _file:
    SURFACE = [row for row in csv.DictReader(_file, delimiter="\t") if row["name"].isidentifier()]


def finished(ledger: Ledger, names: list[dict[str, str]], *, unsafe: bool) -> int:
    """The uses of names of which nothing is left after ``fix``, called with one argument or with none."""
    targets, uses = Targets(ledger), 0
    for row in names:
        for given in ("'a'", ""):
            text = f"from {row['module']} import {row['name']}\nx = {row['name']}({given})\n"
            outcome = rewriter.fix_bytes("m.py", text.encode(), targets, options=Options(unsafe=unsafe))
            if outcome.status == "fixed" and not outcome.skips:
                uses += int(row["uses"])
                break
    return uses


def plain() -> Ledger:
    """The ledger without replacements as code."""
    rows = [row.replace(replacement="", imports=(), parameters=None) for row in LEDGER]
    return Ledger(
        "netra", version="1.0.0", docs=LEDGER.docs, generic=tuple(LEDGER.generic), stopgaps=tuple(LEDGER.stopgaps), rows=rows
    )


def test_replacements_finish_what_their_rows_say_and_the_rest_is_as_before() -> None:
    coded = {row.legacy for row in LEDGER if row.replacement}
    assert {row.canonical for row in LEDGER if row.replacement} == set(CODE)
    names = [row for row in SURFACE if f"{row['module']}:{row['name']}" in coded]
    assert len(names) >= 20
    uses = sum(int(row["uses"]) for row in names)
    assert finished(plain(), names, unsafe=True) == finished(LEDGER, names, unsafe=False) == 0
    assert finished(LEDGER, names, unsafe=True) == uses > 500


def test_no_replacement_is_taken_without_being_asked_for() -> None:
    assert [fault for row in LEDGER for fault in templates.faults(row)] == []
    outcome = rewriter.fix_text("from shared.isolated_environment import getenv\nprint(getenv('A'))\n", LEDGER)
    assert outcome.status == "skipped"
    assert {skip.degree for skip in outcome.skips} == {LIKELY}
    assert all("the code that replaces it: Use os.environ.get(name, default) instead." in skip.reason for skip in outcome.skips)


def test_a_use_through_the_module_is_likely_once() -> None:
    text = "import shared.types.core_types as core\n\nx = core.ensure_user_id('u')\n"
    outcome = rewriter.fix_text(text, LEDGER)
    assert [skip.degree for skip in outcome.skips if skip.line == 3] == [LIKELY]
    made = rewriter.fix_bytes("m.py", text.encode(), Targets(LEDGER), options=Options(unsafe=True))
    assert made.after.decode().endswith("x = 'u'\n")
