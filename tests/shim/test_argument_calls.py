"""The functions that stand in place of those with legacy arguments: to callers of the present form they are the same."""

from __future__ import annotations

import importlib
import inspect
import re
import sys

import pytest

from compat import Argument

DATES = {"since": "1.0", "removal": "2.0", "instead": None}
RENAMED = [("old", "b")]
SIGNATURES = {
    "a, b": RENAMED,
    "a, b=2": RENAMED,
    "a, b, c=3": RENAMED,
    "a=1, b=2, c=3": [("old", "b"), ("gone", None)],
    "a, /, b, c=3": RENAMED,
    "a, *, b": RENAMED,
    "a, c=3, *, b=2, d": [("old", "b"), ("older", "d")],
    "a, b=2, *rest": [("gone", None), ("old", "b")],
    "a, b=None, c=()": [("old", "b"), ("oldest", "old")],
    "a, b=2, **more": RENAMED,
}
CALLS = ["()", "(1)", "(1, 2)", "(1, 2, 3)", "(1, 2, 3, 4)", "(1, 2, 3, 4, 5)", "(1, b=5)", "(a=1, b=5)", "(b=5)", "(1, c=7)"]
CALLS += ["(1, 2, b=5)", "(1, b=5, d=6)", "(1, zzz=5)", "(1, 3, b=5, d=6)", "(*(1,), **{'b': 5})", "(1, 2, c=7)", "(1, 5, c=7)"]


def given(function: object, call: str) -> object:
    """What a call gives, or the error that it raises."""
    try:
        return eval(f"f{call}", {"f": function})
    except TypeError as error:
        return str(error)


@pytest.fixture
def changed(tmp_path, monkeypatch, installed):
    """Make a module of one function ``f``, bare and with rows for old arguments."""

    def make(signature: str, rows: list[tuple[str, str | None]]):
        source = f"def f({signature}):\n    return sorted(locals().items())\n"
        (tmp_path / "changed.py").write_text(source)
        monkeypatch.syspath_prepend(tmp_path)
        monkeypatch.delitem(sys.modules, "changed", raising=False)
        importlib.invalidate_caches()
        bare: dict[str, object] = {}
        exec(source, bare)
        installed(*(Argument("changed:f", old, became=became, **DATES) for old, became in rows))
        return bare["f"], importlib.import_module("changed").f

    return make


@pytest.mark.parametrize("signature", SIGNATURES)
def test_calls_in_the_present_form_give_and_raise_what_the_bare_function_does(changed, signature):
    bare, ours = changed(signature, SIGNATURES[signature])
    assert ours is not bare and inspect.signature(ours) == inspect.signature(bare)
    assert inspect.getfullargspec(ours)[:6] == inspect.getfullargspec(bare)[:6]
    for call in CALLS:
        expected, got = given(bare, call), given(ours, call)
        if got != expected and isinstance(expected, str):
            # Of several that are missing only the first is named, and some of those too many may be taken for legacy arguments.
            said = re.fullmatch(r"(f\(\) missing )\d+ .*|(f\(\) takes ).* (positional arguments? but \d+ were given)", expected)
            assert said and all(part in str(got) for part in said.groups() if part), call
            assert call in ("()", "(1, 2, 3, 4, 5)")
        else:
            assert got == expected, call


@pytest.mark.parametrize(
    "signature, call, same_as",
    [
        ("a, b", "(1, old=5)", "(1, b=5)"),
        ("a, b=2", "(1, old=2)", "(1)"),
        ("a, b, c=3", "(1, old=5, c=7)", "(1, 5, 7)"),
        ("a=1, b=2, c=3", "(gone=1, old=None)", "(b=None)"),
        ("a, *, b", "(1, old=5)", "(1, b=5)"),
        ("a, c=3, *, b=2, d", "(1, older=6)", "(1, d=6)"),
        ("a, b=2, *rest", "(1, 5, 6, gone=1)", "(1, 5, 6)"),
        ("a, b=None, c=()", "(1, oldest=5)", "(1, b=5)"),
        ("a, b=2, **more", "(1, old=5, x=6)", "(1, b=5, x=6)"),
    ],
)
def test_calls_in_the_old_form_are_calls_in_the_present_one(changed, signature, call, same_as):
    bare, ours = changed(signature, SIGNATURES[signature])
    with pytest.warns(DeprecationWarning) as warned:
        assert given(ours, call) == given(bare, same_as)
    assert warned[0].filename == "<string>"


@pytest.mark.parametrize("call", ["(1, 2, old=5)", "(1, b=2, old=5)", "(1, b=5, old=5)"])
def test_an_argument_in_both_forms_fails_though_it_equals_the_default(changed, call):
    _, ours = changed("a, b=2", RENAMED)
    with pytest.warns(DeprecationWarning):
        assert given(ours, call) == "f() got multiple values for argument 'b'"


def test_positions_too_many_are_no_legacy_arguments(changed, recwarn):
    _, ours = changed("a, b=2", RENAMED)
    assert given(ours, "(1, 2, 3, 3)") == "f() takes from 1 to 2 positional arguments but 4 were given"
    assert not recwarn.list


def test_a_warning_of_the_function_itself_names_the_line_of_its_caller(tmp_path, monkeypatch, installed):
    (tmp_path / "warner.py").write_text("import warnings\ndef f(a, b=2):\n    warnings.warn('mine', UserWarning, 2)\n")
    monkeypatch.syspath_prepend(tmp_path)
    installed(Argument("warner:f", "old", became="b", **DATES))
    import warner

    with pytest.warns(UserWarning, match="mine") as warned:
        warner.f(1)
    assert warned[0].filename == __file__
