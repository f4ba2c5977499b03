"""The ratchet: a run fails on a new use, and on one that is gone; whoever did it is named, and nothing is overwritten in vain."""

from __future__ import annotations

import pytest

from compat.pytest_plugin.ratchet import Allowed, Ratchet

from .conftest import lines_of

pytest_plugins = ["pytester"]

WRITTEN = """\
# Legacy uses that the tests may make: move, file, number of places. `pytest --compat-record` writes this file anew;
# strike what is gone. A number with ? may also be missing.
# A whole run: pytest
lib:old dep.py 1
lib:old tests/test_shop.py 1
shop.money:total shop/cart.py 1
shop_util:Money tests/test_shop.py 1
"""
NEW = "\ndef test_new():\n    lib.old()\n"


def test_it_is_written_sorted_and_holds_the_next_run(project):
    result = project.run("--compat-record")
    assert result.ret == 0 and lines_of(result)[1:] == ["compat: compat-uses.txt is written"]
    assert project.read("compat-uses.txt") == WRITTEN
    assert project.run("--compat").ret == 0


def test_a_new_use_fails_the_run_and_names_the_test(project):
    project.write("compat-uses.txt", WRITTEN)
    project.append("tests/test_shop.py", NEW)
    project.append("tests/test_shop.py", "    shop.cart.money.total(1)\n")
    result = project.run("--compat")
    assert result.ret == 1
    allows = "compat-uses.txt allows 1 of 2 places"
    assert lines_of(result)[1:] == [
        "compat: new: shop.money:total at tests/test_shop.py:21, compat-uses.txt does not allow it; "
        "used by tests/test_shop.py::test_new. Use sum() instead.",
        f"compat: new: lib:old at tests/test_shop.py:8, {allows}; used by tests/test_shop.py::test_direct. Use lib.new() instead.",
        f"compat: new: lib:old at tests/test_shop.py:20, {allows}; used by tests/test_shop.py::test_new. Use lib.new() instead.",
    ]
    # More uses at a place that is allowed are none.
    project.write("tests/test_shop.py", project.read("tests/test_shop.py").partition(NEW)[0].replace("range(3)", "range(30)"))
    assert project.run("--compat").ret == 0


def test_a_use_that_is_gone_fails_the_run_too(project):
    project.write("compat-uses.txt", WRITTEN.replace("dep.py 1", "dep.py 2") + "lib:old tests/test_other.py 1\n")
    result = project.run("--compat")
    assert result.ret == 1
    assert lines_of(result)[1:] == [
        "compat: gone: lib:old in dep.py, compat-uses.txt allows 2 places, now 1: strike it, or run with --compat-record",
        "compat: gone: lib:old in tests/test_other.py, compat-uses.txt allows 1 places, now none: strike it, or run with --compat-record",
    ]
    assert project.run("--compat-record").ret == 0 and project.read("compat-uses.txt") == WRITTEN


PARTIAL = [
    ["-k", "nothing"],
    ["tests/test_shop.py"],
    ["tests/test_shop.py::test_nothing"],
    ["--deselect", "tests/test_shop.py::test_direct"],
    ["--ignore", "tests"],
]


@pytest.mark.parametrize("options", PARTIAL, ids=" ".join)
def test_a_run_of_some_tests_says_of_nothing_that_it_is_gone_and_strikes_nothing(project, options):
    project.write("compat-uses.txt", f"{WRITTEN}shop_util:Money tests/test_z.py 1\n")
    result = project.run("--compat", *options)
    assert result.ret in (0, 5) and lines_of(result)[1:] == []
    project.run("--compat-record", *options)
    assert project.read("compat-uses.txt") == f"{WRITTEN}shop_util:Money tests/test_z.py 1\n"


def test_a_run_that_fails_or_stops_says_of_nothing_that_it_is_gone(project):
    project.write("compat-uses.txt", f"{WRITTEN}shop_util:Money tests/test_z.py 1\n")
    project.append("tests/test_shop.py", "\ndef test_fails():\n    assert False\n")
    assert lines_of(project.run("--compat"))[1:] == []
    assert lines_of(project.run("--compat", "-x"))[1:] == []
    project.write("tests/test_a.py", "import nowhere\n")
    assert lines_of(project.run("--compat"))[1:] == []
    result = project.run("--compat-record")
    assert lines_of(result)[1:] == ["compat: compat-uses.txt is not written: the run did not come to its end"]


def test_a_run_is_whole_when_its_arguments_are_those_of_the_recording(project):
    project.run("--compat-record", "tests", "-m", "not slow")
    written = project.read("compat-uses.txt")
    assert "# A whole run: pytest tests -m 'not slow'\n" in written
    project.append("compat-uses.txt", "lib:old gone.py 1\n")
    assert project.run("--compat", "tests", "-m", "not slow").ret == 1
    assert project.run("--compat", "tests", "-m", "slow").ret == 5
    assert project.run("--compat", "tests/test_shop.py").ret == 0
    # All tests are more than those.
    assert project.run("--compat").ret == 1


def test_what_may_be_missing_is_never_gone(project):
    project.write("compat-uses.txt", f"{WRITTEN}shop_util:Money tests/test_windows.py 1?\n")
    assert project.run("--compat").ret == 0
    project.run("--compat-record")
    assert project.read("compat-uses.txt") == f"{WRITTEN}shop_util:Money tests/test_windows.py 1?\n"


def test_a_category_without_a_limit_is_not_held(project):
    project.run("--compat-record", "--compat-max=indirect=*")
    assert project.read("compat-uses.txt") == WRITTEN.replace("lib:old dep.py 1\n", "")
    assert project.run("--compat").ret == 1
    assert project.run("--compat-max=indirect=*").ret == 0


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (None, "the ratchet {path} does not exist; make it with pytest --compat-record"),
        ("lib:old dep.py\n", "{path}:1 is no line of a ratchet: 'lib:old dep.py'; write a move, a file and a number of places"),
        (
            "lib:old dep.py 0\n",
            "{path}:1 is no line of a ratchet: 'lib:old dep.py 0'; write a move, a file and a number of places",
        ),
        ("# x\n<<<<<<< HEAD\n", "{path}:2 has the marks of a merge; settle it, keeping the lines of both sides"),
        ("\udc80", "the ratchet {path} cannot be read: 'utf-8' codec can't decode byte 0x80 in position 0: invalid start byte"),
    ],
    ids=["missing", "short", "none", "merging", "binary"],
)
def test_a_ratchet_that_cannot_be_used_is_one_sentence_and_stays(project, text, said):
    path = project.path / "uses.txt"
    if text is not None:
        path.write_text(text, encoding="utf-8", errors="surrogateescape")
    before = path.read_bytes() if text is not None else None
    for options in (["--compat-ratchet=uses.txt"], ["--compat-ratchet=uses.txt", "--compat-record"])[: 1 if text is None else 2]:
        result = project.run(*options)
        assert result.ret == 4
        assert [line for line in result.errlines if line] == [f"ERROR: {said.format(path=path)}"]
        assert (path.read_bytes() if path.exists() else None) == before


def test_lines_of_both_sides_of_a_merge_are_joined(tmp_path):
    path = tmp_path / "uses.txt"
    path.write_text("b:X my file.py 1\na:Y f.py 3\nb:X my file.py 2\n", encoding="utf-8")
    assert Ratchet.load(str(path)).allowed == {("b:X", "my file.py"): Allowed(2), ("a:Y", "f.py"): Allowed(3)}
