"""A changed argument: its sentences and its faults."""

from __future__ import annotations

import pytest

from compat.ledger import Argument, Ledger, sentence
from compat.ledger.checking import find_faults

DATES = {"since": "1.0", "removal": "2.0", "instead": None}


@pytest.mark.parametrize(
    ("row", "use", "text"),
    [
        (
            Argument("m:f", "old", became="new", **DATES),
            "argument",
            "Passing 'old' to m.f() is deprecated since 1.0 and will be removed in 2.0. Pass 'new' instead.",
        ),
        (
            Argument("m:f", "old", became=None, **DATES),
            "argument",
            "Passing 'old' to m.f() is deprecated since 1.0 and will be removed in 2.0. Leave 'old' out.",
        ),
        (
            Argument("m:f", order=("b", "a"), **DATES),
            "argument",
            "Passing b, a to m.f() by position in this order is deprecated since 1.0 and will be removed in 2.0. Pass these arguments by keyword.",
        ),
        (
            Argument("m:f", "a", default="m:g", **DATES),
            "argument",
            "Calling m.f() without 'a' is deprecated since 1.0 and will be removed in 2.0. Pass 'a' yourself.",
        ),
    ],
)
def test_its_sentences(row, use, text):
    assert sentence(row, use) == text


def reasons(row):
    return [reason for _row, reason, _remedy in find_faults(Ledger("t", version="1.0") + [row])]


@pytest.mark.parametrize(
    ("template", "fault"),
    [
        ("int({value}) * 1000", ""),
        ("[{value}]", ""),
        ("int(x)", "template 'int(x)': {value} is missing"),
        ("{value} +", "template '{value} +': it is no expression ("),
        (
            "timedelta(seconds={value})",
            "template 'timedelta(seconds={value})': timedelta is no builtin, and would have to be imported",
        ),
    ],
)
def test_check_reads_the_template_of_a_converted_argument(template, fault):
    row = Argument("json:dumps", "x", became="obj", convert="json:loads", template=template, **DATES)
    found = reasons(row)
    assert len(found) == bool(fault)
    assert all(reason.startswith(fault) for reason in found)


def test_check_wants_a_converter_beside_a_template():
    row = Argument("json:dumps", "x", became="obj", template="[{value}]", **DATES)
    found = reasons(row)
    assert found == ["template '[{value}]': there is no convert for it to spell out"]


@pytest.mark.parametrize("field", ["convert", "default"])
def test_it_wants_callables_for_what_makes_values(field):
    shape = {"became": "obj"} if field == "convert" else {}
    row = Argument("json:dumps", "x", **{field: "json:__name__"}, **shape, **DATES)
    assert reasons(row) == [f"{field}='json:__name__' is not callable"]


@pytest.mark.parametrize(
    ("shape", "telling"),
    [
        ({"argument": "old", "became": "new"}, ("old",)),
        ({"argument": "old", "became": None}, ("old",)),
        ({"several": "wide high", "became": "size", "convert": "shop:size"}, ("wide", "high")),
        ({"argument": "old", "became": "new", "position": 1}, ()),
        ({"argument": "size", "became": "size", "convert": "shop:size"}, ()),
        ({"argument": "mode", "values": ["a"]}, ()),
        ({"argument": "user", "default": "shop:user"}, ()),
        ({"argument": "user", "was": 0}, ()),
        ({"order": "b a"}, ()),
        ({"keyword_only": "b"}, ()),
        ({"together": "a b"}, ()),
    ],
)
def test_a_keyword_tells_of_a_legacy_call_where_no_position_and_no_absence_can(shape, telling):
    assert Argument("shop:f", **shape, since="1.0", removal="2.0", instead=None).telling == telling
