"""Off unless asked for, by an option, a line of the ini file or ``[tool.compat]``; off, it changes and loads nothing."""

from __future__ import annotations

import pytest

from .conftest import LAST, lines_of

pytest_plugins = ["pytester"]

LOADED = (
    "import sys, pytest; code = pytest.main(['-q', *sys.argv[1:]])\n"
    "print(int(code), sorted(name for name in sys.modules if name.partition('.')[0] == 'compat'))"
)
NO_LEGACY = "def test_x():\n    pass\n"


@pytest.mark.parametrize(
    ("table", "line", "options"),
    [
        ("", "", ["--compat"]),
        ("", "", ["--compat-max=self=9"]),
        ("", "compat = true", []),
        ("", 'compat_max = "self=9"', []),
        ("pytest = true", "", []),
        ("pytest.max = 'self=9'", "", []),
    ],
)
def test_an_option_a_line_or_the_table_turns_it_on(project, table, line, options):
    project.configure(line)
    project.configure(table, "tool.compat")
    result = project.run(*options)
    assert result.ret == 0 and LAST in result.outlines
    assert lines_of(result) == ["compat: legacy uses are counted"]


def test_unasked_it_says_and_loads_nothing(project):
    project.write("tests/test_shop.py", NO_LEGACY)
    project.write("pyproject.toml", "[tool.pytest.ini_options]\n")
    project.setenv("PYTHONPATH", "")
    off = project.python(LOADED)
    assert (
        off.splitlines()[-1]
        == "0 ['compat', 'compat._forking', 'compat.netra', 'compat.netra.pytest_plugin', 'compat.pytest_plugin']"
    )
    without = project.python(LOADED.replace("'-q'", "'-q', '-p', 'no:compat'"))
    assert [line.partition(" in ")[0] for line in off.splitlines()[:-1]] == [
        line.partition(" in ")[0] for line in without.splitlines()[:-1]
    ]


def test_a_table_that_says_false_is_no_question(project):
    project.configure("pytest = false", "tool.compat")
    project.write("tests/test_shop.py", NO_LEGACY)
    assert "compat" not in project.run().stdout.str().partition("rootdir")[0]


def test_compat_off_has_the_last_word(project):
    project.write("tests/test_shop.py", NO_LEGACY)
    project.setenv("COMPAT", "off")
    result = project.run("--compat")
    assert (result.ret, lines_of(result)) == (0, ["compat: COMPAT=off is set, nothing is counted"])


def test_marks_and_the_fixture_stand_where_it_is_off(project):
    project.configure('addopts = ["--strict-markers", "-W", "ignore"]')
    project.write(
        "tests/test_shop.py",
        "import pytest, lib\n\n@pytest.mark.legacy('lib:old')\ndef test_fixture(legacy_uses):\n    lib.old()\n"
        "    assert [(use.move, use.line, use.count) for use in legacy_uses] == [('lib:old', 5, 1)]\n",
    )
    result = project.run()
    result.assert_outcomes(passed=1)


@pytest.mark.parametrize(
    ("table", "line", "said"),
    [
        (
            "pytest = 3",
            "",
            'pyproject.toml: [tool.compat] pytest must be true, false, or a table such as {max = "self=0 direct=10"}, not 3',
        ),
        (
            "pytest.mx = ''",
            "",
            "pyproject.toml: [tool.compat.pytest] has no 'mx'; write 'max' (it takes max, ratchet, expect, packages)",
        ),
        ("pytest.max = 3", "", "such as {max = \"self=0 direct=10\"}, not {'max': 3}"),
        (
            "",
            'compat_max = "selfish=0"',
            "compat_max: 'selfish=0' is no limit; write self, direct, indirect or total, each with a number or *, such as "
            "'self=0 direct=10 indirect=*'",
        ),
    ],
)
def test_a_setting_that_cannot_be_used_is_one_sentence(project, table, line, said):
    project.configure(line)
    project.configure(table, "tool.compat")
    result = project.run()
    assert result.ret == 4
    told = [one for one in result.errlines if one]
    assert len(told) == 1 and told[0].startswith("ERROR: ") and told[0].endswith(said)
