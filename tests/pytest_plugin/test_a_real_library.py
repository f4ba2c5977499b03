"""A part of tests/acceptance: the ledger that is made from pyparsing's guide, under the plugin, against the warnings that pytest records."""

from __future__ import annotations

import importlib.util
import json
import pathlib

import pytest

from .conftest import lines_of

pytest_plugins = ["pytester"]

pytest.importorskip("pyparsing", minversion="3.3")

#: Lines of the table in pyparsing's guide.
GUIDE = """\
==============================  ================================
Name                            Previous name
------------------------------  --------------------------------
ParserElement
- parse_string                  parseString
- set_name                      setName
- set_parse_action              setParseAction
- parse_string                  parseString

c_style_comment                 cStyleComment
infix_notation                  infixNotation
one_of                          oneOf
==============================  ================================
"""
TESTS = """\
from pyparsing import Word, cStyleComment, infixNotation, nums, oneOf, opAssoc

integer = Word(nums).setName("integer").setParseAction(lambda found: int(found[0]))
sums = infixNotation(integer, [(oneOf("+ -"), 2, opAssoc.LEFT)]).ignore(cStyleComment)

def test_sums():
    for text in ("1 + 2", "1 - 2", "(1 + 2) - 3"):
        assert sums.parseString(text)

def test_comments():
    assert sums.parseString("1 /* one */ + 2")
"""


@pytest.fixture
def acceptance():
    path = pathlib.Path(__file__).parents[1] / "acceptance" / "run_pyhocon.py"
    spec = importlib.util.spec_from_file_location("run_pyhocon", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_counts_agree_with_the_warnings_that_pytest_records(project, acceptance, monkeypatch):
    project.write("pyparsing_moves.py", acceptance.ledger(GUIDE))
    project.write("recorder.py", acceptance.RECORDER)
    project.write("tests/test_shop.py", TESTS)
    project.write("pyproject.toml", project.read("pyproject.toml").replace("shop_moves", "pyparsing_moves"))
    project.setenv("PYTHONPATH", str(project.path))
    project.setenv("RECORDED", str(project.path / "recorded.json"))
    assert acceptance.names(GUIDE)[-1] == ("", "oneOf", "one_of")

    def recorded(category: str) -> dict[int, int]:
        return {line: count for kind, _, _, line, count in json.loads(project.read("recorded.json")) if kind == category}

    project.run("-p", "recorder", "-p", "no:compat").assert_outcomes(passed=2)
    own = json.loads(project.read("recorded.json"))
    counted: dict[int, int] = {}
    for _, _, _, _, line, count in project.counted("-p", "recorder"):
        counted[line] = counted.get(line, 0) + count
    # Line 1 imports a constant, of which pyparsing itself does not warn.
    assert counted == recorded("LegacyUseWarning") == {1: 1, 3: 2, 4: 2, 8: 3, 11: 1}
    named = {line: 0 for _, _, _, line, _ in own}
    for _, _, _, line, count in own:
        named[line] += count
    assert named == {3: 2, 4: 2, 8: 3, 11: 1}
    assert lines_of(project.run("--compat-as-of=next", "-p", "no:recorder"))[0].endswith("pyparsing=4.0")
