"""What changes about an argument besides its name: each legacy form works, is counted once, and the present form is silent."""

from __future__ import annotations

import pytest

import compat
from compat import Argument

from .argument_forms import FORMS, ZOO, V


@pytest.fixture
def zoo(world):
    world.write("zoo.py", ZOO)
    return world


def lines_of(calls):
    return "import asyncio\nfrom zoo import *\n" + "".join(f"got.append({call})\n" for call, _result in calls)


def run(zoo, calls):
    seen = zoo.ok("got = []\n" + lines_of(calls))
    assert seen.namespace["got"] == [result for _call, result in calls]
    return seen


@pytest.mark.parametrize("row, legacy, present", FORMS.values(), ids=FORMS)
def test_each_legacy_form_is_one_use_and_the_present_form_none(zoo, installed, ledger_of, row, legacy, present):
    assert compat.check(ledger_of(row)) is None
    installed(row)
    assert compat.check(ledger_of(row)) is None
    assert run(zoo, present).counted() == {}
    for _ in range(2):
        run(zoo, legacy).once(*((row.id, "argument", 4 + number) for number in range(len(legacy))))


@pytest.mark.parametrize(
    "row, legacy, present",
    [form for form in FORMS.values() if not form[0].was],
    ids=[key for key in FORMS if "default" not in key and "tuple" not in key],
)
def test_at_the_removal_version_a_legacy_form_is_a_type_error(zoo, installed, row, legacy, present):
    installed(row, version="2.0")
    assert run(zoo, present).counted() == {}
    for call, _result in legacy:
        seen = zoo.use("got = []\n" + lines_of([(call, None)]))
        assert isinstance(seen.error, compat.LegacyExpiredError) and isinstance(seen.error, TypeError)


def test_a_changed_default_switches_at_the_removal_version(zoo, installed):
    row = Argument("zoo:feed", "count", was=5, **V)
    with_it = installed(row)
    assert run(zoo, [("feed('cow')", ("cow", "hay", 5))]).warned[0][1] == (
        "Calling zoo.feed() without 'count' takes 5, the default that changes in 2.0; this is deprecated since kit 1.0."
        " Pass 'count' yourself. See MIGRATION.md."
    )
    with_it.remove()
    installed(row, version="2.0")
    assert run(zoo, [("feed('cow')", ("cow", "hay", 1))]).counted() == {}


@pytest.mark.parametrize(
    "rows, call, error",
    [
        ([FORMS["keyword-only now"][0]], "feed('cow', 'oats', 2, count=3)", "feed() got multiple values for argument 'count'"),
        ([FORMS["several in one"][0]], "draw('a', (1, 2), width=1)", "draw() got multiple values for argument 'size'"),
        ([FORMS["several in one"][0]], "draw('a', size=1, width=1)", "draw() got multiple values for argument 'size'"),
        ([FORMS["dropped, by position"][0]], "feed(1, 2, 3, 4)", "takes from 1 to 2 positional arguments but 4 "),
    ],
)
def test_what_is_given_twice_or_was_never_taken_fails_in_pythons_words(zoo, installed, rows, call, error):
    installed(*rows)
    seen = zoo.use(f"from zoo import *\n{call}")
    assert type(seen.error) is TypeError and error in str(seen.error)


@pytest.mark.parametrize("turned", [False, True])
def test_forms_of_one_function_compose(zoo, installed, turned):
    rows = [
        Argument("zoo:feed", "colour", position=1, **V),
        Argument("zoo:feed", keyword_only="count", **V),
        Argument("zoo:feed", "animal", values={"moo": "cow"}, **V),
        Argument("zoo:feed", "fodder", became="meal", **V),
        Argument("zoo:feed", "meal", became="food", **V),
    ]
    installed(*(reversed(rows) if turned else rows))
    calls = [
        ("feed('moo', 'red', 'oats', 2)", ("cow", "oats", 2)),
        ("feed('moo', fodder='oats', colour='red')", ("cow", "oats", 1)),
        ("feed('cow', meal='oats')", ("cow", "oats", 1)),
        ("feed('cow', 'oats', count=3)", ("cow", "oats", 3)),
    ]
    assert run(zoo, calls).counted() == {
        ("zoo:feed(animal='moo')", "argument", 4): 1,
        ("zoo:feed(colour)", "argument", 4): 1,
        ("zoo:feed(*, count)", "argument", 4): 1,
        ("zoo:feed(animal='moo')", "argument", 5): 1,
        ("zoo:feed(fodder)", "argument", 5): 1,
        ("zoo:feed(colour)", "argument", 5): 1,
        ("zoo:feed(meal)", "argument", 6): 1,
    }


@pytest.mark.parametrize(
    "row, reason",
    [
        (Argument("zoo:feed", keyword_only="food", **V), "'zoo:feed' still takes them by position"),
        (Argument("zoo:feed", keyword_only="nope", **V), "'zoo:feed' takes no argument 'nope'"),
        (Argument("zoo:feed", together="animal nope", **V), "'zoo:feed' takes no argument 'nope'"),
        (Argument("zoo:feed", "nope", was=1, **V), "'zoo:feed' takes no argument 'nope'"),
        (Argument("zoo:feed", "nope", values=(1,), **V), "'zoo:feed' takes no argument 'nope'"),
        (Argument("zoo:feed", together="food", **V), "it takes two arguments at the least"),
        (Argument("zoo:feed", several="a b", became="food", **V), "several arguments become one by a callable"),
        (Argument("zoo:feed", keyword_only="count", position=1, **V), "position belongs to a renamed or dropped argument"),
        (Argument("zoo:feed", "food", values=(1,), was=2, **V), "it must be exactly one of"),
        (Argument("zoo:feed", **V), "it must be exactly one of"),
    ],
)
def test_check_names_what_is_wrong_with_a_form(zoo, ledger_of, row, reason):
    with pytest.raises(compat.LedgerError) as caught:
        compat.check(ledger_of(row))
    assert len(caught.value.faults) == 1 and reason in str(caught.value)
