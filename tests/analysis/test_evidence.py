"""Counted uses as a source: what ran at a line is a finding with its count, and a likely edit."""

from __future__ import annotations

import pytest

from compat.analysis import fixer, scan
from compat.analysis.hints import Ran, by_file
from compat.analysis.scanning.scanner import scan_one
from compat.ledger import Argument, Method

ROTATE = "shop.core:Widget.rotate"
TEXT = "def turn(thing, other):\n    thing.rotate()\n    return other.rotate()\n"


@pytest.fixture
def tree(tmp_path):
    (tmp_path / "app").mkdir()
    (tmp_path / "app" / "turning.py").write_text(TEXT)
    (tmp_path / "other.py").write_text(TEXT)
    return tmp_path


def found(ledger, tree, *ran, **options):
    return [
        (item.path.rpartition("/")[2], item.line, item.column, item.rule, item.how, item.message.rpartition("Here ")[2])
        for item in scan([str(tree)], ledger, evidence=ran, **options).findings
    ]


def test_what_ran_is_a_finding_with_its_count(ledger, tree):
    assert found(ledger, tree) == []
    assert found(ledger, tree, Ran(ROTATE, "app/turning.py", 2, 12)) == [
        ("turning.py", 2, 11, "method", "call", "12 uses were counted.")
    ]
    absolute = str(tree / "app" / "turning.py")
    assert found(ledger, tree, Ran(ROTATE, absolute, 3, 1)) == [("turning.py", 3, 18, "method", "call", "1 use was counted.")]


@pytest.mark.parametrize(
    "ran",
    [
        Ran(ROTATE, "app/turning.py", 1, 5),  # another line than today
        Ran(ROTATE, "app/turning.py", 99, 5),
        Ran(ROTATE, "turn.py", 2, 5),
        Ran(ROTATE, "lib/app/turning.py", 2, 5),
        Ran("shop.core:Widget.twist", "app/turning.py", 2, 5),
        Ran("nobody.knows:this", "app/turning.py", 2, 5),
    ],
)
def test_what_the_source_does_not_hold_any_more_is_none(ledger, tree, ran):
    assert found(ledger, tree, ran) == []


def test_a_use_that_is_found_anyway_is_told_its_count_once(ledger, tmp_path):
    (tmp_path / "m.py").write_text("from shop_old.things import (\n    MAX,\n    Widget,\n)\nprint(MAX)\n")
    ran = [Ran("shop_old.things:Widget", "m.py", 1, 1200), Ran("shop_old.things:MAX", "m.py", 1, 3)]
    assert [item[-1] for item in found(ledger, tmp_path, *ran)] == ["3 uses were counted.", "1,200 uses were counted."]


def test_arguments_and_adapters_methods_are_found_by_their_counts(ledger, tmp_path):
    ledger += [
        Argument("shop.core:Widget.spin", "fast", became="speed", since="1.0", removal="3.0", instead=None),
        Method("shop.core:Engine.launch", "shop.core:Engine.start", since="1.0", removal="3.0", instead=None),
    ]
    text = "def f(a, b, c):\n    a.spin(fast=1)\n    b.begin()\n    c.launch()\n    d = getattr(c, 'launch')\n"
    (tmp_path / "m.py").write_text(text)
    ran = [
        Ran("shop.core:Widget.spin(fast)", "m.py", 2, 2),
        Ran("shop_old.engines:Engine.begin", "m.py", 3, 2),
        Ran("shop.core:Engine.launch", "m.py", 4, 2),
        Ran("shop.core:Engine.launch", "m.py", 5, 2),
    ]
    assert [item[1:4] for item in found(ledger, tmp_path, *ran)] == [
        (2, 12, "argument"),
        (3, 7, "method"),
        (4, 7, "method"),
        (5, 20, "method"),
    ]


