"""Converters computed on literals give what calling them gives, or nothing; no code of a ledger runs."""

from __future__ import annotations

import importlib
import sys

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from compat.analysis.targets import converting

SOURCE = """
import os
FACTOR, RATE = 1000, 3
STEP = 7

def scaled(value, by=60): return value * by
def stepped(value): return value // STEP if value else STEP
def described(value): return f"{value!r} of {len(str(value))}"
def chosen(value):
    'Choose.'
    if value is None or value == "":
        return ()
    elif isinstance(value, (list, tuple)):
        return tuple(value)
    else:
        made = str(value).strip().lower()
    return (made,)
def table(value): return {"a": 1, "b": [2]}.get(value, -1)
def sliced(value): return value[1:3] + value[::-1]
def compared(value): return 0 < value <= 10 and not value == 5

def unpacked(value): return value * FACTOR
def environment(value): return os.environ[value]
def looped(value):
    for _ in range(3):
        value += 1
    return value
def big(value): return "x" * 10 ** 9
def large(value): return 9 ** 9 ** 9
def endless(value): return endless(value)
def nothing(value): pass
def objective(value): return object()
@staticmethod
def decorated(value): return value
async def later(value): return value
def two(value, other): return value
"""


@pytest.fixture
def home(tmp_path, monkeypatch):
    (tmp_path / "conv_made.py").write_text(SOURCE)
    monkeypatch.syspath_prepend(str(tmp_path))
    yield importlib.import_module("conv_made")
    del sys.modules["conv_made"]


LITERALS = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-99, 99),
    st.floats(-9, 9),
    st.text("ab 1", max_size=4),
    st.lists(st.integers(0, 3), max_size=3),
)
CERTAIN = ["scaled", "stepped", "described", "chosen", "table", "sliced", "compared"]


@pytest.mark.slow
@settings(max_examples=500)
@given(st.sampled_from(CERTAIN), LITERALS)
def test_what_is_computed_is_what_the_converter_returns(home, name, value):
    try:
        expected = getattr(home, name)(value)
    except Exception as error:
        with pytest.raises(converting.Uncertain, match=f"conv_made.{name} raises {type(error).__name__} for it"):
            converting.convert(f"conv_made:{name}", value)
    else:
        made = converting.convert(f"conv_made:{name}", value)
        assert (made, type(made)) == (expected, type(expected))


REASONS = {
    "unpacked": "reads what is not known",
    "environment": "does more than compute",
    "looped": "does more than compute",
    "big": "makes too large a",
    "large": "makes too large a number",
    "endless": "calls what is not known",
    "objective": "calls what is not known",
    "decorated": "is not a plain function",
    "later": "is not a plain function",
    "two": "is not a plain function",
    "missing": "is not a plain function",
}


@pytest.mark.parametrize("name", REASONS)
def test_what_is_not_certain_says_why(home, name):
    with pytest.raises(converting.Uncertain, match=f"conv_made.{name} {REASONS[name]}"):
        converting.convert(f"conv_made:{name}", 3)


def test_a_function_without_return_gives_none(home):
    assert converting.convert("conv_made:nothing", 3) is None


def test_builtins_and_modules_that_are_not_there():
    assert converting.convert("builtins:int", "12") == 12
    with pytest.raises(converting.Uncertain, match="builtins.int raises ValueError for it"):
        converting.convert("builtins:int", "x")
    with pytest.raises(converting.Uncertain, match="no_such_module.f is not found"):
        converting.convert("no_such_module:f", 1)
