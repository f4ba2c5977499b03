"""Canonical paths that depend on where a program runs."""

from __future__ import annotations

import pickle
import sys

import pytest

import compat
from compat import Ledger, Name, choose
from compat.ledger import metadata

V = {"since": "1.0", "removal": "2.0", "instead": None}


@pytest.mark.parametrize(
    "condition, holds",
    [
        ("python >= 3", True),
        ("python < 3", False),
        (f"python == {sys.version_info[0]}.{sys.version_info[1]}.{sys.version_info[2]}", True),
        ("python != 3.1", True),
        (f"platform == {sys.platform}", True),
        ("platform != win32", sys.platform != "win32"),
        ("pytest > 1 and python > 3", True),
        ("pytest > 1 and python > 4", False),
        ("pytest <= 1", False),
        ("no-such-distribution > 0", False),
        ("no-such-distribution != 1", True),
    ],
)
def test_a_condition_of_python_platform_and_distributions(condition, holds):
    assert choose((condition, "here:A"), ("", "there:A")) == ("here:A" if holds else "there:A")


@pytest.mark.parametrize(
    "choices", [(), (("python > 3", "a"),), (("python", "a"), ("", "b")), (("platform > a", "a"), ("", "b"))]
)
def test_what_is_not_understood_is_said(choices):
    with pytest.raises(ValueError, match=r"choose\(\) ends with a path|is not understood"):
        choose(*choices)


def test_the_row_knows_that_it_depends(monkeypatch):
    monkeypatch.setattr(metadata, "version_of", {"numpy": "2.1"}.get)
    row = Name("old:A", choose(("numpy >= 2", "json:loads"), ("", "json:dumps")), **V)
    assert row.canonical == "json:loads"
    assert row.depends == "depends on where it runs: json.loads where numpy >= 2, else json.dumps"
    again = pickle.loads(pickle.dumps(row))
    assert again == row and again.depends == row.depends
    assert compat.check(Ledger("t", version="1.0", rows=[row])) is None


def test_fix_leaves_what_depends_on_where_it_runs():
    from compat.analysis.rewriting import rewriter

    ledger = Ledger("t", version="1.0", rows=[Name("old:A", choose(("python < 3", "b:A"), ("", "json:loads")), **V)])
    for text in ("from old import A\n", "import old\n\nold.A()\n"):
        fixed = rewriter.fix_text(text, ledger)
        assert fixed.after.decode() == text
        assert any("depends on where it runs: b.A where python < 3, else json.loads" in skip.reason for skip in fixed.skips)
