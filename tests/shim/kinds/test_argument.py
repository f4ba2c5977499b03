"""Legacy arguments of functions that stay."""

from __future__ import annotations

import inspect

import pytest

DATES = {"since": "1.0", "removal": "2.0", "instead": None}


def test_renamed_dropped_and_converted_arguments(home):
    seen = home.ok(
        """
        from canon.real import call
        results = [
            call(old=1),
            call(1, gone=2),
            call(1, ms=2500),
            call(1, 2, 3, flag=True, extra=4),
        ]
        """
    )
    assert seen.namespace["results"] == [
        (1, 1, (), False, {}),
        (1, 1, (), False, {}),
        (1, 2.5, (), False, {}),
        (1, 2, (3,), True, {"extra": 4}),
    ]
    assert seen.counted() == {
        ("canon.real:call(old)", "argument", 4): 1,
        ("canon.real:call(gone)", "argument", 5): 1,
        ("canon.real:call(ms)", "argument", 6): 1,
    }
    assert [text.partition(" is ")[0] for _, text in seen.warned] == [
        "Passing 'old' to canon.real.call()",
        "Passing 'gone' to canon.real.call()",
        "Passing 'ms' to canon.real.call()",
    ]
    assert [text.rpartition(". See")[0].rpartition(". ")[2] for _, text in seen.warned] == [
        "Pass 'new' instead",
        "Leave 'gone' out",
        "Pass 'other' instead",
    ]


@pytest.mark.parametrize("source", ["call(old=1, new=2)", "call(1, old=2)", "call(1, 2, ms=3)"])
def test_giving_an_argument_in_both_forms_fails_in_pythons_words(home, source):
    seen = home.use(f"from canon.real import call\n{source}")
    name = "other" if "ms" in source else "new"
    assert type(seen.error) is TypeError and str(seen.error) == f"call() got multiple values for argument {name!r}"


def test_async_functions_stay_async_and_count_at_the_call(home):
    seen = home.ok("import asyncio\nfrom canon.real import acall\nc = acall(old=3)\n\nr = asyncio.run(c)")
    assert seen.namespace["r"] == 3 and seen.counted() == {("canon.real:acall(old)", "argument", 3): 1}
    assert inspect.iscoroutinefunction(seen.namespace["acall"])


def test_a_newly_required_argument_is_supplied_and_counted(home):
    seen = home.ok("from canon.real import needs\nr = needs(x=4), needs('mine'), needs(ctx='k')")
    assert seen.namespace["r"] == (("made", 4), ("mine", 0), ("k", 0))
    assert seen.counted() == {("canon.real:needs(ctx)", "argument", 2): 1}
    assert "Calling canon.real.needs() without 'ctx' is deprecated" in seen.warned[0][1]


def test_reordered_positional_arguments(home):
    seen = home.ok("from canon.real import area\nr = area(1, 2), area(width=1, height=2), area(1, width=3)")
    assert seen.namespace["r"] == ((2, 1), (1, 2), (3, 1))
    assert seen.counted() == {("canon.real:area(height, width)", "argument", 2): 2}
    assert (
        str(home.use("from canon.real import area\narea(1, height=2)").error)
        == "area() got multiple values for argument 'height'"
    )
    assert (
        str(home.use("from canon.real import area\narea(1, 2, 3)").error)
        == "area() takes 2 positional arguments but 3 were given"
    )


def test_arguments_of_methods(home):
    seen = home.ok("from canon.real import Real\nr = Real().resize(1, h=2)")
    assert seen.namespace["r"] == (1, 2)
    assert seen.counted() == {("canon.real:Real.resize(h)", "argument", 2): 1}
