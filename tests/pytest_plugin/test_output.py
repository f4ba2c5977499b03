"""What CI reads: annotations, JUnit's properties, a report; and what fails a run before its tests do."""

from __future__ import annotations

import xml.etree.ElementTree

import pytest

from .conftest import COUNTED, lines_of

pytest_plugins = ["pytester"]


def test_under_github_actions_uses_are_annotations(project):
    project.setenv("GITHUB_ACTIONS", "true")
    project.write("compat-uses.txt", "lib:old tests/test_shop.py 1\nshop.money:total shop/cart.py 1\nlib:old dep.py 1\n")
    result = project.run("--compat")
    title = "title=legacy use::"
    assert lines_of(result, "::") == [
        f"::error file=tests/test_shop.py,line=4,{title}new: shop_util:Money at tests/test_shop.py:4, compat-uses.txt does not "
        "allow it; used by collection of tests/test_shop.py. Use canonical path 'from shop.money import Amount' instead.",
        f"::warning file=tests/test_shop.py,line=8,{title}lib:old is used 3 times (direct). Use lib.new() instead.",
        f"::warning file=shop/cart.py,line=4,{title}shop.money:total is used once (self). Use sum() instead.",
    ]
    project.setenv("GITHUB_ACTIONS", "false")
    assert lines_of(project.run("--compat"), "::") == []


@pytest.mark.parametrize("options", [[], ["-n", "2"]], ids=["alone", "workers"])
def test_junit_has_properties_of_the_suite_and_of_tests(project, options):
    project.write("compat-uses.txt", "lib:old dep.py 1\nlib:old gone.py 1\n")
    project.run("--compat", "--junit-xml=junit.xml", *options)
    root = xml.etree.ElementTree.parse(project.path / "junit.xml").getroot()
    found = {prop.get("name"): prop.get("value") for prop in root.findall("testsuite/properties/property")}
    assert found == {"compat.self": "2", "compat.direct": "3", "compat.indirect": "2", "compat.new": "3", "compat.gone": "1"}
    tests = {
        case.get("name"): [(prop.get("name"), prop.get("value")) for prop in case.findall("properties/property")]
        for case in root.iter("testcase")
    }
    assert tests == {
        "test_direct": [("compat.uses.lib:old", "3")],
        "test_indirect": [("compat.uses.lib:old", "2")],
        "test_self": [("compat.uses.shop.money:total", "1")],
        "test_nothing": [],
    }


def test_the_report_has_all_figures(project):
    assert project.counted("--compat-max=self=0") == COUNTED
    report = project.report()
    assert (report["format_version"], report["as_of"], report["tests"]) == (1, "", 4)
    assert report["totals"] == {"self": 2, "direct": 3, "indirect": 2}
    assert report["faults"] == [{"kind": "limit", "text": "2 self uses, and compat_max allows 0"}]
    assert report["uses"][2] == {
        "category": "direct",
        "move": "lib:old",
        "kind": "call",
        "file": "tests/test_shop.py",
        "line": 8,
        "count": 3,
        "expected": 0,
        "advice": "Use lib.new() instead.",
        "by": {"tests/test_shop.py::test_direct": 3},
    }


def test_a_report_that_cannot_be_written_fails_the_run(project):
    path = project.path / "nowhere" / "report.json"
    result = project.run("--compat-report=nowhere/report.json")
    assert result.ret == 1
    said = f"compat: the report {path} cannot be written: No such file or directory; name a file in a directory that can be"
    assert lines_of(result)[1:] == [said]


def test_a_ledger_of_the_project_that_does_not_import_is_one_sentence(project):
    project.write("shop_moves.py", "import nowhere_to_be_found\n")
    project.write("compat-uses.txt", "lib:old dep.py 1\n")
    result = project.run("--compat-record")
    assert result.ret == 4
    assert [line for line in result.errlines if line] == [
        "ERROR: ledger 'shop_moves:LEDGER' cannot be imported: No module named 'nowhere_to_be_found'"
    ]
    assert project.read("compat-uses.txt") == "lib:old dep.py 1\n"


@pytest.mark.parametrize("options", [[], ["-n", "2"]], ids=["alone", "workers"])
def test_a_ledger_of_a_distribution_that_does_not_import_fails_the_run(project, options):
    project.write("site-packages/lib_moves.py", "1 / 0\n")
    result = project.run("--compat", *options)
    assert result.ret == 1
    said = "importing 'lib_moves' raises ZeroDivisionError: division by zero"
    assert lines_of(result)[1:] == [
        f"compat: ledger lib_moves:LEDGER of lib-1.5 is not served: ledger 'lib_moves:LEDGER': {said}"
    ]
