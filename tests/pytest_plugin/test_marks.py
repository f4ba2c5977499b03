"""``@pytest.mark.legacy``: uses on purpose are expected, and must be made."""

from __future__ import annotations

import pytest

from .conftest import lines_of

pytest_plugins = ["pytester"]

TESTS = """\
import pytest, lib
from shop import money
from shop_util import Money

@pytest.mark.legacy("lib:old")
def test_marked():
    lib.old()
    money.total()

@pytest.mark.legacy("lib:*", "shop.money:total")
def test_pattern():
    lib.old()
    money.total()

@pytest.mark.legacy
def test_any():
    money.total()

@pytest.mark.legacy("shop_util:Money")
def test_imported():
    Money()
"""


def test_what_a_mark_names_is_expected_and_all_else_is_not(project):
    project.write("tests/test_shop.py", TESTS)
    result = project.run("--compat-report=report.json", "--compat-max=direct=0 self=1")
    result.assert_outcomes(passed=4)
    assert lines_of(result)[1:] == ["compat: 2 self uses, and compat_max allows 1"]
    assert [(use["line"], use["count"], use["expected"]) for use in project.report()["uses"]] == [
        (8, 1, 0),
        (13, 0, 1),
        (17, 0, 1),
        (3, 1, 0),
        (7, 0, 1),
        (12, 0, 1),
    ]
    assert "2 uses at 2 places: 2 self, 0 direct, 0 indirect, 4 expected by marks" in result.outlines


def test_a_mark_on_the_file_means_its_imports_too(project):
    project.write("tests/test_shop.py", TESTS + "\npytestmark = pytest.mark.legacy('shop_util:Money')\n")
    project.run("--compat-report=report.json")
    assert [use["expected"] for use in project.report()["uses"] if use["line"] == 3] == [1]
    assert project.run("--compat", "-n", "2").ret == 0


@pytest.mark.parametrize(
    ("mark", "body", "said"),
    [
        (
            "('shop.util:Money')",
            "lib.old()",
            "@pytest.mark.legacy('shop.util:Money'): it used lib:old; remove the mark, or correct the name",
        ),
        ("", "pass", "@pytest.mark.legacy(): it used nothing legacy; remove the mark, or correct the name"),
    ],
)
def test_a_marked_test_that_uses_nothing_of_it_fails(project, mark, body, said):
    project.write("tests/test_shop.py", f"import pytest, lib\n\n@pytest.mark.legacy{mark}\ndef test_marked():\n    {body}\n")
    result = project.run("--compat")
    result.assert_outcomes(failed=1)
    assert said in result.outlines


def test_a_marked_test_that_fails_or_is_skipped_fails_for_nothing_else(project):
    project.write(
        "tests/test_shop.py",
        "import pytest, lib\npytestmark = pytest.mark.legacy('lib:old')\n\n"
        "def test_fails():\n    assert False\n\ndef test_skips():\n    pytest.skip()\n",
    )
    result = project.run("--compat")
    result.assert_outcomes(failed=1, skipped=1)
    assert "remove the mark" not in result.stdout.str()


def test_marks_and_recorded_uses_are_two_things(project):
    project.write("tests/test_shop.py", TESTS)
    project.run("--compat-record")
    assert [line for line in project.read("compat-uses.txt").splitlines() if line[0] != "#"] == [
        "shop.money:total tests/test_shop.py 1",
        "shop_util:Money tests/test_shop.py 1",
    ]