def test_fix_makes_likely_edits_of_them(ledger, tree):
    ran = [Ran(ROTATE, "app/turning.py", 2, 12)]
    left = fixer.fix([str(tree)], ledger, evidence=ran)
    (skip,) = left.skips
    assert (skip.degree, skip.line, skip.reason) == ("likely", 2, "only that it ran says so (12 uses were counted)")
    fixer.fix([str(tree)], ledger, evidence=ran, unsafe=True, write=True, verify=True)
    assert (tree / "app" / "turning.py").read_text() == TEXT.replace("thing.rotate", "thing.spin")
    assert (tree / "other.py").read_text() == TEXT
    assert found(ledger, tree, *ran) == []
    findings = scan([str(tree)], ledger, evidence=[ran[0]._replace(line=3)]).findings
    made = fixer.fix([str(tree)], ledger, evidence=[ran[0]._replace(line=3)]).suggestions(findings)
    assert [(one.degree, [edit.text for edit in one.replacements]) for one in made.values()] == [("likely", ["spin"])]


def test_a_text_that_is_given_takes_the_counts_of_its_file(ledger):
    ran = [Ran(ROTATE, "app/turning.py", 2, 12)]
    text = "def turn(thing):\n    thing.rotate()\n"
    for path, after in (("app/turning.py", text.replace("rotate", "spin")), ("app/other.py", text)):
        assert len(scan_one(path, text.encode(), ledger, evidence=ran).findings) == (after != text)
        made = fixer.fix_given(path, text.encode(), ledger, evidence=ran, unsafe=True)
        assert made.outcomes[0].after.decode() == after
        (told,) = made.suggestions(scan_one(path, text.encode(), ledger, evidence=ran).findings).values() or [None]
        assert (told.degree if told else None) == ("likely" if after != text else None)


def test_a_relative_path_that_fits_two_files_is_nobodys():
    ran = [Ran("m", "pkg/a.py", 1, 1)]
    assert by_file(["x/pkg/a.py", "y/pkg/a.py"], ran) == {}
    assert by_file(["x/pkg/a.py", "y/a.py"], ran) == {"x/pkg/a.py": ran}


LIBRARY = "class Thing:\n    def new(self):\n        return 1\n"
ROWS = """
from compat.ledger import Ledger, Method
ROWS = Ledger("demo", version="1.0.0", docs="MOVES.md")
ROWS += [Method("lib:Thing.old", "lib:Thing.new", since="1.0", removal="3.0", instead=None)]
"""


def test_the_commands_read_what_a_program_counted(run):
    (run.tree / "lib.py").write_text(LIBRARY)
    (run.tree.parent / "demo_ledger.py").write_text(ROWS)
    (run.tree / "app.py").write_text(
        "import compat, demo_ledger\ncompat.install(demo_ledger.ROWS)\nimport lib\n\n\ndef use(thing):\n"
        "    return thing.old()\n\n\nfor name in ['Thing'] * 3:\n    use(vars(lib)[name]())\n"
    )
    run.environment.update(COMPAT_DIR=str(run.tree.parent / "state"), COMPAT_TELEMETRY="on")
    nothing = run("scan", "--evidence")
    assert nothing.returncode == 2 and "no use of the last 90 days is recorded in" in nothing.stderr
    assert run("app.py", ledger="", python=()).returncode == 0
    assert run("scan", "app.py").returncode == 0
    done = run("scan", "app.py", "--evidence")
    assert done.returncode == 1 and done.stdout.splitlines()[0].endswith(" Here 3 uses were counted."), done.stdout
    done = run("fix", "app.py", "--evidence", "--unsafe", "--from", str(run.tree.parent / "state"))
    assert "-    return thing.old()\n+    return thing.new()\n" in done.stdout
    missing = run("fix", "app.py", "--evidence", "--from", "nowhere")
    assert (missing.returncode, missing.stderr) == (2, "compat: there is no directory or file 'nowhere' to read usage from\n")
