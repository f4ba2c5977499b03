"""Rehearsal: the tests run as of a later version, and those that are listed may fail there."""

from __future__ import annotations

import pytest

from .conftest import lines_of

pytest_plugins = ["pytester"]

TESTS = """\
import lib
from shop import money

def test_money():
    from shop_util import Money

def test_total():
    money.total()

def test_lib():
    lib.old()

def test_nothing():
    pass
"""


@pytest.mark.parametrize(
    ("version", "failed", "shown"),
    [
        ("2.0", ["test_lib"], "2.0"),
        ("3.0", ["test_lib", "test_money"], "3.0"),
        ("shop=4.0", ["test_money", "test_total"], "shop=4.0"),
        ("next", ["test_lib", "test_money"], "lib=2.0,shop=3.0"),
    ],
)
def test_expired_moves_raise(project, version, failed, shown):
    project.write("tests/test_shop.py", TESTS)
    result = project.run("--compat-as-of", version, "--compat-report=report.json", "-rf")
    assert lines_of(result) == [f"compat: legacy uses are counted, as of {shown}"]
    assert [line.split()[1].partition("::")[2] for line in lines_of(result, "FAILED")] == sorted(failed, key=TESTS.index)
    assert project.report()["as_of"] == shown and len(project.report()["uses"]) == 3
    assert "LegacyExpired" in result.stdout.str()


def test_the_variable_is_a_rehearsal_as_well_and_workers_rehearse(project):
    project.write("tests/test_shop.py", TESTS)
    project.setenv("COMPAT_AS_OF", "3.0")
    project.run("--compat", "-n", "2").assert_outcomes(passed=2, failed=2)


def test_what_a_plugin_used_before_has_expired_too(project):
    project.write("plug.py", "import lib\nlib.old()\n")
    project.write("tests/test_shop.py", TESTS)
    project.configure('addopts = ["-p", "plug"]')
    project.setenv("PYTHONPATH", f"{project.path / 'site-packages'}:{project.path}")
    project.run("--compat-as-of=2.0").assert_outcomes(passed=3, failed=1)


@pytest.mark.parametrize("workers", [[], ["-n", "2"]], ids=["alone", "workers"])
def test_listed_tests_may_fail_and_must(project, workers):
    project.write("tests/test_shop.py", TESTS)
    project.write("tests/test_old.py", "from shop_util import Money\n\ndef test_x():\n    pass\n")
    rehearse = ["--compat-as-of=3.0", *workers]
    result = project.run(*rehearse, "--compat-record")
    assert result.ret == 1 and lines_of(result)[1:] == ["compat: compat-expected.txt is written: 3 expected failures"]
    assert [line for line in project.read("compat-expected.txt").splitlines() if line[0] != "#"] == [
        "tests/test_old.py",
        "tests/test_shop.py::test_lib",
        "tests/test_shop.py::test_money",
    ]
    result = project.run(*rehearse)
    assert result.ret == 0
    result.assert_outcomes(passed=2, xfailed=2, skipped=1)
    # One is mended, one is not there any more.
    project.write("tests/test_shop.py", TESTS.replace("lib.old", "lib.new"))
    project.append("compat-expected.txt", "tests/test_shop.py::test_gone\n")
    result = project.run(*rehearse)
    assert result.ret == 1
    assert sorted(lines_of(result)[1:]) == [
        "compat: tests/test_shop.py::test_gone stands in compat-expected.txt, and no such test ran: strike it",
        "compat: tests/test_shop.py::test_lib does not fail as of 3.0: strike it from compat-expected.txt",
    ]
    # A run of one test speaks of that one.
    assert project.run(*rehearse, "-k", "nothing").ret == 0
    assert lines_of(project.run(*rehearse, "-k", "lib"))[1:] == [
        "compat: tests/test_shop.py::test_lib does not fail as of 3.0: strike it from compat-expected.txt"
    ]
    project.run(*rehearse, "--compat-record", "-k", "lib")
    assert [line for line in project.read("compat-expected.txt").splitlines() if line[0] != "#"] == [
        "tests/test_old.py",
        "tests/test_shop.py::test_gone",
        "tests/test_shop.py::test_money",
    ]


def test_an_entry_may_be_a_file_a_class_or_one_case(project):
    project.write(
        "tests/test_shop.py",
        "import pytest, lib\n\nclass TestOld:\n    def test_a(self):\n        lib.old()\n\n    def test_b(self):\n        pass\n\n"
        "@pytest.mark.parametrize('name', ['old', 'new'])\ndef test_case(name):\n    getattr(lib, name)()\n",
    )
    project.write("tests/test_file.py", "import lib\n\ndef test_x():\n    lib.old()\n")
    project.write(
        "expected.txt", "# known\ntests/test_shop.py::TestOld\ntests/test_shop.py::test_case[old]\ntests/test_file.py\n"
    )
    result = project.run("--compat-as-of=lib=2.0", "--compat-expect=expected.txt")
    assert result.ret == 0
    result.assert_outcomes(passed=2, xfailed=3)


@pytest.mark.parametrize("workers", [(), ("-n", "2")], ids=["alone", "workers"])
def test_a_rehearsal_of_which_every_file_is_expected_not_to_be_imported_passes(project, workers):
    project.write("tests/test_shop.py", "from shop_util import Money\n\ndef test_x():\n    pass\n")
    project.write("expected.txt", "tests/test_shop.py\n")
    given = ("--compat-as-of=3.0", "--compat-expect=expected.txt", *workers)
    assert project.run(*given).ret == 0
    # An entry that is not true any more fails it all the same, and so does a file that is not listed.
    project.write("expected.txt", "tests/test_shop.py\ntests/test_gone.py\n")
    assert project.run(*given).ret == 1
    project.write("expected.txt", "")
    assert project.run(*given).ret not in (0, 5)


def test_a_test_of_legacy_behaviour_may_fail_as_its_subject_goes(project):
    project.write(
        "tests/test_shop.py",
        "import pytest, lib\n\n@pytest.mark.legacy('lib:old')\ndef test_marked():\n    lib.old()\n\n"
        "@pytest.mark.legacy('lib:old')\ndef test_wrong():\n    assert False\n",
    )
    project.run("--compat-as-of=2.0").assert_outcomes(xfailed=1, failed=1)


def test_limits_and_ratchet_are_for_the_version_in_force(project):
    project.write("tests/test_shop.py", TESTS)
    project.write("compat-uses.txt", "lib:old gone.py 1\n")
    assert project.run("--compat-as-of=1.7", "--compat-max=total=0").ret == 0


@pytest.mark.parametrize(
    ("version", "said"),
    [
        ("soon", "--compat-as-of soon: 'soon' is no version; write one such as '1.4' or '2.0rc1', or 'next'"),
        ("shp=3.0", "--compat-as-of shp=3.0: no ledger is named 'shp'; in reach: lib, netra, shop"),
    ],
)
def test_a_version_that_nobody_knows_is_one_sentence(project, version, said):
    result = project.run("--compat-as-of", version, "--compat-record")
    assert result.ret == 4 and [line for line in result.errlines if line] == [f"ERROR: {said}"]
    assert not (project.path / "compat-expected.txt").exists()


def test_a_list_that_is_missing_is_one_sentence(project):
    result = project.run("--compat-as-of=3.0", "--compat-expect=none.txt")
    remedy = "make it with pytest --compat-as-of VERSION --compat-record"
    assert [line for line in result.errlines if line] == [
        f"ERROR: the list of expected failures {project.path / 'none.txt'} does not exist; {remedy}"
    ]
