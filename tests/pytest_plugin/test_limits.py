"""Limits on the uses of a run: ``self=0 direct=10 indirect=*``."""

from __future__ import annotations

import pytest

from compat.pytest_plugin.limits import faults, parse

from .conftest import lines_of

pytest_plugins = ["pytester"]


def test_a_text_is_a_number_for_each_category():
    assert parse("self=0 direct=10 indirect=*") == {"self": 0, "direct": 10, "indirect": None}
    assert parse(" total=3,self=1 ") == {"total": 3, "self": 1}
    assert parse("") == {}


@pytest.mark.parametrize("text", ["self", "self=", "self=-1", "self=x", "other=1", "self=²"])
def test_a_text_that_is_none_is_refused_with_the_part_that_is_wrong(text):
    with pytest.raises(
        pytest.UsageError, match=f"^compat_max: {text!r} is no limit; write self, direct, indirect or total, each"
    ):
        parse(f"direct=1 {text}")


def test_the_limit_itself_is_allowed():
    counts = {"self": 1, "direct": 10, "indirect": 5}
    assert faults(parse("self=1 direct=10 indirect=* total=16"), counts) == []
    assert faults(parse("self=0 direct=9 total=15"), counts) == [
        "1 self uses, and compat_max allows 0",
        "10 direct uses, and compat_max allows 9",
        "16 total uses, and compat_max allows 15",
    ]


def test_a_run_that_passes_a_limit_fails(project):
    project.configure('compat_max = "self=2 direct=2 indirect=*"')
    result = project.run()
    assert result.ret == 1
    assert lines_of(result)[1:] == ["compat: 3 direct uses, and compat_max allows 2"]
    result.assert_outcomes(passed=4)
    # The command line has the last word.
    assert project.run("--compat-max=direct=3").ret == 0
