"""Patterns: one row for many modules, in every room."""

from __future__ import annotations

import pytest

import compat
from compat import Argument, Method, Module, Name, Removed
from compat.analysis import scan
from compat.analysis.documents import explain, guide, stubs
from compat.analysis.rewriting import rewriter

V = {"since": "1.0", "removal": "2.0", "instead": None}
FLOW = Module("flow.contrib.operators.{x}_operator", "provided.{x}", **V)
HOOKS = Name("flow.contrib.{kind}_hooks:Hook", "provided.{kind}:Base", **V)
OWN = Module("flow.contrib.operators.own_operator", "provided.other", **V)
GONE = Removed("flow.contrib.dead_{x}", since="1.0", instead="nothing")


@pytest.fixture
def flow(world):
    world.write("flow/__init__.py", "")
    world.write("provided/__init__.py", "")
    for name in ("bash", "python", "other"):
        world.write(f"provided/{name}.py", f"class Base: NAME = {name!r}\nclass {name.title()}Operator(Base): pass\n")
    return world


def test_each_module_that_matches_is_served_and_counted_under_the_pattern(flow, installed, ledger_of):
    rows = FLOW, HOOKS, OWN, GONE
    assert compat.check(ledger_of(*rows)) is None
    installed(*rows)
    seen = flow.ok(
        """
        from flow.contrib.operators.bash_operator import BashOperator
        import flow.contrib.operators.python_operator as python
        from flow.contrib.operators import own_operator
        from flow.contrib.bash_hooks import Hook
        got = BashOperator.NAME, python.PythonOperator.NAME, own_operator.OtherOperator.NAME, Hook.NAME
        """
    )
    assert seen.namespace["got"] == ("bash", "python", "other", "bash")
    assert seen.counted() == {
        (FLOW.id, "import", 2): 1,
        (FLOW.id, "import", 3): 1,
        (FLOW.id, "attribute", 6): 1,
        (OWN.id, "import", 4): 1,
        (OWN.id, "attribute", 6): 1,
        (HOOKS.id, "import", 5): 1,
    }
    assert seen.warned[0][1].startswith("Importing 'flow.contrib.operators.bash_operator' is deprecated since kit 1.0")
    assert "Use canonical path 'import provided.bash' instead." in seen.warned[0][1]


def test_a_match_that_leads_nowhere_is_no_module(flow, installed):
    installed(FLOW, HOOKS, GONE)
    for source in (
        "import flow.contrib.operators.nope_operator",
        "import flow.contrib.operators.bash",
        "import flow.contrib.bash_",
    ):
        error = flow.use(source).error
        assert type(error) is ModuleNotFoundError, source
    assert (
        flow.ok("import importlib.util\ngot = importlib.util.find_spec('flow.contrib.operators.nope_operator')").namespace["got"]
        is None
    )
    seen = flow.use("import flow.contrib.dead_end")
    assert isinstance(seen.error, compat.errors.RemovedImport) and seen.counted() == {(GONE.id, "import", 1): 1}


def test_at_the_removal_version_a_match_is_an_error(flow, installed):
    installed(FLOW, version="2.0")
    seen = flow.use("from flow.contrib.operators.bash_operator import BashOperator")
    assert isinstance(seen.error, compat.LegacyExpiredError) and isinstance(seen.error, ImportError)


@pytest.mark.parametrize("turned", [False, True])
def test_of_two_patterns_the_first_holds(flow, installed, turned):
    rows = [FLOW, Module("flow.contrib.operators.{x}", "provided.other", **V)]
    installed(*(reversed(rows) if turned else rows))
    seen = flow.ok("import flow.contrib.operators.bash_operator as found\ngot = found.Base.NAME")
    assert seen.namespace["got"] == ("other" if turned else "bash")


def test_source_is_scanned_and_fixed(flow, ledger_of, tmp_path):
    ledger = ledger_of(FLOW, HOOKS, OWN, GONE)
    text = (
        "from flow.contrib.operators.bash_operator import BashOperator\n"
        "from flow.contrib.operators.own_operator import OtherOperator\n"
        "from flow.contrib.bash_hooks import Hook\n"
        "import flow.contrib.dead_end\n\n"
        "print(BashOperator, OtherOperator, Hook, flow.contrib.operators.python_operator.PythonOperator)\n"
    )
    (tmp_path / "tree").mkdir()
    (tmp_path / "tree" / "user.py").write_text(text)
    found = [(item.rule, item.move, item.line) for item in scan([str(tmp_path / "tree")], ledger).findings]
    assert found == [
        ("name", FLOW.id, 1),
        ("name", OWN.id, 2),
        ("name", HOOKS.id, 3),
        ("removed", GONE.id, 4),
        ("name", FLOW.id, 6),
    ]
    fixed = rewriter.fix_text("".join(text.splitlines(True)[:3]), ledger)
    assert fixed.after.decode() == "from provided.other import OtherOperator\nfrom provided.bash import Base, BashOperator\n"


def test_imports_below_the_package_of_a_pattern_are_found(flow, ledger_of, tmp_path):
    (tmp_path / "tree").mkdir()
    (tmp_path / "tree" / "user.py").write_text("from flow.contrib.operators import bash_operator, nothing\n")
    found = scan([str(tmp_path / "tree")], ledger_of(FLOW)).findings
    assert [(item.move, item.line) for item in found] == [(FLOW.id, 1)]


def test_stubs_guide_and_explanations_have_their_part(flow, ledger_of):
    ledger = ledger_of(FLOW, HOOKS, OWN, GONE)
    files = stubs.generate(ledger)
    assert "class PythonOperator(provided.python.PythonOperator)" in files["flow/contrib/operators/python_operator.pyi"]
    assert "flow.contrib.operators.{x}_operator" in guide.generate(ledger)
    told = explain.explain(ledger, "flow.contrib.operators.bash_operator.BashOperator")
    assert told.replacement == "Use canonical path 'from provided.bash import BashOperator' instead."
    assert "from provided.bash import BashOperator" in told.after


def test_a_ledger_of_a_pattern_lists_its_root_and_is_narrowed_by_it(ledger_of):
    from compat.boot.entry_points import root_names

    ledger = ledger_of(FLOW, OWN, Module("other.old", "json", **V))
    assert root_names(ledger) == ["flow", "other"]
    assert [row.id for row in ledger.narrowed(["flow"])] == [FLOW.id, OWN.id]
    assert [row.id for row in ledger.narrowed(["other"])] == ["other.old"]
    assert list(ledger_of(FLOW).narrowed(["other"])) == []


@pytest.mark.parametrize(
    "row, reason",
    [
        (Module("flow.{x}", "provided.{y}", **V), "'y' stands in the canonical path alone"),
        (Module("{x}_flow", "provided.{x}", **V), "is no legacy path"),
        (Module("flow.{x", "provided", **V), "is no pattern"),
        (Module("flow.{x}.hooks", "provided.{x}", **V), "has braces before its last part"),
        (Module("flow.{}", "provided", **V), "is no pattern"),
        (Name("flow.a:{x}Operator", "provided.bash:{x}", **V), "is no pattern"),
        (Method("flow.{x}:C.old", "flow.{x}:C.new", **V), "takes no pattern"),
        (Argument("flow.{x}:f", "old", became="new", **V), "takes no pattern"),
    ],
)
def test_check_names_what_is_wrong_with_a_pattern(flow, ledger_of, row, reason):
    with pytest.raises(compat.LedgerError, match=reason):
        compat.check(ledger_of(row))
